/* What the device says by itself: reports, and answers to asks. Each on a connection that is closed
 * afterwards, so that an idle device holds one connection only. */
#include "agent/link/hub_link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/link/backoff.h"
#include "agent/link/hub_answer.h"
#include "base/log.h"

#define REPLIES_MAX 32 /* a hub that asks without end does not fill the memory */

struct hub_reply {
	struct hub_reply *next;
	struct pic_link *link;
	struct pic_request_handle *request;
	struct pic_buf body;
	char id[PIC_ASK_ID_TEXT];
};

static int post(struct pic_link *link, const char *url, const char *content_type,
		const struct pic_buf *body, void (*done)(void *, const struct pic_client_answer *),
		void *data, struct pic_request_handle **out)
{
	char type[128];
	const char *const headers[] = { type, "Connection: close", NULL };
	struct pic_client_request request = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.body = pic_buf_text(body),
		.body_size = body->size,
		.timeout_ms = PIC_HUB_SHORT_MS,
		.answer_fd = -1,
		.done = done,
		.data = data,
	};
	struct pic_client *client;
	struct pic_error err = PIC_ERROR_INIT;
	int r;

	snprintf(type, sizeof(type), "Content-Type: %s", content_type);
	r = pic_hub_client(link, &client, &err);
	if (r == 0)
		r = pic_client_send(client, &request, out, &err);
	if (r < 0)
		pic_log(PIC_LOG_WARNING, "hub-not-told", PIC_TEXT("why", err.text));
	return r;
}

/* -- reports --------------------------------------------------------------------------------------- */

static void report_later(struct pic_link *link, int64_t retry_after_ms)
{
	pic_timer_set(link->report_timer, pic_backoff_ms(++link->report_failures, retry_after_ms));
}

/* A report that nobody took is kept unless there is a newer one. */
static void keep_for_later(struct pic_link *link)
{
	if (link->report.size > 0)
		return;
	pic_buf_free(&link->report);
	link->report = link->report_sent;
	link->report_sent = (struct pic_buf)PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
}

static void on_reported(void *data, const struct pic_client_answer *answer)
{
	struct pic_link *link = data;
	bool taken = answer->failure == PIC_CLIENT_OK && answer->status >= 200 &&
		     answer->status < 300;

	link->report_request = NULL;
	if (!taken) {
		struct pic_error err = answer->error;
		char reason[48];

		if (answer->failure == PIC_CLIENT_OK)
			pic_hub_refusal_parse(answer->status, answer->body.data, answer->body.size,
					      answer->content_type, reason, &err);
		pic_log(PIC_LOG_DEBUG, "report-not-taken", PIC_TEXT("why", err.text));
		keep_for_later(link);
		report_later(link, answer->retry_after_ms);
		return;
	}
	link->report_failures = 0;
	link->state.reports++;
	pic_buf_free(&link->report_sent);
	if (link->report.size > 0)
		pic_hub_report_again(link);
}

void pic_hub_report_again(void *data)
{
	struct pic_link *link = data;
	char url[PIC_URL_MAX];

	if (link->report_request || link->report.size == 0)
		return;
	pic_buf_free(&link->report_sent);
	link->report_sent = link->report;
	link->report = (struct pic_buf)PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
	pic_hub_url(link, url, sizeof(url), "/device/v1/report");
	if (post(link, url, "application/json", &link->report_sent, on_reported, link,
		 &link->report_request) < 0) {
		keep_for_later(link);
		report_later(link, -1);
	}
}

void pic_hub_report(struct pic_link *link, struct pic_buf *body)
{
	pic_buf_free(&link->report);
	link->report = *body;
	*body = (struct pic_buf)PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
	/* while attempts fail their timer decides, a change of phase must not hammer the hub */
	if (link->report_failures == 0)
		pic_hub_report_again(link);
}

/* -- answers to asks ------------------------------------------------------------------------------- */

static size_t replies_under_way(const struct pic_link *link)
{
	size_t count = 0;

	for (const struct hub_reply *reply = link->replies; reply; reply = reply->next)
		count++;
	return count;
}

static void reply_free(struct hub_reply *reply)
{
	struct hub_reply **at = &reply->link->replies;

	while (*at != reply)
		at = &(*at)->next;
	*at = reply->next;
	pic_buf_free(&reply->body);
	free(reply);
}

static void on_answered(void *data, const struct pic_client_answer *answer)
{
	struct hub_reply *reply = data;

	/* whoever asked has gone meanwhile, or asks again: nothing to repeat */
	if (answer->failure != PIC_CLIENT_OK || answer->status >= 300)
		pic_log(PIC_LOG_INFO, "answer-not-taken", PIC_TEXT("ask", reply->id),
			PIC_NUMBER("status", answer->status), PIC_TEXT("why", answer->error.text));
	reply_free(reply);
}

void pic_hub_answer(struct pic_link *link, const struct pic_link_reply *what, struct pic_buf *body)
{
	struct hub_reply *reply = NULL;
	char url[PIC_URL_MAX], position[40] = "";

	if (replies_under_way(link) < REPLIES_MAX)
		reply = calloc(1, sizeof(*reply));
	if (!reply) {
		pic_log(PIC_LOG_WARNING, "answer-dropped", PIC_TEXT("ask", what->ask_id));
		pic_buf_free(body);
		return;
	}
	reply->link = link;
	reply->body = *body;
	*body = (struct pic_buf)PIC_BUF_INIT(PIC_ASK_ANSWER_MAX);
	snprintf(reply->id, sizeof(reply->id), "%s", what->ask_id);
	reply->next = link->replies;
	link->replies = reply;
	if (what->position >= 0)
		snprintf(position, sizeof(position), "&position=%" PRId64, what->position);
	pic_hub_url(link, url, sizeof(url), "/device/v1/asks/%s?status=%d%s", what->ask_id,
		    what->status, position);
	if (post(link, url, what->content_type, &reply->body, on_answered, reply, &reply->request) <
	    0)
		reply_free(reply);
}

void pic_hub_cancel_sends(struct pic_link *link)
{
	pic_client_cancel(PIC_STEAL(link->report_request));
	while (link->replies) {
		pic_client_cancel(link->replies->request);
		reply_free(link->replies);
	}
	pic_buf_free(&link->report);
	pic_buf_free(&link->report_sent);
}
