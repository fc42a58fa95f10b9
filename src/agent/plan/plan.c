#include "agent/plan/decide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct pic_plan_entry *pic_planner_entry(const struct pic_planner *planner,
					       const struct pic_workload_name *name)
{
	for (size_t i = 0; i < planner->input->entry_count; i++)
		if (pic_workload_name_compare(&planner->input->entries[i].ledger.name, name) == 0)
			return &planner->input->entries[i];
	return NULL;
}

const struct pic_plan_artifact *pic_planner_artifact(const struct pic_planner *planner,
						     const unsigned char digest[PIC_DIGEST_SIZE])
{
	for (size_t i = 0; i < planner->input->artifact_count; i++)
		if (memcmp(planner->input->artifacts[i].digest, digest, PIC_DIGEST_SIZE) == 0)
			return &planner->input->artifacts[i];
	return NULL;
}

static bool is_planned(const struct pic_plan *plan, const struct pic_step *step)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].kind == step->kind &&
		    memcmp(plan->steps[i].digest, step->digest, PIC_DIGEST_SIZE) == 0 &&
		    pic_workload_name_compare(&plan->steps[i].name, &step->name) == 0)
			return true;
	return false;
}

/* Two components may want the same artifact: it is fetched once. */
void pic_planner_step(struct pic_planner *planner, enum pic_step_kind kind, size_t component,
		      const struct pic_workload_name *name,
		      const unsigned char digest[PIC_DIGEST_SIZE])
{
	struct pic_step step = {
		.kind = kind,
		.component = component,
		.replaces = kind == PIC_STEP_STOP && component != PIC_NO_COMPONENT,
	};

	if (name)
		step.name = *name;
	if (digest)
		memcpy(step.digest, digest, PIC_DIGEST_SIZE);
	if (is_planned(planner->plan, &step))
		return;
	planner->plan->steps[planner->plan->step_count++] = step;
}

void pic_planner_wake(struct pic_planner *planner, int64_t boot_ms)
{
	int64_t *wake = &planner->plan->wake_boot_ms;

	if (*wake == 0 || boot_ms < *wake)
		*wake = boot_ms;
}

void pic_planner_say(struct pic_report_component *status, enum pic_phase phase, const char *reason,
		     const char *format, ...)
{
	va_list arguments;

	status->phase = phase;
	snprintf(status->reason, sizeof(status->reason), "%s", reason);
	va_start(arguments, format);
	vsnprintf(status->message, sizeof(status->message), format, arguments);
	va_end(arguments);
}

static void show_evidence(struct pic_report_component *status, const struct pic_ledger_entry *entry)
{
	status->restarts = entry->restarts;
	status->error_boot_ms = entry->end_kind != PIC_END_NONE ? entry->ended_boot_ms : 0;
	if (entry->end_kind != PIC_END_NONE)
		pic_plan_end_text(entry, status->last_error, sizeof(status->last_error));
	else if (entry->state == PIC_LEDGER_RUNNING)
		snprintf(status->last_error, sizeof(status->last_error), "%s", entry->end_text);
	if (entry->state == PIC_LEDGER_ENDED || entry->state == PIC_LEDGER_HELD)
		return;
	snprintf(status->evidence, sizeof(status->evidence), "%s", entry->evidence);
	status->end_boot_ms = entry->end_boot_ms;
	status->pid = entry->pid;
	status->user = entry->user;
	status->memory_bytes = (int64_t)entry->memory_bytes;
	memcpy(status->digest, entry->digest, PIC_DIGEST_SIZE);
}

struct pic_report_component *pic_planner_status(struct pic_planner *planner,
						const struct pic_workload_name *name,
						const char *type,
						const struct pic_plan_entry *entry)
{
	struct pic_report_component *status =
		&planner->plan->statuses[planner->plan->status_count++];

	status->name = *name;
	snprintf(status->type, sizeof(status->type), "%s", type);
	if (entry)
		show_evidence(status, &entry->ledger);
	return status;
}

void pic_planner_stop(struct pic_planner *planner, const struct pic_plan_entry *entry,
		      size_t component)
{
	if (entry->busy != PIC_IDLE && pic_planner_keeps(planner, PIC_RULE_NOTHING_TWICE))
		return;
	if (planner->input->now_boot_ms < entry->retry_boot_ms)
		pic_planner_wake(planner, entry->retry_boot_ms);
	else
		pic_planner_step(planner, PIC_STEP_STOP, component, &entry->ledger.name, NULL);
}

static void remove_entry(struct pic_planner *planner, const struct pic_plan_entry *entry)
{
	struct pic_report_component *status =
		pic_planner_status(planner, &entry->ledger.name, entry->ledger.type, entry);

	pic_planner_say(status, PIC_PHASE_REMOVING, "Removed", "it is being stopped and removed");
	pic_planner_stop(planner, entry, PIC_NO_COMPONENT);
}

/* Nothing of it is in the ledger, but files may be left from before the boot: a STOP is the proof. */
static void ask_for_proof(struct pic_planner *planner, const struct pic_plan_removed *removed)
{
	if (removed->busy != PIC_IDLE && pic_planner_keeps(planner, PIC_RULE_NOTHING_TWICE))
		return;
	if (planner->input->now_boot_ms < removed->retry_boot_ms)
		pic_planner_wake(planner, removed->retry_boot_ms);
	else
		pic_planner_step(planner, PIC_STEP_STOP, PIC_NO_COMPONENT, &removed->name, NULL);
}

/* Stops what is listed as removed and answers through which revision all of it is gone. */
static int64_t plan_removed(struct pic_planner *planner)
{
	const struct pic_plan_input *input = planner->input;
	int64_t through = input->revision;

	for (size_t i = 0; i < input->removed_count; i++) {
		const struct pic_plan_removed *removed = &input->removed[i];
		const struct pic_plan_entry *entry = pic_planner_entry(planner, &removed->name);

		if ((!entry && removed->proved) ||
		    !pic_planner_keeps(planner, PIC_RULE_REMOVED_STOPS))
			continue;
		if (entry)
			remove_entry(planner, entry);
		else
			ask_for_proof(planner, removed);
		if (removed->revision - 1 < through &&
		    pic_planner_keeps(planner, PIC_RULE_REMOVAL_IS_PROVED))
			through = removed->revision - 1;
	}
	return through;
}

static bool is_wanted(const struct pic_plan_input *input, const struct pic_workload_name *name)
{
	for (size_t i = 0; i < input->component_count; i++)
		if (pic_workload_name_compare(&input->components[i].name, name) == 0)
			return true;
	return false;
}

static bool is_removed(const struct pic_plan_input *input, const struct pic_workload_name *name)
{
	for (size_t i = 0; i < input->removed_count; i++)
		if (pic_workload_name_compare(&input->removed[i].name, name) == 0)
			return true;
	return false;
}

static bool absence_removes(const struct pic_planner *planner)
{
	if (!pic_planner_keeps(planner, PIC_RULE_ABSENCE_KEEPS))
		return true;
	return planner->input->absence_removes && pic_planner_keeps(planner, PIC_RULE_FILE_REMOVES);
}

static void say_orphan(struct pic_report_component *status, const struct pic_plan_entry *entry)
{
	static const char message[] = "no document names it; it is kept as it is";

	status->orphaned = true;
	switch (entry->ledger.state) {
	case PIC_LEDGER_HELD:
		pic_planner_say(status, PIC_PHASE_HELD, "StoppedByHand", message);
		break;
	case PIC_LEDGER_ENDED:
		pic_planner_say(status, PIC_PHASE_FINISHED, "Orphaned", message);
		break;
	case PIC_LEDGER_STARTING:
		pic_planner_say(status, PIC_PHASE_STARTING, "Orphaned", message);
		break;
	default:
		pic_planner_say(status, PIC_PHASE_RUNNING, "Orphaned", message);
		break;
	}
}

/* What runs and is in no list. */
static void plan_orphans(struct pic_planner *planner)
{
	for (size_t i = 0; i < planner->input->entry_count; i++) {
		const struct pic_plan_entry *entry = &planner->input->entries[i];

		if (is_wanted(planner->input, &entry->ledger.name))
			continue;
		if (is_removed(planner->input, &entry->ledger.name) &&
		    pic_planner_keeps(planner, PIC_RULE_REMOVED_STOPS))
			continue;
		if (absence_removes(planner))
			remove_entry(planner, entry);
		else
			say_orphan(pic_planner_status(planner, &entry->ledger.name,
						      entry->ledger.type, entry),
				   entry);
	}
}

static size_t fetches_under_way(const struct pic_plan_input *input)
{
	size_t count = 0;

	for (size_t i = 0; i < input->artifact_count; i++)
		count += input->artifacts[i].state == PIC_ARTIFACT_FETCHING;
	return count;
}

static int allocate(const struct pic_plan_input *input, struct pic_plan *plan)
{
	/* a component has one step at a time; an entry, a removed name and an artifact at most one */
	size_t steps = input->component_count + input->entry_count + input->removed_count +
		       input->artifact_count;
	size_t statuses = input->component_count + input->entry_count;

	plan->steps = calloc(steps + 1, sizeof(*plan->steps));
	plan->statuses = calloc(statuses + 1, sizeof(*plan->statuses));
	if (plan->steps && plan->statuses)
		return 0;
	pic_plan_clear(plan);
	return -ENOMEM;
}

/* While something that was removed has left bytes behind, its removal is not proved. */
static int64_t before_first_removal(const struct pic_plan_input *input, int64_t through)
{
	for (size_t i = 0; i < input->removed_count; i++)
		if (input->removed[i].revision - 1 < through)
			through = input->removed[i].revision - 1;
	return through;
}

int pic_plan_make(const struct pic_plan_input *input, struct pic_plan *out)
{
	struct pic_plan plan = { 0 };
	struct pic_planner planner = { .input = input, .plan = &plan };

	if (allocate(input, &plan) < 0)
		return -ENOMEM;
	planner.fetches = fetches_under_way(input);
	plan.removed_through = plan_removed(&planner);
	plan_orphans(&planner);
	if (pic_planner_drop(&planner) && pic_planner_keeps(&planner, PIC_RULE_REMOVAL_IS_PROVED))
		plan.removed_through = before_first_removal(input, plan.removed_through);
	for (size_t i = 0; i < input->component_count && !planner.stopped; i++)
		pic_planner_decide(&planner, i);
	*out = plan;
	return 0;
}

void pic_plan_clear(struct pic_plan *plan)
{
	free(plan->steps);
	free(plan->statuses);
	memset(plan, 0, sizeof(*plan));
}
