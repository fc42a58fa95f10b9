/*
 * Approvals for administrators: the list, a request for a solution as it stands, decisions.
 *
 *   GET  /piccolo/v1/approvals?namespace=NS   {"approvals":[{name, namespace, id, url, phase, ...}], "approve-url"}
 *   POST /piccolo/v1/approvals                {"namespace","solution","reason","lengthSeconds"?,"approvers"?}
 *   POST /piccolo/v1/approvals/NS/NAME/approve|reject|revoke   {"comment"?}
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/admin_api/admin.h"
#include "hub/approval/approval.h"
#include "hub/approval/wait.h"

/* The list. */

static void copy(struct pic_json *to, const struct pic_json *from, const char *key)
{
	struct pic_json *value = pic_json_get(from, key);

	if (value)
		pic_json_set(to, key, pic_json_ref(value));
}

static void set_url(const struct pic_hub *hub, struct pic_json *out, const char *id)
{
	PIC_BUF struct pic_buf url = PIC_BUF_INIT(4096);

	pic_buf_format(&url, "%s/approvals/%s", hub->public_url, id);
	pic_json_set_text(out, "url", pic_buf_text(&url));
}

static struct pic_json *approval_json(const struct pic_hub *hub, const struct pic_object *approval)
{
	static const char *const of_spec[] = { "id",	    "campaign",	     "activation",
					       "stage",	    "reason",	     "items",
					       "expires",   "requestedBy",   "closes",
					       "approvers", "lengthSeconds", "leaseMaxSeconds" };
	static const char *const of_status[] = { "decidedBy", "decidedAt", "comment",
						 "opens",     "ends",	   "mail" };
	const struct pic_json *spec = pic_object_spec(approval);
	const struct pic_json *status = pic_object_status(approval);
	struct pic_json *out = pic_json_new_object();

	pic_json_set_text(out, "name", approval->name);
	pic_json_set_text(out, "namespace", approval->space);
	pic_json_set_text(out, "phase", pic_json_text_or(pic_json_get(status, "phase"), "Pending"));
	for (size_t i = 0; i < PIC_COUNT(of_spec); i++)
		copy(out, spec, of_spec[i]);
	for (size_t i = 0; i < PIC_COUNT(of_status); i++)
		copy(out, status, of_status[i]);
	set_url(hub, out, pic_json_text_or(pic_json_get(spec, "id"), ""));
	return out;
}

void pic_admin_approvals(struct pic_hub *hub, struct pic_exchange *exchange,
			 const struct pic_route_match *match)
{
	const char *space = pic_exchange_query(exchange, "namespace");
	PIC_JSON struct pic_json *reply = pic_json_new_object();
	PIC_BUF struct pic_buf url = PIC_BUF_INIT(4096);
	struct pic_json *list = pic_json_new_array();

	(void)match;
	for (struct pic_object *one = pic_store_next(hub->store, PIC_KIND_APPROVAL, space, NULL);
	     one; one = pic_store_next(hub->store, PIC_KIND_APPROVAL, space, one))
		pic_json_append(list, approval_json(hub, one));
	pic_json_set(reply, "approvals", list);
	pic_approval_url_write(hub->approvals, &url);
	pic_json_set_text(reply, "approve-url", pic_buf_text(&url));
	pic_reply_json(exchange, 200, reply);
}

/* What waits: an exchange with what it asked for. */

struct waiting {
	struct pic_kept kept; /* first */
	struct pic_hub *hub;
	struct pic_exchange *exchange; /* NULL: its peer went away */
	struct pic_json *spec;
	char space[PIC_NAME_MAX + 1], name[PIC_OBJECT_NAME_MAX + 1];
	char who[PIC_WHO_TEXT], where[64];
};

static void on_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	(void)exchange;
	((struct waiting *)kept)->exchange = NULL;
}

static struct waiting *waiting_new(struct pic_hub *hub, struct pic_exchange *exchange,
				   const struct pic_route_match *match, const char *space)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting) {
		pic_plain_refuse(exchange, 500, "no memory for an approval");
		return NULL;
	}
	*waiting = (struct waiting){ .kept = { on_gone }, .hub = hub, .exchange = exchange };
	pic_match_actor(match, exchange, "", waiting->who);
	snprintf(waiting->where, sizeof(waiting->where), "%s", pic_exchange_peer(exchange));
	snprintf(waiting->space, sizeof(waiting->space), "%s", space);
	pic_exchange_set_data(exchange, waiting);
	return waiting;
}

/* The exchange, or NULL when nobody is there any more; the rest is gone. */
static struct pic_exchange *waiting_end(struct waiting *waiting)
{
	struct pic_exchange *exchange = waiting->exchange;

	if (exchange)
		pic_exchange_set_data(exchange, NULL);
	pic_json_unref(waiting->spec);
	free(waiting);
	return exchange;
}

static void fail(struct waiting *waiting, int code, const struct pic_error *err)
{
	struct pic_exchange *exchange = waiting_end(waiting);

	if (exchange)
		pic_plain_refuse(exchange, pic_status_of_error(code), err->text);
}

static void reply_approval(struct waiting *waiting, int status)
{
	struct pic_hub *hub = waiting->hub;
	const struct pic_object *approval =
		pic_store_get(hub->store, PIC_KIND_APPROVAL, waiting->space, waiting->name);
	PIC_JSON struct pic_json *body = approval ? approval_json(hub, approval) : NULL;
	struct pic_exchange *exchange = waiting_end(waiting);

	if (exchange && body)
		pic_reply_json(exchange, status, body);
	else if (exchange)
		pic_plain_refuse(exchange, 404, "the approval has been deleted meanwhile");
}

/* A request. */

static void on_made(void *data, const char *name, int status, const struct pic_error *err)
{
	struct waiting *waiting = data;

	if (status < 0) {
		fail(waiting, status, err);
		return;
	}
	snprintf(waiting->name, sizeof(waiting->name), "%s", name);
	reply_approval(waiting, 201);
}

static void on_items(void *data, struct pic_json *items, const struct pic_error *why)
{
	struct waiting *waiting = data;
	const struct pic_actor actor = { waiting->who, waiting->where, "request" };
	struct pic_error err = PIC_ERROR_INIT;

	if (!items) {
		fail(waiting, why->code, why);
		return;
	}
	if (pic_json_count(items) == 0) {
		pic_json_unref(items);
		pic_error_set(
			&err, -EINVAL,
			"nothing of this solution needs an approval, or no instance brings it "
			"to a target");
		fail(waiting, -EINVAL, &err);
		return;
	}
	pic_json_set(waiting->spec, "items", items);
	int r = pic_approval_request(waiting->hub->approvals, &actor, waiting->space,
				     PIC_STEAL(waiting->spec), on_made, waiting, &err);
	if (r < 0)
		fail(waiting, r, &err);
}

static void start_request(struct pic_hub *hub, struct pic_exchange *exchange,
			  const struct pic_route_match *match, const struct pic_json *body)
{
	static const char *const keys[] = { "reason",  "lengthSeconds", "approvers",
					    "expires", "opens",		"closes" };
	const char *space = pic_json_text_or(pic_json_get(body, "namespace"), "default");
	const char *name = pic_json_text_or(pic_json_get(body, "solution"), "");
	const struct pic_object *solution =
		pic_store_get(hub->store, PIC_KIND_SOLUTION, space, name);
	struct pic_error err = PIC_ERROR_INIT;

	if (!solution) {
		char why[512];

		snprintf(why, sizeof(why), "there is no solution %.200s in namespace %.63s", name,
			 space);
		pic_plain_refuse(exchange, 404, why);
		return;
	}
	struct waiting *waiting = waiting_new(hub, exchange, match, space);
	if (!waiting)
		return;
	waiting->spec = pic_json_new_object();
	for (size_t i = 0; i < PIC_COUNT(keys); i++)
		copy(waiting->spec, body, keys[i]);
	pic_json_set_text(waiting->spec, "requestedBy", waiting->who);
	int r = pic_approval_items(hub->approvals, solution, on_items, waiting, &err);
	if (r < 0)
		fail(waiting, r, &err);
}

/* An empty body is an empty object. */
static int read_body(const struct pic_exchange *exchange, struct pic_json **out,
		     struct pic_error *err)
{
	struct pic_view text = pic_exchange_body(exchange);

	if (text.size == 0) {
		*out = pic_json_new_object();
		return 0;
	}
	return pic_json_parse(out, text.data, text.size, err);
}

void pic_admin_approval_request(struct pic_hub *hub, struct pic_exchange *exchange,
				const struct pic_route_match *match)
{
	PIC_JSON struct pic_json *body = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (read_body(exchange, &body, &err) < 0)
		pic_plain_refuse(exchange, 400, err.text);
	else
		start_request(hub, exchange, match, body);
}

/* Decisions. */

static void on_decided(void *data, int status, const struct pic_error *err)
{
	struct waiting *waiting = data;

	if (status < 0)
		fail(waiting, status, err);
	else
		reply_approval(waiting, 200);
}

static int verb_of(const char *word, enum pic_approval_verb *out)
{
	static const char *const words[] = { "approve", "reject", "revoke" };

	for (size_t i = 0; i < PIC_COUNT(words); i++) {
		if (strcmp(word, words[i]) == 0) {
			*out = (enum pic_approval_verb)i;
			return 0;
		}
	}
	return -ENOENT;
}

void pic_admin_approval_decide(struct pic_hub *hub, struct pic_exchange *exchange,
			       const struct pic_route_match *match)
{
	const char *space = match->captured[0], *name = match->captured[1];
	PIC_JSON struct pic_json *body = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	enum pic_approval_verb verb;

	if (verb_of(match->captured[2], &verb) < 0) {
		pic_plain_refuse(exchange, 404, "what can be done is approve, reject and revoke");
		return;
	}
	if (read_body(exchange, &body, &err) < 0) {
		pic_plain_refuse(exchange, 400, err.text);
		return;
	}
	struct waiting *waiting = waiting_new(hub, exchange, match, space);
	if (!waiting)
		return;
	snprintf(waiting->name, sizeof(waiting->name), "%s", name);
	const struct pic_actor actor = { waiting->who, waiting->where, match->captured[2] };
	int r = pic_approval_decide(hub->approvals, &actor, space, name, verb, waiting->who,
				    pic_json_get_text(body, "comment"), on_decided, waiting, &err);
	if (r < 0)
		fail(waiting, r, &err);
}
