/*
 * Who is signed in to the page, and who tried too often. Two fixed tables: when one is full, its oldest
 * row gives way. A cookie is kept as its digest only, in memory only: a restart of the hub signs everybody
 * out. A session is worth nothing on any other route than the page's. Pure: the clock comes in.
 */
#ifndef PIC_HUB_WEB_SESSION_H
#define PIC_HUB_WEB_SESSION_H

#include "hub/identity/token.h"

#define PIC_WEB_COOKIE "__Host-piccolo"
#define PIC_WEB_SESSIONS_MAX 64
#define PIC_WEB_SESSION_MS (12 * 60 * 60 * 1000LL) /* at most */
#define PIC_WEB_IDLE_MS (2 * 60 * 60 * 1000LL)	   /* without a request */
#define PIC_WEB_FORM_TOKEN_TEXT 33

struct pic_web_session {
	struct pic_sha256 digest;
	char form_token
		[PIC_WEB_FORM_TOKEN_TEXT]; /* every form of this session carries it; "": free */
	int64_t begun_ms, seen_ms;	   /* boot clock */
};

struct pic_web_sessions {
	struct pic_web_session items[PIC_WEB_SESSIONS_MAX];
};

void pic_web_session_begin(struct pic_web_sessions *sessions, int64_t now_ms,
			   char cookie[PIC_TOKEN_TEXT]);
/* The session of that cookie, now seen, or NULL. `header` is the request's Cookie, or NULL. */
struct pic_web_session *pic_web_session_find(struct pic_web_sessions *sessions, const char *header,
					     int64_t now_ms);
bool pic_web_session_is_on(const struct pic_web_session *session, int64_t now_ms);
void pic_web_session_end(struct pic_web_session *session);

#define PIC_WEB_TRIES_MAX 10 /* that fail, in one minute, from one address */
#define PIC_WEB_TRIES_MS (60 * 1000LL)
#define PIC_WEB_TRIERS_MAX 128

struct pic_web_trier {
	char who[48]; /* an IPv4 address, or the first half of an IPv6 one; "": free */
	unsigned failed;
	int64_t since_ms;
};

struct pic_web_triers {
	struct pic_web_trier items[PIC_WEB_TRIERS_MAX];
};

/* Milliseconds until the peer ("127.0.0.1:4711", "[::1]:1") may try again; 0: now. */
int64_t pic_web_tries_wait(const struct pic_web_triers *triers, const char *peer, int64_t now_ms);
void pic_web_tries_failed(struct pic_web_triers *triers, const char *peer, int64_t now_ms);

#endif
