/* Server-side apply: what a manager gives up, what two of them disagree on, what force takes over. */
#include "hub/kube_testing.h"

#include <errno.h>

#include "hub/kube_api/server_apply.h"
#include "hub/kube_api/status_error.h"

static struct pic_kube_applied result;

static int apply(const char *live, const char *applied, const char *config, const char *manager,
		 bool force)
{
	PIC_JSON struct pic_json *l = live ? tree(live) : NULL;
	PIC_JSON struct pic_json *a = applied ? tree(applied) : NULL;
	PIC_JSON struct pic_json *c = tree(config);
	const struct pic_kube_apply in = { l, a, c, manager, force };
	struct pic_error err = PIC_ERROR_INIT;

	pic_kube_applied_free(&result);
	int r = pic_kube_server_apply(&in, &result, &err);
	assert_int_equal(r, err.code);
	if (live)
		assert_tree(l, live);
	return r;
}

static int end_of_test(void **state)
{
	(void)state;
	pic_kube_applied_free(&result);
	return 0;
}

static void creates(void **state)
{
	(void)state;
	assert_int_equal(apply(NULL, NULL, "{\"spec\":{\"a\":1}}", "m", false), 0);
	assert_tree(result.object, "{\"spec\":{\"a\":1}}");
	assert_tree(result.applied, "{\"m\":{\"spec\":{\"a\":1}}}");
}

static void gives_up_what_it_no_longer_applies(void **state)
{
	(void)state;
	assert_int_equal(apply("{\"spec\":{\"a\":1,\"b\":{\"x\":1,\"y\":2},\"mine\":7}}",
			       "{\"m\":{\"spec\":{\"a\":1,\"b\":{\"x\":1,\"y\":2}}}}",
			       "{\"spec\":{\"a\":1,\"b\":{\"y\":2}}}", "m", false),
			 0);
	assert_tree(result.object, "{\"spec\":{\"a\":1,\"b\":{\"y\":2},\"mine\":7}}");
	assert_int_equal(apply("{\"spec\":{\"b\":{\"x\":1},\"c\":3}}",
			       "{\"m\":{\"spec\":{\"b\":{\"x\":1}}}}", "{\"spec\":{\"c\":3}}", "m",
			       false),
			 0);
	assert_tree(result.object,
		    "{\"spec\":{\"c\":3}}"); /* the empty map goes with its last key */
}

static void keeps_what_others_still_apply(void **state)
{
	(void)state;
	assert_int_equal(apply("{\"spec\":{\"a\":1}}",
			       "{\"m\":{\"spec\":{\"a\":1}},\"n\":{\"spec\":{\"a\":1}}}",
			       "{\"spec\":{}}", "m", false),
			 0);
	assert_tree(result.object, "{\"spec\":{\"a\":1}}");
	assert_tree(result.applied, "{\"m\":{\"spec\":{}},\"n\":{\"spec\":{\"a\":1}}}");
}

static void arrays_are_leaves(void **state)
{
	(void)state;
	assert_int_equal(apply("{\"spec\":{\"l\":[1,2]}}", "{\"m\":{\"spec\":{\"l\":[1,2]}}}",
			       "{\"spec\":{\"l\":[2]}}", "m", false),
			 0);
	assert_tree(result.object, "{\"spec\":{\"l\":[2]}}");
}

static void disagreeing_is_a_conflict(void **state)
{
	(void)state;
	assert_int_equal(apply("{\"spec\":{\"a\":1,\"b\":1}}",
			       "{\"n\":{\"spec\":{\"a\":1,\"b\":1}}}",
			       "{\"spec\":{\"a\":2,\"b\":1}}", "m", false),
			 -EEXIST);
	assert_tree(result.conflicts,
		    "[{\"reason\":\"FieldManagerConflict\","
		    "\"message\":\"conflict with \\\"n\\\"\",\"field\":\".spec.a\"}]");
	assert_null(result.object);
	/* nobody owns it: no conflict */
	assert_int_equal(apply("{\"spec\":{\"a\":1}}", "{\"n\":{\"spec\":{\"z\":1}}}",
			       "{\"spec\":{\"a\":2}}", "m", false),
			 0);
}

static void force_takes_over(void **state)
{
	(void)state;
	assert_int_equal(apply("{\"spec\":{\"a\":1,\"b\":1}}",
			       "{\"n\":{\"spec\":{\"a\":1,\"b\":1}}}", "{\"spec\":{\"a\":2}}", "m",
			       true),
			 0);
	assert_tree(result.object, "{\"spec\":{\"a\":2,\"b\":1}}");
	assert_tree(result.applied, "{\"n\":{\"spec\":{\"b\":1}},\"m\":{\"spec\":{\"a\":2}}}");
}

#define CLIENT_SIDE_LIVE \
	"{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":" \
	"\"{\\\"spec\\\":{\\\"components\\\":[1]}}\"}},\"spec\":{\"components\":[1]}}"

static void client_side_apply_is_a_manager(void **state)
{
	(void)state;
	assert_int_equal(apply(CLIENT_SIDE_LIVE, NULL, "{\"spec\":{\"components\":[2]}}", "kubectl",
			       false),
			 -EEXIST);
	assert_tree(result.conflicts,
		    "[{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with "
		    "\\\"kubectl-client-side-apply\\\"\",\"field\":\".spec.components\"}]");
	assert_int_equal(apply(CLIENT_SIDE_LIVE, NULL, "{\"spec\":{\"components\":[2]}}", "kubectl",
			       true),
			 0);
	/* the annotation itself is never fought over */
	assert_int_equal(apply(CLIENT_SIDE_LIVE, "{\"x\":" CLIENT_SIDE_LIVE "}",
			       "{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/"
			       "last-applied-configuration\":\"{}\"}}}",
			       "kubectl-last-applied", false),
			 0);
}

static void managers_are_bounded(void **state)
{
	PIC_BUF struct pic_buf applied = PIC_BUF_INIT(4096);

	(void)state;
	for (int i = 0; i < PIC_KUBE_MANAGERS_MAX; i++)
		pic_buf_format(&applied, "%s\"m%d\":{}", i ? "," : "{", i);
	pic_buf_text_add(&applied, "}");
	assert_int_equal(apply("{}", pic_buf_text(&applied), "{}", "one-more", false), -E2BIG);
	assert_int_equal(apply("{}", pic_buf_text(&applied), "{}", "m3", false), 0);
}

/* Each would name its whole path: from four megabytes come many times as many. */
static void only_so_many_conflicts_are_told(void **state)
{
	PIC_BUF struct pic_buf mine = PIC_BUF_INIT(65536), theirs = PIC_BUF_INIT(65536);
	PIC_BUF struct pic_buf applied = PIC_BUF_INIT(65536);

	(void)state;
	for (int i = 0; i < 2000; i++) {
		pic_buf_format(&mine, "%s\"k%d\":1", i ? "," : "{", i);
		pic_buf_format(&theirs, "%s\"k%d\":2", i ? "," : "{", i);
	}
	pic_buf_char(&mine, '}');
	pic_buf_char(&theirs, '}');
	pic_buf_format(&applied, "{\"them\":%s}", pic_buf_text(&theirs));
	assert_int_equal(apply(pic_buf_text(&theirs), pic_buf_text(&applied), pic_buf_text(&mine),
			       "me", false),
			 -EEXIST);
	assert_int_equal(pic_json_count(result.conflicts), PIC_KUBE_CAUSES_MAX);
	assert_int_equal(apply(pic_buf_text(&theirs), pic_buf_text(&applied), pic_buf_text(&mine),
			       "me", true),
			 0);
	assert_tree(result.object, pic_buf_text(&mine));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(creates, end_of_test),
		cmocka_unit_test_teardown(gives_up_what_it_no_longer_applies, end_of_test),
		cmocka_unit_test_teardown(keeps_what_others_still_apply, end_of_test),
		cmocka_unit_test_teardown(arrays_are_leaves, end_of_test),
		cmocka_unit_test_teardown(disagreeing_is_a_conflict, end_of_test),
		cmocka_unit_test_teardown(force_takes_over, end_of_test),
		cmocka_unit_test_teardown(client_side_apply_is_a_manager, end_of_test),
		cmocka_unit_test_teardown(managers_are_bounded, end_of_test),
		cmocka_unit_test_teardown(only_so_many_conflicts_are_told, end_of_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
