#include <stdio.h>

#include "hub/engine/dirty.h"
#include "hub/engine/match.h"
#include "symphony/sample.h"

static void patterns_fit_whole_texts(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool fits;
	} cases[] = {
		{ "edge", "edge", true },
		{ "edge", "edge1", false },
		{ "edge*", "edge1", true },
		{ "edge*", "edge", true },
		{ "edge*", "myedge1", false },
		{ "edge*", "edg", false },
		{ "*", "", true },
		{ "*", "anything", true },
		{ "", "", true },
		{ "", "a", false },
		{ "ed%e", "edge", true },
		{ "ed%e", "ede", false },
		{ "%", "", false },
		{ "*b*", "abc", true },
		{ "*b*", "ac", false },
		{ "a*c*e", "abcde", true },
		{ "a*c*e", "abcdef", false },
		{ "**a", "bba", true },
		{ "a.c", "abc", false },
		{ "[a-z]", "b", false },
		{ "*ab", "aab", true },
		{ "edge", "", false },
	};

	for (size_t i = 0; i < PIC_COUNT(cases); i++)
		if (pic_match_text(cases[i].pattern, cases[i].text) != cases[i].fits)
			fail_msg("%s and %s", cases[i].pattern, cases[i].text);
}

static void assert_target(const char *instance, const char *target, bool matches)
{
	PIC_JSON struct pic_json *spec = sample_json(instance);
	SAMPLE_OBJECT *object = sample_object(PIC_KIND_TARGET, target);

	if (pic_match_target(spec, object) != matches)
		fail_msg("%s and %s", instance, target);
}

static void targets_by_name_and_by_selector(void **state)
{
	static const char edge[] =
		"{'metadata':{'name':'edge'},'spec':{'properties':{'os':'linux','zone':'a'}}}";

	assert_target("{'target':{'name':'edge'}}", edge, true);
	assert_target("{'target':{'name':'other'}}", edge, false);
	assert_target("{'target':{'selector':{'os':'lin*'}}}", edge, true);
	assert_target("{'target':{'selector':{'os':'lin*','zone':'b'}}}", edge, false);
	assert_target("{'target':{'selector':{'missing':'*'}}}", edge, false);
	assert_target("{'target':{'selector':{}}}", edge, false);
	assert_target("{'target':{'name':'other','selector':{'zone':'a'}}}", edge, true);
	assert_target("{'target':{'selector':{'zone':7}}}", edge, false);
	assert_target("{}", edge, false);
	assert_target("{'target':{'name':'edge:v1'}}", "{'metadata':{'name':'edge-v-v1'}}", true);
}

static void solutions_of_both_eras(void **state)
{
	static const struct {
		const char *spec, *name;
	} cases[] = {
		{ "{'solution':'s'}", "s" },
		{ "{'solutionversion':'s:v1'}", "s-v-v1" },
		{ "{'solution':'','solutionversion':'t'}", "t" },
		{ "{'solution':7}", NULL },
		{ "{}", NULL },
	};

	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		PIC_JSON struct pic_json *spec = sample_json(cases[i].spec);
		char name[PIC_OBJECT_NAME_MAX + 1] = "";

		assert_int_equal(pic_match_solution(spec, name), cases[i].name != NULL);
		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
	}
}

static void each_is_dirty_once_and_in_order(void **state)
{
	struct pic_dirty_set set = { .items = NULL }, taken;
	char name[8];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "n%02d", (i * 37) % 50);
		pic_dirty_add(&set, i % 2 ? PIC_DIRTY_INSTANCE : PIC_DIRTY_TARGET,
			      i % 3 ? "a" : "b", name);
		pic_dirty_add(&set, i % 2 ? PIC_DIRTY_INSTANCE : PIC_DIRTY_TARGET,
			      i % 3 ? "a" : "b", name);
	}
	pic_dirty_take(&set, &taken);
	assert_int_equal(set.count, 0);
	assert_int_equal(taken.count, 100);
	assert_false(taken.lost);
	for (size_t i = 1; i < taken.count; i++) {
		const struct pic_dirty *a = &taken.items[i - 1], *b = &taken.items[i];
		int order = a->kind != b->kind		 ? (int)a->kind - (int)b->kind
			    : strcmp(a->space, b->space) ? strcmp(a->space, b->space)
							 : strcmp(a->name, b->name);

		assert_true(order < 0);
	}
	pic_dirty_free(&taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_fit_whole_texts),
		cmocka_unit_test(targets_by_name_and_by_selector),
		cmocka_unit_test(solutions_of_both_eras),
		cmocka_unit_test(each_is_dirty_once_and_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
