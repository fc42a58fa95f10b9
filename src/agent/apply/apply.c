/* Plans whenever something may have changed, and hands the steps out. */
#include <errno.h>
#include <stdlib.h>

#include "agent/context.h"
#include "base/clock.h"
#include "base/log.h"

#define NO_MEMORY_MS 5000

void pic_agent_plan_soon(struct pic_agent *agent)
{
	pic_timer_set(agent->plan_timer, 0);
}

static void carry_out(struct pic_agent *agent, const struct pic_step *step)
{
	switch (step->kind) {
	case PIC_STEP_STOP:
		pic_agent_stop_workload(agent, step);
		break;
	case PIC_STEP_DROP:
		pic_agent_drop(agent, step);
		break;
	case PIC_STEP_LOOK:
		pic_agent_look(agent, step);
		break;
	case PIC_STEP_FETCH:
		pic_agent_fetch(agent, step);
		break;
	case PIC_STEP_TAKE:
		pic_agent_take(agent, step);
		break;
	case PIC_STEP_ADMIT:
		pic_agent_admit(agent, step);
		break;
	case PIC_STEP_START:
		pic_agent_start_workload(agent, step);
		break;
	}
}

static void note_ends(struct pic_agent *agent)
{
	for (size_t i = 0; i < agent->entry_count; i++) {
		size_t index = pic_wanted_find(&agent->wanted, &agent->entries[i].ledger.name);

		if (index != PIC_WANTED_NONE)
			pic_plan_note_end(&agent->wanted.components[index],
					  &agent->entries[i].ledger);
	}
}

static void fill_input(const struct pic_agent *agent, struct pic_plan_input *input)
{
	*input = (struct pic_plan_input){
		.components = agent->wanted.components,
		.component_count = agent->wanted.count,
		.removed = agent->wanted.removed,
		.removed_count = agent->wanted.removed_count,
		.revision = agent->wanted.revision,
		.absence_removes = agent->settings->file && agent->wanted.epoch[0],
		.entries = agent->entries,
		.entry_count = agent->entry_count,
		.artifacts = agent->artifacts,
		.artifact_count = agent->artifact_count,
		.bindings = agent->bindings,
		.binding_count = agent->binding_count,
		.lease_max_ms = agent->lease_max_ms,
		.now_boot_ms = pic_clock_boot_ms(),
	};
}

/* Without the ledger nothing is known of what runs, so nothing is done. */
void pic_agent_plan(void *data)
{
	struct pic_agent *agent = data;
	struct pic_plan_input input;
	struct pic_plan plan = { 0 };

	if (!agent->listed)
		return;
	note_ends(agent);
	fill_input(agent, &input);
	if (pic_plan_make(&input, &plan) < 0) {
		pic_log(PIC_LOG_WARNING, "no-memory-to-plan");
		pic_timer_set(agent->plan_timer, NO_MEMORY_MS);
		return;
	}
	if (plan.wake_boot_ms)
		pic_timer_set_at(agent->plan_timer, plan.wake_boot_ms);
	for (size_t i = 0; i < plan.step_count; i++)
		carry_out(agent, &plan.steps[i]);
	pic_agent_tickets_look(agent);
	pic_agent_statuses_take(agent, &plan);
	pic_plan_clear(&plan);
}
