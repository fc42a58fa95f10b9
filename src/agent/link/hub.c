/*
 * The hub's dialect: long polls. A poll says what is in force and is held by the hub until there is
 * something else; the first one after a failure is not held, so that its answer tells at once that all
 * is well again. After a silent death of the connection polls are held half as long.
 */
#include "agent/link/hub_link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/link/backoff.h"
#include "agent/link/hub_answer.h"
#include "agent/sentence.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"

#define HOLD_S 600
#define HOLD_SHORTEST_S 60
#define QUIET_ENOUGH 6 /* polls held to their end before they are held longer again */
#define GRACE_MS 20000 /* behind the end of a held poll */
#define AT_ONCE_MS 1000
#define BUSY_MS 200
#define PAUSE_MS \
	25 /* before the next poll when a document came: its artifacts use the open connection */
#define REFUSED_LONGEST_MS 60000 /* a person may be waiting who confirms an epoch */

static void poll_now(void *data);

void pic_hub_url(const struct pic_link *link, char *out, size_t size, const char *format, ...)
{
	int used = snprintf(out, size, "%s", link->settings.identity->hub);
	va_list arguments;

	va_start(arguments, format);
	if (used > 0 && (size_t)used < size)
		vsnprintf(out + used, size - (size_t)used, format, arguments);
	va_end(arguments);
}

/* True when what the next request uses knows the identity and the clock as they are now. */
static bool client_is_fresh(struct pic_link *link)
{
	if (!link->client)
		return true;
	if (link->dates_ignored && pic_clock_wall_is_set(pic_clock_wall_ms()))
		link->client_is_old =
			true; /* dates are checked from the moment the clock can be right */
	if (!link->client_is_old)
		return true;
	if (link->report_request || link->replies || link->poll || link->renewal || link->borrowed)
		return false;
	pic_client_free(PIC_STEAL(link->client));
	return true;
}

int pic_hub_client(struct pic_link *link, struct pic_client **out, struct pic_error *err)
{
	const struct pic_agent_identity *identity = link->settings.identity;
	bool ignore_dates = !pic_clock_wall_is_set(pic_clock_wall_ms());
	struct pic_client_settings settings = {
		.user_agent = link->settings.user_agent,
		.authority_pem = identity->authority,
		.certificate_pem = identity->certificate,
		.key_pem = identity->key,
		.server_pin = identity->tls_pin,
		.unverified = identity->tls_pin != NULL, /* the pin is the check then */
		.ignore_dates = ignore_dates,
	};
	int r;

	if (!link->client) {
		r = pic_client_new(&link->client, link->settings.loop, &settings, err);
		if (r < 0)
			return r;
		link->dates_ignored = ignore_dates;
		link->client_is_old = false;
	}
	*out = link->client;
	return 0;
}

/* -- what is known of the hub ------------------------------------------------------------------ */

static void set_state(struct pic_link *link, enum pic_link_connection connection,
		      const char *reason, const char *problem)
{
	struct pic_link_state *state = &link->state;
	bool same = state->connection == connection && strcmp(state->reason, reason) == 0 &&
		    strcmp(state->problem, problem) == 0;

	if (same)
		return;
	state->connection = connection;
	snprintf(state->reason, sizeof(state->reason), "%s", reason);
	pic_sentence_copy(state->problem, sizeof(state->problem), problem);
	if (connection == PIC_LINK_CONNECTED)
		pic_log(PIC_LOG_INFO, "hub-connected",
			PIC_TEXT("hub", link->settings.identity->hub));
	else
		pic_log(PIC_LOG_WARNING, "hub-away", PIC_TEXT("reason", reason),
			PIC_TEXT("why", problem));
	link->settings.handler.changed(link->settings.handler.data);
}

static void retry(struct pic_link *link, int64_t retry_after_ms, int64_t longest_ms)
{
	int64_t delay = pic_backoff_ms(++link->failures, retry_after_ms);

	link->state.failures++;
	if (delay > longest_ms && longest_ms > retry_after_ms)
		delay = longest_ms;
	pic_timer_set(link->poll_timer, delay);
}

static void note_contact(struct pic_link *link)
{
	link->state.contact_boot_ms = pic_clock_boot_ms();
	link->state.contact_wall_ms = pic_clock_wall_ms();
}

/* -- answers ------------------------------------------------------------------------------------- */

static void poll_failed(struct pic_link *link, const struct pic_client_answer *answer)
{
	int64_t held_ms = pic_clock_boot_ms() - link->sent_boot_ms;
	bool died = link->wait_s > 0 && held_ms > HOLD_SHORTEST_S * 1000;

	/* held for long and then nothing: something on the way forgets connections */
	if (died && link->hold_s / 2 >= HOLD_SHORTEST_S)
		link->hold_s /= 2;
	link->quiet = 0;
	set_state(link, PIC_LINK_CONNECTING,
		  answer->failure == PIC_CLIENT_UNTRUSTED ? "HubNotTrusted" : "HubUnreachable",
		  answer->error.text);
	retry(link, -1, PIC_BACKOFF_LONGEST_MS);
}

static void poll_refused(struct pic_link *link, const struct pic_client_answer *answer)
{
	struct pic_error err = PIC_ERROR_INIT;
	char reason[48];

	pic_hub_refusal_parse(answer->status, answer->body.data, answer->body.size,
			      answer->content_type, reason, &err);
	set_state(link, answer->status >= 500 ? PIC_LINK_CONNECTING : PIC_LINK_REFUSED, reason,
		  err.text);
	retry(link, answer->retry_after_ms, PIC_BACKOFF_LONGEST_MS);
}

static void poll_unreadable(struct pic_link *link, const struct pic_client_answer *answer,
			    const struct pic_error *err)
{
	set_state(link, PIC_LINK_REFUSED, "BadAnswer", err->text);
	retry(link, answer->retry_after_ms, PIC_BACKOFF_LONGEST_MS);
}

/* A hub that has nothing to say but says it at once, again and again, is not asked without end. */
static void next_poll(struct pic_link *link, bool useful, int64_t pause_ms)
{
	int64_t held_ms = pic_clock_boot_ms() - link->sent_boot_ms;

	if (!useful && link->wait_s > 0 && held_ms < AT_ONCE_MS) {
		retry(link, -1, PIC_BACKOFF_LONGEST_MS);
		return;
	}
	link->failures = 0;
	if (!useful && link->wait_s == link->hold_s && ++link->quiet >= QUIET_ENOUGH &&
	    link->hold_s < HOLD_S) {
		link->hold_s = 2 * link->hold_s < HOLD_S ? 2 * link->hold_s : HOLD_S;
		link->quiet = 0;
	}
	pic_timer_set(link->poll_timer, pause_ms);
}

static void deliver(struct pic_link *link, struct pic_hub_answer *answer, const char *etag)
{
	struct pic_link_handler *handler = &link->settings.handler;
	bool offered = answer->document.size > 0;
	bool useful = answer->ask_count > 0 || answer->ticket_count > 0;
	int r = 0;

	for (size_t i = 0; i < answer->ask_count; i++)
		handler->ask(handler->data, &answer->asks[i]);
	if (offered) {
		r = handler->document(handler->data, answer->document.data, answer->document.size,
				      answer->confirmed);
		link->refused_etag[0] = '\0';
		useful |= r == 0;
	}
	for (size_t i = 0; r >= 0 && i < answer->ticket_count; i++)
		handler->ticket(handler->data, answer->ticket_epoch, &answer->tickets[i]);
	pic_hub_answer_clear(answer);
	if (r == -EPERM && etag[0] && strlen(etag) < sizeof(link->refused_etag))
		memcpy(link->refused_etag, etag,
		       strlen(etag) + 1); /* held until there is another one */
	else if (r < 0) {
		retry(link, -1, REFUSED_LONGEST_MS);
		return;
	}
	next_poll(link, useful, offered && r == 0 ? PAUSE_MS : 0);
}

static void on_poll(void *data, const struct pic_client_answer *answer)
{
	struct pic_link *link = data;
	struct pic_hub_answer parsed;
	struct pic_error err = PIC_ERROR_INIT;

	link->poll = NULL;
	if (answer->failure != PIC_CLIENT_OK) {
		poll_failed(link, answer);
		return;
	}
	if (answer->status != 200 && answer->status != 304) {
		poll_refused(link, answer);
		return;
	}
	if (answer->status == 200 &&
	    pic_hub_answer_parse(&parsed, answer->body.data, answer->body.size,
				 answer->content_type, &err) < 0) {
		poll_unreadable(link, answer, &err);
		return;
	}
	note_contact(link);
	if (answer->peer[0])
		link->settings.handler.peer(link->settings.handler.data, answer->peer,
					    answer->peer_port);
	set_state(link, PIC_LINK_CONNECTED, "", "");
	if (answer->status == 200)
		deliver(link, &parsed, answer->etag);
	else
		next_poll(link, false, 0);
}

/* -- questions ----------------------------------------------------------------------------------- */

static void write_url(const struct pic_link *link, const unsigned char *stamp, char *out,
		      size_t size)
{
	PIC_BUF struct pic_buf approvals =
		PIC_BUF_INIT(PIC_POLL_APPROVALS_MAX * (PIC_TICKET_KEY_TEXT + 1) + 1);
	const struct pic_acceptance *in_force = link->settings.in_force;
	char digest[2 * PIC_DIGEST_SIZE + 1] = "", hex[2 * 16 + 1] = "";

	if (in_force->epoch[0])
		pic_hex_encode(in_force->digest, PIC_DIGEST_SIZE, digest);
	if (stamp)
		pic_hex_encode(stamp, 16, hex);
	link->settings.handler.approvals(link->settings.handler.data, &approvals);
	pic_hub_url(link, out, size,
		    "/device/v1/document?protocol=%d&epoch=%s&revision=%" PRId64
		    "&digest=%s&session=%s&stamp=%s&approvals=%s&wait=%" PRId64,
		    PIC_PROTOCOL, in_force->epoch, in_force->revision, digest,
		    link->settings.session, hex, pic_buf_text(&approvals), link->wait_s);
}

static int send_poll(struct pic_link *link, const unsigned char *stamp, struct pic_error *err)
{
	const struct pic_acceptance *in_force = link->settings.in_force;
	char url[PIC_URL_MAX], etag[PIC_EPOCH_TEXT + 64];
	const char *headers[] = { "Accept: application/json", NULL, NULL };
	struct pic_client_request request = {
		.method = "GET",
		.url = url,
		.headers = headers,
		.timeout_ms = link->wait_s * 1000 + GRACE_MS,
		.stall_ms = link->wait_s * 1000 + GRACE_MS,
		.answer_max = PIC_HUB_ANSWER_MAX,
		.answer_fd = -1,
		.done = on_poll,
		.data = link,
	};
	struct pic_client *client;
	int r = pic_hub_client(link, &client, err);

	if (r < 0)
		return r;
	write_url(link, stamp, url, sizeof(url));
	if (link->refused_etag[0]) {
		snprintf(etag, sizeof(etag), "If-None-Match: %s", link->refused_etag);
		headers[1] = etag;
	} else if (in_force->epoch[0]) {
		snprintf(etag, sizeof(etag), "If-None-Match: \"%s-%" PRId64 "\"", in_force->epoch,
			 in_force->revision);
		headers[1] = etag;
	}
	link->sent_boot_ms = pic_clock_boot_ms();
	link->state.polls++;
	return pic_client_send(client, &request, &link->poll, err);
}

static void give_stamp(struct pic_link *link, const unsigned char *stamp)
{
	struct pic_error err = PIC_ERROR_INIT;

	if (!link->wants_stamp)
		return;
	link->wants_stamp = false;
	link->wait_s = link->state.connection == PIC_LINK_CONNECTED ? link->hold_s : 0;
	if (send_poll(link, stamp, &err) == 0)
		return;
	set_state(link, PIC_LINK_CONNECTING, "PollFailed", err.text);
	retry(link, -1, PIC_BACKOFF_LONGEST_MS);
}

static void poll_now(void *data)
{
	struct pic_link *link = data;

	if (link->poll || link->wants_stamp)
		return;
	if (!client_is_fresh(link)) {
		pic_timer_set(link->poll_timer,
			      BUSY_MS); /* a report is on its way with the old one */
		return;
	}
	if (pic_hub_renew(link))
		return;
	link->wants_stamp = true;
	link->settings.handler.stamp(link->settings.handler.data);
}

/* Only a poll that is held says something old: others are on their way, or wait for their time. */
static void poll_again(struct pic_link *link)
{
	if (!link->poll)
		return;
	pic_client_cancel(PIC_STEAL(link->poll));
	pic_timer_set(link->poll_timer, 0);
}

/* -- the dialect ------------------------------------------------------------------------------------ */

static void close_link(struct pic_link *link)
{
	if (!link)
		return;
	pic_hub_cancel_sends(link);
	pic_hub_cancel_renewal(link);
	pic_client_cancel(link->poll);
	pic_client_free(link->client);
	pic_timer_free(link->poll_timer);
	pic_timer_free(link->report_timer);
	free(link);
}

static int open_link(struct pic_link **out, const struct pic_link_settings *settings,
		     struct pic_error *err)
{
	struct pic_link *link = calloc(1, sizeof(*link));

	if (!link)
		return pic_error_set(err, -ENOMEM, "no memory for the hub's link");
	link->settings = *settings;
	link->state.connection = PIC_LINK_CONNECTING;
	link->hold_s = HOLD_S;
	link->report = (struct pic_buf)PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
	link->report_sent = (struct pic_buf)PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
	link->renewal_body = (struct pic_buf)PIC_BUF_INIT(PIC_HUB_SHORT_MS);
	if (pic_loop_timer(settings->loop, poll_now, link, &link->poll_timer, err) < 0 ||
	    pic_loop_timer(settings->loop, pic_hub_report_again, link, &link->report_timer, err) <
		    0) {
		close_link(link);
		return -ENOMEM;
	}
	pic_timer_set(link->poll_timer, 0);
	*out = link;
	return 0;
}

static struct pic_client *borrow(struct pic_link *link, bool *keep)
{
	struct pic_client *client = NULL;

	if (pic_hub_client(link, &client, NULL) < 0)
		return NULL;
	link->borrowed++;
	*keep = !link->poll;
	return client;
}

static void give_back(struct pic_link *link)
{
	link->borrowed--;
}

static const struct pic_link_state *state_of(const struct pic_link *link)
{
	return &link->state;
}

const struct pic_link_dialect pic_link_hub = {
	.name = "hub",
	.open = open_link,
	.close = close_link,
	.report = pic_hub_report,
	.answer = pic_hub_answer,
	.stamp = give_stamp,
	.again = poll_again,
	.state = state_of,
	.borrow = borrow,
	.give_back = give_back,
};

const char *pic_link_connection_text(enum pic_link_connection connection)
{
	switch (connection) {
	case PIC_LINK_NONE:
		return "none";
	case PIC_LINK_CONNECTING:
		return "connecting";
	case PIC_LINK_CONNECTED:
		return "connected";
	case PIC_LINK_REFUSED:
		return "refused";
	}
	return "unknown";
}
