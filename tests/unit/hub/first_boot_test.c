/* By what a machine is recognized before it is a device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "hub/first_boot/record.h"

struct query {
	const char *pairs[12]; /* key, value, ... */
};

static const char *value_of(const void *data, const char *key)
{
	const struct query *query = data;

	for (size_t i = 0; query->pairs[i]; i += 2)
		if (strcmp(query->pairs[i], key) == 0)
			return query->pairs[i + 1];
	return NULL;
}

static struct pic_object *edge(void)
{
	struct pic_json *json = pic_first_boot_edit(NULL, "tiny-edge");
	struct pic_object *object = NULL;

	assert_int_equal(pic_first_boot_label(json, "mac", "52-54-00-AB-cd-56", NULL), 0);
	assert_int_equal(pic_first_boot_label(json, "serial", "SN 12", NULL), 0);
	assert_int_equal(pic_first_boot_label(json, "rack", "3", NULL), 0);
	assert_int_equal(pic_object_new(&object, PIC_KIND_FIRST_BOOT, json, NULL), 0);
	return object;
}

static void the_best_fit(void **state)
{
	static const struct {
		struct query query;
		int fit;
	} cases[] = {
		{ { { "mac", "525400abCD56" } }, 1 },
		{ { { "mac", "52:54:00:ab:cd:56", "serial", "sn 12" } }, 2 },
		{ { { "mac", "52:54:00:ab:cd:56", "serial", "sn 13" } }, -1 },
		{ { { "mac", "52:54:00:ab:cd:57" } }, -1 },
		{ { { "mac", "nonsense" } }, -1 },
		{ { { "target", "tiny-edge" } }, 1 },
		{ { { "target", "tiny-edge", "rack", "3", "uuid", "x" } }, 2 },
		{ { { "target", "other", "rack", "3" } }, -1 },
		{ { { "uuid", "x" } }, 0 },
		{ { { NULL } }, 0 },
	};
	struct pic_object *record = edge();

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(cases); i++)
		if (pic_first_boot_fit(record, value_of, &cases[i].query) != cases[i].fit)
			fail_msg("case %zu: %d", i,
				 pic_first_boot_fit(record, value_of, &cases[i].query));
	pic_object_unref(record);
}

static void bad_labels_are_named(void **state)
{
	static const char *const cases[][3] = {
		{ "mac", "52:54:00:12:34", "is no hardware address" },
		{ "mac", "52:54:00:12:34:56:78", "is no hardware address" },
		{ "mac", "5-2540012345", "is no hardware address" },
		{ "serial", "", "1 to 128 printable" },
		{ "serial", "a\033[m", "1 to 128 printable" },
		{ "target", "x", "cannot be the name of a label" },
		{ "A b", "x", "cannot be the name of a label" },
	};
	PIC_JSON struct pic_json *json = pic_first_boot_edit(NULL, "a");

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		struct pic_error err = PIC_ERROR_INIT;

		assert_int_equal(pic_first_boot_label(json, cases[i][0], cases[i][1], &err),
				 -EINVAL);
		if (!strstr(err.text, cases[i][2]))
			fail_msg("%s", err.text);
	}
	for (int i = 0; i <= PIC_LABELS_MAX; i++) {
		char key[16];

		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(pic_first_boot_label(json, key, "v", NULL),
				 i < PIC_LABELS_MAX ? 0 : -EINVAL);
	}
}

static void a_window_has_an_end(void **state)
{
	struct pic_object *record = edge();

	(void)state;
	assert_false(pic_first_boot_is_open(record, 1000));
	pic_json_set_integer(pic_json_get(record->json, "spec"), "openUntilMs", 2000);
	assert_true(pic_first_boot_is_open(record, 1999));
	assert_false(pic_first_boot_is_open(record, 2000));
	pic_object_unref(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_fit),
		cmocka_unit_test(bad_labels_are_named),
		cmocka_unit_test(a_window_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
