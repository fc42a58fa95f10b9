/* What the agent says of itself and its workloads: one report, coalesced, the newest counts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/context.h"
#include "agent/sentence.h"
#include "agent/status/merge.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/version.h"

#define COALESCE_MS 50
#define PATIENCE_MS 5000
#define REFRESH_MS (60 * 60 * 1000) /* figures of a device on which nothing happens */

void pic_agent_report_soon(struct pic_agent *agent)
{
	if (agent->report_pending && !agent->report_waits)
		return;
	agent->report_pending = true;
	agent->report_waits = false;
	pic_timer_set(agent->report_timer, COALESCE_MS);
}

void pic_agent_statuses_take(struct pic_agent *agent, struct pic_plan *plan)
{
	bool changed = pic_status_merge(agent->statuses, agent->status_count, plan->statuses,
					plan->status_count, pic_clock_wall_ms(),
					pic_clock_boot_ms());

	/* a removal that was proved stays proved, whatever is dropped later */
	if (plan->removed_through > agent->removed_through) {
		agent->removed_through = plan->removed_through;
		changed = true;
	}
	agent->planned = true;
	free(agent->statuses);
	agent->statuses = NULL;
	agent->status_count = plan->status_count;
	if (plan->status_count > 0)
		agent->statuses = PIC_STEAL(plan->statuses);
	if (changed)
		pic_agent_report_soon(agent);
}

/* The most important thing that is wrong with the agent as a whole. */
static const char *message_of(const struct pic_agent *agent)
{
	if (agent->refusal[0])
		return agent->refusal;
	if (!agent->listed)
		return "the supervisor is away: what runs is not known, nothing is started or stopped";
	return agent->policy_problem;
}

/* The boot clock counts; people are told by the wall clock, as it is now. */
static void show_ends(struct pic_agent *agent)
{
	int64_t offset = pic_clock_wall_ms() - pic_clock_boot_ms();

	for (size_t i = 0; i < agent->status_count; i++)
		if (agent->statuses[i].end_boot_ms)
			agent->statuses[i].ends_at_ms = agent->statuses[i].end_boot_ms + offset;
}

int pic_agent_report_write(struct pic_agent *agent, struct pic_buf *out)
{
	struct pic_report report = {
		.sequence = agent->sequence,
		.revision = agent->acceptance.revision,
		.removed_through = agent->removed_through,
		.version = PIC_VERSION,
		.uptime_seconds = pic_clock_boot_ms() / 1000,
		.clock_is_set = pic_clock_wall_is_set(pic_clock_wall_ms()),
		.lease_max_seconds = agent->lease_max_ms / 1000,
		.components = agent->statuses,
		.component_count = agent->status_count,
	};

	show_ends(agent);
	memcpy(report.device, agent->target, sizeof(report.device));
	memcpy(report.session, agent->session, sizeof(report.session));
	memcpy(report.epoch, agent->acceptance.epoch, sizeof(report.epoch));
	memcpy(report.digest, agent->acceptance.digest, sizeof(report.digest));
	memcpy(report.boot, agent->boot, sizeof(report.boot));
	pic_sentence_copy(report.message, sizeof(report.message), message_of(agent));
	return pic_report_write(&report, out);
}

/* A report says all: one without the workloads would say that there are none. For a while the first plan is
 * waited for; when no supervisor comes, that is what is said of each. */
static bool has_something_to_say(struct pic_agent *agent)
{
	int64_t patience = agent->started_boot_ms + PATIENCE_MS - pic_clock_boot_ms();
	struct pic_report_component *statuses;

	if (agent->planned)
		return true;
	if (patience > 0) {
		agent->report_waits = true;
		pic_timer_set(agent->report_timer, patience);
		return false;
	}
	statuses = calloc(agent->wanted.count + 1, sizeof(*statuses));
	if (!statuses)
		return false;
	for (size_t i = 0; i < agent->wanted.count; i++) {
		statuses[i].name = agent->wanted.components[i].name;
		memcpy(statuses[i].type, agent->wanted.components[i].type,
		       sizeof(statuses[i].type));
		snprintf(statuses[i].reason, sizeof(statuses[i].reason), "SupervisorAway");
		statuses[i].since_ms = pic_clock_wall_ms();
	}
	free(agent->statuses);
	agent->statuses = statuses;
	agent->status_count = agent->wanted.count;
	return true;
}

void pic_agent_report_now(void *data)
{
	struct pic_agent *agent = data;
	struct pic_buf body = PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);

	if (!has_something_to_say(agent))
		return;
	agent->report_pending = false;
	pic_timer_set(agent->report_timer, REFRESH_MS);
	pic_agent_trim_soon(agent);
	if (!agent->link)
		return;
	agent->sequence++;
	if (pic_agent_report_write(agent, &body) == 0)
		agent->dialect->report(agent->link, &body);
	pic_buf_free(&body);
}

/* After work memory is given back: an agent is idle most of its life. */
void pic_agent_trim_soon(struct pic_agent *agent)
{
	pic_timer_set(agent->trim_timer, 2000);
}

void pic_agent_trim(void *data)
{
	(void)data;
	pic_memory_give_back();
}
