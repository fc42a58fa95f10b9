/* What statuses and events say: of what is missing, of ends, holds, and agents of other makes. */
#include "admission/ebpf_terms.h"
#include "hub/engine_app.h"

static void the_files_of_an_application_come_in_any_order(void **state)
{
	WORLD world = { .now_ms = 1795528800000 };

	put_target(&world, "edge", "{'properties':{'location':'edge'}}");
	world_put_text(&world, PIC_KIND_INSTANCE,
		       "{'metadata':{'name':'app','uid':'ui','generation':1,'creationTimestamp':"
		       "'2026-11-24T14:00:00Z'},'spec':{'solution':'s','target':{'name':'edge'}}}");
	for (int i = 0; i < 2; i++) {
		world_reconcile(&world, "app");
		assert_string_equal(condition(&world, "Reconciling", "reason"), "SolutionNotFound");
		assert_int_equal(world.last.note_count, 0);
		assert_int_equal(world.last.next_ms, 1795528800000 + PIC_ENGINE_SETTLE_MS);
		world.now_ms += PIC_ENGINE_SETTLE_MS - 1;
	}
	world.now_ms = 1795528800000 + PIC_ENGINE_SETTLE_MS;
	world_reconcile(&world, "app");
	assert_stalled(&world, "SolutionNotFound", "no solution s");
	assert_true(noted(&world, "SolutionNotFound"));
	assert_true(world.last.next_ms == INT64_MAX);
	/* a clock that was set back is no reason to be quiet for ever */
	world.now_ms = 1795528800000 - 3600000;
	world_reconcile(&world, "app");
	assert_stalled(&world, "SolutionNotFound", "no solution s");
	/* what is missing then is missing at once */
	world.now_ms = 1795528800000 + 3600000;
	put_solution(&world, 1, MODULE("m", ""));
	world_delete(&world, PIC_KIND_TARGET, "edge");
	world_reconcile(&world, "app");
	assert_stalled(&world, "TargetNotFound", "there is no target edge");
}

static const char *note_text(const struct world *world, const char *reason, bool warning)
{
	for (size_t i = 0; i < world->last.note_count; i++)
		if (strcmp(world->last.notes[i].reason, reason) == 0 &&
		    world->last.notes[i].warning == warning)
			return world->last.notes[i].message;
	fail_msg("no note %s", reason);
	return NULL;
}

static struct pic_report_component *report_m(struct world *world, enum pic_phase phase)
{
	world_report(world, "edge", 1, 0);
	world_report_component(world, "edge", "app", "m", phase);
	return &world_device(world, "edge")->report->components[0];
}

static void an_end_that_nobody_saw_is_told_as_one(void **state)
{
	struct pic_report_component *part;
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	part = report_m(&world, PIC_PHASE_RUNNING);
	strcpy(part->last_error, "an old story");
	world_reconcile(&world, "app");
	assert_string_equal(note_text(&world, "Running", false), "m on edge: it runs");
	part = report_m(&world, PIC_PHASE_RUNNING);
	strcpy(part->last_error, "it was killed by signal 9 (Killed)");
	part->restarts = 1;
	world_reconcile(&world, "app");
	assert_false(noted(&world, "Running"));
	assert_string_equal(note_text(&world, "Restarted", true),
			    "m on edge: it was killed by signal 9 (Killed); it runs again");
	part = report_m(&world, PIC_PHASE_BACKOFF);
	strcpy(part->message, "it trapped: boo; next start in 1 s");
	part->restarts = 1;
	world_reconcile(&world, "app");
	assert_contains(note_text(&world, "Backoff", true), "it trapped: boo");
	part = report_m(&world, PIC_PHASE_RUNNING);
	strcpy(part->last_error, "it trapped: boo");
	part->restarts = 2;
	world_reconcile(&world, "app");
	assert_string_equal(note_text(&world, "Running", false), "m on edge: it runs");
	assert_false(noted(&world, "Restarted"));
}

/* The catalog says so, as catalogs/status writes it. */
static void say_reported(struct world *world, const char *list)
{
	struct pic_json *json = pic_json_copy(world_get(world, PIC_KIND_CATALOG, "app-edge")->json);

	pic_json_set(pic_json_find(json, "spec", "properties", NULL), "reported",
		     sample_json(list));
	world_put(world, PIC_KIND_CATALOG, json);
	world_reconcile(world, "app");
}

static void an_agent_of_another_make_counts_where_no_device_is(void **state)
{
	WORLD world;

	begin(&world);
	world_device(&world, "edge")->enrolled = false;
	put_solution(&world, 1, MODULE("m", ",'wasm.url':'/artifacts/m.wasm','n':5"));
	world_reconcile(&world, "app");
	assert_string_equal(condition(&world, "Ready", "reason"), "NotEnrolled");
	say_reported(&world, "[]");
	assert_string_equal(condition(&world, "Ready", "reason"), "NotReported");
	say_reported(&world, "[7,{'name':'m','type':'wasm'},{'name':'o'}]");
	assert_string_equal(condition(&world, "Ready", "reason"), "OtherReported");
	say_reported(&world, "[{'name':'m','type':'wasm','properties':{'wasm.sha256':'" SHA "',"
			     "'wasm.url':'http://hub:8082/artifacts/" SHA "','n':'6'}}]");
	assert_string_equal(condition(&world, "Ready", "reason"), "OtherReported");
	say_reported(&world,
		     "[{'name':'m','type':'wasm','properties':{'wasm.sha256':'" SHA "',"
		     "'wasm.url':'http://hub:8082/artifacts/" SHA "','n':'5','more':'x'}}]");
	assert_string_equal(condition(&world, "Ready", "status"), "True");
	assert_string_equal(
		pic_json_text(pic_json_find(
			pic_object_status(world_get(&world, PIC_KIND_CATALOG, "app-edge")),
			"properties", "status", NULL)),
		"Running");
	/* a device of ours is believed, and nobody else */
	world_device(&world, "edge")->enrolled = true;
	world_reconcile(&world, "app");
	assert_string_equal(condition(&world, "Ready", "status"), "False");
	assert_string_equal(condition(&world, "Ready", "reason"), "NotDelivered");
}

static void what_a_person_stopped_is_stopped_and_not_failed(void **state)
{
	struct pic_report_component *part;
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	part = report_m(&world, PIC_PHASE_HELD);
	strcpy(part->reason, "HeldByHand");
	strcpy(part->message, "it was stopped by hand");
	world_reconcile(&world, "app");
	const struct pic_json *status =
		pic_object_status(world_get(&world, PIC_KIND_INSTANCE, "app"));
	assert_string_equal(pic_json_text(pic_json_find(status, "properties", "status", NULL)),
			    "Stopped");
	assert_string_equal(pic_json_get_text(status, "status"), "Stopped");
	assert_contains(pic_json_text(pic_json_find(status, "properties", "targets.edge", NULL)),
			"Stopped - m on edge: it was stopped by hand");
	assert_string_equal(condition(&world, "Stalled", "status"), "True");
	assert_string_equal(condition(&world, "Stalled", "reason"), "HeldByHand");
	const struct pic_json *catalog =
		pic_object_status(world_get(&world, PIC_KIND_CATALOG, "app-edge"));
	assert_string_equal(pic_json_text(pic_json_find(catalog, "properties", "status", NULL)),
			    "Stopped");
	assert_int_equal(world.last.note_count, 1);
	assert_contains(note_text(&world, "Held", false), "it was stopped by hand");
}

#define PROGRAM "{'name':'p','type':'ebpf','properties':{'ebpf.sha256':'" SHA "'}}"

/* An approval of the program p on edge, approved at the world's begin for an hour. */
static void approve_program(struct world *world, struct pic_approval_facts *out)
{
	PIC_JSON struct pic_json *properties = pic_json_new_object();
	struct pic_ebpf_terms terms;

	pic_json_set_text(properties, "ebpf.sha256", SHA);
	*out = (struct pic_approval_facts){
		.id = { 1 },
		.phase = PIC_APPROVAL_APPROVED,
		.opens_ms = world->now_ms,
		.ends_ms = world->now_ms + 3600000,
		.decided_ms = world->now_ms,
		.item_count = 1,
		.items = { { .target = "edge", .name = { "app", "p" }, .type = "ebpf" } },
	};
	memset(out->items[0].digest, 0xaa, PIC_DIGEST_SIZE);
	assert_int_equal(pic_ebpf_terms_parse(properties, &terms, NULL), 0);
	pic_ebpf_terms_digest(&terms, out->items[0].terms);
	world->approvals[world->approval_count++] = out;
}

/* Ready is for what runs as it was asked for; a program whose time is over does not. */
static void what_has_no_permission_any_more_is_not_ready(void **state)
{
	struct pic_approval_facts approval;
	WORLD world;

	begin(&world);
	put_solution(&world, 2, MODULE("m", "") "," PROGRAM);
	approve_program(&world, &approval);
	world_reconcile(&world, "app");
	report_m(&world, PIC_PHASE_RUNNING);
	world_report_component(&world, "edge", "app", "p", PIC_PHASE_RUNNING);
	world_reconcile(&world, "app");
	assert_string_equal(condition(&world, "Ready", "status"), "True");

	/* the device is faster than the hub, or its clock is */
	world_device(&world, "edge")->report->components[1].phase = PIC_PHASE_EXPIRED;
	strcpy(world_device(&world, "edge")->report->components[1].message, "its time is over");
	world_reconcile(&world, "app");
	assert_string_equal(condition(&world, "Ready", "reason"), "Expired");
	assert_string_equal(condition(&world, "Ready", "message"), "p on edge: its time is over");

	world.now_ms = approval.ends_ms;
	approval.phase = PIC_APPROVAL_ENDED;
	world_reconcile(&world, "app");
	assert_string_equal(note_text(&world, "Expired", false),
			    "the permission of p on edge has ended");
	assert_string_equal(condition(&world, "Ready", "reason"), "Removing");
	world_report(&world, "edge", 2, 2);
	world_report_component(&world, "edge", "app", "m", PIC_PHASE_RUNNING);
	world_reconcile(&world, "app");
	const struct pic_json *status =
		pic_object_status(world_get(&world, PIC_KIND_INSTANCE, "app"));

	assert_string_equal(pic_json_get_text(status, "status"), "Expired");
	assert_string_equal(condition(&world, "Ready", "status"), "False");
	assert_string_equal(condition(&world, "Ready", "reason"), "Expired");
	assert_string_equal(condition(&world, "Ready", "message"),
			    "the permission of p on edge ended at 2026-11-24T15:00:00Z; a new "
			    "approval starts it again");
	assert_string_equal(condition(&world, "Reconciling", "status"), "False");
	assert_string_equal(condition(&world, "Stalled", "status"), "True");
	assert_string_equal(
		pic_json_text(pic_json_find(
			pic_object_status(world_get(&world, PIC_KIND_CATALOG, "app-edge")),
			"properties", "status", NULL)),
		"Expired");

	approval.phase = PIC_APPROVAL_REVOKED;
	approval.decided_ms = world.now_ms - 60000;
	world_reconcile(&world, "app");
	assert_string_equal(condition(&world, "Ready", "reason"), "Revoked");
	assert_string_equal(condition(&world, "Ready", "message"),
			    "the permission of p on edge was taken back at 2026-11-24T14:59:00Z; a "
			    "new approval starts it again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_files_of_an_application_come_in_any_order),
		cmocka_unit_test(an_end_that_nobody_saw_is_told_as_one),
		cmocka_unit_test(an_agent_of_another_make_counts_where_no_device_is),
		cmocka_unit_test(what_a_person_stopped_is_stopped_and_not_failed),
		cmocka_unit_test(what_has_no_permission_any_more_is_not_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
