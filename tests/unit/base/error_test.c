#include <errno.h>
#include <stdio.h>

#include "base/check.h"
#include "base/error.h"
#include "base/utf8.h"

static void sets_code_and_sentence(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(pic_error_set(&err, -EINVAL, "port %d is taken", 80), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "port 80 is taken");
}

static void wraps_and_keeps_the_code(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	pic_error_set(&err, -ENOENT, "no such file");
	assert_int_equal(pic_error_wrap(&err, -EIO, "policy %s", "a.conf"), -ENOENT);
	assert_string_equal(err.text, "policy a.conf: no such file");
}

static void wraps_an_empty_error(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(pic_error_wrap(&err, -EIO, "policy"), -EIO);
	assert_string_equal(err.text, "policy");
}

static void adds_the_text_of_errno(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(pic_error_errno(&err, ENOENT, "cannot open %s", "x"), -ENOENT);
	assert_string_equal(err.text, "cannot open x: No such file or directory");
	assert_int_equal(pic_error_errno(&err, -ENOENT, "x"), -ENOENT);
}

static void takes_null(void **state)
{
	(void)state;
	assert_int_equal(pic_error_set(NULL, -1, "x"), -1);
	assert_int_equal(pic_error_wrap(NULL, -2, "x"), -2);
	assert_int_equal(pic_error_errno(NULL, 3, "x"), -3);
}

static void may_be_built_from_itself(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	pic_error_set(&err, -1, "inner");
	pic_error_set(&err, -2, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
}

static void cuts_between_characters(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;
	char text[PIC_ERROR_TEXT + 8];
	uint32_t point;

	(void)state;
	for (size_t pad = 0; pad < 3; pad++) {
		memset(text, 'a', pad);
		for (size_t i = pad; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		pic_error_set(&err, -1, "%s", text);
		assert_true(strlen(err.text) > PIC_ERROR_TEXT - 4);
		for (const char *c = err.text; *c != '\0';) {
			size_t length = pic_utf8_next(c, strlen(c), &point);

			assert_int_not_equal(length, 0);
			c += length;
		}
		pic_error_wrap(&err, -1, "%s", text);
		assert_true(strlen(err.text) < PIC_ERROR_TEXT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_code_and_sentence),
		cmocka_unit_test(wraps_and_keeps_the_code),
		cmocka_unit_test(wraps_an_empty_error),
		cmocka_unit_test(adds_the_text_of_errno),
		cmocka_unit_test(takes_null),
		cmocka_unit_test(may_be_built_from_itself),
		cmocka_unit_test(cuts_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
