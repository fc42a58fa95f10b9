/* The model carries steps out, lets things end and time pass. */
#include "agent/world_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void begin_start(struct world *world, const struct pic_step *step)
{
	const struct pic_plan_component *component = world_component(world, &step->name);
	struct pic_plan_entry *entry = world_entry(world, &step->name);
	uint32_t restarts = 0;

	if (!component)
		return;
	if (!entry) {
		if (world->entry_count == WORLD_NAMES + WORLD_FOREIGN)
			return;
		entry = &world->entries[world->entry_count++];
	} else if (world_as_wanted(entry, component)) {
		restarts = entry->ledger.restarts + 1;
	}
	memset(entry, 0, sizeof(*entry));
	world->logs[world_name_index(&step->name)] = true;
	entry->ledger.name = step->name;
	snprintf(entry->ledger.type, sizeof(entry->ledger.type), "wasm");
	memcpy(entry->ledger.digest, component->digest, PIC_DIGEST_SIZE);
	memcpy(entry->ledger.spec_digest, component->spec_digest, PIC_DIGEST_SIZE);
	if (component->needs_permission && component->has_approval) {
		const struct pic_binding *binding =
			world_binding(world, &step->name, component->approval[0]);

		memcpy(entry->ledger.approval, component->approval, PIC_APPROVAL_SIZE);
		entry->ledger.end_boot_ms = binding ? binding->end_boot_ms : 0;
	} else if (component->spec_digest[1] == SPEC_SERVES_TOO) { /* by hand: an end of its own */
		entry->ledger.end_boot_ms = world->now + (world->quiet ? 1000000000 : 100000);
	}
	entry->ledger.state = PIC_LEDGER_STARTING;
	entry->ledger.restarts = restarts;
	entry->busy = PIC_BUSY_START;
}

static struct pic_plan_removed *removed_of(struct world *world,
					   const struct pic_workload_name *name)
{
	for (size_t i = 0; world->document && i < world->document->removed_count; i++)
		if (world_name_index(&world->removed[i].name) == world_name_index(name))
			return &world->removed[i];
	return NULL;
}

static void carry_out(struct world *world, const struct pic_step *step)
{
	static const enum pic_artifact_state begun[] = {
		[PIC_STEP_LOOK] = PIC_ARTIFACT_LOOKING,
		[PIC_STEP_FETCH] = PIC_ARTIFACT_FETCHING,
		[PIC_STEP_TAKE] = PIC_ARTIFACT_TAKING,
		[PIC_STEP_DROP] = PIC_ARTIFACT_DROPPING,
	};
	struct pic_plan_entry *entry;
	struct pic_plan_removed *removed;
	struct pic_plan_component *component;

	switch (step->kind) {
	case PIC_STEP_STOP:
		entry = world_entry(world, &step->name);
		if (entry)
			entry->busy = PIC_BUSY_STOP;
		removed = removed_of(world, &step->name);
		if (removed)
			removed->busy = PIC_BUSY_STOP;
		break;
	case PIC_STEP_START:
		begin_start(world, step);
		break;
	case PIC_STEP_ADMIT:
		component = world_component(world, &step->name);
		if (component)
			component->verdict = PIC_VERDICT_SOUGHT;
		break;
	default:
		world_artifact_make(world, step->digest[0])->state = begun[step->kind];
		break;
	}
}

static void drop_entry(struct world *world, size_t index)
{
	if (world_name_index(&world->entries[index].ledger.name) < WORLD_NAMES)
		world->ends_in_a_row[world_name_index(&world->entries[index].ledger.name)] = 0;
	world->entries[index] = world->entries[--world->entry_count];
}

static void end_run(struct world *world, struct pic_plan_entry *entry, uint32_t kind, int value)
{
	size_t index = world_name_index(&entry->ledger.name);
	struct pic_plan_component *component = world_component(world, &entry->ledger.name);

	entry->ledger.state = PIC_LEDGER_ENDED;
	entry->ledger.ended_boot_ms = world->now;
	entry->ledger.end_kind = kind;
	entry->ledger.end_value = value;
	if (!component)
		return;
	pic_plan_note_end(component, &entry->ledger);
	if (index < WORLD_NAMES && world_as_wanted(entry, component))
		world->ends_in_a_row[index] = world->now - entry->ledger.started_boot_ms >= 600000
						      ? 1
						      : world->ends_in_a_row[index] + 1;
}

/* A start that was asked for ends in one of three ways. */
static void finish_start(struct world *world, size_t index)
{
	struct pic_plan_entry *entry = &world->entries[index];
	struct pic_plan_component *component = world_component(world, &entry->ledger.name);
	unsigned spec = entry->ledger.spec_digest[1];

	entry->busy = PIC_IDLE;
	entry->ledger.started_boot_ms = world->now;
	if (!world->quiet && world_chance(world, 20)) {
		if (component) {
			component->failure = "no room";
			component->retry_boot_ms = world->now + 1000;
		}
		drop_entry(world, index);
		return;
	}
	if (component)
		component->failure = NULL;
	entry->ledger.state = PIC_LEDGER_RUNNING;
	if (entry->ledger.restarts == 0 && world_name_index(&entry->ledger.name) < WORLD_NAMES)
		world->ends_in_a_row[world_name_index(&entry->ledger.name)] = 0;
	if (spec == SPEC_CANNOT_RUN)
		end_run(world, entry, PIC_END_INVALID, 0);
	else if (spec == SPEC_ENDS)
		end_run(world, entry, PIC_END_STATUS, 0);
}

static void prove(struct world *world, const struct pic_workload_name *name)
{
	struct pic_plan_removed *removed = removed_of(world, name);

	world->logs[world_name_index(name)] = false;
	if (!removed)
		return;
	removed->proved = true;
	removed->busy = PIC_IDLE;
}

static void fail_proof(struct world *world, const struct pic_workload_name *name)
{
	struct pic_plan_removed *removed = removed_of(world, name);

	if (!removed)
		return;
	removed->busy = PIC_IDLE;
	removed->retry_boot_ms = world->now + 1000;
}

/* A STOP of what is not in the ledger. */
static void finish_removals(struct world *world)
{
	for (size_t i = 0; world->document && i < world->document->removed_count; i++) {
		struct pic_plan_removed *removed = &world->removed[i];

		if (removed->busy == PIC_IDLE || world_entry(world, &removed->name) ||
		    !world_chance(world, 60))
			continue;
		if (!world->quiet && world_chance(world, 20))
			fail_proof(world, &removed->name);
		else
			prove(world, &removed->name);
	}
}

/* What has an end is gone by then; what was permitted may be taken back. */
static void end_leases(struct world *world)
{
	for (size_t i = 0; i < world->entry_count; i++) {
		struct pic_plan_entry *entry = &world->entries[i];
		unsigned approval = entry->ledger.approval[0];
		const struct pic_binding *binding =
			approval ? world_binding(world, &entry->ledger.name, approval) : NULL;
		bool revoked = binding && binding->state != PIC_BINDING_OPEN;

		if (entry->busy != PIC_IDLE || !world_entry_lives(entry) ||
		    !entry->ledger.end_boot_ms)
			continue;
		if (revoked || entry->ledger.end_boot_ms <= world->now)
			end_run(world, entry, PIC_END_LEASE,
				revoked ? PIC_LEASE_REVOKED : PIC_LEASE_OVER);
	}
}

static void bind(struct world *world, const struct pic_plan_component *component)
{
	struct pic_binding *binding = &world->bindings[world->binding_count++];
	int64_t length = world->quiet ? 1000000000 : 1 + (int64_t)world_below(world, 500000);

	*binding = (struct pic_binding){ .name = component->name,
					 .state = PIC_BINDING_OPEN,
					 .bound_boot_ms = world->now,
					 .end_boot_ms = world->now + length };
	memcpy(binding->approval, component->approval, PIC_APPROVAL_SIZE);
}

/* Tickets come, are refused, and what they bound is closed. */
static void finish_tickets(struct world *world)
{
	for (size_t i = 0; i < world->component_count; i++) {
		struct pic_plan_component *component = &world->components[i];

		if (!component->has_approval || !component->needs_permission ||
		    world_binding(world, &component->name, component->approval[0]) ||
		    !world_chance(world, 40))
			continue;
		component->ticket_refusal =
			!world->quiet && world_chance(world, 20) ? "it is forged" : NULL;
		if (!component->ticket_refusal)
			bind(world, component);
	}
	for (size_t i = 0; !world->quiet && i < world->binding_count; i++)
		if (world_chance(world, 2))
			world->bindings[i].state = PIC_BINDING_CLOSED;
}

/* A ticket is on its way to somebody. */
static bool tickets_travel(const struct world *world)
{
	for (size_t i = 0; i < world->component_count; i++) {
		const struct pic_plan_component *component = &world->components[i];

		if (component->has_approval && component->needs_permission &&
		    !world_binding((struct world *)world, &component->name, component->approval[0]))
			return true;
	}
	return false;
}

static void finish_entries(struct world *world)
{
	for (size_t i = world->entry_count; i-- > 0;) {
		struct pic_plan_entry *entry = &world->entries[i];

		if (!world_chance(world, 60))
			continue;
		if (entry->busy == PIC_BUSY_START) {
			finish_start(world, i);
		} else if (entry->busy == PIC_BUSY_STOP && !world->quiet &&
			   world_chance(world, 20)) {
			entry->busy = PIC_IDLE;
			entry->retry_boot_ms = world->now + 1000;
		} else if (entry->busy == PIC_BUSY_STOP) {
			drop_entry(world, i);
		} else if (entry->ledger.state == PIC_LEDGER_STARTING) {
			entry->ledger.state = PIC_LEDGER_RUNNING;
		} else if (entry->ledger.state == PIC_LEDGER_RUNNING && !world->quiet &&
			   world_chance(world, 15)) {
			end_run(world, entry,
				world_chance(world, 50) ? PIC_END_SIGNAL : PIC_END_STATUS, 9);
		} else if (!world->quiet && world_chance(world, 3)) {
			entry->ledger.state = PIC_LEDGER_HELD;
		}
	}
}

static void finish_admissions(struct world *world)
{
	for (size_t i = 0; i < world->component_count; i++) {
		struct pic_plan_component *component = &world->components[i];
		size_t name = world_name_index(&component->name);

		if (component->verdict != PIC_VERDICT_SOUGHT || !world_chance(world, 60))
			continue;
		component->verdict = component->digest[0] == DIGEST_DAMAGED ? PIC_VERDICT_BAD
									    : PIC_VERDICT_GOOD;
		component->verdict_text = "it is damaged";
		if (component->verdict == PIC_VERDICT_GOOD)
			memcpy(world->admitted[name], component->spec_digest, PIC_DIGEST_SIZE);
		if (world->quiet || !world_chance(world, 10))
			continue;
		component->verdict = PIC_VERDICT_NONE; /* it could not be found out */
		component->failure = "no room";
		component->retry_boot_ms = world->now + 1000;
	}
}

static void artifact_fails(struct world *world, struct pic_plan_artifact *artifact,
			   enum pic_artifact_state back)
{
	artifact->state = back;
	artifact->reason = "Trouble";
	artifact->text = "something went wrong";
	artifact->permanent = world_chance(world, 50);
	artifact->retry_boot_ms = world->now + 500;
}

static void finish_artifact(struct world *world, size_t index)
{
	struct pic_plan_artifact *artifact = &world->artifacts[index];
	unsigned digest = artifact->digest[0];
	bool fails = !world->quiet && world_chance(world, 25);

	switch (artifact->state) {
	case PIC_ARTIFACT_LOOKING:
		if (fails)
			artifact_fails(world, artifact, PIC_ARTIFACT_UNKNOWN);
		else
			artifact->state = world->stored[digest] ? PIC_ARTIFACT_STORED
								: PIC_ARTIFACT_ABSENT;
		break;
	case PIC_ARTIFACT_FETCHING:
		if (fails || digest == DIGEST_LOST)
			artifact_fails(world, artifact, PIC_ARTIFACT_ABSENT);
		else
			artifact->state = PIC_ARTIFACT_FETCHED;
		break;
	case PIC_ARTIFACT_TAKING:
		if (fails) {
			artifact_fails(world, artifact, PIC_ARTIFACT_FETCHED);
			break;
		}
		world->stored[digest] = true;
		artifact->state = PIC_ARTIFACT_STORED;
		break;
	case PIC_ARTIFACT_DROPPING:
		world->stored[digest] = false;
		world->artifacts[index] = world->artifacts[--world->artifact_count];
		break;
	default:
		break;
	}
}

void world_input(const struct world *world, struct pic_plan_input *input)
{
	memset(input, 0, sizeof(*input));
	input->components = world->components;
	input->component_count = world->component_count;
	if (world->document) {
		input->removed = world->removed;
		input->removed_count = world->document->removed_count;
		input->revision = world->document->revision;
	}
	input->absence_removes = world->file_mode && world->document;
	input->entries = world->entries;
	input->entry_count = world->entry_count;
	input->artifacts = world->artifacts;
	input->artifact_count = world->artifact_count;
	input->bindings = world->bindings;
	input->binding_count = world->binding_count;
	input->now_boot_ms = world->now;
	input->broken = world->broken;
}

/* Anything under way needs no other wake-up than its own end. */
bool world_is_busy(const struct world *world)
{
	for (size_t i = 0; i < world->entry_count; i++)
		if (world->entries[i].busy != PIC_IDLE ||
		    world->entries[i].ledger.state == PIC_LEDGER_STARTING)
			return true;
	for (size_t i = 0; world->document && i < world->document->removed_count; i++)
		if (world->removed[i].busy != PIC_IDLE)
			return true;
	for (size_t i = 0; i < world->component_count; i++)
		if (world->components[i].verdict == PIC_VERDICT_SOUGHT)
			return true;
	for (size_t i = 0; i < world->artifact_count; i++)
		switch (world->artifacts[i].state) {
		case PIC_ARTIFACT_LOOKING:
		case PIC_ARTIFACT_FETCHING:
		case PIC_ARTIFACT_TAKING:
		case PIC_ARTIFACT_DROPPING:
			return true;
		default:
			break;
		}
	return false;
}

static void pass_time(struct world *world, int64_t wake)
{
	if (wake && wake <= world->now)
		FAIL(world, "a wake-up that is already over");
	if (world_is_busy(world) || tickets_travel(world))
		world->now += 1 + (int64_t)world_below(world, 50);
	else if (wake && (world->quiet || world_chance(world, 80)))
		world->now = wake;
	else
		world->now += 1 + (int64_t)world_below(world, 700000);
}

/* What the agent knew is gone; what it left behind is looked at anew. */
static void restart_agent(struct world *world)
{
	for (size_t i = world->artifact_count; i-- > 0;) {
		struct pic_plan_artifact *artifact = &world->artifacts[i];
		unsigned digest = artifact->digest[0];
		bool copy = artifact->state == PIC_ARTIFACT_FETCHED;

		memset(artifact, 0, sizeof(*artifact));
		world_digest_set(artifact->digest, digest);
		if (copy)
			artifact->state = PIC_ARTIFACT_FETCHED;
	}
	for (size_t i = world->entry_count; i-- > 0;)
		if (world->entries[i].busy == PIC_BUSY_STOP)
			drop_entry(world, i);
		else if (world->entries[i].busy == PIC_BUSY_START)
			finish_start(world, i);
	if (world->document) {
		world->component_count = 0; /* nothing to inherit */
		world_build(world);
	}
	for (size_t i = 0; i < world->entry_count; i++) {
		struct pic_plan_component *component =
			world_component(world, &world->entries[i].ledger.name);

		if (component)
			pic_plan_note_end(component, &world->entries[i].ledger);
	}
	for (size_t i = 0; i < WORLD_NAMES; i++)
		world->ends_in_a_row[i] = 0; /* the waits may begin anew */
}

static void reboot(struct world *world)
{
	restart_agent(world);
	for (size_t i = world->entry_count; i-- > 0;)
		if (world->entries[i].ledger.state != PIC_LEDGER_HELD)
			drop_entry(world, i);
	world->binding_count = 0; /* the ledger is gone, and no old ticket is good any more */
}

bool world_round(struct world *world)
{
	struct pic_plan_input input;
	struct pic_plan plan;
	bool active;

	world_input(world, &input);
	if (pic_plan_make(&input, &plan) < 0) {
		FAIL(world, "no memory");
		return false;
	}
	world_check_dependencies(world, &plan);
	for (size_t i = 0; i < plan.step_count; i++) {
		world_check_step(world, &plan.steps[i]);
		carry_out(world, &plan.steps[i]);
	}
	if (plan.step_count == 0)
		world_check_statuses(world, &plan);
	if (!world->quiet && world_chance(world, 3))
		world_chance(world, 50) ? reboot(world) : restart_agent(world);
	active = plan.step_count > 0 || plan.wake_boot_ms || world_is_busy(world) ||
		 tickets_travel(world);
	pass_time(world, plan.step_count > 0 ? 0 : plan.wake_boot_ms);
	pic_plan_clear(&plan);
	end_leases(world);
	finish_entries(world);
	finish_tickets(world);
	finish_removals(world);
	finish_admissions(world);
	for (size_t i = world->artifact_count; i-- > 0;)
		if (world_chance(world, 60))
			finish_artifact(world, i);
	return active;
}
