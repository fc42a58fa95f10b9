#include "hub/web/session.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "hub/host.h"
#include "hub/web/form.h"

bool pic_web_session_is_on(const struct pic_web_session *session, int64_t now_ms)
{
	return session->form_token[0] && now_ms - session->begun_ms < PIC_WEB_SESSION_MS &&
	       now_ms - session->seen_ms < PIC_WEB_IDLE_MS;
}

/* A free row, else one that is over, else the one that was seen least recently. */
static struct pic_web_session *row_for_new(struct pic_web_sessions *sessions, int64_t now_ms)
{
	struct pic_web_session *oldest = &sessions->items[0];

	for (size_t i = 0; i < PIC_WEB_SESSIONS_MAX; i++) {
		struct pic_web_session *session = &sessions->items[i];

		if (!pic_web_session_is_on(session, now_ms))
			return session;
		if (session->seen_ms < oldest->seen_ms)
			oldest = session;
	}
	return oldest;
}

void pic_web_session_begin(struct pic_web_sessions *sessions, int64_t now_ms,
			   char cookie[PIC_TOKEN_TEXT])
{
	struct pic_web_session *session = row_for_new(sessions, now_ms);

	pic_token_make(PIC_TOKEN_SESSION, cookie, &session->digest);
	pic_random_text(sizeof(session->form_token) / 2, session->form_token);
	session->begun_ms = session->seen_ms = now_ms;
}

struct pic_web_session *pic_web_session_find(struct pic_web_sessions *sessions, const char *header,
					     int64_t now_ms)
{
	char cookie[PIC_TOKEN_TEXT];
	struct pic_sha256 digest;

	if (!pic_cookie_find(header, PIC_WEB_COOKIE, cookie, sizeof(cookie)) ||
	    !pic_token_digest(cookie, &digest))
		return NULL;
	for (size_t i = 0; i < PIC_WEB_SESSIONS_MAX; i++) {
		struct pic_web_session *session = &sessions->items[i];

		if (pic_web_session_is_on(session, now_ms) &&
		    pic_sha256_equal(&session->digest, &digest)) {
			session->seen_ms = now_ms;
			return session;
		}
	}
	return NULL;
}

void pic_web_session_end(struct pic_web_session *session)
{
	explicit_bzero(session, sizeof(*session));
}

/* Whoever has one IPv6 address has its whole network: they count as one. */
static void trier_of(const char *peer, char out[48])
{
	struct in6_addr address;

	if (!pic_host_of(peer, out, 48)) {
		strcpy(out, "unknown");
		return;
	}
	if (inet_pton(AF_INET6, out, &address) != 1)
		return;
	if (IN6_IS_ADDR_V4MAPPED(&address))
		return;
	memset(address.s6_addr + 8, 0, 8);
	inet_ntop(AF_INET6, &address, out, 48);
}

static bool counts(const struct pic_web_trier *trier, const char *who, int64_t now_ms)
{
	return strcmp(trier->who, who) == 0 && now_ms - trier->since_ms < PIC_WEB_TRIES_MS;
}

int64_t pic_web_tries_wait(const struct pic_web_triers *triers, const char *peer, int64_t now_ms)
{
	char who[48];

	trier_of(peer, who);
	for (size_t i = 0; i < PIC_WEB_TRIERS_MAX; i++) {
		const struct pic_web_trier *trier = &triers->items[i];

		if (counts(trier, who, now_ms))
			return trier->failed < PIC_WEB_TRIES_MAX
				       ? 0
				       : trier->since_ms + PIC_WEB_TRIES_MS - now_ms;
	}
	return 0;
}

void pic_web_tries_failed(struct pic_web_triers *triers, const char *peer, int64_t now_ms)
{
	struct pic_web_trier *oldest = &triers->items[0];
	char who[48];

	trier_of(peer, who);
	for (size_t i = 0; i < PIC_WEB_TRIERS_MAX; i++) {
		struct pic_web_trier *trier = &triers->items[i];

		if (counts(trier, who, now_ms)) {
			trier->failed++;
			return;
		}
		if (!trier->who[0] || (oldest->who[0] && trier->since_ms < oldest->since_ms))
			oldest = trier;
	}
	strcpy(oldest->who, who);
	oldest->failed = 1;
	oldest->since_ms = now_ms;
}
