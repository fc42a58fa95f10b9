#include <errno.h>

#include "symphony/sample.h"

static void catalogs_suit_the_strict_agent(void **state)
{
	SAMPLE_OBJECT *object = sample_object(
		PIC_KIND_CATALOG,
		"{'metadata':{'name':'a-t','namespace':'default','uid':'u','resourceVersion':'9','generation':2,"
		"'labels':{'staged_target':'t'}},'spec':{'siteId':'hq','name':'a-t','type':'staged',"
		"'properties':{'components':[{'name':'m','type':'wasm','properties':{'wasm.url':'x','n':1.50}},"
		"{'name':'n'}],'removed-components':null}}}");
	PIC_JSON struct pic_json *state_out = pic_object_to_symphony(object);

	assert_json_equal(
		state_out,
		"{'id':'a-t','metadata':{'namespace':'default','name':'a-t','labels':{'staged_target':'t'},"
		"'uid':'u','etag':'9','objGeneraion':2},"
		"'spec':{'siteId':'hq','name':'a-t','type':'staged','catalogType':'staged',"
		"'properties':{'components':[{'name':'m','type':'wasm','properties':{'wasm.url':'x','n':'1.50'}},"
		"{'name':'n','type':''}],'removed-components':null},"
		"'objectRef':{'siteId':'','name':'','group':'','version':'','kind':'','scope':'',"
		"'namespace':''},'generation':'2'},'status':{'properties':null}}");
	/* the object itself is as it was */
	assert_null(pic_json_get(pic_object_spec(object), "catalogType"));
}

static void instances_have_both_eras(void **state)
{
	SAMPLE_OBJECT *object = sample_object(
		PIC_KIND_INSTANCE,
		"{'metadata':{'name':'i','generation':4},'spec':{'solutionversion':'s:v1'},"
		"'status':{'properties':{'status':'Succeeded','targets':'1'},'targets':1}}");
	PIC_JSON struct pic_json *state_out = pic_object_to_symphony(object);

	assert_json_equal(pic_json_get(state_out, "spec"),
			  "{'solutionversion':'s:v1','solution':'s:v1','generation':'4'}");
	assert_json_equal(pic_json_get(state_out, "status"),
			  "{'properties':{'status':'Succeeded','targets':'1'},'targets':1,"
			  "'status':'Succeeded'}");
}

static void bodies_of_both_eras_are_read(void **state)
{
	static const struct {
		enum pic_kind kind;
		const char *body, *wanted;
	} cases[] = {
		{ PIC_KIND_TARGET,
		  "{'displayName':'T','metadata':{'name':'note'},'properties':{'a':'b'}}",
		  "{'apiVersion':'fabric.symphony/v1','kind':'Target','metadata':{'name':'x'},"
		  "'spec':{'displayName':'T','metadata':{'name':'note'},'properties':{'a':'b'}}}" },
		{ PIC_KIND_SOLUTION,
		  "{'metadata':{'name':'x','namespace':'lab','etag':'4','labels':{'l':'m'},'annotations':null},"
		  "'spec':{'components':[]},'status':{'a':'b'}}",
		  "{'apiVersion':'solution.symphony/v1','kind':'Solution',"
		  "'metadata':{'name':'x','namespace':'lab','labels':{'l':'m'}},'spec':{'components':[]}}" },
		{ PIC_KIND_CATALOG, "{'id':'x','spec':null}",
		  "{'apiVersion':'federation.symphony/v1','kind':'Catalog','metadata':{'name':'x'},"
		  "'spec':{}}" },
	};

	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		PIC_JSON struct pic_json *body = sample_json(cases[i].body);
		PIC_JSON struct pic_json *json = NULL;
		struct pic_error err = PIC_ERROR_INIT;

		if (pic_object_from_symphony(cases[i].kind, "x", body, &json, &err) < 0)
			fail_msg("%s: %s", cases[i].body, err.text);
		assert_json_equal(json, cases[i].wanted);
	}
}

static void bad_bodies_are_refused(void **state)
{
	static const struct {
		enum pic_kind kind;
		const char *body, *why;
	} cases[] = {
		{ PIC_KIND_TARGET, "[]", "must be an object" },
		{ PIC_KIND_TARGET, "{'spec':4}", "spec must be an object" },
		{ PIC_KIND_TARGET, "{'metadata':{'name':'y'},'spec':{}}",
		  "names the object \"y\"" },
		{ PIC_KIND_TARGET, "{'id':'y','spec':{}}", "names the object \"y\"" },
		{ PIC_KIND_DEVICE, "{'spec':{}}", "do not travel" },
	};

	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		PIC_JSON struct pic_json *body = sample_json(cases[i].body);
		struct pic_json *json = NULL;
		struct pic_error err = PIC_ERROR_INIT;

		assert_int_equal(pic_object_from_symphony(cases[i].kind, "x", body, &json, &err),
				 -EINVAL);
		assert_null(json);
		assert_contains(err.text, cases[i].why);
		assert_int_equal(pic_object_from_symphony(cases[i].kind, "x", body, &json, NULL),
				 -EINVAL);
	}
}

static void what_goes_out_comes_back(void **state)
{
	SAMPLE_OBJECT *object = sample_object(
		PIC_KIND_SOLUTION,
		"{'apiVersion':'solution.symphony/v1','kind':'Solution','metadata':{'name':'s','namespace':'default'},"
		"'spec':{'components':[{'name':'m','type':'wasm','properties':{'n':0.10}}]}}");
	PIC_JSON struct pic_json *out = pic_object_to_symphony(object);
	PIC_JSON struct pic_json *back = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(pic_object_from_symphony(PIC_KIND_SOLUTION, "s", out, &back, &err), 0);
	assert_true(pic_json_equal(back, object->json));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(catalogs_suit_the_strict_agent),
		cmocka_unit_test(instances_have_both_eras),
		cmocka_unit_test(bodies_of_both_eras_are_read),
		cmocka_unit_test(bad_bodies_are_refused),
		cmocka_unit_test(what_goes_out_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
