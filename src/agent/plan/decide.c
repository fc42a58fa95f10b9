/* What is decided for one component. The order of the questions is the order of precedence. */
#include "agent/plan/decide.h"

#include <string.h>

static bool is_as_wanted(const struct pic_planner *planner,
			 const struct pic_plan_component *component,
			 const struct pic_plan_entry *entry)
{
	if (!pic_planner_keeps(planner, PIC_RULE_DRIFT_IS_HEALED))
		return true;
	return memcmp(entry->ledger.spec_digest, component->spec_digest, PIC_DIGEST_SIZE) == 0 &&
	       pic_planner_same_approval(planner, component, &entry->ledger);
}

static bool is_alive(const struct pic_plan_entry *entry)
{
	return entry && (entry->ledger.state == PIC_LEDGER_STARTING ||
			 entry->ledger.state == PIC_LEDGER_RUNNING ||
			 entry->ledger.state == PIC_LEDGER_STOPPING);
}

const char *pic_planner_still(const struct pic_plan_entry *entry)
{
	return is_alive(entry) ? "; what ran before keeps running" : "";
}

static void say_failed(struct pic_planner *planner, struct pic_report_component *status,
		       const struct pic_plan_component *component,
		       const struct pic_plan_entry *entry)
{
	pic_planner_say(status, PIC_PHASE_FAILED, component->problem_reason, "%.340s%s",
			component->problem, pic_planner_still(entry));
	if (!pic_planner_keeps(planner, PIC_RULE_FAILURE_IS_LOCAL))
		planner->stopped = true;
}

/* True when nothing is to be done now: the supervisor is at it, a person holds it, it cannot be. */
static bool must_be_left_alone(struct pic_planner *planner,
			       const struct pic_plan_component *component,
			       const struct pic_plan_entry *entry,
			       struct pic_report_component *status)
{
	bool twice = !pic_planner_keeps(planner, PIC_RULE_NOTHING_TWICE);

	if (entry && entry->busy == PIC_BUSY_START && !twice) {
		pic_planner_say(status, PIC_PHASE_STARTING, "Starting", "%s", "");
		return true;
	}
	if (entry && entry->ledger.state == PIC_LEDGER_HELD &&
	    pic_planner_keeps(planner, PIC_RULE_HELD_STAYS_DOWN)) {
		pic_planner_say(
			status, PIC_PHASE_HELD, "StoppedByHand",
			"it was stopped by hand on the device; 'piccolo start' releases it");
		return true;
	}
	if (component->problem) {
		say_failed(planner, status, component, entry);
		return true;
	}
	if (entry && ((entry->busy == PIC_BUSY_STOP && !twice) ||
		      entry->ledger.state == PIC_LEDGER_STOPPING)) {
		pic_planner_say(status, PIC_PHASE_STARTING, "Replacing",
				"what ran before is being stopped");
		return true;
	}
	return false;
}

static bool ended_well(const struct pic_ledger_entry *entry)
{
	return entry->end_kind == PIC_END_STATUS && entry->end_value == 0;
}

static bool restarts(const struct pic_planner *planner, const struct pic_plan_component *component,
		     const struct pic_ledger_entry *entry)
{
	if (!pic_planner_keeps(planner, PIC_RULE_RESTART_POLICY))
		return true;
	switch (component->restart) {
	case PIC_RESTART_ALWAYS:
		return true;
	case PIC_RESTART_ON_FAILURE:
		return !ended_well(entry);
	case PIC_RESTART_NEVER:
		return false;
	}
	return true;
}

static int64_t next_start(const struct pic_plan_component *component,
			  const struct pic_ledger_entry *entry)
{
	return entry->ended_boot_ms + pic_plan_wait_ms(component, entry);
}

/* An entry that has ended and is what is wanted: true when it is to be started again now. */
static bool is_due(struct pic_planner *planner, const struct pic_plan_component *component,
		   const struct pic_ledger_entry *entry, struct pic_report_component *status)
{
	char text[200];
	int64_t due = next_start(component, entry);

	/* not its own fault: a person has stopped it, and now released it */
	if (entry->end_kind == PIC_END_NONE)
		return true;
	pic_plan_end_text(entry, text, sizeof(text));
	if (entry->end_kind == PIC_END_LEASE &&
	    pic_planner_keeps(planner, PIC_RULE_EXPIRED_STAYS_DOWN)) {
		pic_planner_say(status, PIC_PHASE_EXPIRED,
				entry->end_value == PIC_LEASE_REVOKED ? "Revoked" : "Expired", "%s",
				text);
		return false;
	}
	if (entry->end_kind == PIC_END_ROLLED_BACK &&
	    pic_planner_keeps(planner, PIC_RULE_INVALID_STAYS_DOWN)) {
		pic_planner_say(status, PIC_PHASE_FAILED, "RolledBack", "%s", text);
		return false;
	}
	if (entry->end_kind == PIC_END_INVALID &&
	    pic_planner_keeps(planner, PIC_RULE_INVALID_STAYS_DOWN)) {
		pic_planner_say(status, PIC_PHASE_FAILED, "CannotRun", "%s", text);
		return false;
	}
	if (!restarts(planner, component, entry)) {
		pic_planner_say(status, ended_well(entry) ? PIC_PHASE_FINISHED : PIC_PHASE_FAILED,
				ended_well(entry) ? "Finished" : "Ended", "%s", text);
		return false;
	}
	if (planner->input->now_boot_ms < due && pic_planner_keeps(planner, PIC_RULE_BACKOFF)) {
		pic_planner_say(status, PIC_PHASE_BACKOFF,
				entry->end_kind == PIC_END_MISSING ? "InterfaceMissing" : "Ended",
				"%s; the next start waits %lld ms", text,
				(long long)pic_plan_wait_ms(component, entry));
		pic_planner_wake(planner, due);
		return false;
	}
	return true;
}

static void say_alive(const struct pic_plan_entry *entry, struct pic_report_component *status)
{
	if (entry->ledger.state == PIC_LEDGER_STARTING)
		pic_planner_say(status, PIC_PHASE_STARTING, "Starting", "%s", "");
	else
		pic_planner_say(status, PIC_PHASE_RUNNING, "Started", "%s", "");
}

/* True when policy or an earlier attempt forbids a start now. */
static bool is_forbidden(struct pic_planner *planner, const struct pic_plan_component *component,
			 const struct pic_plan_entry *entry, struct pic_report_component *status)
{
	if (component->refusal && pic_planner_keeps(planner, PIC_RULE_REFUSED_STAYS_DOWN)) {
		pic_planner_say(status, PIC_PHASE_REFUSED, "RefusedByPolicy", "%.340s%s",
				component->refusal, pic_planner_still(entry));
		return true;
	}
	if (!component->failure || planner->input->now_boot_ms >= component->retry_boot_ms ||
	    !pic_planner_keeps(planner, PIC_RULE_RETRY_WAITS))
		return false;
	if (component->failure_is_refusal)
		pic_planner_say(status, PIC_PHASE_REFUSED, "RefusedByPolicy", "%.340s%s",
				component->failure, pic_planner_still(entry));
	else
		pic_planner_say(status, PIC_PHASE_BACKOFF, "StartFailed", "%.340s%s",
				component->failure, pic_planner_still(entry));
	pic_planner_wake(planner, component->retry_boot_ms);
	return true;
}

/* True when it was found that it can run; else has it looked at. */
static bool is_admitted(struct pic_planner *planner, size_t index,
			const struct pic_plan_entry *entry, struct pic_report_component *status)
{
	const struct pic_plan_component *component = &planner->input->components[index];
	bool again = component->verdict == PIC_VERDICT_SOUGHT &&
		     !pic_planner_keeps(planner, PIC_RULE_NOTHING_TWICE);

	if (!component->has_digest || component->verdict == PIC_VERDICT_GOOD ||
	    !pic_planner_keeps(planner, PIC_RULE_ADMISSION))
		return true;
	if (component->verdict == PIC_VERDICT_BAD) {
		pic_planner_say(status, PIC_PHASE_FAILED, "NotAdmitted", "%.340s%s",
				component->verdict_text, pic_planner_still(entry));
		return false;
	}
	pic_planner_say(status, PIC_PHASE_FETCHING, "Checking", "%s", "");
	if (component->verdict == PIC_VERDICT_NONE || again)
		pic_planner_step(planner, PIC_STEP_ADMIT, index, &component->name,
				 component->digest);
	return false;
}

static void start(struct pic_planner *planner, size_t index, const struct pic_plan_entry *entry,
		  struct pic_report_component *status)
{
	const struct pic_plan_component *component = &planner->input->components[index];

	if (is_alive(entry)) {
		pic_planner_say(status, PIC_PHASE_STARTING, "Replacing",
				"what ran before is being stopped");
		pic_planner_stop(planner, entry, index);
		return;
	}
	pic_planner_say(status, PIC_PHASE_STARTING, "Starting", "%s", "");
	pic_planner_step(planner, PIC_STEP_START, index, &component->name, component->digest);
}

void pic_planner_decide(struct pic_planner *planner, size_t index)
{
	const struct pic_plan_component *component = &planner->input->components[index];
	const struct pic_plan_entry *entry = pic_planner_entry(planner, &component->name);
	struct pic_report_component *status =
		pic_planner_status(planner, &component->name, component->type, entry);
	bool same = entry && is_as_wanted(planner, component, entry);

	status->orphaned = component->orphaned;
	if (must_be_left_alone(planner, component, entry, status))
		return;
	if (same && is_alive(entry)) {
		say_alive(entry, status);
		return;
	}
	if (same && entry->ledger.state == PIC_LEDGER_ENDED &&
	    !is_due(planner, component, &entry->ledger, status))
		return;
	if (is_forbidden(planner, component, entry, status) ||
	    !pic_planner_may_be_permitted(planner, component, entry, status))
		return;
	if (!pic_planner_keeps(planner, PIC_RULE_OLD_UNTIL_NEW_IS_READY) && !same &&
	    is_alive(entry)) {
		start(planner, index, entry, status);
		return;
	}
	if (!pic_planner_stored(planner, index, status) ||
	    !is_admitted(planner, index, entry, status))
		return;
	if (!pic_planner_dependencies_run(planner, index, status) ||
	    !pic_planner_is_permitted(planner, component, entry, status))
		return;
	start(planner, index, entry, status);
}
