#include <errno.h>

#include "symphony/sample.h"

static void facts_are_read_once(void **state)
{
	SAMPLE_OBJECT *object = sample_object(
		PIC_KIND_CATALOG,
		"{'metadata':{'name':'a','namespace':'lab','uid':'u1','resourceVersion':'41','generation':3,"
		"'deletionTimestamp':'2026-11-24T10:00:00Z','annotations':{'piccolo/hidden':'yes'}},"
		"'spec':{'type':'x'},'status':{'y':1}}");

	assert_string_equal(object->name, "a");
	assert_string_equal(object->space, "lab");
	assert_string_equal(object->uid, "u1");
	assert_int_equal(object->revision, 41);
	assert_int_equal(object->generation, 3);
	assert_true(object->terminating);
	assert_string_equal(pic_object_annotation(object, "piccolo/hidden"), "yes");
	assert_null(pic_object_annotation(object, "other"));
	assert_json_equal(pic_object_spec(object), "{'type':'x'}");
	assert_json_equal(pic_object_status(object), "{'y':1}");
}

static void namespaces_are_settled(void **state)
{
	SAMPLE_OBJECT *target = sample_object(PIC_KIND_TARGET, "{'metadata':{'name':'t'}}");
	SAMPLE_OBJECT *device =
		sample_object(PIC_KIND_DEVICE, "{'metadata':{'name':'t','namespace':'x'}}");

	assert_string_equal(target->space, "default");
	assert_json_equal(target->json, "{'metadata':{'name':'t','namespace':'default'}}");
	assert_string_equal(device->space, "");
	assert_false(target->terminating);
	assert_int_equal(target->revision, 0);
}

static void nameless_objects_are_refused(void **state)
{
	static const char *const texts[] = { "{}", "{'metadata':{}}", "{'metadata':{'name':''}}",
					     "{'metadata':{'name':4}}", "[]" };

	for (size_t i = 0; i < PIC_COUNT(texts); i++) {
		struct pic_object *object = NULL;
		struct pic_error err = PIC_ERROR_INIT;

		assert_int_equal(pic_object_new(&object, PIC_KIND_TARGET, sample_json(texts[i]),
						&err),
				 -EINVAL);
		assert_null(object);
		assert_contains(err.text, "Target has no metadata.name");
	}
}

static void references_are_counted(void **state)
{
	struct pic_object *object = sample_object(PIC_KIND_TARGET, "{'metadata':{'name':'t'}}");

	assert_ptr_equal(pic_object_ref(object), object);
	pic_object_unref(object);
	assert_string_equal(object->name, "t");
	pic_object_unref(object);
	pic_object_unref(NULL);
	assert_null(pic_object_ref(NULL));
}

static void defaults_are_added(void **state)
{
	PIC_JSON struct pic_json *instance =
		sample_json("{'metadata':{'name':'i'},'spec':{'displayName':'','name':'mine'}}");
	PIC_JSON struct pic_json *target = sample_json("{'metadata':{'name':'t'},'spec':null}");
	PIC_JSON struct pic_json *catalog =
		sample_json("{'metadata':{'name':'c'},'spec':{'catalogType':'config'}}");
	PIC_JSON struct pic_json *wrong =
		sample_json("{'metadata':{'name':'s'},'spec':{'displayName':4}}");

	pic_object_default(PIC_KIND_INSTANCE, instance);
	pic_object_default(PIC_KIND_TARGET, target);
	pic_object_default(PIC_KIND_CATALOG, catalog);
	pic_object_default(PIC_KIND_SOLUTION, wrong);
	assert_json_equal(pic_json_get(instance, "spec"), "{'displayName':'i','name':'mine'}");
	assert_json_equal(pic_json_get(target, "spec"), "{'displayName':'t'}");
	assert_json_equal(pic_json_get(catalog, "spec"),
			  "{'catalogType':'config','name':'c','siteId':'hq','type':'config'}");
	assert_json_equal(pic_json_get(wrong, "spec"), "{'displayName':4}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_are_read_once),
		cmocka_unit_test(namespaces_are_settled),
		cmocka_unit_test(nameless_objects_are_refused),
		cmocka_unit_test(references_are_counted),
		cmocka_unit_test(defaults_are_added),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
