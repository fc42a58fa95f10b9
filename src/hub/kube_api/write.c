/* Writes, as drafts. One function for each method; all end in settle(). */
#include "hub/kube_api/write.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "hub/kube_api/body.h"
#include "hub/kube_api/catalog_rules.h"
#include "hub/kube_api/check.h"
#include "hub/kube_api/json_patch.h"
#include "hub/kube_api/merge_patch.h"
#include "hub/kube_api/metadata.h"
#include "hub/kube_api/present.h"
#include "hub/kube_api/server_apply.h"

/* One write under way. */
struct work {
	const struct pic_kube_request *request;
	const struct pic_kube_world *world;
	const struct pic_object *live; /* NULL: there is none that anybody sees */
	enum pic_kube_validation validation;
	bool dry_run;
	struct pic_kube_draft *out;
	struct pic_kube_answer *answer;
};

static bool starved(const struct work *work, const void *made)
{
	if (!made)
		pic_kube_fail_memory(work->answer);
	return !made;
}

/* The spec of a staged catalog and who owns it are the hub's own. */
static bool staged_is_kept(const struct work *work, struct pic_json *wanted)
{
	const struct pic_object *live = work->live;
	PIC_BUF struct pic_buf owner = PIC_BUF_INIT(1024);

	if (work->request->path.facts->kind != PIC_KIND_CATALOG ||
	    (!pic_kube_is_staged(wanted) && !(live && pic_kube_is_staged(live->json))))
		return true;
	if (live && pic_json_equal(pic_object_spec(live), pic_json_get(wanted, "spec"))) {
		const struct pic_json *owners =
			pic_json_find(live->json, "metadata", "ownerReferences", NULL);
		const char *target = pic_json_text(
			pic_json_find(live->json, "metadata", "labels", "staged_target", NULL));
		struct pic_json *metadata = pic_json_get(wanted, "metadata");
		if (owners)
			pic_json_set(metadata, "ownerReferences", pic_json_copy(owners));
		if (target)
			pic_json_set_text(pic_json_ensure_object(metadata, "labels"), "staged_target",
					  target);
		return true;
	}
	if (live)
		pic_kube_catalog_owner(live->json, &owner);
	PIC_JSON struct pic_json *causes = pic_json_new_array();
	pic_kube_cause(causes, "FieldValueForbidden", "spec",
		       "Forbidden: a catalog of type staged is written by the hub out of %s; change the "
		       "solution or the instance, and the catalog follows",
		       owner.size ? pic_buf_text(&owner) : "an instance");
	pic_kube_fail_invalid(work->answer,
			      (struct pic_kube_subject){work->request->path.facts,
							pic_json_text_or(pic_json_find(wanted, "metadata",
										       "name", NULL), "")},
			      PIC_STEAL(causes));
	return false;
}

/* status is only written through /status; a namespace is active from birth. */
static void settle_status(const struct work *work, struct pic_json *wanted)
{
	struct pic_json *status = pic_object_status(work->live);

	pic_json_delete(wanted, "status");
	if (status)
		pic_json_set(wanted, "status", pic_json_copy(status));
	else if (!work->live && work->request->path.facts->kind == PIC_KIND_NAMESPACE)
		pic_json_set_text(pic_json_ensure_object(wanted, "status"), "phase", "Active");
}

static void settle_namespace_label(const struct work *work, struct pic_json *wanted)
{
	struct pic_json *metadata = pic_json_get(wanted, "metadata");

	if (work->request->path.facts->kind == PIC_KIND_NAMESPACE)
		pic_json_set_text(pic_json_ensure_object(metadata, "labels"),
				  "kubernetes.io/metadata.name",
				  pic_json_text_or(pic_json_get(metadata, "name"), ""));
}

/* Answers with the tree as it would be stored, or hands it out to be stored. Takes `wanted` over. */
static void finish(const struct work *work, struct pic_json *given, int status)
{
	PIC_JSON struct pic_json *wanted = given;
	bool same = work->live && pic_json_equal(wanted, work->live->json);

	if (!same && !work->dry_run) {
		*work->out = (struct pic_kube_draft){PIC_STEAL(wanted), status};
		return;
	}
	if (!work->live) {
		char now[PIC_TIME_TEXT];
		pic_time_format(work->request->now_ms, now);
		pic_json_set_text(pic_json_get(wanted, "metadata"), "creationTimestamp", now);
	}
	pic_json_delete(wanted, PIC_KUBE_APPLIED);
	pic_kube_answer_json(work->answer, status, PIC_STEAL(wanted));
}

/* From what the client wants to what will be stored. `applied` is the new memory of server-side apply
 * managers, or NULL to keep the old one. */
static void settle(const struct work *work, struct pic_json *given, struct pic_json *applied_given,
		   int status)
{
	PIC_JSON struct pic_json *wanted = given;
	PIC_JSON struct pic_json *applied = applied_given;
	const struct pic_kube_request *request = work->request;
	const struct pic_kind_facts *facts = request->path.facts;

	if (starved(work, wanted) || !pic_kube_check_identity(request, wanted, work->answer))
		return;
	if (work->live && !pic_kube_check_version(request, work->live, wanted, work->answer))
		return;
	pic_kube_drop_nulls(facts, wanted);
	pic_kube_generate_name(wanted);
	settle_status(work, wanted);
	pic_object_default(facts->kind, wanted);
	/* before the hub's own members come in, so that a user's member of that name is found out */
	if (!pic_kube_check(request, work->validation, wanted, work->answer))
		return;
	pic_kube_settle_metadata(work->live, wanted);
	if (!staged_is_kept(work, wanted))
		return;
	settle_namespace_label(work, wanted);
	if (applied)
		pic_json_set(wanted, PIC_KUBE_APPLIED, PIC_STEAL(applied));
	pic_kube_settle_generation(work->live, wanted);
	pic_kube_hint(work->world, facts->kind, request->path.space, wanted, work->answer);
	finish(work, PIC_STEAL(wanted), status);
}

/* Only the status moves; everything else of what was sent is ignored. */
static void settle_subresource(const struct work *work, struct pic_json *given)
{
	PIC_JSON struct pic_json *sent = given;
	struct pic_json *status = pic_json_get(sent, "status");

	if (starved(work, sent) || !pic_kube_check_identity(work->request, sent, work->answer) ||
	    !pic_kube_check_version(work->request, work->live, sent, work->answer))
		return;
	if (pic_json_type(status) > PIC_JSON_NULL && pic_json_type(status) != PIC_JSON_OBJECT) {
		pic_kube_fail_bad(work->answer, "status must be an object, not %s",
				  pic_json_type_name(status));
		return;
	}
	PIC_JSON struct pic_json *wanted = pic_json_copy(work->live->json);
	if (starved(work, wanted))
		return;
	if (pic_json_type(status) == PIC_JSON_OBJECT)
		pic_json_set(wanted, "status", pic_json_copy(status));
	else
		pic_json_delete(wanted, "status");
	finish(work, PIC_STEAL(wanted), 200);
}

static void settle_any(const struct work *work, struct pic_json *wanted)
{
	if (work->request->path.status)
		settle_subresource(work, wanted);
	else
		settle(work, wanted, NULL, 200);
}

/* A new object wants a namespace that is there. */
static bool namespace_exists(const struct work *work)
{
	const struct pic_kube_path *path = &work->request->path;

	if (!path->facts->namespaced ||
	    pic_kube_find(work->world, PIC_KIND_NAMESPACE, "", path->space))
		return true;
	pic_kube_fail_not_found(work->answer, (struct pic_kube_subject){
						      pic_kind_facts(PIC_KIND_NAMESPACE), path->space});
	return false;
}

static void create(const struct work *work)
{
	const struct pic_kube_path *path = &work->request->path;
	PIC_JSON struct pic_json *wanted = NULL;

	if (!namespace_exists(work) ||
	    !pic_kube_read_object(work->request, false, &wanted, work->answer))
		return;
	const char *name = pic_json_text_or(pic_json_find(wanted, "metadata", "name", NULL), "");
	/* one that is hidden is still there */
	if (*name && pic_kube_find(work->world, path->facts->kind, path->space, name)) {
		pic_kube_fail_exists(work->answer, (struct pic_kube_subject){path->facts, name});
		return;
	}
	/* a new object has no history */
	pic_json_delete(pic_json_get(wanted, "metadata"), "resourceVersion");
	settle(work, PIC_STEAL(wanted), NULL, 201);
}

static void replace(const struct work *work)
{
	struct pic_json *wanted = NULL;

	if (pic_kube_read_object(work->request, false, &wanted, work->answer))
		settle_any(work, wanted);
}

/* kubectl shows the causes of a 422 and nothing else. */
static void patch_failed(const struct work *work, const struct pic_error *err)
{
	struct pic_json *causes = pic_json_new_array();

	pic_kube_cause(causes, "FieldValueInvalid", "patch", "%s", err->text);
	pic_kube_fail_invalid(work->answer, pic_kube_subject(work->request), causes);
}

static void patch_json(const struct work *work, const struct pic_json *live,
		       const struct pic_json *operations)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_json *patched = NULL;
	int r = pic_kube_json_patch(live, operations, &patched, &err);

	if (r == 0)
		settle_any(work, patched);
	else if (r == -EINVAL)
		patch_failed(work, &err);
	else if (r == -E2BIG)
		pic_kube_fail(work->answer, 413, NULL, pic_kube_subject(work->request), "%s", err.text);
	else if (r == -ENOMEM)
		pic_kube_fail_memory(work->answer);
	else
		pic_kube_fail_bad(work->answer, "%s", err.text);
}

static bool manager_is_given(const struct work *work, const char *manager)
{
	if (*manager && strlen(manager) <= 128)
		return true;
	PIC_JSON struct pic_json *causes = pic_json_new_array();
	pic_kube_cause(causes, "FieldValueRequired", "fieldManager",
		       "%s", *manager ? "Too long: must have at most 128 bytes" :
					"Required value: is required for apply patch");
	pic_kube_fail_invalid(work->answer, pic_kube_subject(work->request), PIC_STEAL(causes));
	return false;
}

static void apply_failed(const struct work *work, int r, struct pic_kube_applied *made,
			 const struct pic_error *err)
{
	PIC_BUF struct pic_buf message = PIC_BUF_INIT(8192);

	if (r == -E2BIG) {
		pic_kube_fail_bad(work->answer, "%s", err->text);
		return;
	}
	if (r != -EEXIST) {
		pic_kube_fail_memory(work->answer);
		return;
	}
	pic_buf_format(&message, "%s:", err->text);
	for (size_t i = 0; i < pic_json_count(made->conflicts); i++) {
		const struct pic_json *cause = pic_json_at(made->conflicts, i);
		pic_buf_format(&message, "%s %s: %s", i ? "," : "",
			       pic_json_text_or(pic_json_get(cause, "message"), ""),
			       pic_json_text_or(pic_json_get(cause, "field"), ""));
	}
	pic_kube_fail_causes(work->answer, 409, "Conflict", pic_kube_subject(work->request),
			     PIC_STEAL(made->conflicts), pic_buf_text(&message));
}

/* The configuration without what no manager owns. */
static bool clean_config(const struct work *work, struct pic_json *config)
{
	struct pic_json *metadata;

	if (!pic_kube_check_identity(work->request, config, work->answer))
		return false;
	if (work->live && !pic_kube_check_version(work->request, work->live, config, work->answer))
		return false;
	pic_kube_drop_nulls(work->request->path.facts, config);
	metadata = pic_json_get(config, "metadata");
	pic_json_delete(config, "status");
	pic_kube_settle_metadata(NULL, config);
	return metadata != NULL;
}

/* A hidden catalog is the hub's memory: nothing is put over it. */
static bool name_is_free(const struct work *work)
{
	const struct pic_kube_path *path = &work->request->path;

	if (!pic_kube_find(work->world, path->facts->kind, path->space, path->name))
		return true;
	pic_kube_fail_exists(work->answer, pic_kube_subject(work->request));
	return false;
}

static void apply(const struct work *work, const struct pic_json *live, struct pic_json *config)
{
	PIC_CLEANUP(pic_kube_applied_free) struct pic_kube_applied made = {0};
	const struct pic_kube_apply in = {
		.live = live,
		.applied = work->live ? pic_json_get(work->live->json, PIC_KUBE_APPLIED) : NULL,
		.config = config,
		.manager = pic_kube_query(work->request, "fieldManager"),
		.force = pic_kube_query_true(work->request, "force"),
	};
	struct pic_error err = PIC_ERROR_INIT;

	if (work->request->path.status) {
		pic_kube_fail(work->answer, 405, NULL, pic_kube_subject(work->request),
			      "the server does not allow this method on the requested resource");
		return;
	}
	if (!manager_is_given(work, in.manager) || !clean_config(work, config) ||
	    (!work->live && !(namespace_exists(work) && name_is_free(work))))
		return;
	int r = pic_kube_server_apply(&in, &made, &err);
	if (r < 0)
		apply_failed(work, r, &made, &err);
	else
		settle(work, PIC_STEAL(made.object), PIC_STEAL(made.applied), work->live ? 200 : 201);
}

static void patch(const struct work *work)
{
	PIC_JSON struct pic_json *document = NULL;
	PIC_JSON struct pic_json *live = work->live ? pic_kube_present(work->live) : NULL;
	enum pic_kube_patch kind;

	if (!pic_kube_read_patch(work->request, &kind, &document, work->answer))
		return;
	if (!live && kind != PIC_KUBE_PATCH_APPLY) {
		pic_kube_fail_not_found(work->answer, pic_kube_subject(work->request));
		return;
	}
	switch (kind) {
	case PIC_KUBE_PATCH_MERGE:
		if (pic_json_type(document) != PIC_JSON_OBJECT)
			pic_kube_fail_bad(work->answer, "a merge patch of an object must be an object, not %s",
					  pic_json_type_name(document));
		else
			settle_any(work, pic_kube_merge(live, document));
		return;
	case PIC_KUBE_PATCH_JSON:
		patch_json(work, live, document);
		return;
	case PIC_KUBE_PATCH_APPLY:
		apply(work, live, document);
		return;
	}
}

void pic_kube_draft(const struct pic_kube_request *request, const struct pic_kube_world *world,
		    struct pic_kube_draft *out, struct pic_kube_answer *answer)
{
	struct work work = {.request = request, .world = world, .out = out, .answer = answer};
	bool is_post = strcmp(request->method, "POST") == 0;

	*out = (struct pic_kube_draft){0};
	if (pic_kube_read_modes(request, &work.validation, &work.dry_run, answer) < 0)
		return;
	if (is_post) {
		create(&work);
		return;
	}
	work.live = pic_kube_find(world, request->path.facts->kind, request->path.space,
				  request->path.name);
	if (work.live && !pic_kube_is_visible(work.live))
		work.live = NULL;
	if (strcmp(request->method, "PATCH") == 0)
		patch(&work);
	else if (work.live)
		replace(&work);
	else
		pic_kube_fail_not_found(answer, pic_kube_subject(request));
}
