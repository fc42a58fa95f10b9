/* POST, PUT and PATCH: each makes the tree the client wants; write_settle.c does the rest. */
#include "hub/kube_api/write.h"

#include <errno.h>
#include <string.h>

#include "hub/kube_api/body.h"
#include "hub/kube_api/json_patch.h"
#include "hub/kube_api/merge_patch.h"
#include "hub/kube_api/present.h"
#include "hub/kube_api/write_work.h"

static void create(const struct pic_kube_work *work)
{
	const struct pic_kube_path *path = &work->request->path;
	PIC_JSON struct pic_json *wanted = NULL;

	if (!pic_kube_namespace_exists(work) ||
	    !pic_kube_read_object(work->request, false, &wanted, work->answer))
		return;
	const char *name = pic_json_text_or(pic_json_find(wanted, "metadata", "name", NULL), "");
	/* one that is hidden is still there */
	if (*name && pic_kube_find(work->world, path->facts->kind, path->space, name)) {
		pic_kube_fail_exists(work->answer, (struct pic_kube_subject){ path->facts, name });
		return;
	}
	/* a new object has no history */
	pic_json_delete(pic_json_get(wanted, "metadata"), "resourceVersion");
	pic_kube_settle(work, PIC_STEAL(wanted), NULL, 201);
}

static void replace(const struct pic_kube_work *work)
{
	struct pic_json *wanted = NULL;

	if (pic_kube_read_object(work->request, false, &wanted, work->answer))
		pic_kube_settle_any(work, wanted);
}

/* kubectl shows the causes of a 422 and nothing else. */
static void patch_failed(const struct pic_kube_work *work, const struct pic_error *err)
{
	struct pic_json *causes = pic_json_new_array();

	pic_kube_cause(causes, "FieldValueInvalid", "patch", "%s", err->text);
	pic_kube_fail_invalid(work->answer, pic_kube_subject(work->request), causes);
}

static void patch_json(const struct pic_kube_work *work, const struct pic_json *live,
		       const struct pic_json *operations)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_json *patched = NULL;
	int r = pic_kube_json_patch(live, operations, &patched, &err);

	if (r == 0)
		pic_kube_settle_any(work, patched);
	else if (r == -EINVAL)
		patch_failed(work, &err);
	else if (r == -E2BIG)
		pic_kube_fail(work->answer, 413, NULL, pic_kube_subject(work->request), "%s",
			      err.text);
	else if (r == -ENOMEM)
		pic_kube_fail_memory(work->answer);
	else
		pic_kube_fail_bad(work->answer, "%s", err.text);
}

static void patch(const struct pic_kube_work *work)
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
			pic_kube_fail_bad(work->answer,
					  "a merge patch of an object must be an object, not %s",
					  pic_json_type_name(document));
		else
			pic_kube_settle_any(work, pic_kube_merge(live, document));
		return;
	case PIC_KUBE_PATCH_JSON:
		patch_json(work, live, document);
		return;
	case PIC_KUBE_PATCH_APPLY:
		pic_kube_call_apply(work, live, document);
		return;
	}
}

void pic_kube_draft(const struct pic_kube_request *request, const struct pic_kube_world *world,
		    struct pic_kube_draft *out, struct pic_kube_answer *answer)
{
	struct pic_kube_work work = {
		.request = request, .world = world, .out = out, .answer = answer
	};
	bool is_post = strcmp(request->method, "POST") == 0;

	*out = (struct pic_kube_draft){ 0 };
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
