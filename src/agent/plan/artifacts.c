/* The way of an artifact: looked for, fetched, handed over, dropped. */
#include "agent/plan/decide.h"

#include <string.h>

static bool waits(struct pic_planner *planner, const struct pic_plan_artifact *artifact,
		  struct pic_report_component *status)
{
	enum pic_phase phase = artifact->permanent ? PIC_PHASE_FAILED : PIC_PHASE_BACKOFF;

	if (!artifact->reason || planner->input->now_boot_ms >= artifact->retry_boot_ms ||
	    !pic_planner_keeps(planner, PIC_RULE_RETRY_WAITS))
		return false;
	pic_planner_say(status, phase, artifact->reason, "%.340s%s", artifact->text,
			pic_planner_still(pic_planner_entry(planner, &status->name)));
	pic_planner_wake(planner, artifact->retry_boot_ms);
	return true;
}

static void fetch(struct pic_planner *planner, size_t index,
		  const struct pic_plan_artifact *artifact, struct pic_report_component *status)
{
	if (waits(planner, artifact, status))
		return;
	if (planner->fetches >= PIC_FETCHES_MAX &&
	    pic_planner_keeps(planner, PIC_RULE_FEW_FETCHES)) {
		pic_planner_say(status, PIC_PHASE_FETCHING, "Queued", "other downloads come first");
		return;
	}
	pic_planner_say(status, PIC_PHASE_FETCHING, "Downloading", "%s", "");
	pic_planner_step(planner, PIC_STEP_FETCH, index, NULL, artifact->digest);
	planner->fetches++;
}

static void take(struct pic_planner *planner, size_t index,
		 const struct pic_plan_artifact *artifact, struct pic_report_component *status)
{
	if (waits(planner, artifact, status))
		return;
	pic_planner_say(status, PIC_PHASE_FETCHING, "Storing", "%s", "");
	pic_planner_step(planner, PIC_STEP_TAKE, index, NULL, artifact->digest);
}

static void look(struct pic_planner *planner, size_t index, struct pic_report_component *status)
{
	pic_planner_say(status, PIC_PHASE_PENDING, "Looking", "%s", "");
	pic_planner_step(planner, PIC_STEP_LOOK, index, NULL,
			 planner->input->components[index].digest);
}

/* A state that ends in -ING is left before something new is planned. */
static enum pic_artifact_state settled(const struct pic_planner *planner,
				       enum pic_artifact_state state)
{
	static const enum pic_artifact_state before[] = {
		[PIC_ARTIFACT_LOOKING] = PIC_ARTIFACT_UNKNOWN,
		[PIC_ARTIFACT_FETCHING] = PIC_ARTIFACT_ABSENT,
		[PIC_ARTIFACT_TAKING] = PIC_ARTIFACT_FETCHED,
		[PIC_ARTIFACT_DROPPING] = PIC_ARTIFACT_STORED,
	};

	if (pic_planner_keeps(planner, PIC_RULE_NOTHING_TWICE))
		return state;
	return (size_t)state < PIC_COUNT(before) && before[state] ? before[state] : state;
}

static void advance(struct pic_planner *planner, size_t index,
		    const struct pic_plan_artifact *artifact, struct pic_report_component *status)
{
	switch (settled(planner, artifact->state)) {
	case PIC_ARTIFACT_UNKNOWN:
		if (!waits(planner, artifact, status))
			look(planner, index, status);
		break;
	case PIC_ARTIFACT_LOOKING:
		pic_planner_say(status, PIC_PHASE_PENDING, "Looking", "%s", "");
		break;
	case PIC_ARTIFACT_ABSENT:
		fetch(planner, index, artifact, status);
		break;
	case PIC_ARTIFACT_FETCHING:
		pic_planner_say(status, PIC_PHASE_FETCHING, "Downloading", "%s", "");
		break;
	case PIC_ARTIFACT_FETCHED:
		take(planner, index, artifact, status);
		break;
	case PIC_ARTIFACT_TAKING:
		pic_planner_say(status, PIC_PHASE_FETCHING, "Storing", "%s", "");
		break;
	case PIC_ARTIFACT_STORED:
		break;
	case PIC_ARTIFACT_DROPPING: /* it went just when it was wanted again */
		pic_planner_say(status, PIC_PHASE_PENDING, "Looking", "%s", "");
		break;
	}
}

bool pic_planner_stored(struct pic_planner *planner, size_t index,
			struct pic_report_component *status)
{
	const struct pic_plan_component *component = &planner->input->components[index];
	const struct pic_plan_artifact *artifact;

	if (!component->has_digest || !pic_planner_keeps(planner, PIC_RULE_STORED_BEFORE_START))
		return true;
	artifact = pic_planner_artifact(planner, component->digest);
	if (artifact && artifact->state == PIC_ARTIFACT_STORED)
		return true;
	if (artifact)
		advance(planner, index, artifact, status);
	else
		look(planner, index, status);
	return false;
}

static bool is_of_use(const struct pic_planner *planner,
		      const unsigned char digest[PIC_DIGEST_SIZE])
{
	const struct pic_plan_input *input = planner->input;

	for (size_t i = 0; i < input->component_count; i++)
		if (input->components[i].has_digest &&
		    memcmp(input->components[i].digest, digest, PIC_DIGEST_SIZE) == 0)
			return true;
	if (!pic_planner_keeps(planner, PIC_RULE_USED_IS_KEPT))
		return false;
	for (size_t i = 0; i < input->entry_count; i++)
		if (memcmp(input->entries[i].ledger.digest, digest, PIC_DIGEST_SIZE) == 0)
			return true;
	return false;
}

static bool is_busy(enum pic_artifact_state state)
{
	return state == PIC_ARTIFACT_LOOKING || state == PIC_ARTIFACT_TAKING ||
	       state == PIC_ARTIFACT_DROPPING;
}

/* A download that nobody wants any more is dropped (and thereby ended) too. */
bool pic_planner_drop(struct pic_planner *planner)
{
	bool left = false;

	if (!pic_planner_keeps(planner, PIC_RULE_UNUSED_IS_DROPPED))
		return false;
	for (size_t i = 0; i < planner->input->artifact_count; i++) {
		const struct pic_plan_artifact *artifact = &planner->input->artifacts[i];

		if (is_of_use(planner, artifact->digest))
			continue;
		left = true;
		if (is_busy(artifact->state) && pic_planner_keeps(planner, PIC_RULE_NOTHING_TWICE))
			continue;
		if (artifact->reason && planner->input->now_boot_ms < artifact->retry_boot_ms &&
		    artifact->state == PIC_ARTIFACT_STORED)
			pic_planner_wake(planner, artifact->retry_boot_ms);
		else
			pic_planner_step(planner, PIC_STEP_DROP, SIZE_MAX, NULL, artifact->digest);
	}
	return left;
}
