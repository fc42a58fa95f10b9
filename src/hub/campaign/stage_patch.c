/* providers.stage.patch: changes one component of a solution, for good or for the time of a window. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hub/campaign/patch.h"
#include "hub/campaign/provider.h"
#include "hub/kube_api/metadata.h"

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

/* The first thing that is wrong with the solution as it would be. */
static int validate(const struct pic_json *solution, struct pic_error *err)
{
	struct pic_findings findings = { .count = 0 };

	pic_object_validate(PIC_KIND_SOLUTION, solution, &findings);
	for (size_t i = 0; i < findings.count && i < PIC_COUNT(findings.items); i++)
		if (findings.items[i].kind != PIC_FINDING_UNKNOWN)
			return pic_error_set(err, -EINVAL, "the solution would be wrong: %s: %s",
					     findings.items[i].path, findings.items[i].text);
	return 0;
}

int pic_stage_patch_plan(struct pic_hub *hub, const char *space, const struct pic_json *inputs,
			 struct pic_patch *out, const struct pic_object **solution,
			 struct pic_error *err)
{
	PIC_PATCH struct pic_patch patch = { .solution = NULL };
	struct pic_patch_names names;
	const struct pic_json *content = NULL;
	int r = pic_patch_names(inputs, &names, err);

	if (r < 0)
		return r;
	const struct pic_object *found =
		pic_store_get(hub->store, PIC_KIND_SOLUTION, space, names.solution);
	if (!found)
		return pic_error_set(err, -ENOENT, "there is no solution %.253s in namespace %.63s",
				     names.solution, space);
	if (*names.catalog) {
		const struct pic_object *catalog =
			pic_store_get(hub->store, PIC_KIND_CATALOG, space, names.catalog);
		content = pic_json_get(pic_object_spec(catalog), "properties");
		if (!content)
			return pic_error_set(err, -ENOENT,
					     "there is no catalog %.253s in namespace %.63s",
					     names.catalog, space);
	}
	r = pic_patch_make(found->json, inputs, content, &patch, err);
	if (r == 0 && patch.solution)
		r = validate(patch.solution, err);
	if (r < 0)
		return r;
	if (patch.solution)
		pic_kube_settle_generation(found, patch.solution);
	*solution = found;
	*out = patch;
	patch = (struct pic_patch){ .solution = NULL };
	return 0;
}

static void fail(struct pic_outcome *out, int code, const struct pic_error *err)
{
	pic_outcome_fail(out, code == -ENOENT ? 404 : code == -EINVAL ? 400 : 500, "%s", err->text);
}

/* Approved by the answer of a listed address: the http stage before this one. */

struct grant {
	struct pic_stage_job job; /* first */
	struct pic_json *spec;
	char space[PIC_NAME_MAX + 1], name[PIC_OBJECT_NAME_MAX + 1];
	char stage[PIC_NAME_MAX + 1], by[1024];
	char asked[PIC_SHA256_TEXT]; /* the digest of what `by` was asked about, or "" */
};

static void grant_free(struct pic_stage_job *job)
{
	struct grant *grant = (struct grant *)job;

	pic_json_unref(grant->spec);
	free(grant);
}

/* The stage is asked again, and finds its approval. */
static void granted(void *data, const char *name, int status, const struct pic_error *err)
{
	struct grant *grant = data;
	PIC_OUTCOME struct pic_outcome outcome = { .kind = PIC_OUTCOME_WAITS, .until_ms = 1 };

	if (status < 0) {
		pic_outcome_fail(&outcome, 500, "the approval of %.200s could not be written: %s",
				 grant->by, err ? err->text : "");
	} else {
		outcome.memo = pic_json_new_object();
		pic_json_set_text(outcome.memo, "granted", name ? name : "");
	}
	pic_stage_answer(&grant->job, &outcome);
}

static bool is_what_was_asked(const struct grant *grant, const struct pic_json *items)
{
	char digest[PIC_SHA256_TEXT];

	return pic_asked_digest(items, digest) == 0 && strcmp(digest, grant->asked) == 0;
}

static void refuse_other(struct grant *grant)
{
	PIC_OUTCOME struct pic_outcome outcome = { .kind = PIC_OUTCOME_FAILED };

	pic_outcome_fail(&outcome, 409,
			 "what stage %.63s would bring to devices is not what %.200s was asked "
			 "about, so its answer does not approve it; start a new activation",
			 grant->stage, grant->by);
	pic_stage_answer(&grant->job, &outcome);
}

static void have_items(void *data, struct pic_json *items, const struct pic_error *why)
{
	struct grant *grant = data;
	struct pic_campaigns *campaigns = grant->job.entry ? grant->job.entry->campaigns : NULL;
	struct pic_error err = PIC_ERROR_INIT;
	char who[PIC_WHO_ACTIVATION];

	if (!campaigns || !items) {
		PIC_OUTCOME struct pic_outcome outcome = { .kind = PIC_OUTCOME_FAILED };

		pic_json_unref(items);
		pic_outcome_fail(&outcome, 400, "%s", why ? why->text : "");
		pic_stage_answer(&grant->job, &outcome);
		return;
	}
	if (pic_json_count(items) == 0) { /* nothing of it needs an approval */
		pic_json_unref(items);
		granted(grant, "", 0, NULL);
		return;
	}
	if (!is_what_was_asked(grant, items)) {
		pic_json_unref(items);
		refuse_other(grant);
		return;
	}
	const struct pic_actor actor = pic_stage_actor(grant->name, "approve", who);
	pic_json_set(grant->spec, "items", items);
	int r = pic_approval_grant(campaigns->hub->approvals, &actor, grant->space,
				   PIC_STEAL(grant->spec), grant->by, granted, grant, &err);
	if (r < 0)
		granted(grant, NULL, r, &err);
}

/* The address that has approved this stage, or NULL. Only our own http provider writes this output. */
static const char *approved_by(const struct pic_stage_work *work)
{
	const struct pic_json *before = pic_stage_find(work->place.campaign, work->place.previous);

	if (!before || pic_stage_provider(before) != PIC_STAGE_HTTP)
		return NULL;
	return pic_json_get_text(pic_json_get(work->place.outputs, work->place.previous),
				 "approvedBy");
}

static void ask_for_grant(struct pic_stage_work *work, const char *by,
			  const struct pic_object *solution, const struct pic_patch *patch,
			  struct pic_outcome *out)
{
	struct pic_campaigns *campaigns = work->entry->campaigns;
	struct grant *grant = calloc(1, sizeof(*grant));
	struct pic_error err = PIC_ERROR_INIT;
	PIC_CLEANUP(pic_object_unref_pointer) struct pic_object *changed = NULL;

	if (!grant) {
		pic_outcome_fail(out, 500, "no memory for an approval");
		return;
	}
	grant->job.free = grant_free;
	grant->spec = pic_stage_approval_spec(work, work->place.stage);
	snprintf(grant->by, sizeof(grant->by), "%s", by);
	snprintf(grant->stage, sizeof(grant->stage), "%s", work->place.stage);
	snprintf(grant->asked, sizeof(grant->asked), "%s",
		 text_of(pic_json_get(pic_json_get(work->place.outputs, work->place.previous),
				      "asked"),
			 work->place.stage));
	snprintf(grant->space, sizeof(grant->space), "%s", work->activation->space);
	snprintf(grant->name, sizeof(grant->name), "%s", work->activation->name);
	int r = pic_object_new(&changed, PIC_KIND_SOLUTION,
			       pic_json_ref(patch->solution ? patch->solution : solution->json),
			       &err);
	out->kind = PIC_OUTCOME_PENDING;
	pic_stage_job_start(&grant->job, work);
	if (r == 0)
		r = pic_approval_items(campaigns->hub->approvals, changed, have_items, grant, &err);
	if (r < 0)
		have_items(grant, NULL, &err);
}

/* Doing it. */

/* Outputs of the approval that covers this stage; NULL: none. */
static const struct pic_json *approval_outputs(const struct pic_stage_work *work)
{
	const struct pic_json *found = NULL;

	pic_json_each(work->place.outputs, i) {
		const struct pic_json *outputs = pic_json_value(i);
		enum pic_stage_provider provider =
			pic_stage_provider(pic_stage_find(work->place.campaign, pic_json_key(i)));

		if ((provider == PIC_STAGE_APPROVAL || provider == PIC_STAGE_HTTP) &&
		    strcmp(text_of(outputs, "approves"), work->place.stage) == 0 &&
		    *text_of(outputs, "ends"))
			found = outputs;
	}
	return found;
}

/* One that names it, or the one of a listed address; "": none. */
static const char *approval_name(const struct pic_stage_work *work)
{
	const char *remembered = text_of(work->place.memo, "approval");
	const struct pic_json *outputs = approval_outputs(work);

	if (*remembered)
		return remembered;
	return outputs ? text_of(outputs, "approval") : text_of(work->place.memo, "granted");
}

static const struct pic_json *approval_status(const struct pic_stage_work *work)
{
	const struct pic_object *approval = pic_store_get(
		work->hub->store, PIC_KIND_APPROVAL, work->activation->space, approval_name(work));

	return approval ? pic_object_status(approval) : NULL;
}

static bool is_revoked(const struct pic_stage_work *work)
{
	return strcmp(text_of(approval_status(work), "phase"), "Revoked") == 0;
}

static void fail_revoked(const struct pic_stage_work *work, struct pic_outcome *out)
{
	const char *by = text_of(approval_status(work), "decidedBy");
	char what[PIC_MACHINE_TEXT_MAX];

	snprintf(what, sizeof(what), "%s", out->text);
	pic_outcome_fail(out, 403, "taken back: approval %.80s was revoked by %.80s%s%.200s",
			 approval_name(work), by, *what ? "; " : "", what);
	out->is_answer = true;
}

/* 0: nothing covers it. */
static int64_t approved_until(const struct pic_stage_work *work)
{
	int64_t end_ms = 0;

	if (pic_time_parse(text_of(approval_status(work), "ends"), &end_ms) == 0 ||
	    pic_time_parse(text_of(approval_outputs(work), "ends"), &end_ms) == 0)
		return end_ms;
	return 0;
}

static void report(struct pic_outcome *out, const struct pic_patch *patch,
		   const struct pic_object *solution)
{
	out->outputs = pic_json_new_object();
	pic_json_set_text(out->outputs, "solution", solution->name);
	pic_json_set_text(out->outputs, "component", patch->component);
	pic_json_set_bool(out->outputs, "changed", patch->solution != NULL);
}

/* So that its decision wakes the stage. */
static void remember_approval(const struct pic_stage_work *work, struct pic_outcome *out)
{
	if (!out->memo)
		out->memo = pic_json_new_object();
	if (*approval_name(work))
		pic_json_set_text(out->memo, "approval", approval_name(work));
}

static void stay_open(const struct pic_stage_work *work, int64_t closes_ms, const char *component,
		      struct pic_outcome *out)
{
	char time[PIC_TIME_TEXT];

	pic_time_format(closes_ms, time);
	out->kind = PIC_OUTCOME_WAITS;
	out->until_ms = closes_ms;
	out->memo = pic_json_new_object();
	pic_json_set_text(out->memo, "phase", "open");
	pic_json_set_integer(out->memo, "closesMs", closes_ms);
	pic_json_set_text(out->memo, "component", component);
	remember_approval(work, out);
	snprintf(out->text, sizeof(out->text),
		 "the window is open; component %.63s is taken back at %s", component, time);
}

static void change_solution(struct pic_stage_work *work, const struct pic_stage_window *window,
			    const struct pic_object *solution, struct pic_patch *patch,
			    struct pic_outcome *out)
{
	int64_t closes_ms = window->closes_ms ? window->closes_ms
					      : work->now_ms + window->length_ms;
	int64_t approved_ms = approved_until(work);
	struct pic_error err = PIC_ERROR_INIT;
	int r = 0;

	if (approved_ms && approved_ms < closes_ms)
		closes_ms = approved_ms;
	if ((window->given && closes_ms <= work->now_ms) ||
	    (approved_ms && approved_ms <= work->now_ms)) {
		pic_outcome_fail(out, 408, "the time for it was over before it began");
		return;
	}
	if (!patch->solution) {
		report(out, patch, solution);
		snprintf(out->text, sizeof(out->text), "solution %.200s was like that already",
			 solution->name);
		out->kind = PIC_OUTCOME_DONE;
		return;
	}
	if (window->given)
		r = pic_window_open(work, patch, solution->name, closes_ms, &err);
	if (r == 0)
		r = pic_change_put(work->change, PIC_KIND_SOLUTION, pic_json_ref(patch->solution),
				   &err);
	if (r < 0) {
		fail(out, r, &err);
		return;
	}
	out->kind = PIC_OUTCOME_DONE;
	if (window->given)
		stay_open(work, closes_ms, patch->component, out);
	else
		report(out, patch, solution);
}

static void close_window(struct pic_stage_work *work, struct pic_outcome *out)
{
	const struct pic_object *window = pic_window_find(work->hub, work->activation);
	struct pic_error err = PIC_ERROR_INIT;
	int r = 0;

	snprintf(out->text, sizeof(out->text), "the window was closed already");
	if (window)
		r = pic_window_close(work->hub, work->change, window, work->now_ms, out->text,
				     &err);
	if (r < 0) {
		fail(out, r, &err);
		return;
	}
	out->kind = PIC_OUTCOME_DONE;
	if (is_revoked(work))
		fail_revoked(work, out);
	out->outputs = pic_json_new_object();
	pic_json_set_text(out->outputs, "component", text_of(work->place.memo, "component"));
	pic_json_set_text(out->outputs, "window", out->text);
}

static void wait_for_opening(const struct pic_stage_work *work, int64_t opens_ms,
			     struct pic_outcome *out)
{
	char time[PIC_TIME_TEXT];

	pic_time_format(opens_ms, time);
	out->kind = PIC_OUTCOME_WAITS;
	out->is_paused = true;
	out->until_ms = opens_ms;
	remember_approval(work, out);
	snprintf(out->text, sizeof(out->text), "the window opens at %s", time);
}

void pic_stage_patch(struct pic_stage_work *work, struct pic_outcome *out)
{
	PIC_PATCH struct pic_patch patch = { .solution = NULL };
	const struct pic_object *solution = NULL;
	struct pic_stage_window window;
	struct pic_error err = PIC_ERROR_INIT;
	long long closes_ms = 0;
	int r = pic_stage_window(work->stage, &window, &err);

	if (r < 0) {
		fail(out, r, &err);
		return;
	}
	if (strcmp(text_of(work->place.memo, "phase"), "open") == 0) {
		pic_json_integer(pic_json_get(work->place.memo, "closesMs"), &closes_ms);
		if (closes_ms > work->now_ms && !is_revoked(work))
			stay_open(work, closes_ms, text_of(work->place.memo, "component"), out);
		else
			close_window(work, out);
		return;
	}
	if (is_revoked(work)) {
		fail_revoked(work, out);
		return;
	}
	if (window.opens_ms > work->now_ms) {
		wait_for_opening(work, window.opens_ms, out);
		return;
	}
	r = pic_stage_patch_plan(work->hub, work->activation->space, work->inputs, &patch,
				 &solution, &err);
	if (r < 0)
		fail(out, r, &err);
	else if (approved_by(work) && !pic_json_get(work->place.memo, "granted"))
		ask_for_grant(work, approved_by(work), solution, &patch, out);
	else
		change_solution(work, &window, solution, &patch, out);
}
