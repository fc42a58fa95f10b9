/* The plan in single cases: what it says to people, and the figures of its waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "agent/plan/plan.h"

struct scene {
	struct pic_plan_component component;
	struct pic_plan_entry entry;
	struct pic_plan_artifact artifact;
	struct pic_plan_removed removed;
	struct pic_plan_input input;
	struct pic_plan plan;
};

static void name(struct pic_workload_name *out)
{
	snprintf(out->instance, sizeof(out->instance), "app");
	snprintf(out->component, sizeof(out->component), "web");
}

/* One wanted component that runs as it should. */
static void set(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	name(&scene->component.name);
	snprintf(scene->component.type, sizeof(scene->component.type), "wasm");
	scene->component.has_digest = true;
	scene->component.digest[0] = 1;
	scene->component.spec_digest[0] = 2;
	scene->component.noted_start = -1;
	scene->component.verdict = PIC_VERDICT_GOOD;
	scene->entry.ledger.name = scene->component.name;
	scene->entry.ledger.state = PIC_LEDGER_RUNNING;
	scene->entry.ledger.pid = 4711;
	scene->entry.ledger.digest[0] = 1;
	scene->entry.ledger.spec_digest[0] = 2;
	scene->artifact.digest[0] = 1;
	scene->artifact.state = PIC_ARTIFACT_STORED;
	scene->input = (struct pic_plan_input){
		.components = &scene->component,
		.component_count = 1,
		.removed = &scene->removed,
		.revision = 9,
		.entries = &scene->entry,
		.entry_count = 1,
		.artifacts = &scene->artifact,
		.artifact_count = 1,
		.now_boot_ms = 1000000,
	};
}

static void plan(struct scene *scene)
{
	pic_plan_clear(&scene->plan);
	assert_int_equal(pic_plan_make(&scene->input, &scene->plan), 0);
}

static void what_runs_is_left_alone(void **state)
{
	struct scene scene;

	(void)state;
	set(&scene);
	plan(&scene);
	assert_int_equal(scene.plan.step_count, 0);
	assert_int_equal(scene.plan.wake_boot_ms, 0);
	assert_int_equal(scene.plan.removed_through, 9);
	assert_int_equal(scene.plan.statuses[0].phase, PIC_PHASE_RUNNING);
	assert_int_equal(scene.plan.statuses[0].pid, 4711);
	pic_plan_clear(&scene.plan);
}

static void an_end_waits_a_little(void **state)
{
	struct scene scene;

	(void)state;
	set(&scene);
	scene.entry.ledger.state = PIC_LEDGER_ENDED;
	scene.entry.ledger.end_kind = PIC_END_SIGNAL;
	scene.entry.ledger.end_value = 9;
	scene.entry.ledger.ended_boot_ms = scene.input.now_boot_ms;
	pic_plan_note_end(&scene.component, &scene.entry.ledger);
	pic_plan_note_end(&scene.component, &scene.entry.ledger); /* told twice, counted once */
	plan(&scene);
	assert_int_equal(scene.plan.step_count, 0);
	assert_int_equal(scene.plan.statuses[0].phase, PIC_PHASE_BACKOFF);
	assert_string_equal(scene.plan.statuses[0].message,
			    "it was killed by signal 9 (Killed); the next start waits 100 ms");
	assert_string_equal(scene.plan.statuses[0].last_error,
			    "it was killed by signal 9 (Killed)");
	assert_int_equal(scene.plan.statuses[0].error_boot_ms, scene.input.now_boot_ms);
	assert_int_equal(scene.plan.statuses[0].pid, 0);
	assert_in_range(scene.plan.wake_boot_ms - scene.input.now_boot_ms, 1, 200);

	scene.input.now_boot_ms = scene.plan.wake_boot_ms;
	plan(&scene);
	assert_int_equal(scene.plan.step_count, 1);
	assert_int_equal(scene.plan.steps[0].kind, PIC_STEP_START);
	pic_plan_clear(&scene.plan);
}

static void a_missing_interface_is_looked_for_once_a_minute(void **state)
{
	struct scene scene;

	(void)state;
	set(&scene);
	scene.entry.ledger.state = PIC_LEDGER_ENDED;
	scene.entry.ledger.end_kind = PIC_END_MISSING;
	scene.entry.ledger.end_value = 1;
	snprintf(scene.entry.ledger.end_text, sizeof(scene.entry.ledger.end_text),
		 "there is no network interface eth7");
	scene.entry.ledger.ended_boot_ms = scene.input.now_boot_ms;
	pic_plan_note_end(&scene.component, &scene.entry.ledger);
	plan(&scene);
	assert_int_equal(scene.plan.step_count, 0);
	assert_int_equal(scene.plan.statuses[0].phase, PIC_PHASE_BACKOFF);
	assert_string_equal(scene.plan.statuses[0].reason, "InterfaceMissing");
	assert_string_equal(scene.plan.statuses[0].message,
			    "it cannot start yet: there is no network interface eth7; the next "
			    "start waits 60000 ms");
	assert_int_equal(scene.plan.wake_boot_ms - scene.input.now_boot_ms, 60000);

	scene.input.now_boot_ms += 59999;
	plan(&scene);
	assert_int_equal(scene.plan.step_count, 0);
	scene.input.now_boot_ms++;
	plan(&scene);
	assert_int_equal(scene.plan.step_count, 1);
	scene.component.ends = 100; /* no more often than anything else either */
	assert_int_equal(pic_plan_wait_ms(&scene.component, &scene.entry.ledger), 300000);
	pic_plan_clear(&scene.plan);
}

static void waits_double_and_are_forgotten(void **state)
{
	struct pic_plan_component component = { .noted_start = -1 };
	struct pic_ledger_entry entry = { .state = PIC_LEDGER_ENDED, .end_kind = PIC_END_STATUS };

	(void)state;
	assert_in_range(pic_plan_backoff_ms(1), 1, 200);
	for (unsigned ends = 1; pic_plan_backoff_ms(ends + 1) < 300000; ends++)
		assert_int_equal(pic_plan_backoff_ms(ends + 1), 2 * pic_plan_backoff_ms(ends));
	assert_int_equal(pic_plan_backoff_ms(1000000), 300000);
	for (int i = 1; i <= 5; i++) {
		entry.started_boot_ms = entry.ended_boot_ms;
		entry.ended_boot_ms += 1000;
		pic_plan_note_end(&component, &entry);
		assert_int_equal(component.ends, i);
	}
	entry.started_boot_ms = entry.ended_boot_ms;
	entry.ended_boot_ms += 600000;
	pic_plan_note_end(&component, &entry);
	assert_int_equal(component.ends, 1);
}

/* A new agent knows from the ledger that it is not the first end. */
static void a_new_agent_goes_on_counting(void **state)
{
	struct pic_plan_component component = { .noted_start = -1 };
	struct pic_ledger_entry entry = { .state = PIC_LEDGER_ENDED,
					  .end_kind = PIC_END_SIGNAL,
					  .restarts = 6,
					  .started_boot_ms = 5 };

	(void)state;
	pic_plan_note_end(&component, &entry);
	assert_int_equal(component.ends, 7);
}

/* A hold that was released is no failure: no wait, no count, no matter what the restart rule says. */
static void what_a_person_stopped_starts_at_once_when_released(void **state)
{
	struct pic_plan_component component = { .noted_start = -1 };
	struct pic_ledger_entry entry = { .state = PIC_LEDGER_ENDED,
					  .end_kind = PIC_END_NONE,
					  .started_boot_ms = 5 };
	struct scene scene;

	(void)state;
	pic_plan_note_end(&component, &entry);
	assert_int_equal(component.ends, 0);
	set(&scene);
	scene.component.restart = PIC_RESTART_NEVER;
	scene.component.ends = 3;
	scene.entry.ledger.state = PIC_LEDGER_ENDED;
	scene.entry.ledger.end_kind = PIC_END_NONE;
	scene.entry.ledger.ended_boot_ms = scene.input.now_boot_ms;
	plan(&scene);
	assert_int_equal(scene.plan.step_count, 1);
	assert_int_equal(scene.plan.steps[0].kind, PIC_STEP_START);
	pic_plan_clear(&scene.plan);
}

static void a_bad_successor_leaves_the_old_one(void **state)
{
	struct scene scene;

	(void)state;
	set(&scene);
	scene.component.digest[0] = 3;
	scene.component.spec_digest[0] = 4;
	scene.artifact.digest[0] = 3;
	scene.artifact.state = PIC_ARTIFACT_STORED;
	scene.component.verdict = PIC_VERDICT_BAD;
	scene.component.verdict_text = "it ends in the middle of section 'code'";
	plan(&scene);
	assert_int_equal(scene.plan.step_count, 0);
	assert_int_equal(scene.plan.statuses[0].phase, PIC_PHASE_FAILED);
	assert_string_equal(scene.plan.statuses[0].reason, "NotAdmitted");
	assert_int_equal(scene.plan.statuses[0].pid, 4711);

	scene.component.problem = "wasm.memory: 'lots' is not a size";
	scene.component.problem_reason = "InvalidProperties";
	plan(&scene);
	assert_string_equal(scene.plan.statuses[0].message,
			    "wasm.memory: 'lots' is not a size; what ran before keeps running");
	pic_plan_clear(&scene.plan);
}

static void removal_ends_with_proof(void **state)
{
	struct scene scene;

	(void)state;
	set(&scene);
	scene.input.component_count = 0;
	scene.input.removed_count = 1;
	scene.removed.name = scene.component.name;
	scene.removed.revision = 8;
	plan(&scene);
	assert_int_equal(scene.plan.step_count, 1);
	assert_int_equal(scene.plan.steps[0].kind, PIC_STEP_STOP);
	assert_int_equal(scene.plan.statuses[0].phase, PIC_PHASE_REMOVING);
	assert_int_equal(scene.plan.removed_through, 7);

	scene.input.entry_count =
		0; /* no process any more, but nobody has said that nothing is left */
	scene.artifact.state = PIC_ARTIFACT_DROPPING;
	plan(&scene);
	assert_int_equal(scene.plan.steps[0].kind, PIC_STEP_STOP);
	assert_int_equal(scene.plan.removed_through, 7);

	scene.removed.proved = true;
	scene.artifact.state = PIC_ARTIFACT_STORED; /* its file is there */
	plan(&scene);
	assert_int_equal(scene.plan.steps[0].kind, PIC_STEP_DROP);
	assert_int_equal(scene.plan.removed_through, 7);

	scene.input.artifact_count = 0;
	plan(&scene);
	assert_int_equal(scene.plan.step_count, 0);
	assert_int_equal(scene.plan.removed_through, 9);
	assert_int_equal(scene.plan.status_count, 0);
	pic_plan_clear(&scene.plan);
}

static void an_orphan_is_named(void **state)
{
	struct scene scene;

	(void)state;
	set(&scene);
	scene.input.component_count = 0;
	plan(&scene);
	assert_int_equal(scene.plan.step_count, 0);
	assert_true(scene.plan.statuses[0].orphaned);
	assert_int_equal(scene.plan.statuses[0].phase, PIC_PHASE_RUNNING);
	pic_plan_clear(&scene.plan);
}

static void a_circle_is_named(void **state)
{
	static const char needs_itself[1][PIC_NAME_MAX + 1] = { "web" };
	static const char needs_nobody[1][PIC_NAME_MAX + 1] = { "db" };
	struct scene scene;

	(void)state;
	set(&scene);
	scene.input.entry_count = 0;
	scene.component.dependencies = needs_itself;
	scene.component.dependency_count = 1;
	plan(&scene);
	assert_string_equal(scene.plan.statuses[0].reason, "DependencyCircle");
	scene.component.dependencies = needs_nobody;
	plan(&scene);
	assert_string_equal(scene.plan.statuses[0].reason, "DependencyMissing");
	pic_plan_clear(&scene.plan);
}

static void the_way_of_an_artifact(void **state)
{
	static const struct {
		enum pic_artifact_state state;
		enum pic_step_kind step;
	} way[] = {
		{ PIC_ARTIFACT_UNKNOWN, PIC_STEP_LOOK },
		{ PIC_ARTIFACT_ABSENT, PIC_STEP_FETCH },
		{ PIC_ARTIFACT_FETCHED, PIC_STEP_TAKE },
		{ PIC_ARTIFACT_STORED, PIC_STEP_ADMIT },
	};
	struct scene scene;

	(void)state;
	set(&scene);
	scene.input.entry_count = 0;
	scene.component.verdict = PIC_VERDICT_NONE;
	for (size_t i = 0; i < PIC_COUNT(way); i++) {
		scene.artifact.state = way[i].state;
		plan(&scene);
		assert_int_equal(scene.plan.step_count, 1);
		assert_int_equal(scene.plan.steps[0].kind, way[i].step);
	}
	scene.component.verdict = PIC_VERDICT_GOOD;
	plan(&scene);
	assert_int_equal(scene.plan.steps[0].kind, PIC_STEP_START);
	pic_plan_clear(&scene.plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_runs_is_left_alone),
		cmocka_unit_test(an_end_waits_a_little),
		cmocka_unit_test(a_missing_interface_is_looked_for_once_a_minute),
		cmocka_unit_test(waits_double_and_are_forgotten),
		cmocka_unit_test(a_new_agent_goes_on_counting),
		cmocka_unit_test(what_a_person_stopped_starts_at_once_when_released),
		cmocka_unit_test(a_bad_successor_leaves_the_old_one),
		cmocka_unit_test(removal_ends_with_proof),
		cmocka_unit_test(an_orphan_is_named),
		cmocka_unit_test(a_circle_is_named),
		cmocka_unit_test(the_way_of_an_artifact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
