/*
 * The machine of campaigns under random campaigns, outcomes, times and restarts, against rules that a
 * reader can check one by one. Each rule is broken on purpose once, and must be missed.
 */
#include <errno.h>
#include <stdio.h>

#include "hub/campaign/machine.h"
#include "symphony/sample.h"

#define CASES 4000
#define STAGES 5
#define STEPS 60
#define NOW 1800000000000LL

static unsigned long long seed;

static unsigned roll(unsigned sides)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % sides;
}

struct run {
	struct pic_object *activation;
	struct pic_json *campaign;
	int64_t now_ms;
	uint32_t broken;
	const char *violation;
	/* what is known from outside */
	int64_t ended[STEPS + 8]; /* numbers of runs that have ended */
	size_t ended_count;
	int retries; /* of the present stage in a row */
	bool was_finished;
	char memo[16];
};

static void violate(struct run *run, const char *what)
{
	if (!run->violation)
		run->violation = what;
}

/* A campaign: mocks that lead anywhere, some with handleErrors, retries, schedules, a name that is none. */
static struct pic_json *random_campaign(void)
{
	struct pic_json *campaign = pic_json_new_object();
	struct pic_json *stages = pic_json_ensure_object(campaign, "stages");
	char text[160], time[PIC_MACHINE_TEXT_MAX];

	pic_json_set_text(campaign, "firstStage", "s0");
	for (int i = 0; i < STAGES; i++) {
		snprintf(text, sizeof(text), "s%d", i);
		struct pic_json *stage = pic_json_ensure_object(stages, text);

		pic_json_set_text(stage, "provider", "providers.stage.mock");
		switch (roll(5)) {
		case 0:
			snprintf(text, sizeof(text), "s%u", roll(STAGES + 1)); /* s5 is none */
			pic_json_set_text(stage, "stageSelector", text);
			break;
		case 1:
			break;
		default:
			snprintf(text, sizeof(text),
				 "${{$if($equal($output(s%d,status),200),'s%u','s%u')}}", i,
				 roll(STAGES), roll(STAGES));
			pic_json_set_text(stage, "stageSelector", text);
		}
		if (roll(3) == 0)
			pic_json_set_bool(stage, "handleErrors", true);
		if (roll(4) == 0)
			pic_json_set_integer(pic_json_ensure_object(stage, "retry"), "maxRetries",
					     1 + roll(2));
		if (roll(5) == 0) {
			snprintf(time, sizeof(time), "2027-01-15T08:%02u:00Z", roll(40));
			pic_json_set_text(stage, "schedule", time);
		}
	}
	return campaign;
}

static void put_status(struct run *run, struct pic_json *status)
{
	struct pic_json *json = pic_json_copy(run->activation->json);
	struct pic_error err = PIC_ERROR_INIT;

	pic_json_set(json, "status", pic_json_ref(status));
	pic_object_unref(run->activation);
	assert_int_equal(pic_object_new(&run->activation, PIC_KIND_ACTIVATION, json, &err), 0);
}

static bool has_ended(const struct run *run, int64_t number)
{
	for (size_t i = 0; i < run->ended_count; i++)
		if (run->ended[i] == number)
			return true;
	return false;
}

/* What holds of every status. */
static void check_status(struct run *run)
{
	const struct pic_json *status = pic_object_status(run->activation);
	struct pic_machine_place place;

	pic_machine_place(run->activation, &place);
	if (pic_json_count(pic_json_get(status, "stageHistory")) > PIC_MACHINE_HISTORY_MAX)
		violate(run, "the history grows");
	if (*place.stage && !pic_stage_find(run->campaign, place.stage))
		violate(run, "it is in a stage that is none");
	if (run->was_finished && !place.is_finished)
		violate(run, "a finished run goes on");
	if (!place.is_finished && has_ended(run, place.number))
		violate(run, "a run that has ended is the present one");
	run->was_finished = place.is_finished;
}

static void look(struct run *run, bool is_woken, struct pic_machine_output *out)
{
	const struct pic_machine_input input = {
		.activation = run->activation,
		.campaign = run->campaign,
		.is_woken = is_woken,
		.now_ms = run->now_ms,
		.broken = run->broken,
	};
	const struct pic_json *memory = pic_json_get(pic_object_status(run->activation), "run");
	struct pic_error err = PIC_ERROR_INIT;
	long long until_ms = 0;

	pic_json_integer(pic_json_get(memory, "untilMs"), &until_ms);
	bool is_early = until_ms > run->now_ms &&
			(!is_woken || strcmp(pic_json_text_or(pic_json_get(memory, "state"), ""),
					     "Scheduled") == 0);
	assert_int_equal(pic_machine_step(&input, out, &err), 0);
	if (is_early && (out->action == PIC_MACHINE_ACT || out->status))
		violate(run, "it acts before its time");
	if (out->status)
		put_status(run, out->status);
	check_status(run);
}

/* The name of no stage is not taken for the end. */
static void check_unknown(struct run *run, const struct pic_json *before)
{
	const char *selector = pic_json_text_or(pic_json_get(before, "stageSelector"), "");
	long long status = 0;

	pic_json_integer(pic_json_get(pic_object_status(run->activation), "status"), &status);
	if (*selector && !strstr(selector, "${{") && !pic_stage_find(run->campaign, selector) &&
	    status != 400)
		violate(run, "a stage that is none is passed over");
}

/* After a failure only a stage that wants errors may follow, or what an expression chose after an answer. */
static void check_follower(struct run *run, const char *from, const struct pic_outcome *outcome)
{
	const struct pic_json *before = pic_stage_find(run->campaign, from);
	struct pic_machine_place place;
	bool chosen = pic_stage_is_expression(pic_json_get(before, "stageSelector"));

	pic_machine_place(run->activation, &place);
	const struct pic_json *now = pic_stage_find(run->campaign, place.stage);
	bool handles = pic_json_true(pic_json_get(now, "handleErrors"));
	if (outcome->kind != PIC_OUTCOME_FAILED) {
		check_unknown(run, before);
		return;
	}
	if (!place.is_finished && !handles && !(outcome->is_answer && chosen))
		violate(run, "a failure was passed over");
	if (place.is_finished && outcome->is_answer && chosen)
		violate(run, "an answer could not choose");
}

static void answer(struct run *run, int64_t number, struct pic_outcome *outcome)
{
	struct pic_machine_output out;
	struct pic_machine_place place;
	struct pic_error err = PIC_ERROR_INIT;
	char from[PIC_NAME_MAX + 1];

	pic_machine_place(run->activation, &place);
	snprintf(from, sizeof(from), "%s", place.stage);
	long long most = 0;
	pic_json_integer(pic_json_find(pic_stage_find(run->campaign, from), "retry", "maxRetries",
				       NULL),
			 &most);
	const struct pic_machine_input input = {
		.activation = run->activation,
		.outcome = outcome,
		.number = number,
		.now_ms = run->now_ms,
		.broken = run->broken,
	};
	bool is_late = place.is_finished || number != place.number ||
		       !(place.is_acting || place.is_waiting);
	int r = pic_machine_step(&input, &out, &err);
	if (is_late) {
		if (r != -ESTALE)
			violate(run, "an outcome that is too late counts");
		pic_machine_output_free(&out);
		return;
	}
	if (r < 0) {
		violate(run, "an outcome of the present run is refused");
		return;
	}
	if (out.status)
		put_status(run, out.status);
	pic_machine_output_free(&out);
	pic_machine_place(run->activation, &place);
	if (outcome->kind == PIC_OUTCOME_WAITS) {
		const char *memo = pic_json_text_or(pic_json_get(place.memo, "m"), "");
		if (strcmp(memo, pic_json_text_or(pic_json_get(outcome->memo, "m"), "")) != 0)
			violate(run, "what the provider wanted to know is lost");
		check_status(run);
		return;
	}
	run->ended[run->ended_count++] = number;
	bool is_retry = place.is_waiting && outcome->kind == PIC_OUTCOME_FAILED &&
			strcmp(place.stage, from) == 0 && !outcome->is_answer;
	run->retries = is_retry ? run->retries + 1 : 0;
	if (run->retries > most)
		violate(run, "it is tried too often");
	if (!is_retry)
		check_follower(run, from, outcome);
	check_status(run);
}

static void random_answer(struct run *run)
{
	PIC_OUTCOME struct pic_outcome outcome = { .kind = PIC_OUTCOME_DONE };
	struct pic_machine_place place;
	char memo[16];

	pic_machine_place(run->activation, &place);
	int64_t number = place.number;
	switch (roll(8)) {
	case 0:
	case 1:
		pic_outcome_fail(&outcome, 500, "broke");
		break;
	case 2:
		pic_outcome_fail(&outcome, 403, "no");
		outcome.is_answer = true;
		break;
	case 3:
	case 4:
		outcome.kind = PIC_OUTCOME_WAITS;
		outcome.until_ms = roll(2) ? run->now_ms + 1 + roll(100000) : 0;
		outcome.memo = pic_json_new_object();
		snprintf(memo, sizeof(memo), "%u", roll(1000));
		pic_json_set_text(outcome.memo, "m", memo);
		break;
	}
	if (roll(6) == 0) /* a copy that comes late, from before a crash */
		number -= 1 + roll(2);
	answer(run, number, &outcome);
	if (roll(4) == 0) /* the same again */
		answer(run, number, &outcome);
}

/* The first rule that does not hold, or NULL. A crash needs no doing: nothing but the status is kept. */
static const char *violation(unsigned number, uint32_t broken)
{
	struct run run = { .now_ms = NOW, .broken = broken };

	seed = number * 2654435761ULL + 17;
	run.campaign = random_campaign();
	run.activation = sample_object(PIC_KIND_ACTIVATION,
				       "{'metadata':{'name':'a','namespace':'default','uid':'u',"
				       "'generation':1},'spec':{'campaign':'c'}}");
	for (int i = 0; i < STEPS && !run.violation; i++) {
		struct pic_machine_output out;

		look(&run, roll(4) == 0, &out);
		if (out.action == PIC_MACHINE_ACT || roll(10) == 0)
			random_answer(&run);
		pic_machine_output_free(&out);
		run.now_ms += roll(3) == 0 ? 600000 : roll(2000);
	}
	pic_json_unref(run.campaign);
	pic_object_unref(run.activation);
	return run.violation;
}

static void all_rules_hold(void **state)
{
	for (unsigned i = 0; i < CASES; i++) {
		const char *what = violation(i, 0);

		if (what)
			fail_msg("case %u: %s", i, what);
	}
}

static void each_broken_rule_is_noticed(void **state)
{
	for (int bit = 0; bit < PIC_MACHINE_RULE_COUNT; bit++) {
		unsigned i = 0;

		if (1u << bit == PIC_MACHINE_RULE_RUNS_ARE_BOUNDED ||
		    1u << bit == PIC_MACHINE_RULE_HISTORY_IS_BOUNDED)
			continue; /* below: they take more stages than a case has */
		while (i < CASES && !violation(i, 1u << bit))
			i++;
		if (i == CASES)
			fail_msg("rule %d can be broken and nobody notices", bit);
	}
}

/* Two stages that lead to each other for ever. */
static int64_t runs_of_a_circle(uint32_t broken, size_t *history)
{
	struct run run = { .now_ms = NOW, .broken = broken };
	struct pic_machine_place place;

	run.campaign = sample_json("{'firstStage':'a','stages':{"
				   "'a':{'stageSelector':'b'},'b':{'stageSelector':'a'}}}");
	run.activation = sample_object(PIC_KIND_ACTIVATION,
				       "{'metadata':{'name':'a','namespace':'default','uid':'u'},"
				       "'spec':{'campaign':'c'}}");
	*history = 0;
	for (int i = 0; i < PIC_MACHINE_RUNS_MAX + 20; i++) {
		struct pic_outcome done = { .kind = PIC_OUTCOME_DONE };
		struct pic_machine_output out;
		struct pic_error err = PIC_ERROR_INIT;

		pic_machine_place(run.activation, &place);
		if (place.is_finished)
			break;
		const struct pic_machine_input input = {
			.activation = run.activation,
			.campaign = run.campaign,
			.outcome = *place.stage ? &done : NULL,
			.number = place.number,
			.now_ms = NOW,
			.broken = broken,
		};
		assert_int_equal(pic_machine_step(&input, &out, &err), 0);
		put_status(&run, out.status);
		pic_machine_output_free(&out);
		size_t entries = pic_json_count(
			pic_json_get(pic_object_status(run.activation), "stageHistory"));
		*history = entries > *history ? entries : *history;
		if (*history > 100)
			break;
	}
	pic_machine_place(run.activation, &place);
	int64_t number = place.number;
	pic_json_unref(run.campaign);
	pic_object_unref(run.activation);
	return number;
}

static void a_circle_ends(void **state)
{
	size_t history;

	assert_int_equal(runs_of_a_circle(0, &history), PIC_MACHINE_RUNS_MAX);
	assert_int_equal(history, PIC_MACHINE_HISTORY_MAX);
	assert_true(runs_of_a_circle(PIC_MACHINE_RULE_RUNS_ARE_BOUNDED, &history) >
		    PIC_MACHINE_RUNS_MAX);
	runs_of_a_circle(PIC_MACHINE_RULE_HISTORY_IS_BOUNDED, &history);
	assert_true(history > PIC_MACHINE_HISTORY_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_rules_hold),
		cmocka_unit_test(each_broken_rule_is_noticed),
		cmocka_unit_test(a_circle_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
