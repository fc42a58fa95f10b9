/*
 * Open pages learn that what they show has changed: one event stream each, on which a few bytes travel when
 * the store has committed something of the page's topic. The page then fetches itself again. Nothing is
 * sent while nothing changes, and at most one event a second however much does.
 */
#include "hub/web/room.h"

#include <errno.h>
#include <string.h>

#define STREAMS_MAX 64
#define BACKLOG_MAX 4096
#define GATHER_MS 60  /* what belongs together is told together */
#define PAUSE_MS 1000 /* between two events of one page */
#define TOPIC_MAX (PIC_NAME_MAX + 16)

struct stream {
	struct pic_kept kept; /* first */
	struct pic_live *live;
	struct stream *previous, *next;
	struct pic_exchange *exchange;
	const struct pic_web_session *session;
	struct pic_sha256 digest; /* of the session: its row may be another's by now */
	char topic[TOPIC_MAX + 1];
	int64_t due_ms; /* boot clock; 0: nothing to tell */
	int64_t told_ms;
};

struct pic_live {
	struct pic_web *web;
	struct stream *first;
	size_t count;
	struct pic_timer *timer;
};

static void stream_free(struct stream *stream)
{
	struct pic_live *live = stream->live;

	if (stream->previous)
		stream->previous->next = stream->next;
	else
		live->first = stream->next;
	if (stream->next)
		stream->next->previous = stream->previous;
	live->count--;
	free(stream);
}

static void stream_end(struct stream *stream)
{
	struct pic_exchange *exchange = stream->exchange;

	pic_exchange_set_data(exchange, NULL);
	stream_free(stream);
	pic_stream_end(exchange);
}

static void on_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	(void)exchange;
	stream_free((struct stream *)kept);
}

/* What is behind a topic. Requests for approval are in every page's navigation. */
static bool concerns(const char *topic, enum pic_kind kind, const struct pic_object *object)
{
	static const char one[] = "device/";

	if (kind == PIC_KIND_APPROVAL)
		return true;
	if (strcmp(topic, "campaigns") == 0)
		return kind == PIC_KIND_CAMPAIGN || kind == PIC_KIND_ACTIVATION;
	if (strcmp(topic, "devices") == 0)
		return kind == PIC_KIND_DEVICE || kind == PIC_KIND_INSTANCE;
	if (strncmp(topic, one, sizeof(one) - 1) == 0)
		return kind == PIC_KIND_INSTANCE ||
		       (kind == PIC_KIND_DEVICE &&
			strcmp(object->name, topic + sizeof(one) - 1) == 0);
	return false;
}

static void arm(struct pic_live *live)
{
	int64_t next = 0;

	for (struct stream *stream = live->first; stream; stream = stream->next) {
		if (stream->due_ms && (!next || stream->due_ms < next))
			next = stream->due_ms;
	}
	if (next)
		pic_timer_set_at(live->timer, next);
}

static void on_durable(void *data, enum pic_kind kind, struct pic_object *before,
		       struct pic_object *after, int64_t revision)
{
	struct pic_live *live = data;
	bool any = false;

	(void)revision;
	for (struct stream *stream = live->first; stream; stream = stream->next) {
		if (stream->due_ms || !concerns(stream->topic, kind, after ? after : before))
			continue;
		int64_t soon = pic_clock_boot_ms() + GATHER_MS;
		int64_t later = stream->told_ms + PAUSE_MS;

		stream->due_ms = soon > later ? soon : later;
		any = true;
	}
	if (any)
		arm(live);
}

static bool is_signed_in(const struct stream *stream, int64_t now_ms)
{
	return pic_web_session_is_on(stream->session, now_ms) &&
	       pic_sha256_equal(&stream->session->digest, &stream->digest);
}

static void on_timer(void *data)
{
	static const char event[] = "data: changed\n\n";
	struct pic_live *live = data;
	int64_t now = pic_clock_boot_ms();

	for (struct stream *stream = live->first, *next; stream; stream = next) {
		next = stream->next;
		if (!stream->due_ms || stream->due_ms > now)
			continue;
		stream->due_ms = 0;
		stream->told_ms = now;
		if (!is_signed_in(stream, now) ||
		    !pic_stream_write(stream->exchange, event, sizeof(event) - 1))
			stream_end(stream);
	}
	arm(live);
}

int pic_live_open(struct pic_live **out, struct pic_web *web, struct pic_error *err)
{
	PIC_FREE struct pic_live *live = calloc(1, sizeof(*live));

	if (!live)
		return pic_error_set(err, -ENOMEM, "no memory for the hub's page");
	live->web = web;
	int r = pic_loop_timer(web->hub->loop, on_timer, live, &live->timer, err);
	if (r < 0)
		return r;
	r = pic_store_listen(web->hub->store, PIC_STORE_DURABLE, on_durable, live);
	if (r < 0) {
		pic_timer_free(live->timer);
		return pic_error_set(err, r, "the hub's page cannot listen to the store");
	}
	*out = PIC_STEAL(live);
	return 0;
}

void pic_live_stop(struct pic_live *live)
{
	pic_store_ignore(live->web->hub->store, on_durable, live);
	while (live->first)
		stream_end(live->first);
}

void pic_live_close(struct pic_live *live)
{
	pic_timer_free(live->timer);
	free(live);
}

void pic_live_forget(struct pic_live *live, const struct pic_web_session *session)
{
	for (struct stream *stream = live->first, *next; stream; stream = next) {
		next = stream->next;
		if (stream->session == session)
			stream_end(stream);
	}
}

static struct stream *stream_new(struct pic_live *live, const struct pic_web_session *session,
				 const char *topic)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->kept.gone = on_gone;
	stream->live = live;
	stream->session = session;
	stream->digest = session->digest;
	strcpy(stream->topic, topic);
	stream->next = live->first;
	if (live->first)
		live->first->previous = stream;
	live->first = stream;
	live->count++;
	return stream;
}

void pic_web_events(struct pic_hub *hub, struct pic_exchange *exchange,
		    const struct pic_route_match *match)
{
	/* Random, so that a hub's restart does not call all pages at once. */
	PIC_BUF struct pic_buf first = PIC_BUF_INIT(128);
	struct pic_live *live = hub->web->live;
	const char *topic = pic_exchange_query(exchange, "topic");

	(void)match;
	if (!topic || strlen(topic) > TOPIC_MAX) {
		pic_plain_refuse(exchange, 400, "the query names no topic of a page");
		return;
	}
	if (live->count >= STREAMS_MAX) {
		pic_plain_refuse(exchange, 503, "too many pages are open");
		return;
	}
	struct stream *stream = stream_new(live, pic_web_session(hub->web, exchange), topic);
	if (!stream) {
		pic_plain_refuse(exchange, 503, "no memory for another open page");
		return;
	}
	stream->exchange = exchange;
	pic_exchange_set_data(exchange, stream);
	pic_page_headers(exchange);
	pic_reply_header(exchange, "Cache-Control", "no-store");
	pic_buf_format(&first, "retry: %llu\n\n", 2000 + pic_random_below(3000));
	pic_stream_start(exchange, 200, "text/event-stream", BACKLOG_MAX);
	pic_stream_write(exchange, first.data, first.size);
}
