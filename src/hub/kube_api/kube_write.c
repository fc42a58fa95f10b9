/*
 * Writes onto the store: one change a request, answered after its commit with the object as that change
 * left it (not as others have changed it since).
 */
#include <errno.h>
#include <string.h>

#include "hub/kube_api/filter.h"
#include "hub/kube_api/kube_room.h"
#include "hub/kube_api/present.h"
#include "hub/kube_api/remove.h"
#include "hub/kube_api/write.h"

/* A write between its request and its answer. */
struct pic_kube_pending {
	struct pic_kept kept; /* first */
	struct pic_kube *kube;
	struct pic_exchange
		*exchange; /* NULL: the client is gone; the change happens all the same */
	struct pic_kube_answer answer;
	int status; /* of the answer that shows the object; 0: `answer` is complete */
	enum pic_kind kind;
	char space[PIC_NAME_MAX + 1], name[PIC_OBJECT_NAME_MAX + 1];
	struct pic_object *stored;
};

static void pending_free(struct pic_kube_pending *pending)
{
	pic_kube_answer_free(&pending->answer);
	pic_object_unref(pending->stored);
	free(pending);
}

static void on_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	struct pic_kube_pending *pending = (struct pic_kube_pending *)kept;

	(void)exchange;
	pending->exchange = NULL;
}

/* Takes the answer over, warnings and all. */
static struct pic_kube_pending *pending_new(struct pic_kube_call *call,
					    struct pic_kube_answer *answer)
{
	struct pic_kube_pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return NULL;
	pending->kept.gone = on_gone;
	pending->kube = call->kube;
	pending->exchange = call->exchange;
	pending->answer = *answer;
	*answer = (struct pic_kube_answer)PIC_KUBE_ANSWER_INIT;
	return pending;
}

void pic_kube_on_applied(void *data, enum pic_kind kind, struct pic_object *before,
			 struct pic_object *after, int64_t revision)
{
	struct pic_kube *kube = data;
	struct pic_kube_pending *capture = kube->capture;

	(void)before;
	/* Revisions only grow: an old one is a change taken back that lists may have shown already. */
	if (revision <= kube->last_applied)
		pic_kube_watchers_reset(kube->watchers);
	else
		kube->last_applied = revision;
	if (capture && !capture->stored && after && capture->kind == kind &&
	    strcmp(after->space, capture->space) == 0 && strcmp(after->name, capture->name) == 0)
		capture->stored = pic_object_ref(after);
}

static void answer_failure(struct pic_kube_pending *pending, int status,
			   const struct pic_error *err)
{
	pic_kube_fail(&pending->answer, status == -EFBIG || status == -E2BIG ? 413 : 500, NULL,
		      (struct pic_kube_subject){ 0 }, "nothing was changed: %s", err->text);
}

static void on_done(void *data, int status, const struct pic_error *err)
{
	struct pic_kube_pending *pending = data;

	if (status < 0)
		answer_failure(pending, status, err);
	else if (pending->status && pending->stored)
		pic_kube_answer_json(&pending->answer, pending->status,
				     pic_kube_present(pending->stored));
	else if (pending->status)
		pic_kube_fail_memory(&pending->answer);
	if (pending->exchange) {
		pic_exchange_set_data(pending->exchange, NULL);
		pic_kube_send(pending->exchange, &pending->answer);
	}
	pending_free(pending);
}

static void commit(struct pic_kube_pending *pending, struct pic_change *change)
{
	struct pic_kube *kube = pending->kube;

	pic_exchange_set_data(pending->exchange, pending);
	kube->capture = pending->status ? pending : NULL;
	pic_change_commit(change, on_done, pending);
	kube->capture = NULL;
	/* a put that changed nothing, or a change applied in the middle of another one's events */
	if (pending->status && !pending->stored)
		pending->stored = pic_object_ref(pic_store_get(kube->hub->store, pending->kind,
							       pending->space, pending->name));
}

static struct pic_change *new_change(struct pic_kube_call *call, const char *verb)
{
	char who[PIC_WHO_TEXT];
	struct pic_actor actor = pic_match_actor(call->match, call->exchange, verb, who);

	return pic_change_new(call->kube->hub->store, &actor);
}

static const char *verb_of(const struct pic_kube_request *request)
{
	if (strcmp(request->method, "POST") == 0)
		return "create";
	if (strcmp(request->method, "PUT") == 0)
		return "update";
	return pic_kube_content_is(request, "application/apply-patch+yaml") ? "apply" : "patch";
}

/* Stores the draft; on failure the answer says why and nothing is under way. */
static bool store_draft(struct pic_kube_call *call, const struct pic_kube_draft *draft,
			struct pic_kube_answer *answer)
{
	struct pic_kube_pending *pending = pending_new(call, answer);
	struct pic_change *change = pending ? new_change(call, verb_of(&call->request)) : NULL;
	struct pic_error err = PIC_ERROR_INIT;
	enum pic_kind kind = call->request.path.facts->kind;

	if (!change || pic_change_put(change, kind, pic_json_ref(draft->put), &err) < 0) {
		pic_change_drop(change);
		if (pending)
			pending_free(pending);
		pic_kube_fail_memory(answer);
		return false;
	}
	pending->status = draft->status;
	pending->kind = kind;
	strcpy(pending->space, call->request.path.space);
	strncpy(pending->name,
		pic_json_text_or(pic_json_find(draft->put, "metadata", "name", NULL), ""),
		sizeof(pending->name) - 1);
	commit(pending, change);
	return true;
}

void pic_kube_call_write(struct pic_kube_call *call)
{
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;
	struct pic_kube_draft draft;

	pic_kube_draft(&call->request, &call->kube->world, &draft, &answer);
	PIC_JSON struct pic_json *put = draft.put;
	if (!put || !store_draft(call, &draft, &answer))
		pic_kube_send(call->exchange, &answer);
}

/* What one removal does to the store. */
static int add_removal(struct pic_change *change, enum pic_kube_removal removal,
		       const struct pic_object *object, struct pic_json *put)
{
	if (removal == PIC_KUBE_REMOVAL_PUT)
		return pic_change_put(change, object->kind, pic_json_ref(put), NULL);
	pic_change_delete(change, object->kind, object->space, object->name);
	return 0;
}

/* Everything in a namespace that is not the engine's goes with it; the engine's catalogs follow their
 * owners as they always do. */
static void add_contents(struct pic_kube *kube, struct pic_change *change, const char *space)
{
	for (int kind = 0; kind < PIC_KIND_COUNT; kind++) {
		const struct pic_kind_facts *facts = pic_kind_facts((enum pic_kind)kind);
		struct pic_object *object = NULL;

		if (!facts->group || !facts->namespaced)
			continue;
		while ((object = pic_store_next(kube->hub->store, facts->kind, space, object))) {
			PIC_KUBE_ANSWER struct pic_kube_answer ignored = PIC_KUBE_ANSWER_INIT;
			PIC_JSON struct pic_json *put = NULL;
			/* an approval that stands ends with what it allows */
			if (facts->kind == PIC_KIND_APPROVAL ||
			    pic_kube_remove_object(&kube->world, object, &put, &ignored) ==
				    PIC_KUBE_REMOVAL_DELETE)
				pic_change_delete(change, object->kind, object->space,
						  object->name);
		}
	}
}

/* The answer for after the commit is in `answer`. */
static void commit_removals(struct pic_kube_call *call, struct pic_change *change,
			    struct pic_kube_answer *answer)
{
	struct pic_kube_pending *pending = change ? pending_new(call, answer) : NULL;

	if (pending) {
		commit(pending, change);
		return;
	}
	pic_change_drop(change);
	pic_kube_fail_memory(answer);
	pic_kube_send(call->exchange, answer);
}

void pic_kube_call_delete(struct pic_kube_call *call)
{
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;
	PIC_JSON struct pic_json *put = NULL;
	const struct pic_kube_path *path = &call->request.path;
	enum pic_kube_removal removal = PIC_KUBE_REMOVAL_ANSWERED;
	struct pic_kube_delete_options options;

	if (pic_kube_read_delete(&call->request, &options, &answer))
		removal = pic_kube_remove(&call->request, &call->kube->world, &options, &put,
					  &answer);
	if (removal == PIC_KUBE_REMOVAL_ANSWERED) {
		pic_kube_send(call->exchange, &answer);
		return;
	}
	struct pic_change *change = new_change(call, "delete");
	if (path->facts->kind == PIC_KIND_NAMESPACE)
		add_contents(call->kube, change, path->name);
	const struct pic_object *object =
		pic_store_get(call->kube->hub->store, path->facts->kind, path->space, path->name);
	if (change && add_removal(change, removal, object, put) < 0) {
		pic_change_drop(change);
		change = NULL;
	}
	commit_removals(call, change, &answer);
}

/* All or nothing: one refusal refuses the whole. False: the answer says which. */
static bool add_matches(struct pic_kube_call *call, const struct pic_kube_filter *filter,
			struct pic_change *change, struct pic_kube_answer *answer)
{
	struct pic_store *store = call->kube->hub->store;
	const char *space = *filter->space ? filter->space : NULL;
	struct pic_object *object = NULL;

	while ((object = pic_store_next(store, filter->kind, space, object))) {
		PIC_JSON struct pic_json *put = NULL;
		if (!pic_kube_filter_match(filter, object))
			continue;
		enum pic_kube_removal removal =
			pic_kube_remove_object(&call->kube->world, object, &put, answer);
		if (removal == PIC_KUBE_REMOVAL_ANSWERED)
			return false;
		if (add_removal(change, removal, object, put) < 0) {
			pic_kube_fail_memory(answer);
			return false;
		}
	}
	pic_kube_deleted(answer, pic_kube_subject(&call->request), NULL);
	return true;
}

void pic_kube_call_delete_collection(struct pic_kube_call *call)
{
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;
	PIC_KUBE_FILTER struct pic_kube_filter filter = { 0 };
	struct pic_kube_delete_options options;

	if (!pic_kube_read_delete(&call->request, &options, &answer) ||
	    !pic_kube_filter_read(&call->request, &filter, &answer)) {
		pic_kube_send(call->exchange, &answer);
		return;
	}
	struct pic_change *change = new_change(call, "delete");
	if (change && add_matches(call, &filter, change, &answer) && !options.dry_run) {
		commit_removals(call, change, &answer);
		return;
	}
	if (!change)
		pic_kube_fail_memory(&answer);
	pic_change_drop(change);
	pic_kube_send(call->exchange, &answer);
}
