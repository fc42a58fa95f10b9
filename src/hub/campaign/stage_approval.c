/*
 * providers.stage.approval: asks people whether a patch stage may do what it would do, and goes on when
 * they have answered. What is asked for is worked out first, down to digests, from the solution as the
 * patch would leave it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "hub/campaign/patch.h"
#include "hub/campaign/provider.h"
#include "hub/engine/match.h"
#include "hub/expression/expression.h"

#define EXPIRES_DEFAULT_MS (24LL * 60 * 60 * 1000)

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

static void set_time(struct pic_json *spec, const char *key, int64_t ms)
{
	char time[PIC_TIME_TEXT];

	if (ms <= 0)
		return;
	pic_time_format(ms, time);
	pic_json_set_text(spec, key, time);
}

/* Without a window the approval room takes the lease that the components ask for. */
static void set_window(struct pic_json *spec, const struct pic_json *patch_stage)
{
	struct pic_stage_window window = { .given = false };

	pic_stage_window(patch_stage, &window, NULL);
	set_time(spec, "opens", window.opens_ms);
	set_time(spec, "closes", window.closes_ms);
	if (window.length_ms)
		pic_json_set_integer(spec, "lengthSeconds", (window.length_ms + 999) / 1000);
}

static struct pic_json *approvers(const struct pic_stage_work *work)
{
	struct pic_json *given = pic_stage_value(work->inputs, work->config, "approvers");
	struct pic_json *list = pic_json_new_array();

	for (size_t i = 0; pic_json_type(given) == PIC_JSON_ARRAY && i < pic_json_count(given); i++)
		if (pic_json_text(pic_json_at(given, i)))
			pic_json_append_text(list, pic_json_text(pic_json_at(given, i)));
	return list;
}

struct pic_json *pic_stage_approval_spec(const struct pic_stage_work *work, const char *approves)
{
	struct pic_json *spec = pic_json_new_object();
	char campaign[PIC_OBJECT_NAME_MAX + 1] = "", text[PIC_OBJECT_NAME_MAX + 128];
	int64_t expires_ms = 0;

	pic_stage_campaign_name(work->activation, campaign);
	pic_json_set_text(spec, "campaign", campaign);
	pic_json_set_text(spec, "activation", work->activation->name);
	pic_json_set_text(spec, "stage", work->place.stage);
	snprintf(text, sizeof(text), "%s/%lld", work->activation->uid,
		 (long long)work->place.number);
	pic_json_set_text(spec, "run", text);
	snprintf(text, sizeof(text), "campaign %s", campaign);
	pic_json_set_text(spec, "requestedBy", text);
	pic_json_set_text(spec, "reason",
			  pic_json_text_or(pic_stage_value(work->inputs, work->config, "reason"),
					   ""));
	set_window(spec, pic_stage_find(work->place.campaign, approves));
	if (pic_stage_duration(pic_stage_value(work->inputs, work->config, "expires"), &expires_ms,
			       NULL) < 0 ||
	    expires_ms <= 0)
		expires_ms = EXPIRES_DEFAULT_MS;
	set_time(spec, "expires", work->now_ms + expires_ms);
	pic_json_set(spec, "approvers", approvers(work));
	return spec;
}

/* Asking. */

struct ask {
	struct pic_stage_job job; /* first */
	struct pic_json *spec;
	char space[PIC_NAME_MAX + 1], activation[PIC_OBJECT_NAME_MAX + 1];
	char reason[PIC_MACHINE_TEXT_MAX];
};

static void ask_free(struct pic_stage_job *job)
{
	struct ask *ask = (struct ask *)job;

	pic_json_unref(ask->spec);
	free(ask);
}

static void fail_ask(struct ask *ask, int status, const struct pic_error *err)
{
	PIC_OUTCOME struct pic_outcome outcome = { .kind = PIC_OUTCOME_FAILED };

	pic_outcome_fail(&outcome, status, "%s", err && *err->text ? err->text : "it failed");
	pic_stage_answer(&ask->job, &outcome);
}

/* Who looks at the activation reads there why it is asked, as the approver does. */
static void wait_for(struct pic_outcome *out, const char *approval, const char *reason)
{
	out->kind = PIC_OUTCOME_WAITS;
	out->memo = pic_json_new_object();
	pic_json_set_text(out->memo, "approval", approval);
	snprintf(out->text, sizeof(out->text), "waits for a decision on approval %.200s%s%s",
		 approval, *reason ? ": " : "", reason);
	out->text[pic_utf8_cut(out->text, strlen(out->text))] = '\0';
}

static void asked(void *data, const char *name, int status, const struct pic_error *err)
{
	struct ask *ask = data;
	PIC_OUTCOME struct pic_outcome outcome = { .kind = PIC_OUTCOME_WAITS };

	if (status < 0 || !name) {
		fail_ask(ask, 500, err);
		return;
	}
	wait_for(&outcome, name, ask->reason);
	pic_stage_answer(&ask->job, &outcome);
}

static void have_items(void *data, struct pic_json *items, const struct pic_error *why)
{
	struct ask *ask = data;
	struct pic_campaigns *campaigns = ask->job.entry ? ask->job.entry->campaigns : NULL;
	struct pic_error err = PIC_ERROR_INIT;
	char who[PIC_WHO_ACTIVATION];

	if (!campaigns || !items) {
		pic_json_unref(items);
		fail_ask(ask, 400, why);
		return;
	}
	const struct pic_actor actor = pic_stage_actor(ask->activation, "request-approval", who);
	pic_json_set(ask->spec, "items", items);
	int r = pic_approval_request(campaigns->hub->approvals, &actor, ask->space,
				     PIC_STEAL(ask->spec), asked, ask, &err);
	if (r < 0)
		fail_ask(ask, r == -EINVAL ? 400 : 500, &err);
}

/* Nobody should be asked about what can run nowhere. */
static int check_targets(struct pic_stage_work *work, const char *solution, struct pic_error *err)
{
	struct pic_store *store = work->hub->store;
	const char *space = work->activation->space, *instance = NULL, *target = "";
	char name[PIC_OBJECT_NAME_MAX + 1];

	for (struct pic_object *one = pic_store_next(store, PIC_KIND_INSTANCE, space, NULL); one;
	     one = pic_store_next(store, PIC_KIND_INSTANCE, space, one)) {
		if (!pic_match_solution(pic_object_spec(one), name) ||
		    strcmp(name, solution) != 0 || one->terminating)
			continue;
		instance = one->name;
		target = pic_json_text_or(pic_json_find(one->json, "spec", "target", "name", NULL),
					  "(a selector)");
		for (struct pic_object *there = pic_store_next(store, PIC_KIND_TARGET, space, NULL);
		     there; there = pic_store_next(store, PIC_KIND_TARGET, space, there))
			if (pic_match_target(pic_object_spec(one), there))
				return 0;
	}
	if (instance)
		return pic_error_set(err, -ENOENT,
				     "there is no target %.63s, which instance %.63s of solution "
				     "%.200s names",
				     target, instance, solution);
	return pic_error_set(err, -ENOENT,
			     "no instance deploys solution %.200s: there is nothing to approve",
			     solution);
}

/* The patch stage that is asked for: the named one; for an http stage to this hub, the one it leads to. */
struct following {
	const struct pic_json *campaign;
	const char *found;
};

static void follow(void *data, const char *name)
{
	struct following *following = data;

	pic_json_each(pic_json_get(following->campaign, "stages"), i)
		if (!following->found && strcmp(pic_json_key(i), name) == 0 &&
		    pic_stage_provider(pic_json_value(i)) == PIC_STAGE_PATCH)
			following->found = pic_json_key(i);
}

static int find_approved(const struct pic_stage_work *work, char out[PIC_NAME_MAX + 1],
			 struct pic_error *err)
{
	struct following following = { .campaign = work->place.campaign };

	if (pic_stage_provider(work->stage) == PIC_STAGE_APPROVAL)
		following.found = pic_stage_approves(work->stage);
	else
		pic_expression_branches(text_of(work->stage, "stageSelector"), follow, &following,
					NULL);
	if (!following.found || !*following.found)
		return pic_error_set(err, -EINVAL, "no patch stage follows that could be approved");
	snprintf(out, PIC_NAME_MAX + 1, "%s", following.found);
	return 0;
}

static int plan(struct pic_stage_work *work, const char *approves, struct pic_object **changed,
		struct pic_json **spec, struct pic_error *err)
{
	PIC_JSON struct pic_json *config = NULL, *inputs = NULL;
	PIC_PATCH struct pic_patch patch = { .solution = NULL };
	const struct pic_object *solution = NULL;
	int r = pic_machine_stage(work->activation, approves, &config, &inputs, err);

	if (r == 0)
		r = pic_stage_patch_plan(work->hub, work->activation->space, inputs, &patch,
					 &solution, err);
	if (r == 0)
		r = check_targets(work, solution->name, err);
	if (r != 0)
		return pic_error_wrap(err, r, "stage %.63s", approves);
	*spec = pic_stage_approval_spec(work, approves);
	return pic_object_new(changed, PIC_KIND_SOLUTION,
			      pic_json_ref(patch.solution ? patch.solution : solution->json), err);
}

static void ask(struct pic_stage_work *work, struct pic_outcome *out)
{
	struct pic_campaigns *campaigns = work->entry->campaigns;
	PIC_CLEANUP(pic_object_unref_pointer) struct pic_object *changed = NULL;
	PIC_JSON struct pic_json *spec = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	char approves[PIC_NAME_MAX + 1];
	int r = find_approved(work, approves, &err);

	if (r == 0)
		r = plan(work, approves, &changed, &spec, &err);
	struct ask *ask = r == 0 ? calloc(1, sizeof(*ask)) : NULL;

	if (!ask) {
		pic_outcome_fail(out,
				 r == -ENOENT ? 404
				 : r < 0      ? 400
					      : 500,
				 "%s", r < 0 ? err.text : "no memory for an approval");
		return;
	}
	ask->job.free = ask_free;
	ask->spec = PIC_STEAL(spec);
	snprintf(ask->reason, sizeof(ask->reason), "%s", text_of(ask->spec, "reason"));
	snprintf(ask->space, sizeof(ask->space), "%s", work->activation->space);
	snprintf(ask->activation, sizeof(ask->activation), "%s", work->activation->name);
	out->kind = PIC_OUTCOME_PENDING;
	pic_stage_job_start(&ask->job, work);
	r = pic_approval_items(campaigns->hub->approvals, changed, have_items, ask, &err);
	if (r < 0)
		fail_ask(ask, r == -EINVAL ? 400 : 500, &err);
}

/* The answer. */

static struct pic_json *outputs_of(const struct pic_object *approval, const char *approves,
				   int status)
{
	const struct pic_json *from = pic_object_status(approval);
	struct pic_json *outputs = pic_json_new_object();

	pic_json_set_integer(outputs, "status", status);
	pic_json_set_text(outputs, "decision", text_of(from, "phase"));
	pic_json_set_text(outputs, "by", text_of(from, "decidedBy"));
	pic_json_set_text(outputs, "at", text_of(from, "decidedAt"));
	pic_json_set_text(outputs, "comment", text_of(from, "comment"));
	pic_json_set_text(outputs, "reason", text_of(pic_object_spec(approval), "reason"));
	pic_json_set_text(outputs, "approval", approval->name);
	pic_json_set_text(outputs, "approves", approves);
	if (status == 200) {
		pic_json_set_text(outputs, "opens", text_of(from, "opens"));
		pic_json_set_text(outputs, "ends", text_of(from, "ends"));
	}
	return outputs;
}

static void refused(const struct pic_object *approval, struct pic_outcome *out)
{
	const struct pic_json *status = pic_object_status(approval);
	const char *phase = text_of(status, "phase"), *by = text_of(status, "decidedBy");
	const char *comment = text_of(status, "comment");

	if (strcmp(phase, "Expired") == 0)
		pic_outcome_fail(out, 403, "nobody decided approval %.200s in time",
				 approval->name);
	else if (strcmp(phase, "Ended") == 0)
		pic_outcome_fail(out, 403, "the time that approval %.200s gave is over",
				 approval->name);
	else
		pic_outcome_fail(out, 403, "approval %.150s was %s%s%.80s%s%.120s", approval->name,
				 strcmp(phase, "Revoked") == 0 ? "revoked" : "rejected",
				 *by ? " by " : "", by, *comment ? ": " : "", comment);
}

static void look_at(struct pic_stage_work *work, const char *name, struct pic_outcome *out)
{
	const struct pic_object *approval =
		pic_store_get(work->hub->store, PIC_KIND_APPROVAL, work->activation->space, name);
	const char *phase = text_of(pic_object_status(approval), "phase");
	char approves[PIC_NAME_MAX + 1] = "";

	find_approved(work, approves, NULL);

	if (!approval) {
		pic_outcome_fail(out, 403, "approval %.200s was deleted before it was decided",
				 name);
		out->is_answer = true;
		return;
	}
	if (!*phase || strcmp(phase, "Pending") == 0) {
		wait_for(out, name, text_of(pic_object_spec(approval), "reason"));
		return;
	}
	if (strcmp(phase, "Approved") == 0) {
		out->kind = PIC_OUTCOME_DONE;
		out->outputs = outputs_of(approval, approves, 200);
		snprintf(out->text, sizeof(out->text), "approved by %.200s",
			 text_of(pic_object_status(approval), "decidedBy"));
		return;
	}
	refused(approval, out);
	out->is_answer = true;
	out->outputs = outputs_of(approval, approves, 403);
}

void pic_stage_approval(struct pic_stage_work *work, struct pic_outcome *out)
{
	const char *name = text_of(work->place.memo, "approval");

	if (*name)
		look_at(work, name, out);
	else
		ask(work, out);
}
