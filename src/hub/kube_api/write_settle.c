/* What a write comes to: identity, rules, validation, generation. */
#include "hub/kube_api/write_work.h"

#include <string.h>

#include "base/clock.h"
#include "hub/kube_api/catalog_rules.h"
#include "hub/kube_api/check.h"
#include "hub/kube_api/metadata.h"
#include "hub/kube_api/present.h"

static bool starved(const struct pic_kube_work *work, const void *made)
{
	if (!made)
		pic_kube_fail_memory(work->answer);
	return !made;
}

/* The spec of a staged catalog and who owns it are the hub's own. */
static bool staged_is_kept(const struct pic_kube_work *work, struct pic_json *wanted)
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
			pic_json_set_text(pic_json_ensure_object(metadata, "labels"),
					  "staged_target", target);
		return true;
	}
	if (live)
		pic_kube_catalog_owner(live->json, &owner);
	PIC_JSON struct pic_json *causes = pic_json_new_array();
	pic_kube_cause(
		causes, "FieldValueForbidden", "spec",
		"Forbidden: a catalog of type staged is written by the hub out of %s; change the "
		"solution or the instance, and the catalog follows",
		owner.size ? pic_buf_text(&owner) : "an instance");
	pic_kube_fail_invalid(
		work->answer,
		(struct pic_kube_subject){
			work->request->path.facts,
			pic_json_text_or(pic_json_find(wanted, "metadata", "name", NULL), "") },
		PIC_STEAL(causes));
	return false;
}

/* status is only written through /status; a namespace is active from birth. */
static void settle_status(const struct pic_kube_work *work, struct pic_json *wanted)
{
	struct pic_json *status = pic_object_status(work->live);

	pic_json_delete(wanted, "status");
	if (status)
		pic_json_set(wanted, "status", pic_json_copy(status));
	else if (!work->live && work->request->path.facts->kind == PIC_KIND_NAMESPACE)
		pic_json_set_text(pic_json_ensure_object(wanted, "status"), "phase", "Active");
}

static void settle_namespace_label(const struct pic_kube_work *work, struct pic_json *wanted)
{
	struct pic_json *metadata = pic_json_get(wanted, "metadata");

	if (work->request->path.facts->kind == PIC_KIND_NAMESPACE)
		pic_json_set_text(pic_json_ensure_object(metadata, "labels"),
				  "kubernetes.io/metadata.name",
				  pic_json_text_or(pic_json_get(metadata, "name"), ""));
}

/* Answers with the tree as it would be stored, or hands it out to be stored. Takes `wanted` over. */
static void finish(const struct pic_kube_work *work, struct pic_json *given, int status)
{
	PIC_JSON struct pic_json *wanted = given;
	bool same = work->live && pic_json_equal(wanted, work->live->json);

	if (!same && !work->dry_run) {
		*work->out = (struct pic_kube_draft){ PIC_STEAL(wanted), status };
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

void pic_kube_settle(const struct pic_kube_work *work, struct pic_json *given,
		     struct pic_json *applied_given, int status)
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
	if (!pic_kube_check(request, work->validation, work->live, wanted, work->answer))
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
static void settle_subresource(const struct pic_kube_work *work, struct pic_json *given)
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

void pic_kube_settle_any(const struct pic_kube_work *work, struct pic_json *wanted)
{
	if (work->request->path.status)
		settle_subresource(work, wanted);
	else
		pic_kube_settle(work, wanted, NULL, 200);
}

bool pic_kube_namespace_exists(const struct pic_kube_work *work)
{
	const struct pic_kube_path *path = &work->request->path;

	if (!path->facts->namespaced ||
	    pic_kube_find(work->world, PIC_KIND_NAMESPACE, "", path->space))
		return true;
	pic_kube_fail_not_found(work->answer,
				(struct pic_kube_subject){ pic_kind_facts(PIC_KIND_NAMESPACE),
							   path->space });
	return false;
}
