/* What each step must obey, and when all is done: the model's own rules. */
#include "agent/world_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool world_is_removed(const struct world *world, const struct pic_workload_name *name)
{
	for (size_t i = 0; world->document && i < world->document->removed_count; i++)
		if (world_name_index(&world->document->removed[i].name) == world_name_index(name))
			return true;
	return false;
}

static void check_stop(struct world *world, const struct pic_step *step)
{
	struct pic_plan_entry *entry = world_entry(world, &step->name);
	struct pic_plan_component *component = world_component(world, &step->name);

	if (!entry) {
		if (!world_is_removed(world, &step->name))
			FAIL(world, "a STOP of what does not run");
		return;
	}
	if (entry->busy != PIC_IDLE || world->now < entry->retry_boot_ms)
		FAIL(world, "a STOP that is under way or has just failed");
	if (step->replaces == (world_is_removed(world, &step->name) || !component))
		FAIL(world, "a STOP that does not say whether permissions stay");
	if (world_is_removed(world, &step->name) || (world->file_mode && !component))
		return;
	if (!component)
		FAIL(world, "a STOP of what nobody removed");
	else if (world_as_wanted(entry, component))
		FAIL(world, "a STOP of what is as it should be");
	else if (entry->ledger.state == PIC_LEDGER_HELD)
		FAIL(world, "a STOP of what a person holds");
	else if (!world->stored[component->digest[0]] || component->problem || component->refusal ||
		 component->verdict != PIC_VERDICT_GOOD || !world_is_permitted(world, component))
		FAIL(world, "a STOP before the next one can start");
}

static void check_drop(struct world *world, const struct pic_step *step)
{
	const struct pic_plan_artifact *artifact = world_artifact(world, step->digest[0]);

	for (size_t i = 0; i < world->component_count; i++)
		if (world->components[i].digest[0] == step->digest[0])
			FAIL(world, "a DROP of what is wanted");
	for (size_t i = 0; i < world->entry_count; i++)
		if (world->entries[i].ledger.digest[0] == step->digest[0])
			FAIL(world, "a DROP of what is in use");
	if (!artifact)
		FAIL(world, "a DROP of what the agent never had");
	else if (artifact->state == PIC_ARTIFACT_DROPPING || artifact->state == PIC_ARTIFACT_TAKING)
		FAIL(world, "a DROP that is under way");
}

static void check_artifact_step(struct world *world, const struct pic_step *step)
{
	const struct pic_plan_artifact *artifact = world_artifact(world, step->digest[0]);
	enum pic_artifact_state state = artifact ? artifact->state : PIC_ARTIFACT_UNKNOWN;
	static const enum pic_artifact_state wanted[] = {
		[PIC_STEP_LOOK] = PIC_ARTIFACT_UNKNOWN,
		[PIC_STEP_FETCH] = PIC_ARTIFACT_ABSENT,
		[PIC_STEP_TAKE] = PIC_ARTIFACT_FETCHED,
	};
	size_t fetching = 0;

	if (state != wanted[step->kind])
		FAIL(world, "a step towards an artifact at the wrong time");
	if (artifact && artifact->reason && world->now < artifact->retry_boot_ms)
		FAIL(world, "a step towards an artifact before its time");
	for (size_t i = 0; i < world->artifact_count; i++)
		fetching += world->artifacts[i].state == PIC_ARTIFACT_FETCHING;
	if (step->kind == PIC_STEP_FETCH && fetching >= PIC_FETCHES_MAX)
		FAIL(world, "too many downloads at a time");
}

bool world_dependency_runs(struct world *world, const struct pic_plan_component *component,
			   size_t i)
{
	for (size_t k = 0; k < world->entry_count; k++) {
		const struct pic_ledger_entry *entry = &world->entries[k].ledger;
		struct pic_plan_component *other = world_component(world, &entry->name);

		if (!other || strcmp(entry->name.instance, component->name.instance) != 0 ||
		    strcmp(entry->name.component, component->dependencies[i]) != 0)
			continue;
		if (entry->state == PIC_LEDGER_RUNNING)
			return true;
		return entry->state == PIC_LEDGER_ENDED && entry->end_kind == PIC_END_STATUS &&
		       entry->end_value == 0 && other->restart != PIC_RESTART_ALWAYS &&
		       world_spec_equals(&world->entries[k], other);
	}
	return false;
}

static void check_start_again(struct world *world, const struct pic_plan_entry *entry,
			      const struct pic_plan_component *component)
{
	uint32_t ends = world->ends_in_a_row[world_name_index(&component->name)];
	int64_t wait = ends > 11 ? 300000 : 100 << (ends > 0 ? ends - 1 : 0);
	bool well = entry->ledger.end_kind == PIC_END_STATUS && entry->ledger.end_value == 0;

	if (entry->ledger.end_kind == PIC_END_INVALID)
		FAIL(world, "a START of what can never run");
	if (entry->ledger.end_kind == PIC_END_LEASE)
		FAIL(world, "a START of what is over");
	if (component->restart == PIC_RESTART_NEVER ||
	    (component->restart == PIC_RESTART_ON_FAILURE && well))
		FAIL(world, "a START against the restart rule");
	if (ends > 0 && world->now < entry->ledger.ended_boot_ms + (wait < 300000 ? wait : 300000))
		FAIL(world, "a START before its time");
}

static void check_admit(struct world *world, const struct pic_step *step)
{
	const struct pic_plan_component *component = world_component(world, &step->name);

	if (!component || component->verdict != PIC_VERDICT_NONE)
		FAIL(world, "an ADMIT that is under way or over");
	else if (!world->stored[component->digest[0]])
		FAIL(world, "an ADMIT without an artifact");
	else if (component->failure && world->now < component->retry_boot_ms)
		FAIL(world, "an ADMIT again before its time");
}

static void check_start(struct world *world, const struct pic_step *step)
{
	const struct pic_plan_entry *entry = world_entry(world, &step->name);
	const struct pic_plan_component *component = world_component(world, &step->name);

	if (!component) {
		FAIL(world, "a START of what nobody wants");
		return;
	}
	if (world_entry_lives(entry))
		FAIL(world, "a START of what runs already");
	if (entry && entry->ledger.state == PIC_LEDGER_HELD)
		FAIL(world, "a START of what a person holds");
	if (component->problem || component->refusal)
		FAIL(world, "a START of what is refused");
	if (component->failure && world->now < component->retry_boot_ms)
		FAIL(world, "a START again before its time");
	if (!world->stored[component->digest[0]])
		FAIL(world, "a START without its artifact in the store");
	if (memcmp(world->admitted[world_name_index(&step->name)], component->spec_digest,
		   PIC_DIGEST_SIZE) != 0)
		FAIL(world, "a START of what was not admitted");
	if (!world_is_permitted(world, component))
		FAIL(world, "a START without a permission");
	if (entry && entry->ledger.state == PIC_LEDGER_ENDED && world_as_wanted(entry, component))
		check_start_again(world, entry, component);
}

/* As the plan saw it, before any of its steps is carried out. */
void world_check_dependencies(struct world *world, const struct pic_plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct pic_plan_component *component =
			plan->steps[i].kind == PIC_STEP_START
				? world_component(world, &plan->steps[i].name)
				: NULL;

		for (size_t k = 0; component && k < component->dependency_count; k++)
			if (!world_dependency_runs(world, component, k))
				FAIL(world, "a START before what it needs");
	}
}

void world_check_step(struct world *world, const struct pic_step *step)
{
	switch (step->kind) {
	case PIC_STEP_STOP:
		check_stop(world, step);
		break;
	case PIC_STEP_DROP:
		check_drop(world, step);
		break;
	case PIC_STEP_START:
		check_start(world, step);
		break;
	case PIC_STEP_ADMIT:
		check_admit(world, step);
		break;
	default:
		check_artifact_step(world, step);
		break;
	}
}

/* Everybody is spoken of exactly once, and a removal that is said to be done is done. */
void world_check_statuses(struct world *world, const struct pic_plan *plan)
{
	size_t expected_count = world->component_count;

	for (size_t i = 0; i < world->entry_count; i++)
		expected_count += !world_component(world, &world->entries[i].ledger.name);
	if (plan->status_count != expected_count)
		FAIL(world, "not everybody has a status");
	for (size_t i = 0; i < plan->status_count; i++) {
		for (size_t k = 0; k < i; k++)
			if (pic_workload_name_compare(&plan->statuses[i].name,
						      &plan->statuses[k].name) == 0)
				FAIL(world, "somebody has two statuses");
		if (!plan->statuses[i].reason[0])
			FAIL(world, "a status without a reason");
	}
	for (size_t i = 0; world->document && i < world->document->removed_count; i++)
		if (world->document->removed[i].revision <= plan->removed_through &&
		    (world_entry(world, &world->document->removed[i].name) ||
		     world->logs[world_name_index(&world->document->removed[i].name)]))
			FAIL(world, "a removal is said to be done that is not");
}

static bool in_vain(struct world *world, const struct pic_plan_component *component)
{
	const struct pic_binding *binding =
		world_binding(world, &component->name, component->approval[0]);

	if (component->problem || component->refusal)
		return true;
	if (component->needs_permission && (!component->has_approval || component->ticket_refusal ||
					    (binding && !world_is_permitted(world, component))))
		return true;
	if (component->digest[0] == DIGEST_DAMAGED || component->digest[0] == DIGEST_LOST)
		return true;
	for (size_t i = 0; i < component->dependency_count; i++)
		if (!world_dependency_runs(world, component, i))
			return true;
	return false;
}

static bool component_is_settled(struct world *world, const struct pic_plan_component *component)
{
	const struct pic_plan_entry *entry = world_entry(world, &component->name);

	if (entry && entry->ledger.state == PIC_LEDGER_HELD)
		return true;
	if (!entry || !world_as_wanted(entry, component))
		return in_vain(world, component);
	if (entry->ledger.state == PIC_LEDGER_RUNNING)
		return true;
	if (entry->ledger.state != PIC_LEDGER_ENDED)
		return false;
	return entry->ledger.end_kind == PIC_END_INVALID ||
	       entry->ledger.end_kind == PIC_END_LEASE || component->restart == PIC_RESTART_NEVER ||
	       (component->restart == PIC_RESTART_ON_FAILURE &&
		entry->ledger.end_kind == PIC_END_STATUS && entry->ledger.end_value == 0) ||
	       in_vain(world, component);
}

static bool artifact_is_settled(struct world *world, const struct pic_plan_artifact *artifact)
{
	for (size_t i = 0; i < world->component_count; i++)
		if (world->components[i].digest[0] == artifact->digest[0])
			return true;
	for (size_t i = 0; i < world->entry_count; i++)
		if (world->entries[i].ledger.digest[0] == artifact->digest[0])
			return true;
	return false;
}

/* What can never arrive is tried for ever; but for that a plan that is done has no steps. */
static bool has_rest(const struct pic_plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].kind != PIC_STEP_FETCH ||
		    plan->steps[i].digest[0] != DIGEST_LOST)
			return false;
	return true;
}

static bool plan_is_done(const struct world *world)
{
	struct pic_plan_input input;
	struct pic_plan plan;
	bool done;

	world_input(world, &input);
	if (pic_plan_make(&input, &plan) < 0)
		return false;
	done = has_rest(&plan) && plan.removed_through == input.revision;
	pic_plan_clear(&plan);
	return done;
}

bool world_is_settled(const struct world *shared)
{
	struct world *world = (struct world *)shared;

	if (world_is_busy(world))
		return false;
	for (size_t i = 0; i < world->component_count; i++)
		if (!component_is_settled(world, &world->components[i]))
			return false;
	for (size_t i = 0; i < world->artifact_count; i++)
		if (!artifact_is_settled(world, &world->artifacts[i]))
			return false;
	for (size_t i = 0; i < world->entry_count; i++) {
		const struct pic_workload_name *name = &world->entries[i].ledger.name;

		if (world_is_removed(world, name) ||
		    (world->file_mode && !world_component(world, name)))
			return false;
	}
	return plan_is_done(world);
}

void world_check_idempotence(struct world *world)
{
	struct pic_plan_input input;
	struct pic_plan first, second;

	world_input(world, &input);
	if (pic_plan_make(&input, &first) < 0 || pic_plan_make(&input, &second) < 0)
		abort();
	if (first.step_count != second.step_count || first.status_count != second.status_count ||
	    memcmp(first.statuses, second.statuses, first.status_count * sizeof(*first.statuses)) !=
		    0)
		FAIL(world, "the same input gives two plans");
	if (!has_rest(&first))
		FAIL(world, "something is done although all is done");
	pic_plan_clear(&first);
	pic_plan_clear(&second);
}
