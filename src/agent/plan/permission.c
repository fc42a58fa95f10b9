/*
 * What needs somebody's approval starts only by a binding of it. The supervisor would refuse anything else; here
 * is what is said meanwhile, and what is not even tried.
 */
#include "agent/plan/decide.h"

#include <string.h>

static const struct pic_binding *find(const struct pic_planner *planner,
				      const struct pic_plan_component *component)
{
	const struct pic_plan_input *input = planner->input;

	for (size_t i = 0; i < input->binding_count; i++)
		if (memcmp(input->bindings[i].approval, component->approval, PIC_APPROVAL_SIZE) ==
			    0 &&
		    pic_workload_name_compare(&input->bindings[i].name, &component->name) == 0)
			return &input->bindings[i];
	return NULL;
}

static int64_t end_of(const struct pic_planner *planner, const struct pic_binding *binding)
{
	int64_t most = binding->bound_boot_ms + planner->input->lease_max_ms;

	if (planner->input->lease_max_ms == 0 || binding->end_boot_ms < most)
		return binding->end_boot_ms;
	return most;
}

static bool is_needed(const struct pic_planner *planner, const struct pic_plan_component *component)
{
	return component->needs_permission && pic_planner_keeps(planner, PIC_RULE_PERMISSION);
}

bool pic_planner_same_approval(const struct pic_planner *planner,
			       const struct pic_plan_component *component,
			       const struct pic_ledger_entry *entry)
{
	return !is_needed(planner, component) || !component->has_approval ||
	       memcmp(component->approval, entry->approval, PIC_APPROVAL_SIZE) == 0;
}

bool pic_planner_may_be_permitted(struct pic_planner *planner,
				  const struct pic_plan_component *component,
				  const struct pic_plan_entry *entry,
				  struct pic_report_component *status)
{
	const char *still = pic_planner_still(entry);
	const struct pic_binding *binding;

	if (!is_needed(planner, component))
		return true;
	if (!component->has_approval) {
		pic_planner_say(
			status, PIC_PHASE_REFUSED, "NeedsApproval",
			"policy.conf asks for an approval of type %s, and the document names "
			"none%s",
			component->type, still);
		return false;
	}
	binding = find(planner, component);
	if (binding && binding->state != PIC_BINDING_OPEN) {
		pic_planner_say(status, PIC_PHASE_EXPIRED, "Revoked",
				"its permission was taken back; it needs a new approval%s", still);
		return false;
	}
	if (binding && end_of(planner, binding) <= planner->input->now_boot_ms) {
		pic_planner_say(status, PIC_PHASE_EXPIRED, "Expired",
				"its time is over; it needs a new approval%s", still);
		return false;
	}
	if (!binding && component->ticket_refusal) {
		pic_planner_say(status, PIC_PHASE_REFUSED, "TicketRefused", "%.340s%s",
				component->ticket_refusal, still);
		return false;
	}
	return true;
}

bool pic_planner_is_permitted(struct pic_planner *planner,
			      const struct pic_plan_component *component,
			      const struct pic_plan_entry *entry,
			      struct pic_report_component *status)
{
	const struct pic_binding *binding;

	if (!is_needed(planner, component))
		return true;
	binding = find(planner, component);
	if (!binding) {
		pic_planner_say(status, PIC_PHASE_PENDING, "AwaitingTicket",
				"it waits for the hub's ticket%s", pic_planner_still(entry));
		return false;
	}
	/* when the start fails until then, it is over all the same */
	pic_planner_wake(planner, end_of(planner, binding));
	return true;
}
