/*
 * Questions of somebody at the hub. A log that is followed is read again until there is something new or
 * the hub's patience ends; nobody else costs a wake-up.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/context.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "workload/log.h"

#define LOOK_AGAIN_MS 500
#define GRACE_MS 2000 /* the answer has to travel */
#define LOG_ASKS_MAX 16

struct pic_log_ask {
	struct pic_log_ask *next;
	struct pic_agent *agent;
	struct pic_ask ask;
	int segments[2];
	struct pic_timer *timer;
	int64_t until_boot_ms;
};

static void answer(struct pic_agent *agent, const char *id, int status, const char *content_type,
		   struct pic_buf *body, int64_t position)
{
	const struct pic_link_reply reply = {
		.ask_id = id,
		.status = status,
		.content_type = content_type,
		.position = position,
	};

	if (agent->link)
		agent->dialect->answer(agent->link, &reply, body);
	pic_buf_free(body);
	pic_agent_trim_soon(agent);
}

static void answer_sentence(struct pic_agent *agent, const char *id, int status,
			    const char *sentence)
{
	struct pic_buf body = PIC_BUF_INIT(PIC_ASK_ANSWER_MAX);

	pic_buf_format(&body, "%s", sentence);
	answer(agent, id, status, "text/plain; charset=utf-8", &body, -1);
}

/* -- logs ------------------------------------------------------------------------------------------------ */

static void log_ask_free(struct pic_log_ask *log)
{
	struct pic_log_ask **at = &log->agent->log_asks;

	while (*at != log)
		at = &(*at)->next;
	*at = log->next;
	pic_timer_free(log->timer);
	pic_close_fd(&log->segments[0]);
	pic_close_fd(&log->segments[1]);
	free(log);
}

static bool may_wait(const struct pic_log_ask *log)
{
	return log->ask.after > 0 && pic_clock_boot_ms() + LOOK_AGAIN_MS < log->until_boot_ms;
}

static void read_log(void *data)
{
	struct pic_log_ask *log = data;
	struct pic_buf text = PIC_BUF_INIT(PIC_ASK_ANSWER_MAX);
	struct pic_error err = PIC_ERROR_INIT;
	uint64_t end = 0;
	int r = pic_workload_log_read(log->segments, (uint64_t)log->ask.after,
				      log->ask.after > 0 ? 0 : (size_t)log->ask.lines, &text, &end,
				      &err);

	if (r == 0 && text.size == 0 && may_wait(log)) {
		pic_buf_free(&text);
		pic_timer_set(log->timer, LOOK_AGAIN_MS);
		return;
	}
	if (r == 0) {
		answer(log->agent, log->ask.id, 200, "text/plain; charset=utf-8", &text,
		       (int64_t)end);
	} else {
		pic_buf_free(&text);
		answer_sentence(log->agent, log->ask.id, 500, err.text);
	}
	log_ask_free(log);
}

static void on_log(void *data, const struct pic_supervisor_message *message, int fds[2])
{
	struct pic_log_ask *log = data;

	if (!message || message->status < 0) {
		answer_sentence(log->agent, log->ask.id,
				message && message->status == -ENOENT ? 404 : 503,
				message ? message->text : "the supervisor is away");
		log_ask_free(log);
		return;
	}
	log->segments[0] = PIC_STEAL_FD(fds[0]);
	log->segments[1] = PIC_STEAL_FD(fds[1]);
	read_log(log);
}

static size_t log_asks_under_way(const struct pic_agent *agent)
{
	size_t count = 0;

	for (const struct pic_log_ask *log = agent->log_asks; log; log = log->next)
		count++;
	return count;
}

static void answer_logs(struct pic_agent *agent, const struct pic_ask *ask)
{
	struct pic_supervisor_call call = {
		.operation = PIC_SUPERVISOR_LOG,
		.name = &ask->name,
		.answer = on_log,
	};
	struct pic_log_ask *log = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (log_asks_under_way(agent) < LOG_ASKS_MAX)
		log = calloc(1, sizeof(*log));
	if (!log) {
		answer_sentence(agent, ask->id, 503, "too many logs are being read on the device");
		return;
	}
	*log = (struct pic_log_ask){
		.next = agent->log_asks, .agent = agent, .ask = *ask, .segments = { -1, -1 }
	};
	log->until_boot_ms = pic_clock_boot_ms() + ask->seconds * 1000 - GRACE_MS;
	agent->log_asks = log;
	call.data = log;
	if (pic_loop_timer(agent->loop, read_log, log, &log->timer, &err) == 0 &&
	    pic_supervisor_link_ask(agent->supervisor, &call, &err) == 0)
		return;
	answer_sentence(agent, ask->id, 503, err.text);
	log_ask_free(log);
}

/* After the supervisor's link, so that no answer comes any more. */
void pic_agent_asks_free(struct pic_agent *agent)
{
	while (agent->log_asks)
		log_ask_free(agent->log_asks);
}

/* -- scrape ---------------------------------------------------------------------------------------------- */

struct scrape {
	char id[PIC_ASK_ID_TEXT];
};

static void answer_scrape(struct pic_agent *agent, void *data, const struct pic_figures *figures)
{
	PIC_FREE struct scrape *scrape = data;
	struct pic_buf text = PIC_BUF_INIT(PIC_ASK_ANSWER_MAX);

	pic_agent_metrics_write(agent, figures, &text);
	if (text.failed) { /* more than an answer takes: the agent's own at least */
		pic_buf_free(&text);
		text = (struct pic_buf)PIC_BUF_INIT(PIC_ASK_ANSWER_MAX);
		pic_agent_metrics_write(agent, NULL, &text);
	}
	answer(agent, scrape->id, text.failed ? 500 : 200, PIC_METRICS_CONTENT_TYPE, &text, -1);
}

void pic_agent_asked(void *data, const struct pic_ask *ask)
{
	struct pic_agent *agent = data;
	struct scrape *scrape;

	switch (ask->kind) {
	case PIC_ASK_LOGS:
		answer_logs(agent, ask);
		break;
	case PIC_ASK_SCRAPE:
		scrape = malloc(sizeof(*scrape));
		if (!scrape) {
			answer_sentence(agent, ask->id, 503, "the device has no memory for this");
			break;
		}
		memcpy(scrape->id, ask->id, sizeof(scrape->id));
		pic_agent_figures(agent, answer_scrape, scrape);
		break;
	case PIC_ASK_UNKNOWN:
		answer_sentence(agent, ask->id, 501,
				"this version of the device does not know this question");
		break;
	}
}
