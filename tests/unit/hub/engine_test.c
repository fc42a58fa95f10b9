#include <inttypes.h>
#include <stdio.h>

#include "hub/engine_app.h"

static struct pic_json *properties_of(const struct world *world, const char *catalog)
{
	const struct pic_object *object = world_get(world, PIC_KIND_CATALOG, catalog);

	if (!object)
		fail_msg("there is no catalog %s", catalog);
	return pic_json_get(pic_object_spec(object), "properties");
}

static void an_instance_is_staged_in_both_shapes(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	const struct pic_object *catalog = world_get(&world, PIC_KIND_CATALOG, "app-edge");

	assert_non_null(catalog);
	assert_json_equal(
		catalog->json,
		"{'apiVersion':'federation.symphony/v1','kind':'Catalog','metadata':{'name':'app-edge',"
		"'namespace':'default','labels':{'staged_target':'edge'},'generation':1,"
		"'ownerReferences':[{'apiVersion':'solution.symphony/v1','kind':'Instance','name':'app',"
		"'uid':'ui','controller':true}]},"
		"'spec':{'siteId':'hq','name':'app-edge','type':'staged','catalogType':'staged',"
		"'properties':{'components':[" MODULE(
			"m",
			"") "],'removed-components':null,"
			    "'staged':{'components':[" MODULE(
				    "m",
				    "") "],'removed-components':null},"
					"'revisions':{'m':1},'artifacts':['m']},"
					"'objectRef':{'siteId':'','name':'','group':'','version':'','kind':'','scope':'',"
					"'namespace':''},'generation':'1'},"
					"'status':{'properties':{'status':'Waiting',"
					"'components.m':'Pending - edge has not taken revision 1 yet'},"
					"'components':[{'name':'m','target':'edge','type':'wasm','phase':'Pending',"
					"'reason':'NotDelivered','message':'edge has not taken revision 1 yet','revision':1}]}}");
	assert_int_equal(world_device(&world, "edge")->revision, 1);
	assert_true(noted(&world, "Staged"));
	assert_string_equal(condition(&world, "Reconciling", "status"), "True");
	assert_string_equal(condition(&world, "Ready", "status"), "False");
	world_reconcile(&world, "app");
	assert_int_equal(world.writes, 0);
	assert_int_equal(world.last.note_count, 0);
}

static void ready_is_what_the_device_says(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	world_report(&world, "edge", 0, 0);
	world_report_component(&world, "edge", "app", "m", PIC_PHASE_RUNNING);
	world_reconcile(&world, "app"); /* an older document */
	assert_string_equal(condition(&world, "Ready", "status"), "False");
	world_report(&world, "edge", 1, 0);
	world_report_component(&world, "edge", "other", "m", PIC_PHASE_RUNNING);
	world_reconcile(&world, "app"); /* another instance's */
	assert_string_equal(condition(&world, "Ready", "reason"), "NotReported");
	world_report(&world, "edge", 1, 0);
	world_report_component(&world, "edge", "app", "m", PIC_PHASE_STARTING);
	world_reconcile(&world, "app");
	assert_string_equal(condition(&world, "Reconciling", "status"), "True");
	world.now_ms += 60000;
	world_report(&world, "edge", 1, 0);
	world_report_component(&world, "edge", "app", "m", PIC_PHASE_RUNNING);
	world_device(&world, "edge")->report->components[0].pid = 77;
	world_reconcile(&world, "app");
	assert_true(noted(&world, "Running"));
	const struct pic_object *instance = world_get(&world, PIC_KIND_INSTANCE, "app");

	assert_json_equal(
		pic_object_status(instance),
		"{'properties':{'targets.edge':'OK - ','targets.edge.m':'Running - ','status':'Succeeded',"
		"'targets':'1','deployed':'1'},'status':'Succeeded','targets':1,'deployed':1,"
		"'observedGeneration':1,'conditions':["
		"{'type':'Ready','status':'True','reason':'Deployed','message':'everything runs as it was asked for',"
		"'lastTransitionTime':'2026-11-24T14:01:00Z','observedGeneration':1},"
		"{'type':'Reconciling','status':'False','reason':'Settled','message':'',"
		"'lastTransitionTime':'2026-11-24T14:01:00Z','observedGeneration':1},"
		"{'type':'Stalled','status':'False','reason':'NotStalled','message':'',"
		"'lastTransitionTime':'2026-11-24T14:00:00Z','observedGeneration':1}],"
		"'components':[{'name':'m','target':'edge','type':'wasm','phase':'Running','reason':'Running',"
		"'message':'','revision':1,'since':'1970-01-01T00:00:01Z','restarts':0,'evidence':{'pid':77}}]}");
}

static void other_bytes_are_not_ready(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	world_report(&world, "edge", 1, 0);
	world_report_component(&world, "edge", "app", "m", PIC_PHASE_RUNNING);
	memset(world_device(&world, "edge")->report->components[0].digest, 0xbb, 32);
	world_reconcile(&world, "app");
	assert_string_equal(condition(&world, "Ready", "reason"), "OtherBytesRun");
	memset(world_device(&world, "edge")->report->components[0].digest, 0xaa, 32);
	world_reconcile(&world, "app");
	assert_string_equal(condition(&world, "Ready", "status"), "True");
}

static void failures_of_the_device_stall(void **state)
{
	static const enum pic_phase phases[] = { PIC_PHASE_FAILED, PIC_PHASE_REFUSED };

	for (size_t i = 0; i < PIC_COUNT(phases); i++) {
		WORLD world;

		begin(&world);
		world_reconcile(&world, "app");
		world_report(&world, "edge", 1, 0);
		world_report_component(&world, "edge", "app", "m", phases[i]);
		struct pic_report_component *component =
			&world_device(&world, "edge")->report->components[0];

		strcpy(component->reason, "PortTaken");
		strcpy(component->message, "port 8085 is taken by another process");
		world_reconcile(&world, "app");
		assert_stalled(&world, "PortTaken", "m on edge: port 8085 is taken");
		assert_true(noted(&world, pic_phase_text(phases[i])));
	}
}

static void a_changed_property_is_a_change(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	put_solution(&world, 2, MODULE("m", ",'wasm.args':'-v'"));
	world_reconcile(&world, "app");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "components"),
			  "[" MODULE("m", ",'wasm.args':'-v'") "]");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "revisions"), "{'m':2}");
	assert_int_equal(world_get(&world, PIC_KIND_CATALOG, "app-edge")->generation, 2);
	assert_int_equal(world_device(&world, "edge")->revision, 2);
}

static void a_removed_component_waits_for_the_device(void **state)
{
	WORLD world;

	begin(&world);
	put_solution(&world, 1, MODULE("m", "") "," MODULE("n", ""));
	world_reconcile(&world, "app");
	put_solution(&world, 2, MODULE("m", ""));
	world_reconcile(&world, "app");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "removed-components"),
			  "[" MODULE("n", "") "]");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "revisions"),
			  "{'m':1,'n':2}");
	assert_true(noted(&world, "Removing"));
	world_report(&world, "edge", 2, 1);
	world_report_component(&world, "edge", "app", "m", PIC_PHASE_RUNNING);
	world_reconcile(&world, "app");
	assert_string_equal(condition(&world, "Ready", "reason"), "Removing");
	world_device(&world, "edge")->report->removed_through = 2;
	world_reconcile(&world, "app");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "revisions"), "{'m':1}");
	assert_true(noted(&world, "Removed"));
	assert_string_equal(condition(&world, "Ready", "status"), "True");
	assert_int_equal(world_device(&world, "edge")->revision, 2); /* forgetting wakes nobody */
}

static void readded_is_in_one_list_with_a_new_revision(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	put_solution(&world, 2, "");
	world_reconcile(&world, "app");
	put_solution(&world, 3, MODULE("m", ""));
	world_reconcile(&world, "app");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "components"),
			  "[" MODULE("m", "") "]");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "removed-components"),
			  "null");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "revisions"), "{'m':3}");
}

static void a_missing_solution_keeps_what_is_staged(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	PIC_JSON struct pic_json *before = pic_json_copy(properties_of(&world, "app-edge"));

	world_delete(&world, PIC_KIND_SOLUTION, "s");
	world_reconcile(&world, "app");
	assert_true(pic_json_equal(properties_of(&world, "app-edge"), before));
	assert_stalled(&world, "SolutionNotFound", "no solution s");
	assert_true(noted(&world, "SolutionNotFound"));
}

static void a_deleted_instance_leaves_and_is_forgotten(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	world_delete(&world, PIC_KIND_INSTANCE, "app");
	world_reconcile(&world, "app");
	const struct pic_object *catalog = world_get(&world, PIC_KIND_CATALOG, "app-edge");

	assert_true(catalog->terminating);
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "components"), "null");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "revisions"), "{'m':2}");
	assert_string_equal(
		pic_json_text(pic_json_find(catalog->json, "status", "properties", "status", NULL)),
		"Terminating");
	assert_null(world.last.status);
	world_reconcile(&world, "app");
	assert_int_equal(world.writes, 0);
	world_report(&world, "edge", 2, 2);
	world_reconcile(&world, "app");
	assert_null(world_get(&world, PIC_KIND_CATALOG, "app-edge"));
	assert_int_equal(world.last.forget_count, 1);
}

static void a_new_instance_of_that_name_takes_the_catalog_over(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	world_delete(&world, PIC_KIND_INSTANCE, "app");
	world_reconcile(&world, "app");
	PIC_JSON struct pic_json *hidden =
		pic_json_copy(world_get(&world, PIC_KIND_CATALOG, "app-edge")->json);

	pic_json_set_text(pic_json_ensure_object(pic_json_get(hidden, "metadata"), "annotations"),
			  PIC_ENGINE_HIDDEN, "true");
	world_put(&world, PIC_KIND_CATALOG, PIC_STEAL(hidden));
	world_put_text(&world, PIC_KIND_INSTANCE,
		       "{'metadata':{'name':'app','uid':'u2','generation':1},"
		       "'spec':{'solution':'s','target':{'name':'edge'}}}");
	world_reconcile(&world, "app");
	const struct pic_object *catalog = world_get(&world, PIC_KIND_CATALOG, "app-edge");

	assert_false(catalog->terminating);
	assert_null(pic_object_annotation(catalog, PIC_ENGINE_HIDDEN));
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "revisions"), "{'m':3}");
	assert_string_equal(pic_json_get_text(pic_json_at(pic_json_find(catalog->json, "metadata",
									"ownerReferences", NULL),
							  0),
					      "uid"),
			    "u2");
}

static void without_a_device_removed_entries_go_at_once(void **state)
{
	WORLD world;

	begin(&world);
	world_device(&world, "edge")->enrolled = false;
	world_reconcile(&world, "app");
	assert_string_equal(condition(&world, "Ready", "reason"), "NotEnrolled");
	assert_contains(condition(&world, "Ready", "message"), "piccoloctl enroll edge");
	world_delete(&world, PIC_KIND_INSTANCE, "app");
	world_reconcile(&world, "app");
	assert_null(world_get(&world, PIC_KIND_CATALOG, "app-edge"));
}

static void a_target_that_goes_takes_its_catalog_along(void **state)
{
	WORLD world;

	begin(&world);
	put_target(&world, "other", "{'properties':{'location':'edge'}}");
	world_device(&world, "other");
	put_instance(&world, "{'solution':'s','target':{'selector':{'location':'ed*'}}}");
	world_reconcile(&world, "app");
	assert_non_null(world_get(&world, PIC_KIND_CATALOG, "app-edge"));
	assert_non_null(world_get(&world, PIC_KIND_CATALOG, "app-other"));
	world_delete(&world, PIC_KIND_TARGET, "other");
	put_target(&world, "edge", "{'properties':{'location':'cloud'}}");
	world_reconcile(&world, "app");
	assert_true(world_get(&world, PIC_KIND_CATALOG, "app-edge")->terminating);
	assert_true(world_get(&world, PIC_KIND_CATALOG, "app-other")->terminating);
	assert_stalled(&world, "TargetNotFound", "no target fits the selector");
	put_instance(&world, "{'solution':'s','target':{'name':'none'}}");
	world_reconcile(&world, "app");
	assert_stalled(&world, "TargetNotFound", "there is no target none");
}

static void an_inactive_instance_runs_nowhere(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	put_instance(&world, "{'solution':'s','activeState':'inactive','target':{'name':'edge'}}");
	world_reconcile(&world, "app");
	assert_true(world_get(&world, PIC_KIND_CATALOG, "app-edge")->terminating);
	assert_string_equal(condition(&world, "Ready", "status"), "True");
}

static void constraints_choose_targets(void **state)
{
	WORLD world;

	begin(&world);
	put_target(&world, "cloud", "{'properties':{'location':'cloud'}}");
	put_target(&world, "bare", "{}");
	put_instance(&world,
		     "{'solution':'s','target':{'name':'bare','selector':{'location':'*'}}}");
	put_solution(
		&world, 1,
		"{'name':'m','type':'wasm','constraints':'${{$equal($property(location),edge)}}',"
		"'properties':{'wasm.sha256':'" SHA "'}}");
	world_reconcile(&world, "app");
	assert_non_null(world_get(&world, PIC_KIND_CATALOG, "app-edge"));
	assert_null(world_get(&world, PIC_KIND_CATALOG, "app-cloud"));
	assert_null(world_get(&world, PIC_KIND_CATALOG, "app-bare"));
	assert_stalled(&world, "BadConstraint",
		       "component m: its constraints cannot be evaluated "
		       "for target bare: there is no property");
	put_target(&world, "edge", "{'properties':{'location':'attic'}}");
	world_reconcile(&world, "app");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "components"), "null");
}

static void one_bad_component_holds_only_itself_back(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	put_solution(&world, 2,
		     "{'name':'m','type':'wasm','properties':{'wasm.sha256':'" SHA
		     "','x':'${{$none()}}'}},"
		     "{'name':'odd','type':'helm.v3'}," MODULE("n", ""));
	world_reconcile(&world, "app");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "components"),
			  "[" MODULE("m", "") "," MODULE("n", "") "]");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "revisions"),
			  "{'m':1,'n':2}");
	assert_stalled(&world, "BadExpression", "component m: x: invalid function name");
}

static void expressions_see_target_and_instance(void **state)
{
	WORLD world;

	begin(&world);
	put_solution(&world, 1,
		     MODULE("m", ",'wasm.args':'${{$instance()}} at ${{$property(location)}}'"));
	world_reconcile(&world, "app");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "components"),
			  "[" MODULE("m", ",'wasm.args':'app at edge'") "]");
}

static void roles_are_asked_for(void **state)
{
	WORLD world;

	begin(&world);
	put_target(
		&world, "edge",
		"{'topologies':[{'bindings':[{'role':'ebpf','provider':'providers.target.staging'},"
		"{'role':'wasm','provider':'providers.target.helm'}]}]}");
	world_reconcile(&world, "app");
	assert_null(world_get(&world, PIC_KIND_CATALOG, "app-edge"));
	assert_stalled(&world, "NoRole", "no binding of role wasm");
	put_target(
		&world, "edge",
		"{'topologies':[{'bindings':[{'role':'wasm','provider':'providers.target.staging'}]}]}");
	world_reconcile(&world, "app");
	assert_non_null(world_get(&world, PIC_KIND_CATALOG, "app-edge"));
}

static void urls_are_resolved_first(void **state)
{
	WORLD world;

	begin(&world);
	put_solution(&world, 1,
		     "{'name':'m','type':'wasm','properties':{'wasm.url':'http://h/m.wasm'}}");
	world_reconcile(&world, "app");
	assert_null(world_get(&world, PIC_KIND_CATALOG, "app-edge"));
	assert_int_equal(world.last.need_count, 1);
	assert_string_equal(world.last.needs[0].component, "m");
	assert_string_equal(world.last.needs[0].url, "http://h/m.wasm");
	assert_string_equal(condition(&world, "Reconciling", "reason"), "Resolving");

	world.resolutions[0] = (struct pic_engine_resolution){
		.component = "m", .url = "http://h/m.wasm", .generation = 1, .failure = "h is away"
	};
	world.resolution_count = 1;
	world_reconcile(&world, "app");
	assert_stalled(&world, "UrlNotResolved", "component m: h is away");
	assert_int_equal(world.last.need_count, 1);

	world.resolutions[0].failure = NULL;
	memset(world.resolutions[0].digest.bytes, 0xcc, 32);
	world_reconcile(&world, "app");
	assert_int_equal(world.last.need_count, 0);
	assert_json_equal(
		pic_json_get(properties_of(&world, "app-edge"), "components"),
		"[{'name':'m','type':'wasm','properties':{'wasm.url':'http://h/m.wasm','wasm.sha256':"
		"'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc'}}]");

	/* the solution has changed: bytes may have too, what is staged stays meanwhile */
	put_solution(&world, 2,
		     "{'name':'m','type':'wasm','properties':{'wasm.url':'http://h/m.wasm'}}");
	world_reconcile(&world, "app");
	assert_int_equal(world.last.need_count, 1);
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "revisions"), "{'m':1}");
}

static void names_of_others_are_left_alone(void **state)
{
	WORLD world;

	begin(&world);
	world_put_text(
		&world, PIC_KIND_CATALOG,
		"{'metadata':{'name':'app-edge'},'spec':{'type':'config','properties':{'a':1}}}");
	PIC_JSON struct pic_json *before =
		pic_json_copy(world_get(&world, PIC_KIND_CATALOG, "app-edge")->json);

	world_reconcile(&world, "app");
	assert_stalled(&world, "NameTaken", "catalog app-edge belongs to something else");
	assert_true(pic_json_equal(world_get(&world, PIC_KIND_CATALOG, "app-edge")->json, before));
}

static void a_catalog_changed_by_hand_is_set_right(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	PIC_JSON struct pic_json *json =
		pic_json_copy(world_get(&world, PIC_KIND_CATALOG, "app-edge")->json);
	struct pic_json *properties = pic_json_get(pic_json_get(json, "spec"), "properties");

	pic_json_set(properties, "components",
		     sample_json("[" MODULE("m", "") "," MODULE("m", "") ",{'name':'../x'},7]"));
	pic_json_set(properties, "removed-components", sample_json("[" MODULE("m", "") "]"));
	pic_json_set(properties, "revisions", sample_json("{'m':'many'}"));
	pic_json_set(properties, "note", sample_json("'mine'"));
	pic_json_delete(pic_json_get(json, "metadata"), "labels");
	world_put(&world, PIC_KIND_CATALOG, PIC_STEAL(json));
	world_reconcile(&world, "app");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "components"),
			  "[" MODULE("m", "") "]");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "removed-components"),
			  "null");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "revisions"), "{'m':2}");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "note"), "'mine'");
	assert_json_equal(pic_json_find(world_get(&world, PIC_KIND_CATALOG, "app-edge")->json,
					"metadata", "labels", NULL),
			  "{'staged_target':'edge'}");
}

static void a_full_device_takes_no_more(void **state)
{
	WORLD world;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1 << 20);

	begin(&world);
	pic_buf_text_add(&text, "{'metadata':{'name':'s','generation':1},'spec':{'components':[");
	for (int i = 0; i < 260; i++)
		pic_buf_format(&text, "%s{'name':'c%d','type':'docker'}", i ? "," : "", i);
	pic_buf_text_add(&text, "]}}");
	world_put_text(&world, PIC_KIND_SOLUTION, pic_buf_text(&text));
	world_reconcile(&world, "app");
	assert_int_equal(
		pic_json_count(pic_json_get(properties_of(&world, "app-edge"), "components")), 256);
	assert_stalled(&world, "TooManyComponents", "at most 256");
	world_put_text(&world, PIC_KIND_INSTANCE,
		       "{'metadata':{'name':'two','generation':1},"
		       "'spec':{'solution':'s','target':{'name':'edge'}}}");
	put_solution(&world, 2, MODULE("m", ""));
	world_reconcile(&world, "two");
	assert_null(world_get(&world, PIC_KIND_CATALOG, "two-edge"));
	assert_contains(
		pic_json_get_text(pic_object_status(world_get(&world, PIC_KIND_INSTANCE, "two")),
				  "statusDetails"),
		"the document of edge would have more entries than 256");
}

static void a_document_does_not_grow_too_large(void **state)
{
	WORLD world;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4 << 20);
	struct pic_document *document = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_BUF struct pic_buf bytes = PIC_BUF_INIT(4 << 20);

	begin(&world);
	pic_buf_text_add(&text, "{'metadata':{'name':'s','generation':1},'spec':{'components':[");
	for (int i = 0; i < 30; i++)
		pic_buf_format(&text,
			       "%s{'name':'c%d','type':'docker','properties':{'x':'%050000d'}}",
			       i ? "," : "", i, 0);
	pic_buf_text_add(&text, "]}}");
	world_put_text(&world, PIC_KIND_SOLUTION, pic_buf_text(&text));
	world_reconcile(&world, "app");
	assert_stalled(&world, "DeviceIsFull", "more bytes than 1048576");
	const struct pic_object *catalog = world_get(&world, PIC_KIND_CATALOG, "app-edge");
	const struct pic_engine_device device = { .target = "edge",
						  .epoch = "0123456789abcdef0123456789abcdef" };

	assert_int_equal(pic_engine_document(&device, "", &catalog, 1, 0, &document, &err), 0);
	assert_int_equal(document->component_count, 20);
	pic_document_write(document, &bytes);
	pic_document_free(document);
	document = NULL;
	assert_int_equal(pic_document_parse(&document, bytes.data, bytes.size, &err), 0);
	pic_document_free(document);
	world_reconcile(&world, "app");
	assert_int_equal(world.writes, 0);
}

static void urls_that_no_device_could_read_are_held_back(void **state)
{
	WORLD world;

	begin(&world);
	put_solution(&world, 1,
		     MODULE("m", ",'wasm.url':'${{$property(location)}} a b'") "," MODULE(
			     "n", ",'wasm.url':'/artifacts/n.wasm'"));
	world_reconcile(&world, "app");
	assert_stalled(&world, "BadUrl", "component m: wasm.url is not an address");
	assert_json_equal(pic_json_get(properties_of(&world, "app-edge"), "artifacts"), "['n']");
}

static void another_epoch_is_named(void **state)
{
	WORLD world;

	begin(&world);
	world_reconcile(&world, "app");
	world_report(&world, "edge", 9, 9);
	world_report_component(&world, "edge", "app", "m", PIC_PHASE_RUNNING);
	strcpy(world_device(&world, "edge")->report->epoch, "f");
	world_reconcile(&world, "app");
	assert_string_equal(condition(&world, "Ready", "reason"), "EpochNotAccepted");
	assert_contains(condition(&world, "Ready", "message"), "accept-epoch edge");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_instance_is_staged_in_both_shapes),
		cmocka_unit_test(ready_is_what_the_device_says),
		cmocka_unit_test(other_bytes_are_not_ready),
		cmocka_unit_test(failures_of_the_device_stall),
		cmocka_unit_test(a_changed_property_is_a_change),
		cmocka_unit_test(a_removed_component_waits_for_the_device),
		cmocka_unit_test(readded_is_in_one_list_with_a_new_revision),
		cmocka_unit_test(a_missing_solution_keeps_what_is_staged),
		cmocka_unit_test(a_deleted_instance_leaves_and_is_forgotten),
		cmocka_unit_test(a_new_instance_of_that_name_takes_the_catalog_over),
		cmocka_unit_test(without_a_device_removed_entries_go_at_once),
		cmocka_unit_test(a_target_that_goes_takes_its_catalog_along),
		cmocka_unit_test(an_inactive_instance_runs_nowhere),
		cmocka_unit_test(constraints_choose_targets),
		cmocka_unit_test(one_bad_component_holds_only_itself_back),
		cmocka_unit_test(expressions_see_target_and_instance),
		cmocka_unit_test(roles_are_asked_for),
		cmocka_unit_test(urls_are_resolved_first),
		cmocka_unit_test(names_of_others_are_left_alone),
		cmocka_unit_test(a_catalog_changed_by_hand_is_set_right),
		cmocka_unit_test(a_full_device_takes_no_more),
		cmocka_unit_test(a_document_does_not_grow_too_large),
		cmocka_unit_test(urls_that_no_device_could_read_are_held_back),
		cmocka_unit_test(another_epoch_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
