/*
 * providers.stage.http: a request whose answer may come hours later. Nothing waits for it but a connection;
 * when the hub is started again it asks again, because a GET may be repeated. What may not (POST, PATCH) is
 * sent only after the position says that it will be, and never again after a crash.
 *
 * With wait.url the first answer only begins something, and wait.url is asked until it is over.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "hub/campaign/provider.h"
#include "hub/engine/resolver.h"
#include "hub/expression/expression.h"
#include "net/client.h"

#define HEADERS_MAX 32
#define HEADER_TEXT_MAX 8192
#define ANSWER_MAX (256 * 1024)
#define BODY_KEPT (16 * 1024)
#define REDIRECTS_MAX 5
#define STALL_MS (400LL * 24 * 60 * 60 * 1000) /* TCP's keep-alive ends what is dead */
#define POLL_TIMEOUT_MS 60000
#define POLL_LEAST_MS 1000
#define ASKS_MAX 200
#define ASK_PAUSE_MAX_MS 30000

struct http_job {
	struct pic_stage_job job; /* first */
	struct pic_request_handle *request;
	struct pic_json *config, *inputs, *memo;
	char *url, *body;
	char *headers[HEADERS_MAX + 1];
	bool is_poll, is_listed, may_repeat;
};

static void http_free(struct pic_stage_job *job)
{
	struct http_job *http = (struct http_job *)job;

	for (size_t i = 0; i < HEADERS_MAX; i++)
		free(http->headers[i]);
	pic_json_unref(http->config);
	pic_json_unref(http->inputs);
	pic_json_unref(http->memo);
	free(http->url);
	free(http->body);
	free(http);
}

static void http_cancel(struct pic_stage_job *job)
{
	pic_client_cancel(((struct http_job *)job)->request);
	http_free(job);
}

static const struct pic_json *setting(const struct http_job *http, const char *key)
{
	return pic_stage_value(http->inputs, http->config, key);
}

static const char *setting_text(const struct http_job *http, const char *key)
{
	return pic_json_text_or(setting(http, key), "");
}

static long long memo_number(const struct pic_json *memo, const char *key)
{
	long long number = 0;

	pic_json_integer(pic_json_get(memo, key), &number);
	return number;
}

/* Codes. */

static bool has_code(const struct pic_json *list, int status)
{
	long long code;

	for (size_t i = 0; pic_json_type(list) == PIC_JSON_ARRAY && i < pic_json_count(list); i++)
		if (pic_json_integer(pic_json_at(list, i), &code) && code == status)
			return true;
	return false;
}

/* Without a list: `fallback` says. */
static bool is_listed_code(const struct http_job *http, const char *key, int status, bool fallback)
{
	const struct pic_json *list = setting(http, key);

	return pic_json_count(list) ? has_code(list, status) : fallback;
}

/* Outputs. */

static void set_body(struct pic_json *outputs, const char *key, struct pic_view body)
{
	PIC_BUF struct pic_buf clean = PIC_BUF_INIT(4 * BODY_KEPT + 16);
	size_t size = body.size < BODY_KEPT ? body.size : BODY_KEPT;
	struct pic_json *text = pic_json_new_text_sized(
		body.data ? body.data : "", pic_utf8_cut(body.data ? body.data : "", size));

	if (!text) { /* not UTF-8 */
		pic_text_escape(body.data, size, true, &clean);
		text = pic_json_new_text(pic_buf_text(&clean));
	}
	pic_json_set(outputs, key, text);
}

static void set_header(struct pic_json *outputs, const char *key, const char *value)
{
	struct pic_json *list = pic_json_new_array();

	if (value && *value && pic_json_append_text(list, value) == 0)
		pic_json_set(outputs, key, list);
	else
		pic_json_unref(list);
}

/* The address without what may be a secret in it. */
static void set_address(struct pic_json *outputs, const char *key, const char *url)
{
	char text[512];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(url, "?#"), url);
	pic_json_set_text(outputs, key, text);
}

static struct pic_json *outputs_of(const struct pic_client_answer *answer)
{
	struct pic_json *outputs = pic_json_new_object();

	pic_json_set_integer(outputs, "status", answer->status);
	set_body(outputs, "body", answer->body);
	set_header(outputs, "header.Content-Type", answer->content_type);
	set_header(outputs, "header.Location", answer->location);
	return outputs;
}

/* Answers. */

/* A connection that was lost is asked for again, when that is harmless. */
static void ask_again(struct http_job *http, const struct pic_client_answer *answer,
		      struct pic_outcome *out)
{
	long long asks = memo_number(http->memo, "asks") + 1;
	int64_t pause_ms = asks < 30 ? asks * POLL_LEAST_MS : ASK_PAUSE_MAX_MS;

	out->kind = PIC_OUTCOME_WAITS;
	out->until_ms = pic_clock_wall_ms() + pause_ms;
	out->memo = http->memo ? pic_json_copy(http->memo) : pic_json_new_object();
	pic_json_set_integer(out->memo, "asks", asks);
	snprintf(out->text, sizeof(out->text), "asks again: %.300s", answer->error.text);
}

static void failed(struct http_job *http, const struct pic_client_answer *answer,
		   struct pic_outcome *out)
{
	bool was_there = http->is_poll || memo_number(http->memo, "asks") > 0;
	bool is_lost = answer->failure == PIC_CLIENT_BROKEN ||
		       (answer->failure == PIC_CLIENT_UNREACHABLE && was_there);

	if (is_lost && http->may_repeat && memo_number(http->memo, "asks") < ASKS_MAX)
		ask_again(http, answer, out);
	else
		pic_outcome_fail(out, 500, "%s", answer->error.text);
}

static void begin_polls(struct http_job *http, struct pic_outcome *out)
{
	int64_t interval_ms = 0;

	pic_stage_duration(setting(http, "wait.interval"), &interval_ms, NULL);
	out->kind = PIC_OUTCOME_WAITS;
	out->until_ms =
		pic_clock_wall_ms() + (interval_ms > POLL_LEAST_MS ? interval_ms : POLL_LEAST_MS);
	snprintf(out->text, sizeof(out->text), "waits for %.*s",
		 (int)strcspn(setting_text(http, "wait.url"), "?#"),
		 setting_text(http, "wait.url"));
}

static void first_answer(struct http_job *http, const struct pic_client_answer *answer,
			 struct pic_outcome *out)
{
	bool is_waited = *setting_text(http, "wait.url") != '\0';
	bool is_good = is_waited ? is_listed_code(http, "wait.start", answer->status,
						  answer->status >= 200 && answer->status < 300)
				 : is_listed_code(http, "successCodes", answer->status, true);
	struct pic_json *outputs = outputs_of(answer);

	if (!is_good) {
		out->outputs = outputs;
		pic_outcome_fail(
			out, answer->status >= 400 && answer->status < 600 ? answer->status : 500,
			"unexpected status code %d", answer->status);
		out->is_answer = true;
		return;
	}
	if (is_waited) {
		begin_polls(http, out);
		out->memo = pic_json_new_object();
		pic_json_set_text(out->memo, "phase", "poll");
		pic_json_set(out->memo, "first", outputs);
		return;
	}
	if (http->is_listed && answer->status == 200) {
		set_address(outputs, "approvedBy", http->url);
		pic_json_set(outputs, "asked", pic_json_copy(pic_json_get(http->memo, "asked")));
	}
	out->kind = PIC_OUTCOME_DONE;
	out->outputs = outputs;
}

/* wait.expression over the answer; true without one. */
static bool is_over(struct http_job *http, const struct pic_json *body, struct pic_json **result)
{
	const char *expression = setting_text(http, "wait.expression");
	const struct pic_expression_context context = { .value = body, .inputs = http->inputs };
	const char *text;
	int r;

	if (!*expression)
		return true;
	if (strcmp(setting_text(http, "wait.expressionType"), "jsonpath") == 0)
		r = body ? pic_json_path(body, expression, result, NULL) : -EINVAL;
	else
		r = pic_expression_evaluate(expression, &context, result, NULL);
	text = pic_json_text(*result);
	/* the original takes a boolean false for success; nobody means that */
	return r == 0 && !(text && strcmp(text, "false") == 0) &&
	       !(pic_json_type(*result) == PIC_JSON_BOOL && !pic_json_true(*result));
}

static void poll_again(struct http_job *http, struct pic_outcome *out)
{
	long long polls = memo_number(http->memo, "polls") + 1, count = 0;

	pic_json_integer(setting(http, "wait.count"), &count);
	if (count > 0 && polls >= count) {
		/* a success in the original, by mistake */
		pic_outcome_fail(out, 408, "%.*s was not over after %lld looks",
				 (int)strcspn(http->url, "?#"), http->url, polls);
		return;
	}
	begin_polls(http, out);
	out->memo = pic_json_copy(http->memo);
	pic_json_set_integer(out->memo, "polls", polls);
}

static void poll_answer(struct http_job *http, const struct pic_client_answer *answer,
			struct pic_outcome *out)
{
	PIC_JSON struct pic_json *body = NULL, *result = NULL;

	if (answer->body.data)
		pic_json_parse(&body, answer->body.data, answer->body.size, NULL);
	if (is_listed_code(http, "wait.fail", answer->status, false)) {
		pic_outcome_fail(out, 500, "%.*s answers %d, which means failure",
				 (int)strcspn(http->url, "?#"), http->url, answer->status);
		out->is_answer = true;
		out->outputs = outputs_of(answer);
		return;
	}
	if (!is_listed_code(http, "wait.success", answer->status,
			    answer->status >= 200 && answer->status < 300) ||
	    !is_over(http, body, &result)) {
		poll_again(http, out);
		return;
	}
	out->kind = PIC_OUTCOME_DONE;
	out->outputs = pic_json_copy(pic_json_get(http->memo, "first"));
	set_body(out->outputs, "waitBody", answer->body);
	if (result)
		pic_json_set(out->outputs, "waitResult", PIC_STEAL(result));
}

static void answered(void *data, const struct pic_client_answer *answer)
{
	struct http_job *http = data;
	PIC_OUTCOME struct pic_outcome outcome = { .kind = PIC_OUTCOME_FAILED };

	http->request = NULL;
	if (answer->failure != PIC_CLIENT_OK)
		failed(http, answer, &outcome);
	else if (http->is_poll)
		poll_answer(http, answer, &outcome);
	else
		first_answer(http, answer, &outcome);
	pic_stage_answer(&http->job, &outcome);
}

/* Asking. */

static bool is_header(const char *name, const char *value)
{
	return *name && strlen(name) < 128 && strlen(value) < HEADER_TEXT_MAX - 256 &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
		       strlen(name) &&
	       !strpbrk(value, "\r\n");
}

static int add_headers(struct http_job *http, const struct pic_json *from, size_t *count,
		       struct pic_error *err)
{
	pic_json_each(from, i) {
		const char *name = pic_json_key(i),
			   *value = pic_json_text_or(pic_json_value(i), "");

		if (!pic_text_starts(name, "header."))
			continue;
		name += strlen("header.");
		if (!is_header(name, value) || *count >= HEADERS_MAX)
			return pic_error_set(err, -EINVAL, "header %.60s cannot be sent", name);
		if (asprintf(&http->headers[*count], "%s: %s", name, value) < 0) {
			http->headers[*count] = NULL;
			return pic_error_set(err, -ENOMEM, "no memory for a request");
		}
		(*count)++;
	}
	return 0;
}

static int add_body(struct http_job *http, size_t *count, struct pic_error *err)
{
	const struct pic_json *body = pic_json_get(http->inputs, "body");
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(ANSWER_MAX);

	if (!body)
		return 0;
	if (pic_json_write(body, PIC_JSON_COMPACT, &text) < 0 || *count >= HEADERS_MAX)
		return pic_error_set(err, -EINVAL, "the body is too large to be sent");
	http->body = strdup(pic_buf_text(&text));
	http->headers[(*count)++] = strdup("Content-Type: application/json");
	return http->body && http->headers[*count - 1]
		       ? 0
		       : pic_error_set(err, -ENOMEM, "no memory for a request");
}

static bool may_repeat(const char *method)
{
	return strcmp(method, "POST") != 0 && strcmp(method, "PATCH") != 0;
}

static int check_url(const char *url, struct pic_error *err)
{
	if (!pic_text_starts(url, "http://") && !pic_text_starts(url, "https://"))
		return pic_error_set(err, -EINVAL, "url must begin with http:// or https://");
	if (pic_resolver_denies(url))
		return pic_error_set(err, -EINVAL,
				     "%.*s is not asked: its address is link-local or unreadable",
				     (int)(strcspn(url, "?#") < 200 ? strcspn(url, "?#") : 200),
				     url);
	return 0;
}

/* A path that leads out of the listed prefix must not look as if it were inside. */
static bool is_plain(const char *url)
{
	return !strstr(url, "/.") && !strchr(url, '\\') && !strcasestr(url, "%2e") &&
	       !strcasestr(url, "%2f") && !strcasestr(url, "%5c");
}

/* A server says 200 to these without anybody being asked. */
static bool asks_nobody(const char *method)
{
	return strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0;
}

/* The answer to it counts as an approval. */
static bool is_listed(const struct pic_stage_work *work, const char *url, const char *method)
{
	return !asks_nobody(method) && is_plain(url) && pic_approval_url_counts(work->hub, url);
}

static int prepare(struct http_job *http, const struct pic_stage_work *work, const char *method,
		   struct pic_error *err)
{
	size_t count = 0;
	int r;

	http->config = pic_json_ref((struct pic_json *)work->config);
	http->inputs = pic_json_ref((struct pic_json *)work->inputs);
	http->memo = pic_json_ref((struct pic_json *)work->place.memo);
	http->is_poll = strcmp(pic_json_text_or(pic_json_get(http->memo, "phase"), ""), "poll") ==
			0;
	http->may_repeat = http->is_poll || may_repeat(method);
	http->url = strdup(setting_text(http, http->is_poll ? "wait.url" : "url"));
	if (!http->url)
		return pic_error_set(err, -ENOMEM, "no memory for a request");
	r = check_url(http->url, err);
	if (r == 0)
		r = add_headers(http, http->config, &count, err);
	if (r == 0)
		r = add_headers(http, http->inputs, &count, err);
	if (r == 0 && !http->is_poll)
		r = add_body(http, &count, err);
	http->is_listed = !http->is_poll && is_listed(work, http->url, method);
	return r;
}

static int send(struct http_job *http, const struct pic_stage_work *work, const char *method,
		struct pic_error *err)
{
	const struct pic_client_request request = {
		.method = http->is_poll ? "GET" : method,
		.url = http->url,
		.headers = (const char *const *)http->headers,
		.body = http->body,
		.body_size = http->body ? strlen(http->body) : 0,
		.timeout_ms = http->is_poll ? POLL_TIMEOUT_MS : 0,
		.stall_ms = STALL_MS,
		.answer_max = ANSWER_MAX,
		.answer_fd = -1,
		/* where an answer counts as an approval, nobody else may give it */
		.redirects_max = http->is_listed ? 0 : REDIRECTS_MAX,
		.done = answered,
		.data = http,
	};

	return pic_client_send(work->entry->campaigns->client, &request, &http->request, err);
}

static bool is_method(const char *method)
{
	static const char *const known[] = { "GET",   "HEAD", "PUT",	"DELETE",
					     "PATCH", "POST", "OPTIONS" };

	for (size_t i = 0; i < PIC_COUNT(known); i++)
		if (strcmp(known[i], method) == 0)
			return true;
	return false;
}

/* What cannot be repeated is written down before it is sent. False: `out` says what now. */
static bool may_send_now(struct pic_stage_work *work, const char *method, struct pic_outcome *out)
{
	const char *phase = pic_json_text_or(pic_json_get(work->place.memo, "phase"), "");

	if (may_repeat(method) || strcmp(phase, "poll") == 0)
		return true;
	if (strcmp(phase, "send") != 0) {
		out->kind = PIC_OUTCOME_WAITS;
		out->until_ms = work->now_ms;
		out->memo = work->place.memo ? pic_json_copy(work->place.memo)
					     : pic_json_new_object();
		pic_json_set_text(out->memo, "phase", "send");
		work->entry->may_send = work->place.number;
		return false;
	}
	if (work->entry->may_send == work->place.number) {
		work->entry->may_send = 0;
		return true;
	}
	pic_outcome_fail(out, 500,
			 "the hub was stopped while this %s was on its way; it is not sent twice",
			 method);
	return false;
}

void pic_stage_http(struct pic_stage_work *work, struct pic_outcome *out)
{
	const char *url = pic_json_text_or(pic_stage_value(work->inputs, work->config, "url"), "");
	const char *method =
		pic_json_text_or(pic_stage_value(work->inputs, work->config, "method"), "GET");
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_approval_url_is_own(work->hub, url)) {
		pic_stage_approval(work, out);
		return;
	}
	if (!is_method(method)) {
		pic_outcome_fail(out, 400, "method must be GET, POST or another of HTTP's");
		return;
	}
	if (!*pic_json_text_or(pic_json_get(work->place.memo, "phase"), "") &&
	    is_listed(work, url, method) && !pic_asked_is_known(work, url, out))
		return;
	if (!may_send_now(work, method, out))
		return;
	struct http_job *http = calloc(1, sizeof(*http));
	if (!http) {
		pic_outcome_fail(out, 500, "no memory for a request");
		return;
	}
	http->job.free = http_free;
	http->job.cancel = http_cancel;
	int r = prepare(http, work, method, &err);
	if (r == 0)
		r = send(http, work, method, &err);
	if (r < 0) {
		pic_outcome_fail(out, r == -EINVAL ? 400 : 500, "%s", err.text);
		http_free(&http->job);
		return;
	}
	out->kind = PIC_OUTCOME_PENDING;
	pic_stage_job_start(&http->job, work);
}
