#include <stdio.h>

#include "symphony/component_types.h"
#include "symphony/sample.h"
#include "base/spelling.h"

static struct pic_findings findings_of(enum pic_kind kind, const char *text)
{
	PIC_JSON struct pic_json *json = sample_json(text);
	struct pic_findings findings;

	pic_object_validate(kind, json, &findings);
	return findings;
}

static void assert_clean(enum pic_kind kind, const char *text)
{
	struct pic_findings findings = findings_of(kind, text);

	if (findings.count > 0)
		fail_msg("%s: %s: %s", text, findings.items[0].path, findings.items[0].text);
}

static void assert_finding(enum pic_kind kind, const char *text, int type, const char *path,
			   const char *sentence)
{
	struct pic_findings findings = findings_of(kind, text);

	for (size_t i = 0; i < findings.count && i < PIC_COUNT(findings.items); i++) {
		const struct pic_finding *finding = &findings.items[i];

		if ((int)finding->kind == type && strcmp(finding->path, path) == 0 &&
		    strstr(finding->text, sentence))
			return;
		print_message("found %s: %s\n", finding->path, finding->text);
	}
	fail_msg("%s: no finding \"%s: %s\"", text, path, sentence);
}

#define SOLUTION(components) "{'metadata':{'name':'s'},'spec':{'components':[" components "]}}"
#define WASM(more) "{'name':'m','type':'wasm','properties':{'wasm.url':'http://h/m.wasm'" more "}}"

static void good_objects_have_no_findings(void **state)
{
	assert_clean(
		PIC_KIND_TARGET,
		"{'apiVersion':'fabric.symphony/v1','kind':'Target','metadata':{'name':'tiny-edge'},"
		"'spec':{'properties':{'location':'edge'},'topologies':[{'bindings':[{'role':'wasm',"
		"'provider':'providers.target.staging','config':{'inCluster':'true'}}]}]}}");
	assert_clean(PIC_KIND_SOLUTION, SOLUTION(WASM(",'wasm.dir':'/:/sys/kernel/debug/tracing',"
						      "'wasm.memory':'8M','wasm.restart':'never',"
						      "'mine':{'a':1}")));
	assert_clean(PIC_KIND_SOLUTION, SOLUTION("{'name':'e','type':'ebpf','dependencies':['e'],"
						 "'properties':{'ebpf.url':'${{$param(a)}}'}}"));
	assert_clean(PIC_KIND_INSTANCE, "{'metadata':{'name':'tiny-app','annotations':{'a':'b'}},"
					"'spec':{'solution':'s:v1','target':{'name':'t'}}}");
	assert_clean(PIC_KIND_CATALOG, "{'metadata':{'name':'c'},'spec':{'catalogType':'config',"
				       "'properties':{'a':[1]},'objectRef':{'siteId':'x'}}}");
	assert_clean(PIC_KIND_NAMESPACE, "{'metadata':{'name':'lab'},'spec':{}}");
	assert_clean(PIC_KIND_EVENT, "{'metadata':{'name':'e.1'},'reason':'x','message':'y'}");
	assert_clean(
		PIC_KIND_TARGET,
		"{'metadata':{'name':'t','labels':null,'creationTimestamp':null},'spec':null}");
}

static void unknown_fields_name_the_right_one(void **state)
{
	assert_finding(PIC_KIND_SOLUTION, SOLUTION("{'name':'m','typ':'wasm'}"),
		       PIC_FINDING_UNKNOWN, "spec.components[0].typ", "did you mean \"type\"?");
	assert_finding(PIC_KIND_SOLUTION, "{'metadata':{'name':'s'},'spec':{'componentz':[]}}",
		       PIC_FINDING_UNKNOWN, "spec.componentz", "did you mean \"components\"?");
	assert_finding(PIC_KIND_SOLUTION, "{'metadata':{'name':'s'},'spec':{'qqqq':[]}}",
		       PIC_FINDING_UNKNOWN, "spec.qqqq", "unknown field");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION(WASM(",'wasm.urll':'x'")), PIC_FINDING_UNKNOWN,
		       "spec.components[0].properties[wasm.urll]", "did you mean \"wasm.url\"?");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION(WASM(",'ebpf.url':'x'")), PIC_FINDING_UNKNOWN,
		       "spec.components[0].properties[ebpf.url]", "belongs to type ebpf");
	assert_finding(PIC_KIND_TARGET, "{'metadata':{'name':'t','nam':'x'},'specs':{}}",
		       PIC_FINDING_UNKNOWN, "specs", "did you mean \"spec\"?");
	assert_finding(PIC_KIND_TARGET, "{'metadata':{'name':'t','nam':'x'}}", PIC_FINDING_UNKNOWN,
		       "metadata.nam", "did you mean \"name\"?");
}

static void wrong_types_are_named(void **state)
{
	assert_finding(PIC_KIND_SOLUTION, "{'metadata':{'name':'s'},'spec':{'components':{}}}",
		       PIC_FINDING_TYPE, "spec.components", "must be a list, not an object");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION("4"), PIC_FINDING_TYPE, "spec.components[0]",
		       "must be an object, not a number");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION("{'name':4,'type':'wasm'}"), PIC_FINDING_TYPE,
		       "spec.components[0].name", "must be a text, not a number: put it in quotes");
	assert_finding(PIC_KIND_TARGET,
		       "{'metadata':{'name':'t'},'spec':{'properties':{'a':true}}}",
		       PIC_FINDING_TYPE, "spec.properties[a]", "put it in quotes");
	assert_finding(PIC_KIND_TARGET, "{'metadata':{'name':'t'},'spec':{'forceRedeploy':'yes'}}",
		       PIC_FINDING_TYPE, "spec.forceRedeploy", "must be true or false, not a text");
	assert_finding(PIC_KIND_TARGET, "{'metadata':{'name':'t'},'spec':[]}", PIC_FINDING_TYPE,
		       "spec", "must be an object, not a list");
	assert_finding(PIC_KIND_TARGET, "[]", PIC_FINDING_TYPE, "", "must be an object");
	assert_finding(PIC_KIND_TARGET, "{'metadata':4}", PIC_FINDING_TYPE, "metadata",
		       "must be an object");
	assert_finding(PIC_KIND_SOLUTION,
		       SOLUTION("{'name':'m','type':'wasm','properties':{'wasm.url':4}}"),
		       PIC_FINDING_TYPE, "spec.components[0].properties[wasm.url]", "in quotes");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION("{'name':'m','type':'wasm','dependencies':[1]}"),
		       PIC_FINDING_TYPE, "spec.components[0].dependencies[0]", "must be a text");
}

static void required_values_are_asked_for(void **state)
{
	assert_finding(PIC_KIND_SOLUTION, SOLUTION("{'type':'wasm'}"), PIC_FINDING_REQUIRED,
		       "spec.components[0].name", "required value");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION("{'name':'m'}"), PIC_FINDING_REQUIRED,
		       "spec.components[0].type", "one of wasm, ebpf");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION("{'name':'m','type':'wasm'}"),
		       PIC_FINDING_REQUIRED, "spec.components[0].properties[wasm.url]",
		       "wasm.sha256");
	assert_finding(PIC_KIND_INSTANCE, "{'metadata':{'name':'i'},'spec':{}}",
		       PIC_FINDING_REQUIRED, "spec.solution", "required value");
	assert_finding(PIC_KIND_INSTANCE, "{'metadata':{'name':'i'},'spec':{'target':{}}}",
		       PIC_FINDING_REQUIRED, "spec.target", "selector");
	assert_finding(PIC_KIND_CATALOG, "{'metadata':{'name':'c'},'spec':{}}",
		       PIC_FINDING_REQUIRED, "spec.type", "required value");
	assert_finding(PIC_KIND_TARGET, "{'spec':{}}", PIC_FINDING_REQUIRED, "metadata.name",
		       "required value");
	assert_finding(
		PIC_KIND_TARGET,
		"{'metadata':{'name':'t'},'spec':{'topologies':[{'bindings':[{'role':'wasm'}]}]}}",
		PIC_FINDING_REQUIRED, "spec.topologies[0].bindings[0].provider",
		"providers.target.staging");
}

static void bad_values_say_why(void **state)
{
	static const char *const urls[] = {
		"ftp://h/x",	   "h/x",	   "http://",	     "http:///x",
		"https://a:b@h/x", "http://h/a b", "http://:80/",    "file:///etc/passwd",
		"HTTP://h/x",	   "/artifacts/",  "/artifacts/../x"
	};
	static const char *const ports[] = { "0.0.0.0:99999", "0.0.0.0:0", "1.2.3.4.5:80",
					     "localhost:80",  "::1:80",	   "80 http",
					     "8090-8080",     "80,81",	   "tcp:" };

	for (size_t i = 0; i < PIC_COUNT(urls); i++) {
		char text[256];

		snprintf(text, sizeof(text),
			 SOLUTION("{'name':'m','type':'wasm','properties':{'wasm.url':'%s'}}"),
			 urls[i]);
		assert_finding(PIC_KIND_SOLUTION, text, PIC_FINDING_VALUE,
			       "spec.components[0].properties[wasm.url]", "must be an address");
	}
	assert_finding(PIC_KIND_SOLUTION, SOLUTION(WASM(",'wasm.sha256':'abcd'")),
		       PIC_FINDING_VALUE, "spec.components[0].properties[wasm.sha256]",
		       "64 hexadecimal digits");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION(WASM(",'wasm.memory':'lots'")),
		       PIC_FINDING_VALUE, "spec.components[0].properties[wasm.memory]",
		       "must be a size");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION(WASM(",'wasm.restart':'sometimes'")),
		       PIC_FINDING_VALUE, "spec.components[0].properties[wasm.restart]",
		       "on-failure");
	for (size_t i = 0; i < PIC_COUNT(ports); i++) {
		char text[256];

		snprintf(text, sizeof(text), SOLUTION(WASM(",'wasm.listen':'%s'")), ports[i]);
		assert_finding(PIC_KIND_SOLUTION, text, PIC_FINDING_VALUE,
			       "spec.components[0].properties[wasm.listen]", "is not a port");
	}
	assert_finding(PIC_KIND_SOLUTION, SOLUTION(WASM(",'wasm.listen':'1 2 3 4 5 6 7 8 9'")),
		       PIC_FINDING_VALUE, "spec.components[0].properties[wasm.listen]",
		       "at most 8");
	assert_finding(PIC_KIND_TARGET,
		       "{'metadata':{'name':'t'},'spec':{'components':[" WASM(
			       ",'wasm.connect':'10.0.0.0/33:80'") "]}}",
		       PIC_FINDING_VALUE, "spec.components[0].properties[wasm.connect]",
		       "10.0.0.0/33:80");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION(WASM(",'wasm.args':'a \\\"b'")),
		       PIC_FINDING_VALUE, "spec.components[0].properties[wasm.args]", "quote");
	assert_clean(PIC_KIND_SOLUTION,
		     SOLUTION(WASM(",'wasm.listen':'0.0.0.0:8085 [::1]:80-90 udp:53 ',"
				   "'wasm.connect':'tcp:10.0.0.0/8:443',"
				   "'wasm.args':'one \\\"two three\\\"'")));
	assert_finding(PIC_KIND_SOLUTION, SOLUTION("{'name':'m','type':'wams'}"), PIC_FINDING_VALUE,
		       "spec.components[0].type", "did you mean \"wasm\"?");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION("{'name':'m','type':'helm.v3'}"),
		       PIC_FINDING_VALUE, "spec.components[0].type", "the types are wasm");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION(WASM("") "," WASM("")), PIC_FINDING_VALUE,
		       "spec.components[1].name", "components[0]");
	assert_finding(PIC_KIND_SOLUTION, SOLUTION("{'name':'Module_1','type':'wasm'}"),
		       PIC_FINDING_VALUE, "spec.components[0].name", "lower-case");
	assert_finding(PIC_KIND_SOLUTION,
		       SOLUTION("{'name':'m','type':'docker','dependencies':['db']}"),
		       PIC_FINDING_VALUE, "spec.components[0].dependencies[0]",
		       "no component \"db\"");
	assert_finding(
		PIC_KIND_SOLUTION,
		SOLUTION("{'name':'m','type':'docker','dependencies':['m','m','m','m','m','m','m',"
			 "'m','m','m','m','m','m','m','m','m','m']}"),
		PIC_FINDING_VALUE, "spec.components[0].dependencies", "at most 16");
	assert_finding(PIC_KIND_INSTANCE, "{'metadata':{'name':'i'},'spec':{'activeState':'on'}}",
		       PIC_FINDING_VALUE, "spec.activeState", "active or inactive");
	assert_finding(PIC_KIND_INSTANCE, "{'metadata':{'name':'i'},'spec':{'solution':'A b'}}",
		       PIC_FINDING_VALUE, "spec.solution", "name of a solution");
	assert_finding(PIC_KIND_CATALOG,
		       "{'metadata':{'name':'c'},'spec':{'type':'a','catalogType':'b'}}",
		       PIC_FINDING_VALUE, "spec.type", "same as catalogType");
}

static void names_fit_the_device(void **state)
{
	static const struct {
		enum pic_kind kind;
		const char *name;
		bool good;
	} cases[] = {
		{ PIC_KIND_INSTANCE, "tiny-app", true },
		{ PIC_KIND_INSTANCE, "tiny.app", false },
		{ PIC_KIND_INSTANCE, "target-runtime-x", false },
		{ PIC_KIND_INSTANCE, "-a", false },
		{ PIC_KIND_INSTANCE, "../etc", false },
		{ PIC_KIND_TARGET, "edge.example.com", true },
		{ PIC_KIND_TARGET, "Edge", false },
		{ PIC_KIND_TARGET,
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
		{ PIC_KIND_CATALOG,
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true },
		{ PIC_KIND_NAMESPACE, "a.b", false },
	};

	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		PIC_JSON struct pic_json *json = sample_json(
			"{'metadata':{},'spec':{'solution':'s','type':'t','target':{'name':'t'}}}");
		struct pic_findings findings;
		bool found = false;

		pic_json_set_text(pic_json_get(json, "metadata"), "name", cases[i].name);
		pic_object_validate(cases[i].kind, json, &findings);
		for (size_t j = 0; j < findings.count; j++)
			found |= strcmp(findings.items[j].path, "metadata.name") == 0;
		if (found == cases[i].good)
			fail_msg("%s: %s", cases[i].name, found ? "refused" : "accepted");
	}
	assert_finding(PIC_KIND_TARGET, "{'metadata':{'name':'t','namespace':'A.b'}}",
		       PIC_FINDING_VALUE, "metadata.namespace", "lower-case");
}

static void many_findings_are_counted_and_strangers_escaped(void **state)
{
	PIC_JSON struct pic_json *json = sample_json("{'metadata':{'name':'s'},'spec':{}}");
	struct pic_findings findings;
	char key[400];

	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "k%d\033[2J%0300d", i, 0);
		pic_json_set_bool(pic_json_get(json, "spec"), key, true);
	}
	pic_object_validate(PIC_KIND_SOLUTION, json, &findings);
	assert_int_equal(findings.count, 40);
	assert_null(strchr(findings.items[15].path, '\033'));
	assert_true(pic_text_ends(findings.items[15].path, "..."));
}

static void too_many_components_are_refused(void **state)
{
	PIC_JSON struct pic_json *json =
		sample_json("{'metadata':{'name':'s'},'spec':{'components':[]}}");
	struct pic_json *list = pic_json_get(pic_json_get(json, "spec"), "components");
	struct pic_findings findings;

	for (int i = 0; i < 257; i++) {
		char text[128];

		snprintf(text, sizeof(text), "{'name':'c%d','type':'docker'}", i);
		pic_json_append(list, sample_json(text));
	}
	pic_object_validate(PIC_KIND_SOLUTION, json, &findings);
	assert_int_equal(findings.count, 1);
	assert_string_equal(findings.items[0].path, "spec.components");
}

static void spelling_counts_letters(void **state)
{
	assert_int_equal(pic_spelling_distance("", ""), 0);
	assert_int_equal(pic_spelling_distance("type", "typ"), 1);
	assert_int_equal(pic_spelling_distance("tpye", "type"), 1);
	assert_int_equal(pic_spelling_distance("kitten", "sitting"), 3);
	assert_int_equal(pic_spelling_distance("abc", ""), 3);
}

/* What the runner's header describes is what validation knows and explains, and nothing else is. */
static void the_properties_of_wasm_are_those_of_its_runner(void **state)
{
	const struct pic_component_type *wasm = pic_component_type("wasm");
	char text[16 * 1024];
	FILE *file = fopen(PIC_TEST_SOURCE_DIR "/src/workload/wasm/spec.h", "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	for (const struct pic_component_property *known = wasm->properties; known->name; known++) {
		assert_true(known->help && pic_text_ends(known->help, "."));
		if (strcmp(known->name, "wasm.runtime") != 0)
			assert_contains(text, known->name);
	}
	assert_non_null(strstr(text, "#define PIC_WASM_PORTS_MAX "));
	assert_int_equal(atoi(strstr(text, "#define PIC_WASM_PORTS_MAX ") +
			      strlen("#define PIC_WASM_PORTS_MAX ")),
			 PIC_PROPERTY_PORTS_MAX);
	for (const char *at = strstr(text, "wasm."); at; at = strstr(at + 1, "wasm.")) {
		char name[32] = "";
		bool found = false;

		sscanf(at, "%31[a-z0-9.]", name);
		for (const struct pic_component_property *known = wasm->properties; known->name;
		     known++)
			found |= strcmp(known->name, name) == 0;
		if (!found)
			fail_msg("spec.h describes %s, validation does not know it", name);
	}
}

static void every_type_is_in_the_sentence(void **state)
{
	for (const struct pic_component_type *type = pic_component_types; type->name; type++)
		assert_contains(pic_component_type_names, type->name);
	assert_string_equal(pic_component_type_of_property("container.image")->name, "container");
	assert_null(pic_component_type_of_property("image"));
	assert_null(pic_component_type("helm.v3"));
	assert_null(pic_component_type(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_objects_have_no_findings),
		cmocka_unit_test(unknown_fields_name_the_right_one),
		cmocka_unit_test(wrong_types_are_named),
		cmocka_unit_test(required_values_are_asked_for),
		cmocka_unit_test(bad_values_say_why),
		cmocka_unit_test(names_fit_the_device),
		cmocka_unit_test(many_findings_are_counted_and_strangers_escaped),
		cmocka_unit_test(too_many_components_are_refused),
		cmocka_unit_test(spelling_counts_letters),
		cmocka_unit_test(the_properties_of_wasm_are_those_of_its_runner),
		cmocka_unit_test(every_type_is_in_the_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
