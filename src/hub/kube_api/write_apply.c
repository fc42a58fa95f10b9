/* Server-side apply as a write. */
#include "hub/kube_api/write_work.h"

#include <errno.h>
#include <string.h>

#include "hub/kube_api/metadata.h"
#include "hub/kube_api/present.h"
#include "hub/kube_api/server_apply.h"

static bool manager_is_given(const struct pic_kube_work *work, const char *manager)
{
	if (*manager && strlen(manager) <= 128)
		return true;
	PIC_JSON struct pic_json *causes = pic_json_new_array();
	pic_kube_cause(causes, "FieldValueRequired", "fieldManager", "%s",
		       *manager ? "Too long: must have at most 128 bytes"
				: "Required value: is required for apply patch");
	pic_kube_fail_invalid(work->answer, pic_kube_subject(work->request), PIC_STEAL(causes));
	return false;
}

static void apply_failed(const struct pic_kube_work *work, int r, struct pic_kube_applied *made,
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
static bool clean_config(const struct pic_kube_work *work, struct pic_json *config)
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
static bool name_is_free(const struct pic_kube_work *work)
{
	const struct pic_kube_path *path = &work->request->path;

	if (!pic_kube_find(work->world, path->facts->kind, path->space, path->name))
		return true;
	pic_kube_fail_exists(work->answer, pic_kube_subject(work->request));
	return false;
}

void pic_kube_call_apply(const struct pic_kube_work *work, const struct pic_json *live,
			 struct pic_json *config)
{
	PIC_CLEANUP(pic_kube_applied_free) struct pic_kube_applied made = { 0 };
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
	    (!work->live && !(pic_kube_namespace_exists(work) && name_is_free(work))))
		return;
	int r = pic_kube_server_apply(&in, &made, &err);
	if (r < 0)
		apply_failed(work, r, &made, &err);
	else
		pic_kube_settle(work, PIC_STEAL(made.object), PIC_STEAL(made.applied),
				work->live ? 200 : 201);
}
