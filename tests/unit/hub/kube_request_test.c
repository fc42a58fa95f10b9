/* Paths, Accept and Content-Type, query parameters, warnings and Status objects. */
#include "hub/kube_world.h"

#include <errno.h>

#include "hub/kube_api/request.h"

static struct pic_kube_path path_of(const char *text)
{
	struct pic_kube_path path;

	if (pic_kube_path_parse(text, &path) < 0)
		fail_msg("no such path: %s", text);
	return path;
}

static void no_path(const char *text)
{
	struct pic_kube_path path;

	if (pic_kube_path_parse(text, &path) != -ENOENT)
		fail_msg("accepted: %s", text);
}

static void paths_of_objects(void **state)
{
	struct pic_kube_path path =
		path_of("/apis/fabric.symphony/v1/namespaces/default/targets/tiny-edge/status");

	(void)state;
	assert_int_equal(path.facts->kind, PIC_KIND_TARGET);
	assert_string_equal(path.space, "default");
	assert_string_equal(path.name, "tiny-edge");
	assert_true(path.status);
	path = path_of("/apis/fabric.symphony/v1/targets");
	assert_string_equal(path.space, "");
	assert_string_equal(path.name, "");
	path = path_of("/apis/fabric.symphony/v1/namespaces/a%2Db/targets");
	assert_string_equal(path.space, "a-b");
	path = path_of("/api/v1/namespaces");
	assert_int_equal(path.facts->kind, PIC_KIND_NAMESPACE);
	assert_string_equal(path.name, "");
	path = path_of("/api/v1/namespaces/default");
	assert_int_equal(path.facts->kind, PIC_KIND_NAMESPACE);
	assert_string_equal(path.name, "default");
	assert_string_equal(path.space, "");
	path = path_of("/api/v1/namespaces/default/status");
	assert_true(path.status && path.facts->kind == PIC_KIND_NAMESPACE);
	path = path_of("/api/v1/namespaces/default/events");
	assert_int_equal(path.facts->kind, PIC_KIND_EVENT);
	assert_string_equal(path.space, "default");
	path = path_of("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
	assert_null(path.facts);
	assert_string_equal(path.plural, "selfsubjectaccessreviews");
}

static void paths_of_nothing(void **state)
{
	(void)state;
	no_path("/apis/fabric.symphony/v1/");
	no_path("/apis/fabric.symphony/v1/targets/tiny-edge"); /* wants a namespace */
	no_path("/apis/fabric.symphony/v2/targets");
	no_path("/apis/fabric.symphony/v1/namespaces/default/targets/a/scale");
	no_path("/apis/fabric.symphony/v1/namespaces/default/targets/a/status/b");
	no_path("/apis/fabric.symphony/v1/namespaces/default/solutions");
	no_path("/api/v1/namespaces/default/events/e/status");
	no_path("/api/v1/namespaces/default/namespaces/x");
	no_path("/api/v1/namespaces/default/pods/x");
	no_path("/apis/solution.symphony/v1/namespaces/default/solutionversions");
	no_path("/apis/fabric.symphony/v1/namespaces/default/targets/a%2Fb");
	no_path("/apis/fabric.symphony/v1/namespaces/default/targets/..");
	no_path("/apis/fabric.symphony/v1/namespaces/default/targets/%00");
	no_path("/apis/fabric.symphony/v1/namespaces/default/targets/%zz");
	no_path("/apis/fabric.symphony/v1/namespaces//targets");
	no_path("/api");
	no_path("/other/v1/targets");
	PIC_BUF struct pic_buf longer = PIC_BUF_INIT(8192);
	pic_buf_text_add(&longer, "/apis/fabric.symphony/v1/namespaces/default/targets/");
	for (int i = 0; i < 254; i++)
		pic_buf_char(&longer, 'a');
	no_path(pic_buf_text(&longer));
}

static void accept_headers(void **state)
{
	struct pic_kube_request request = { 0 };

	(void)state;
	request.accept =
		"application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;"
		"g=meta.k8s.io,application/json";
	assert_true(pic_kube_wants_table(&request));
	request.accept = "application/json";
	assert_false(pic_kube_wants_table(&request));
	request.accept = "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
	assert_false(pic_kube_wants_table(&request)); /* a form we do not write */
	request.accept = "application/json, as=Table;v=v1, application/json;g=meta.k8s.io";
	assert_false(pic_kube_wants_table(&request)); /* not in one media type */
	assert_string_equal(
		pic_kube_wants_aggregated(
			"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
			"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
			"application/json"),
		"v2");
	assert_string_equal(pic_kube_wants_aggregated(
				    "application/json; g=apidiscovery.k8s.io; v=v2beta1; "
				    "as=APIGroupDiscoveryList"),
			    "v2beta1");
	assert_null(pic_kube_wants_aggregated("application/json, */*"));
	assert_null(pic_kube_wants_aggregated(""));
}

static void content_types(void **state)
{
	struct pic_kube_request request = { .content_type = "Application/JSON; charset=utf-8" };

	(void)state;
	assert_true(pic_kube_content_is(&request, "application/json"));
	request.content_type = "application/json-patch+json";
	assert_false(pic_kube_content_is(&request, "application/json"));
}

static void modes(void **state)
{
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;
	enum pic_kube_validation validation;
	bool dry_run;

	(void)state;
	struct pic_kube_request request = request_of(
		"GET", "/api/v1/namespaces", QUERY("fieldValidation", "Strict", "dryRun", "All"));
	assert_int_equal(pic_kube_read_modes(&request, &validation, &dry_run, &answer), 0);
	assert_true(validation == PIC_KUBE_STRICT && dry_run);
	request.from = QUERY("x", "y");
	assert_int_equal(pic_kube_read_modes(&request, &validation, &dry_run, &answer), 0);
	assert_true(validation == PIC_KUBE_WARN && !dry_run);
	request.from = QUERY("dryRun", "Some");
	assert_int_equal(pic_kube_read_modes(&request, &validation, &dry_run, &answer), -EINVAL);
	assert_int_equal(answer.status, 400);
	request.from = QUERY("fieldValidation", "strict");
	assert_int_equal(pic_kube_read_modes(&request, &validation, &dry_run, &answer), -EINVAL);
}

static void warning_headers(void **state)
{
	PIC_BUF struct pic_buf header = PIC_BUF_INIT(4096);

	(void)state;
	pic_kube_warning_header("unknown field \"spec.a\\b\"\n", &header);
	assert_string_equal(pic_buf_text(&header),
			    "299 - \"unknown field \\\"spec.a\\\\b\\\"\\\\x0a\"");
}

static void not_found_status(void **state)
{
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;

	(void)state;
	pic_kube_fail_not_found(&answer,
				(struct pic_kube_subject){ pic_kind_facts(PIC_KIND_CATALOG), "x" });
	assert_int_equal(answer.status, 404);
	PIC_JSON struct pic_json *status = answer_tree(&answer);
	assert_tree(
		status,
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
		"\"message\":\"catalogs.federation.symphony \\\"x\\\" not found\",\"reason\":\"NotFound\","
		"\"details\":{\"name\":\"x\",\"group\":\"federation.symphony\",\"kind\":\"catalogs\"},"
		"\"code\":404}");
}

static void invalid_status_names_the_kind(void **state)
{
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;
	struct pic_json *causes = pic_json_new_array();

	(void)state;
	pic_kube_cause(causes, "FieldValueRequired", "spec.solution", "Required value");
	pic_kube_fail_invalid(&answer,
			      (struct pic_kube_subject){ pic_kind_facts(PIC_KIND_INSTANCE), "n" },
			      causes);
	PIC_JSON struct pic_json *status = answer_tree(&answer);
	assert_tree(
		pic_json_get(status, "details"),
		"{\"name\":\"n\",\"group\":\"solution.symphony\",\"kind\":\"Instance\",\"causes\":[{"
		"\"reason\":\"FieldValueRequired\",\"message\":\"Required value\","
		"\"field\":\"spec.solution\"}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_of_objects),
		cmocka_unit_test(paths_of_nothing),
		cmocka_unit_test(accept_headers),
		cmocka_unit_test(content_types),
		cmocka_unit_test(modes),
		cmocka_unit_test(warning_headers),
		cmocka_unit_test(not_found_status),
		cmocka_unit_test(invalid_status_names_the_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
