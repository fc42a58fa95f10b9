/*
 * What is asked of a device: its logs (once, or followed) and its metrics. The device answers through
 * its next poll; the administrator's exchange is kept until then.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/metrics.h"
#include "hub/admin_api/admin.h"
#include "hub/device_api/devices.h"

#define LOGS_SECONDS 30
#define SCRAPE_SECONDS 10
#define LINES_DEFAULT 100
#define LINES_MAX 1000000
#define FOLLOW_PAUSE_MS 1000
#define STREAM_MAX (4 * 1024 * 1024)
#define LOG_TYPE "text/plain; charset=utf-8"

struct question {
	struct pic_kept kept; /* first */
	struct pic_hub *hub;
	struct pic_exchange *exchange;
	char device[PIC_NAME_MAX + 1];
	struct pic_ask ask;
	struct pic_pending_ask *pending;
	struct pic_timer *timer; /* between two asks of a follower */
	bool follow, streaming;
};

static void question_free(struct question *question)
{
	pic_devices_cancel(question->pending);
	pic_timer_free(question->timer);
	free(question);
}

static void on_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	(void)exchange;
	question_free((struct question *)kept);
}

/* The end of the exchange: after it nothing of the question is left. */
static struct pic_exchange *finish(struct question *question)
{
	struct pic_exchange *exchange = question->exchange;

	pic_exchange_set_data(exchange, NULL);
	question_free(question);
	return exchange;
}

static void fail(struct question *question, const struct pic_ask_answer *answer)
{
	const bool streaming = question->streaming;
	char why[PIC_ERROR_TEXT];

	snprintf(why, sizeof(why), "%.*s", (int)(answer->body.size < 400 ? answer->body.size : 400),
		 answer->body.data);
	struct pic_exchange *exchange = finish(question);
	if (streaming)
		pic_stream_end(exchange);
	else
		pic_plain_refuse(exchange, answer->status,
				 *why ? why : "the device could not answer");
}

static void reply_once(struct question *question, const struct pic_ask_answer *answer)
{
	/* The type is ours: what a device says of its own bytes is not believed. */
	const char *type = question->ask.kind == PIC_ASK_SCRAPE ? PIC_METRICS_CONTENT_TYPE
								: LOG_TYPE;
	struct pic_exchange *exchange = finish(question);
	char position[24];

	if (answer->position >= 0) {
		snprintf(position, sizeof(position), "%lld", (long long)answer->position);
		pic_reply_header(exchange, "X-Piccolo-Position", position);
	}
	pic_reply(exchange, 200, type, answer->body.data, answer->body.size);
}

static void stream_on(struct question *question, const struct pic_ask_answer *answer)
{
	if (!question->streaming) {
		question->streaming = true;
		pic_stream_start(question->exchange, 200, LOG_TYPE, STREAM_MAX);
	}
	if (answer->body.size &&
	    !pic_stream_write(question->exchange, answer->body.data, answer->body.size)) {
		pic_stream_end(finish(question)); /* a reader that does not read */
		return;
	}
	if (answer->position >= 0)
		question->ask.after = answer->position;
	pic_timer_set(question->timer, FOLLOW_PAUSE_MS);
}

static void on_answer(void *data, const struct pic_ask_answer *answer)
{
	struct question *question = data;

	question->pending = NULL;
	if (answer->status != 200)
		fail(question, answer);
	else if (question->follow)
		stream_on(question, answer);
	else
		reply_once(question, answer);
}

static int ask(struct question *question, struct pic_error *err)
{
	return pic_devices_ask(question->hub->devices, question->device, &question->ask, on_answer,
			       question, &question->pending, err);
}

static void ask_again(void *data)
{
	struct question *question = data;
	struct pic_error err = PIC_ERROR_INIT;

	if (ask(question, &err) < 0)
		pic_stream_end(finish(question));
}

/* Takes the exchange over, or refuses it. */
static void start(struct pic_hub *hub, struct pic_exchange *exchange,
		  const struct pic_route_match *match, const struct question *wanted)
{
	struct question *question = malloc(sizeof(*question));
	struct pic_error err = PIC_ERROR_INIT;
	int r = question ? 0 : pic_error_set(&err, -ENOMEM, "no memory for a question");

	if (r == 0) {
		*question = *wanted;
		question->kept.gone = on_gone;
		question->hub = hub;
		question->exchange = exchange;
		snprintf(question->device, sizeof(question->device), "%s", match->captured[0]);
		r = pic_loop_timer(hub->loop, ask_again, question, &question->timer, &err);
	}
	if (r == 0)
		r = ask(question, &err);
	if (r < 0) {
		if (question)
			question_free(question);
		pic_plain_refuse(exchange, pic_status_of_error(r), err.text);
		return;
	}
	pic_exchange_set_data(exchange, question);
}

void pic_admin_logs(struct pic_hub *hub, struct pic_exchange *exchange,
		    const struct pic_route_match *match)
{
	struct question question = { .ask = { .kind = PIC_ASK_LOGS, .seconds = LOGS_SECONDS } };
	long long lines, after, follow;

	if (pic_admin_query_number(exchange, "lines", 0, LINES_MAX, LINES_DEFAULT, &lines) < 0 ||
	    pic_admin_query_number(exchange, "after", 0, INT64_MAX, 0, &after) < 0 ||
	    pic_admin_query_number(exchange, "follow", 0, 1, 0, &follow) < 0)
		return;
	if (strlen(match->captured[1]) > PIC_NAME_MAX ||
	    strlen(match->captured[2]) > PIC_NAME_MAX) {
		pic_plain_refuse(exchange, 400,
				 "the name of the instance or component is too long");
		return;
	}
	strcpy(question.ask.name.instance, match->captured[1]);
	strcpy(question.ask.name.component, match->captured[2]);
	question.ask.lines = lines;
	question.ask.after = after;
	question.follow = follow;
	start(hub, exchange, match, &question);
}

/* Prometheus says how long it waits; the answer should be there before. */
static int64_t scrape_seconds(const struct pic_exchange *exchange)
{
	const char *text = pic_exchange_header(exchange, "X-Prometheus-Scrape-Timeout-Seconds");
	int64_t seconds = text ? (int64_t)strtol(text, NULL, 10) : SCRAPE_SECONDS;

	return seconds < 1 ? 1 : seconds > 60 ? 60 : seconds;
}

void pic_admin_scrape(struct pic_hub *hub, struct pic_exchange *exchange,
		      const struct pic_route_match *match)
{
	struct question question = { .ask = { .kind = PIC_ASK_SCRAPE,
					      .seconds = scrape_seconds(exchange) } };

	start(hub, exchange, match, &question);
}
