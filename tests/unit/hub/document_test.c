/*
 * Documents out of catalogs, owners of catalogs, names on devices, and statuses of targets.
 */
#include <errno.h>
#include <stdio.h>

#include "hub/engine/engine.h"
#include "symphony/sample.h"

#define SHA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct pic_object *catalog(const char *name, const char *space, const char *instance,
				  const char *properties)
{
	char text[4096];

	snprintf(
		text, sizeof(text),
		"{'metadata':{'name':'%s','namespace':'%s','ownerReferences':[{'kind':'Instance','name':'%s'}]},"
		"'spec':{'type':'staged','properties':%s}}",
		name, space, instance, properties);
	return sample_object(PIC_KIND_CATALOG, text);
}

static void catalogs_become_one_sorted_document(void **state)
{
	SAMPLE_OBJECT *one = catalog(
		"b-edge", "default", "b",
		"{'components':[{'name':'z','type':'wasm','dependencies':['a'],'properties':{'wasm.sha256':'" SHA
		"','wasm.url':'http://h/z'}},{'name':'a','type':'wasm','properties':{'wasm.sha256':'" SHA
		"','wasm.url':'http://h/a'}}],'revisions':{'z':4,'a':3,'y':6},'artifacts':['a'],"
		"'removed-components':[{'name':'y','type':'wasm'}]}");
	SAMPLE_OBJECT *two =
		catalog("a-edge", "lab", "a",
			"{'components':[{'name':'d','type':'docker'}],'revisions':{'d':2},"
			"'removed-components':null}");
	SAMPLE_OBJECT *other = catalog("b-cloud", "default", "b",
				       "{'components':[{'name':'q','type':'docker'}],"
				       "'revisions':{'q':9}}");
	SAMPLE_OBJECT *config = sample_object(
		PIC_KIND_CATALOG,
		"{'metadata':{'name':'c-edge'},'spec':{'type':'config','properties':{'components':[]}}}");
	const struct pic_object *catalogs[] = { one, two, other, config };
	const struct pic_engine_device device = { .target = "edge",
						  .epoch = "0123456789abcdef0123456789abcdef",
						  .revision = 5 };
	struct pic_document *document = NULL, *back = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1 << 20);
	PIC_JSON struct pic_json *json = NULL;

	assert_int_equal(pic_engine_document(&device, "https://hub:8443", catalogs, 4,
					     1795528800000, &document, &err),
			 0);
	assert_int_equal(pic_document_write(document, &text), 0);
	assert_int_equal(pic_json_parse(&json, text.data, text.size, &err), 0);
	assert_json_equal(
		json,
		"{'protocol':1,'epoch':'0123456789abcdef0123456789abcdef','revision':6,'device':'edge',"
		"'issued-at':'2026-11-24T14:00:00Z','components':["
		"{'instance':'a.lab','component':'d','type':'docker','revision':2,'properties':{}},"
		"{'instance':'b','component':'a','type':'wasm','revision':3,'sha256':'" SHA
		"','url':'https://hub:8443/artifacts/" SHA "',"
		"'properties':{'wasm.sha256':'" SHA "','wasm.url':'http://h/a'}},"
		"{'instance':'b','component':'z','type':'wasm','revision':4,'sha256':'" SHA
		"','url':'http://h/z','properties':{'wasm.sha256':'" SHA
		"','wasm.url':'http://h/z'},"
		"'dependencies':['a']}],"
		"'removed':[{'instance':'b','component':'y','revision':6}]}");
	/* what is written can be read by a device */
	if (pic_document_parse(&back, text.data, text.size, &err) < 0)
		fail_msg("%s", err.text);
	pic_document_free(back);
	pic_document_free(document);
}

static void too_many_entries_are_an_error(void **state)
{
	const struct pic_engine_device device = { .target = "edge", .epoch = "e" };
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1 << 20);
	struct pic_document *document = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	pic_buf_text_add(&text, "{'metadata':{'name':'a-edge','labels':{'staged_target':'edge'}},"
				"'spec':{'type':'staged','properties':{'components':[{'name':'x'}");
	for (int i = 0; i < 257; i++)
		pic_buf_format(&text, ",{'name':'c%d','type':'docker'}", i);
	pic_buf_text_add(&text, "],'revisions':{'x':1");
	for (int i = 0; i < 257; i++)
		pic_buf_format(&text, ",'c%d':1", i);
	pic_buf_text_add(&text, "}}}}");
	SAMPLE_OBJECT *object = sample_object(PIC_KIND_CATALOG, pic_buf_text(&text));
	const struct pic_object *catalogs[] = { object };

	assert_int_equal(pic_engine_document(&device, "", catalogs, 1, 0, &document, &err), -E2BIG);
	assert_null(document);
	assert_contains(err.text, "edge would have more than 256 entries");
}

static void owners_of_catalogs(void **state)
{
	static const struct {
		const char *json, *instance, *target;
	} cases[] = {
		{ "{'metadata':{'name':'a-b-c','ownerReferences':[{'kind':'Instance','name':'a'}]},"
		  "'spec':{'type':'staged'}}",
		  "a", "b-c" },
		{ "{'metadata':{'name':'a-b-c','ownerReferences':[{'kind':'Instance','name':'a-b'}]},"
		  "'spec':{'type':'staged'}}",
		  "a-b", "c" },
		{ "{'metadata':{'name':'target-runtime-t-t','ownerReferences':[{'kind':'Target','name':'t'}]},"
		  "'spec':{'type':'staged'}}",
		  "target-runtime-t", "t" },
		{ "{'metadata':{'name':'a-b-c','labels':{'staged_target':'b-c'}},'spec':{'type':'staged'}}",
		  "a", "b-c" },
		{ "{'metadata':{'name':'a-b-c','labels':{'staged_target':'d'}},'spec':{'type':'staged'}}",
		  NULL, NULL },
		{ "{'metadata':{'name':'-c','labels':{'staged_target':'c'}},'spec':{'type':'staged'}}",
		  NULL, NULL },
		{ "{'metadata':{'name':'a-','ownerReferences':[{'kind':'Instance','name':'a'}]},"
		  "'spec':{'type':'staged'}}",
		  NULL, NULL },
		{ "{'metadata':{'name':'a-b','ownerReferences':[{'kind':'Solution','name':'a'}]},"
		  "'spec':{'type':'staged'}}",
		  NULL, NULL },
		{ "{'metadata':{'name':'a-b','ownerReferences':[{'kind':'Instance','name':'a'}]},"
		  "'spec':{'type':'config'}}",
		  NULL, NULL },
	};

	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		SAMPLE_OBJECT *object = sample_object(PIC_KIND_CATALOG, cases[i].json);
		struct pic_engine_owner owner;

		assert_int_equal(pic_engine_catalog_owner(object, &owner),
				 cases[i].instance != NULL);
		if (!cases[i].instance)
			continue;
		assert_string_equal(owner.instance, cases[i].instance);
		assert_string_equal(owner.target, cases[i].target);
	}
}

static void names_on_devices(void **state)
{
	char name[PIC_NAME_MAX + 1];

	assert_true(pic_engine_workload_instance("default", "app", name));
	assert_string_equal(name, "app");
	assert_true(pic_engine_workload_instance("lab", "app", name));
	assert_string_equal(name, "app.lab");
	assert_false(pic_engine_workload_instance(
		"laboratory", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		name));
}

static struct pic_json *target_status(const struct pic_object *target,
				      const struct pic_engine_device *device,
				      const struct pic_json *own, const char *quarantine)
{
	const struct pic_engine_target_input input = { .target = target,
						       .device = device,
						       .own = own,
						       .quarantine = quarantine,
						       .now_ms = 1795528800000 };
	struct pic_json *status = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(pic_engine_target_status(&input, &status, &err), 0);
	return status;
}

static void assert_target(const struct pic_engine_device *device, const char *own_text,
			  const char *quarantine, const char *status, const char *state_word,
			  const char *reason)
{
	SAMPLE_OBJECT *target =
		sample_object(PIC_KIND_TARGET,
			      "{'metadata':{'name':'edge','generation':3},'status':{'resolved':[1],"
			      "'properties':{'mine':'yes','status-details':'old'}}}");
	PIC_JSON struct pic_json *own = own_text ? sample_json(own_text) : NULL;
	PIC_JSON struct pic_json *json = target_status(target, device, own, quarantine);
	const struct pic_json *ready = pic_json_at(pic_json_get(json, "conditions"), 0);

	assert_json_equal(pic_json_get(json, "resolved"), "[1]");
	assert_string_equal(pic_json_text(pic_json_find(json, "properties", "mine", NULL)), "yes");
	assert_string_equal(pic_json_text(pic_json_find(json, "properties", "status", NULL)),
			    status);
	assert_string_equal(pic_json_text(pic_json_find(json, "device", "state", NULL)),
			    state_word);
	assert_string_equal(pic_json_get_text(ready, "reason"), reason);
	assert_int_equal(strcmp(pic_json_get_text(ready, "status"), "True") == 0,
			 strcmp(status, "Succeeded") == 0);
	if (strcmp(status, "Succeeded") == 0)
		assert_null(pic_json_get(json, "statusDetails"));
}

static void targets_say_how_their_device_is(void **state)
{
	struct pic_report report = { .epoch = "e", .revision = 4, .version = "0.1.0" };
	struct pic_engine_device device = { .target = "edge", .epoch = "e", .revision = 4 };

	assert_target(NULL, NULL, NULL, "Reconciling", "NotEnrolled", "NotEnrolled");
	assert_target(&device, NULL, NULL, "Reconciling", "Offline", "NotReported");
	device.online = true;
	assert_target(&device, NULL, NULL, "Reconciling", "Online", "NotReported");
	device.report = &report;
	assert_target(&device, NULL, NULL, "Succeeded", "Online", "Online");
	assert_target(&device, "{'status':'Succeeded'}", NULL, "Succeeded", "Online", "Online");
	assert_target(
		&device,
		"{'status':'Failed','conditions':[{'type':'Ready','reason':'Bad','message':'m'}]}",
		NULL, "Failed", "Online", "Bad");
	assert_target(&device, NULL, "two sessions", "Failed", "Quarantined", "Quarantined");
	device.online = false;
	assert_target(&device, NULL, NULL, "Reconciling", "Offline", "Offline");
	device.online = true;
	strcpy(report.epoch, "f");
	assert_target(&device, NULL, NULL, "Reconciling", "Online", "EpochNotAccepted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(catalogs_become_one_sorted_document),
		cmocka_unit_test(too_many_entries_are_an_error),
		cmocka_unit_test(owners_of_catalogs),
		cmocka_unit_test(names_on_devices),
		cmocka_unit_test(targets_say_how_their_device_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
