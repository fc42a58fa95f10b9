/* JSON patch: each operation, each way it can fail, and the bounds. */
#include "hub/kube_testing.h"

#include <errno.h>

#include "hub/kube_api/json_patch.h"

static void patches(const char *target, const char *operations, const char *expected)
{
	PIC_JSON struct pic_json *a = tree(target);
	PIC_JSON struct pic_json *b = tree(operations);
	PIC_JSON struct pic_json *out = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_kube_json_patch(a, b, &out, &err) < 0)
		fail_msg("%s with %s: %s", target, operations, err.text);
	assert_tree(out, expected);
	assert_tree(a, target);
}

static void fails(const char *target, const char *operations, int code)
{
	PIC_JSON struct pic_json *a = tree(target);
	PIC_JSON struct pic_json *b = tree(operations);
	struct pic_json *out = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(pic_kube_json_patch(a, b, &out, &err), code);
	assert_null(out);
	assert_int_equal(err.code, code);
	assert_true(err.text[0]);
	assert_tree(a, target);
}

static void add(void **state)
{
	(void)state;
	patches("{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":2}]", "{\"a\":1,\"b\":2}");
	patches("{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}");
	patches("{\"l\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/l/1\",\"value\":2}]",
		"{\"l\":[1,2,3]}");
	patches("{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/-\",\"value\":2}]", "{\"l\":[1,2]}");
	patches("{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/1\",\"value\":2}]", "{\"l\":[1,2]}");
	patches("{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":{\"x\":0}}]", "{\"x\":0}");
	fails("{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/2\",\"value\":2}]", -EINVAL);
	fails("{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/01\",\"value\":2}]", -EINVAL);
	fails("{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/x/y\",\"value\":2}]", -EINVAL);
	fails("{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/y\",\"value\":2}]", -EINVAL);
}

static void remove_and_replace(void **state)
{
	(void)state;
	patches("{\"a\":1,\"b\":2}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{\"b\":2}");
	patches("{\"l\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/l/1\"}]", "{\"l\":[1,3]}");
	patches("{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":[]}]", "{\"a\":[]}");
	patches("{\"l\":[1,2]}", "[{\"op\":\"replace\",\"path\":\"/l/0\",\"value\":9}]",
		"{\"l\":[9,2]}");
	patches("{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{}}]", "{}");
	fails("{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", -EINVAL);
	fails("{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"\"}]", -EINVAL);
	fails("{\"l\":[1]}", "[{\"op\":\"remove\",\"path\":\"/l/-\"}]", -EINVAL);
	fails("{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":1}]", -EINVAL);
}

static void move_and_copy(void **state)
{
	(void)state;
	patches("{\"a\":{\"x\":1},\"b\":{}}",
		"[{\"op\":\"move\",\"from\":\"/a/x\",\"path\":\"/b/y\"}]",
		"{\"a\":{},\"b\":{\"y\":1}}");
	patches("{\"l\":[1,2,3]}", "[{\"op\":\"move\",\"from\":\"/l/0\",\"path\":\"/l/2\"}]",
		"{\"l\":[2,3,1]}");
	patches("{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]", "{\"a\":1}");
	patches("{\"a\":{\"x\":1}}",
		"[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},"
		"{\"op\":\"add\",\"path\":\"/b/x\",\"value\":2}]",
		"{\"a\":{\"x\":1},\"b\":{\"x\":2}}"); /* a copy is not the same thing twice */
	fails("{\"a\":{\"x\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/x\"}]",
	      -EINVAL);
	fails("{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/b\",\"path\":\"/c\"}]", -EINVAL);
	fails("{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"/b\",\"path\":\"/c\"}]", -EINVAL);
}

static void test_operation(void **state)
{
	(void)state;
	patches("{\"a\":{\"x\":[1]}}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"x\":[1]}}]",
		"{\"a\":{\"x\":[1]}}");
	fails("{\"a\":\"1\"}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]", -EINVAL);
	fails("{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/b\",\"value\":null}]", -EINVAL);
	/* all or nothing */
	fails("{\"a\":1}",
	      "[{\"op\":\"remove\",\"path\":\"/a\"},"
	      "{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]",
	      -EINVAL);
}

static void pointers_unescape_once(void **state)
{
	(void)state;
	patches("{\"a/b\":1,\"~1\":2,\"m~n\":3}",
		"[{\"op\":\"remove\",\"path\":\"/a~1b\"},{\"op\":\"remove\",\"path\":\"/~01\"},"
		"{\"op\":\"remove\",\"path\":\"/m~0n\"}]",
		"{}");
	patches("{\"\":{\"\":1}}", "[{\"op\":\"replace\",\"path\":\"//\",\"value\":2}]",
		"{\"\":{\"\":2}}");
	fails("{}", "[{\"op\":\"add\",\"path\":\"/a~2\",\"value\":1}]", -EBADMSG);
	fails("{}", "[{\"op\":\"add\",\"path\":\"/a~\",\"value\":1}]", -EBADMSG);
	fails("{}", "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]", -EBADMSG);
}

static void bad_documents(void **state)
{
	(void)state;
	fails("{}", "{\"op\":\"add\"}", -EBADMSG);
	fails("{}", "[1]", -EBADMSG);
	fails("{}", "[{\"op\":\"jump\",\"path\":\"/a\"}]", -EBADMSG);
	fails("{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", -EBADMSG);
	fails("{}", "[{\"op\":\"add\",\"value\":1}]", -EBADMSG);
	fails("{}", "[{\"op\":\"move\",\"path\":\"/a\"}]", -EBADMSG);
	fails("{}", "[{\"op\":7,\"path\":\"/a\"}]", -EBADMSG);
}

/* Copying the whole into itself doubles the tree each time: the bound must end it. */
static void growth_is_bounded(void **state)
{
	(void)state;
	struct pic_buf doubling = PIC_BUF_INIT(65536);

	pic_buf_text_add(&doubling, "[");
	for (int i = 0; i < 40; i++)
		pic_buf_format(&doubling, "%s{\"op\":\"copy\",\"from\":\"/l\",\"path\":\"/l/-\"}",
			       i ? "," : "");
	pic_buf_text_add(&doubling, "]");
	fails("{\"l\":[1,2,3]}", pic_buf_text(&doubling), -E2BIG);
	pic_buf_free(&doubling);
}

static void depth_is_bounded(void **state)
{
	(void)state;
	struct pic_buf deep = PIC_BUF_INIT(65536);

	pic_buf_text_add(&deep, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":");
	for (int i = 0; i < 40; i++)
		pic_buf_text_add(&deep, "[");
	for (int i = 0; i < 40; i++)
		pic_buf_text_add(&deep, "]");
	pic_buf_text_add(&deep, "},{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},"
				"{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b");
	for (int i = 0; i < 39; i++)
		pic_buf_text_add(&deep, "/0");
	pic_buf_text_add(&deep, "/-\"}]");
	fails("{}", pic_buf_text(&deep), -E2BIG);
	pic_buf_clear(&deep);
	pic_buf_text_add(&deep, "[");
	for (int i = 0; i < 70; i++) {
		pic_buf_format(&deep, "%s{\"op\":\"add\",\"path\":\"", i ? "," : "");
		for (int d = 0; d <= i; d++)
			pic_buf_text_add(&deep, "/a");
		pic_buf_text_add(&deep, "\",\"value\":{}}");
	}
	pic_buf_text_add(&deep, "]");
	PIC_JSON struct pic_json *operations = tree(pic_buf_text(&deep));
	PIC_JSON struct pic_json *target = tree("{}");
	struct pic_json *out = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	assert_int_equal(pic_kube_json_patch(target, operations, &out, &err), -E2BIG);
	pic_buf_free(&deep);
}

/* [7,7,7...] with so many members. */
static void add_sevens(struct pic_buf *out, int count)
{
	for (int i = 0; i < count; i++)
		pic_buf_text_add(out, i ? ",7" : "[7");
	pic_buf_char(out, ']');
}

static void add_operations(struct pic_buf *out, int count, const char *one, const char *other)
{
	pic_buf_text_add(out, "[");
	for (int i = 0; i < count; i++)
		pic_buf_format(out, "%s{%s}", i ? "," : "", i % 2 ? other : one);
	pic_buf_text_add(out, "]");
}

/* Ten thousand small operations on something large: to and fro, or each at the beginning of a list. */
static void labour_is_bounded(void **state)
{
	static const char *const operations[][2] = {
		{ "\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"",
		  "\"op\":\"move\",\"from\":\"/b\",\"path\":\"/a\"" },
		{ "\"op\":\"add\",\"path\":\"/a/0\",\"value\":1",
		  "\"op\":\"remove\",\"path\":\"/a/0\"" },
		{ "\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/a/-\"",
		  "\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/a/-\"" },
	};
	struct pic_buf large = PIC_BUF_INIT(1 << 20), patch = PIC_BUF_INIT(1 << 20);

	(void)state;
	pic_buf_text_add(&large, "{\"a\":");
	add_sevens(&large, 200000);
	pic_buf_text_add(&large, "}");
	for (size_t i = 0; i < PIC_COUNT(operations); i++) {
		pic_buf_clear(&patch);
		add_operations(&patch, PIC_KUBE_PATCH_OPERATIONS_MAX, operations[i][0],
			       operations[i][1]);
		fails(pic_buf_text(&large), pic_buf_text(&patch), -E2BIG);
	}
	/* as much on something of a usual size is nothing */
	pic_buf_clear(&large);
	pic_buf_text_add(&large, "{\"a\":");
	add_sevens(&large, 10);
	pic_buf_text_add(&large, "}");
	for (size_t i = 0; i < PIC_COUNT(operations); i++) {
		pic_buf_clear(&patch);
		add_operations(&patch, PIC_KUBE_PATCH_OPERATIONS_MAX, operations[i][0],
			       operations[i][1]);
		patches(pic_buf_text(&large), pic_buf_text(&patch), pic_buf_text(&large));
	}
	pic_buf_free(&large);
	pic_buf_free(&patch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add),
		cmocka_unit_test(remove_and_replace),
		cmocka_unit_test(move_and_copy),
		cmocka_unit_test(test_operation),
		cmocka_unit_test(pointers_unescape_once),
		cmocka_unit_test(bad_documents),
		cmocka_unit_test(growth_is_bounded),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(labour_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
