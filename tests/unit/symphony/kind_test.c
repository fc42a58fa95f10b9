#include "symphony/sample.h"

static void rows_are_in_the_order_of_their_numbers(void **state)
{
	for (int kind = 0; kind < PIC_KIND_COUNT; kind++) {
		const struct pic_kind_facts *facts = pic_kind_facts(kind);

		assert_non_null(facts);
		assert_int_equal(facts->kind, kind);
		assert_non_null(facts->name);
		assert_string_equal(facts->version, "v1");
		assert_non_null(facts->verbs);
		if (facts->group) {
			assert_ptr_equal(pic_kind_by_plural(facts->group, facts->plural), facts);
			assert_ptr_equal(pic_kind_by_name(facts->group, facts->name), facts);
			assert_non_null(facts->columns);
			assert_non_null(facts->help);
		}
	}
	assert_null(pic_kind_facts(PIC_KIND_COUNT));
}

static void later_names_find_the_same_kinds(void **state)
{
	assert_ptr_equal(pic_kind_by_name("solution.symphony", "SolutionVersion"),
			 pic_kind_facts(PIC_KIND_SOLUTION));
	assert_ptr_equal(pic_kind_by_plural("federation.symphony", "catalogversions"),
			 pic_kind_facts(PIC_KIND_CATALOG));
}

static void strangers_and_internals_are_not_found(void **state)
{
	assert_null(pic_kind_by_name("solution.symphony", "Target"));
	assert_null(pic_kind_by_name(NULL, "Device"));
	assert_null(pic_kind_by_name("", "Device"));
	assert_null(pic_kind_by_plural("apps", "deployments"));
	assert_null(pic_kind_by_plural("fabric.symphony", NULL));
}

static void check_help(const struct pic_field *fields, int depth)
{
	assert_true(depth < 8);
	for (; fields && fields->name; fields++) {
		if (!fields->help || !*fields->help)
			fail_msg("the field %s has no sentence for explain", fields->name);
		check_help(fields->fields, depth + 1);
	}
}

static void every_field_is_explained(void **state)
{
	for (int kind = 0; kind < PIC_KIND_COUNT; kind++)
		check_help(pic_kind_facts(kind)->spec, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_in_the_order_of_their_numbers),
		cmocka_unit_test(later_names_find_the_same_kinds),
		cmocka_unit_test(strangers_and_internals_are_not_found),
		cmocka_unit_test(every_field_is_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
