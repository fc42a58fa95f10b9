#include "hub/approval/wait.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/approval/room.h"

#define WAITS_MAX 512
#define WAIT_SECONDS_MAX 86400
#define ID_MAX 120
#define REASON_DEFAULT "an http stage asks"

struct pic_approval_wait {
	struct pic_kept kept; /* first */
	struct pic_approval_wait *next;
	struct pic_approvals *approvals;
	struct pic_exchange
		*exchange; /* NULL: its peer went away while the approval was being made */
	struct pic_timer *timer;
	bool is_making, is_over; /* its own time, too */
	char space[PIC_NAME_MAX + 1], name[PIC_OBJECT_NAME_MAX + 1];
};

static void wait_free(struct pic_approval_wait *wait)
{
	for (struct pic_approval_wait **link = &wait->approvals->waits; *link;
	     link = &(*link)->next) {
		if (*link == wait) {
			*link = wait->next;
			break;
		}
	}
	pic_timer_free(wait->timer);
	free(wait);
}

static void on_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	struct pic_approval_wait *wait = (struct pic_approval_wait *)kept;

	(void)exchange;
	wait->exchange = NULL;
	if (!wait->is_making)
		wait_free(wait);
}

/* The exchange, which is the caller's again; nothing of the wait is left. */
static struct pic_exchange *finish(struct pic_approval_wait *wait)
{
	struct pic_exchange *exchange = wait->exchange;

	if (exchange)
		pic_exchange_set_data(exchange, NULL);
	wait_free(wait);
	return exchange;
}

/* Answers. */

static void copy(struct pic_json *to, const char *to_key, const struct pic_json *from,
		 const char *key)
{
	const char *text = pic_json_get_text(from, key);

	if (text)
		pic_json_set_text(to, to_key, text);
}

static struct pic_json *answer_of(const struct pic_object *approval)
{
	const struct pic_json *status = pic_object_status(approval);
	struct pic_json *json = pic_json_new_object();

	pic_json_set_text(json, "approval", approval->name);
	pic_json_set_text(json, "decision",
			  pic_json_text_or(pic_json_get(status, "phase"), "Pending"));
	copy(json, "by", status, "decidedBy");
	copy(json, "at", status, "decidedAt");
	copy(json, "comment", status, "comment");
	copy(json, "ends", status, "ends");
	return json;
}

static void reply(struct pic_exchange *exchange, int status, const struct pic_object *approval)
{
	PIC_JSON struct pic_json *body = answer_of(approval);

	if (status == 202)
		pic_reply_header(exchange, "Retry-After", "1");
	pic_reply_json(exchange, status, body);
}

/* 0 while it is pending. */
static int status_of(const struct pic_object *approval)
{
	enum pic_approval_phase phase;

	if (pic_approval_phase_of(approval, &phase) < 0)
		return 403;
	if (phase == PIC_APPROVAL_PENDING)
		return 0;
	/* what was approved and has ended was a yes; what was taken back is a no */
	return phase == PIC_APPROVAL_APPROVED || phase == PIC_APPROVAL_ENDED ? 200 : 403;
}

static void look(struct pic_approval_wait *wait, const struct pic_object *approval, bool is_over)
{
	int status = approval ? status_of(approval) : 403;

	if (!approval)
		pic_plain_refuse(finish(wait), 403, "the approval was deleted");
	else if (status || is_over)
		reply(finish(wait), status ? status : 202, approval);
}

static void on_time(void *data)
{
	struct pic_approval_wait *wait = data;

	wait->is_over = true;
	if (!wait->is_making)
		look(wait,
		     pic_store_get(wait->approvals->hub->store, PIC_KIND_APPROVAL, wait->space,
				   wait->name),
		     true);
}

void pic_approval_waits_tell(struct pic_approvals *approvals, const struct pic_object *approval)
{
	struct pic_store *store = approvals->hub->store;

	for (struct pic_approval_wait *wait = approvals->waits, *next; wait; wait = next) {
		next = wait->next;
		if (!wait->is_making && strcmp(wait->name, approval->name) == 0 &&
		    strcmp(wait->space, approval->space) == 0)
			look(wait, pic_store_get(store, PIC_KIND_APPROVAL, wait->space, wait->name),
			     false);
	}
}

void pic_approval_waits_stop(struct pic_approvals *approvals)
{
	for (struct pic_approval_wait *wait = approvals->waits, *next; wait; wait = next) {
		next = wait->next;
		if (wait->is_making)
			continue; /* the store still tells it */
		pic_plain_refuse(finish(wait), 503, "the hub is stopping; ask again");
	}
}

/* Asking. */

static void on_made(void *data, const char *name, int status, const struct pic_error *err)
{
	struct pic_approval_wait *wait = data;

	wait->is_making = false;
	if (!wait->exchange) {
		wait_free(wait);
	} else if (status < 0) {
		pic_plain_refuse(finish(wait), pic_status_of_error(status), err->text);
	} else {
		snprintf(wait->name, sizeof(wait->name), "%s", name);
		look(wait,
		     pic_store_get(wait->approvals->hub->store, PIC_KIND_APPROVAL, wait->space,
				   wait->name),
		     wait->is_over);
	}
}

/* One that waits for the same reason: the call before this one broke off. */
static const char *find_run(struct pic_approvals *approvals, const char *space, const char *reason)
{
	struct pic_store *store = approvals->hub->store;

	for (struct pic_object *one = pic_store_next(store, PIC_KIND_APPROVAL, space, NULL); one;
	     one = pic_store_next(store, PIC_KIND_APPROVAL, space, one)) {
		const struct pic_json *spec = pic_object_spec(one);
		const char *run = pic_json_text_or(pic_json_get(spec, "run"), "");
		const char *its = pic_json_text_or(pic_json_get(spec, "reason"), "");

		if (pic_text_starts(run, PIC_APPROVAL_RUN_URL "-") && strcmp(its, reason) == 0 &&
		    status_of(one) == 0)
			return run;
	}
	return NULL;
}

static struct pic_json *spec_for(struct pic_approvals *approvals, const char *space, const char *id,
				 const char *reason, const char *peer)
{
	struct pic_json *spec = pic_json_new_object();
	char run[ID_MAX + 64], who[128], random[33];
	const char *before = id ? NULL : find_run(approvals, space, reason);

	pic_random_text(16, random);
	if (before)
		snprintf(run, sizeof(run), "%s", before);
	else
		snprintf(run, sizeof(run), "%s%s%s", PIC_APPROVAL_RUN_URL, id ? "+" : "-",
			 id ? id : random);
	snprintf(who, sizeof(who), "http stage, called from %.60s", peer);
	pic_json_set_text(spec, "run", run);
	pic_json_set_text(spec, "requestedBy", who);
	pic_json_set_text(spec, "reason", reason);
	pic_json_set(spec, "items", pic_json_new_array());
	return spec;
}

static int new_wait(struct pic_approvals *approvals, struct pic_exchange *exchange,
		    const char *space, struct pic_approval_wait **out, struct pic_error *err)
{
	struct pic_approval_wait *wait = calloc(1, sizeof(*wait));
	size_t count = 0;

	for (const struct pic_approval_wait *one = approvals->waits; one; one = one->next)
		count++;
	if (!wait || count >= WAITS_MAX) {
		free(wait);
		return pic_error_set(err, -EBUSY, "too many callers wait for a decision");
	}
	*wait = (struct pic_approval_wait){
		.kept = { on_gone }, .approvals = approvals, .exchange = exchange, .is_making = true
	};
	snprintf(wait->space, sizeof(wait->space), "%s", space);
	int r = pic_loop_timer(approvals->hub->loop, on_time, wait, &wait->timer, err);
	if (r < 0) {
		free(wait);
		return r;
	}
	wait->next = approvals->waits;
	approvals->waits = wait;
	*out = wait;
	return 0;
}

static void ask(struct pic_approvals *approvals, struct pic_exchange *exchange, const char *space,
		struct pic_json *spec, long long seconds)
{
	const struct pic_actor actor = { "approve-url", pic_exchange_peer(exchange), "request" };
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_approval_wait *wait;
	int r = new_wait(approvals, exchange, space, &wait, &err);

	if (r < 0) {
		pic_json_unref(spec);
		pic_plain_refuse(exchange, 503, err.text);
		return;
	}
	pic_exchange_set_data(exchange, wait);
	if (seconds >= 0)
		pic_timer_set(wait->timer, seconds * 1000);
	r = pic_approval_request(approvals, &actor, space, spec, on_made, wait, &err);
	if (r < 0)
		/* full is no conflict of this caller: it may come again */
		pic_plain_refuse(finish(wait), r == -EBUSY ? 503 : pic_status_of_error(r),
				 err.text);
}

void pic_approval_url_handle(struct pic_hub *hub, struct pic_exchange *exchange,
			     const struct pic_route_match *match)
{
	const char *key = pic_exchange_query(exchange, "key");
	const char *id = pic_exchange_query(exchange, "id");
	const char *reason = pic_exchange_query(exchange, "reason");
	const char *space = pic_exchange_query(exchange, "namespace");
	const char *wait = pic_exchange_query(exchange, "wait");
	char expected[PIC_APPROVAL_SECRET_TEXT];
	long long seconds = -1;

	(void)match;
	pic_approval_url_secret(hub->approvals, expected);
	if (!key || !pic_text_equal_secret(key, expected)) {
		pic_plain_refuse(exchange, 401,
				 "the address lacks its key; piccoloctl requests --url shows it");
		return;
	}
	if (!space)
		space = "default";
	if (!pic_name_is_valid(space, PIC_NAME_MAX) || (id && (!*id || strlen(id) > ID_MAX)) ||
	    (wait && pic_integer_parse(wait, 0, WAIT_SECONDS_MAX, &seconds) < 0)) {
		pic_plain_refuse(exchange, 400,
				 "namespace must be a name, id a text of at most 120 bytes, wait a "
				 "number of seconds");
		return;
	}
	if (!reason || !*reason)
		reason = REASON_DEFAULT;
	ask(hub->approvals, exchange, space,
	    spec_for(hub->approvals, space, id, reason, pic_exchange_peer(exchange)), seconds);
}

/* Addresses. */

void pic_approval_url_write(struct pic_approvals *approvals, struct pic_buf *out)
{
	char secret[PIC_APPROVAL_SECRET_TEXT];

	pic_approval_url_secret(approvals, secret);
	pic_buf_format(out, "%s/approve?key=%s", approvals->hub->public_url, secret);
}

bool pic_approval_url_is_own(const struct pic_hub *hub, const char *url)
{
	size_t length = strlen(hub->public_url);

	if (strncmp(url, hub->public_url, length) != 0 ||
	    !pic_text_starts(url + length, "/approve"))
		return false;
	url += length + strlen("/approve");
	return !*url || *url == '?' || *url == '#';
}

bool pic_approval_url_counts(const struct pic_hub *hub, const char *url)
{
	for (size_t i = 0; hub->approval_urls && hub->approval_urls[i]; i++)
		if (pic_text_starts(url, hub->approval_urls[i]))
			return true;
	return pic_approval_url_is_own(hub, url);
}
