/* JSON merge patch: the cases of RFC 7386's kind, then random trees against a second, naive reading. */
#include "hub/kube_testing.h"

#include "hub/kube_api/merge_patch.h"

static void merges(const char *target, const char *patch, const char *expected)
{
	PIC_JSON struct pic_json *a = tree(target);
	PIC_JSON struct pic_json *b = tree(patch);
	PIC_JSON struct pic_json *merged = pic_kube_merge(a, b);

	assert_non_null(merged);
	assert_tree(merged, expected);
	assert_tree(a, target); /* inputs are not touched */
	assert_tree(b, patch);
}

static void members_are_replaced_added_and_removed(void **state)
{
	(void)state;
	merges("{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
	merges("{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}");
	merges("{\"a\":\"b\",\"x\":1}", "{\"a\":null}", "{\"x\":1}");
	merges("{\"a\":\"b\"}", "{\"zz\":null}", "{\"a\":\"b\"}");
	merges("{\"a\":{\"b\":\"c\",\"k\":1}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
	       "{\"a\":{\"b\":\"d\",\"k\":1}}");
}

static void arrays_are_replaced_whole(void **state)
{
	(void)state;
	merges("{\"a\":[1,2,3]}", "{\"a\":[4]}", "{\"a\":[4]}");
	merges("{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[null]}", "{\"a\":[null]}");
	merges("[1,2]", "{\"a\":1}", "{\"a\":1}");
	merges("{\"a\":1}", "[\"c\"]", "[\"c\"]");
	merges("{\"a\":1}", "null", "null");
}

static void nulls_inside_new_objects_vanish(void **state)
{
	(void)state;
	merges("{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}");
	merges("{\"a\":\"text\"}", "{\"a\":{\"b\":null,\"c\":1}}", "{\"a\":{\"c\":1}}");
	merges("[1]", "{\"a\":{\"b\":null}}", "{\"a\":{}}");
}

static void kubectl_patch_of_an_instance(void **state)
{
	(void)state;
	merges("{\"spec\":{\"solution\":\"app\",\"target\":{\"name\":\"tiny-edge\"}}}",
	       "{\"spec\":{\"target\":{\"name\":null,\"selector\":{\"scenario\":\"s\"}}}}",
	       "{\"spec\":{\"solution\":\"app\",\"target\":{\"selector\":{\"scenario\":\"s\"}}}}");
}

/* The second reading: straight from the RFC's pseudo code, on fresh copies at every step. */
static struct pic_json *reference(const struct pic_json *target, const struct pic_json *patch)
{
	if (pic_json_type(patch) != PIC_JSON_OBJECT)
		return pic_json_copy(patch);
	struct pic_json *result = pic_json_type(target) == PIC_JSON_OBJECT ? pic_json_copy(target)
									   : pic_json_new_object();
	pic_json_each(patch, i) {
		if (pic_json_type(pic_json_value(i)) == PIC_JSON_NULL)
			pic_json_delete(result, pic_json_key(i));
		else
			pic_json_set(result, pic_json_key(i),
				     reference(pic_json_get(result, pic_json_key(i)),
					       pic_json_value(i)));
	}
	return result;
}

static uint64_t seed = 42;

static unsigned pick(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

static struct pic_json *random_tree(unsigned depth)
{
	static const char *const keys[] = { "a", "b", "c", "d.e", "" };
	struct pic_json *made;

	switch (pick(depth ? 7 : 4)) {
	case 0:
		return pic_json_new_null();
	case 1:
		return pic_json_new_integer(pick(3));
	case 2:
		return pic_json_new_text(keys[pick(5)]);
	case 3:
		return pic_json_new_bool(pick(2));
	case 4:
		made = pic_json_new_array();
		for (unsigned n = pick(4); n; n--)
			pic_json_append(made, random_tree(depth - 1));
		return made;
	default:
		made = pic_json_new_object();
		for (unsigned n = pick(5); n; n--)
			pic_json_set(made, keys[pick(5)], random_tree(depth - 1));
		return made;
	}
}

static void random_trees_agree_with_the_reference(void **state)
{
	(void)state;
	for (int i = 0; i < 50000; i++) {
		PIC_JSON struct pic_json *target = random_tree(4);
		PIC_JSON struct pic_json *patch = random_tree(4);
		PIC_JSON struct pic_json *wanted = reference(target, patch);
		PIC_JSON struct pic_json *merged = pic_kube_merge(target, patch);
		PIC_JSON struct pic_json *again = pic_kube_merge(merged, patch);
		if (!pic_json_equal(merged, wanted)) {
			PIC_FREE char *a = text_of(target);
			PIC_FREE char *b = text_of(patch);
			fail_msg("case %d: %s patched with %s", i, a, b);
		}
		assert_true(pic_json_equal(merged, again)); /* a merge patch is idempotent */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_replaced_added_and_removed),
		cmocka_unit_test(arrays_are_replaced_whole),
		cmocka_unit_test(nulls_inside_new_objects_vanish),
		cmocka_unit_test(kubectl_patch_of_an_instance),
		cmocka_unit_test(random_trees_agree_with_the_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
