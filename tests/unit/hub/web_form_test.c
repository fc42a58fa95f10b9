/* Forms and cookies as browsers, and others, send them. */
#include "base/check.h"

#include <errno.h>
#include <string.h>

#include "hub/web/form.h"

static int parse(const char *text, struct pic_form *out)
{
	struct pic_error err = PIC_ERROR_INIT;

	return pic_form_parse((struct pic_view){ text, strlen(text) }, out, &err);
}

static void fields_are_decoded(void **state)
{
	struct pic_form form;

	(void)state;
	assert_int_equal(parse("token=pica_1&comment=yes%2C+please%0D%0A%26&empty=&bare", &form),
			 0);
	assert_int_equal(form.count, 4);
	assert_string_equal(pic_form_get(&form, "token"), "pica_1");
	assert_string_equal(pic_form_get(&form, "comment"), "yes, please\r\n&");
	assert_string_equal(pic_form_get(&form, "empty"), "");
	assert_string_equal(pic_form_get(&form, "bare"), "");
	assert_null(pic_form_get(&form, "other"));
	pic_form_free(&form);
	assert_int_equal(parse("", &form), 0);
	assert_int_equal(form.count, 0);
	assert_int_equal(pic_form_parse((struct pic_view){ NULL, 0 }, &form, NULL), 0);
	assert_int_equal(parse("&&a=1&&", &form), 0);
	assert_int_equal(form.count, 1);
	pic_form_free(&form);
}

static void damaged_forms_are_refused(void **state)
{
	static const char *const damaged[] = {
		"a=%zz", "a=%",	     "a=%0",	"a=%00b",    "%00=b",
		"a=%ff", "a=%c0%af", "a=1&a=2", "a=1&%61=2",
	};
	struct pic_form form = { .count = 99 };

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(damaged); i++)
		assert_int_equal(parse(damaged[i], &form), -EINVAL);
	assert_int_equal(form.count, 99);
}

static void forms_are_bounded(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(64 * 1024);
	struct pic_form form;

	(void)state;
	for (int i = 0; i < PIC_FORM_FIELDS_MAX; i++)
		pic_buf_format(&text, "f%d=%d&", i, i);
	assert_int_equal(parse(pic_buf_text(&text), &form), 0);
	pic_form_free(&form);
	pic_buf_text_add(&text, "more=1");
	assert_int_equal(parse(pic_buf_text(&text), &form), -E2BIG);
	pic_buf_clear(&text);
	while (text.size <= PIC_FORM_SIZE_MAX)
		pic_buf_text_add(&text, "aaaaaaaaaaaaaaaa");
	assert_int_equal(parse(pic_buf_text(&text), &form), -E2BIG);
}

static void cookies_are_found_by_their_whole_name(void **state)
{
	char out[16];

	(void)state;
	assert_true(pic_cookie_find("a=1; __Host-p=abc_9-; b=2", "__Host-p", out, sizeof(out)));
	assert_string_equal(out, "abc_9-");
	assert_true(pic_cookie_find("__Host-p=x", "__Host-p", out, sizeof(out)));
	assert_false(pic_cookie_find(NULL, "__Host-p", out, sizeof(out)));
	assert_false(pic_cookie_find("", "__Host-p", out, sizeof(out)));
	assert_false(pic_cookie_find("x__Host-p=abc", "__Host-p", out, sizeof(out)));
	assert_false(pic_cookie_find("__Host-px=abc", "__Host-p", out, sizeof(out)));
	assert_false(pic_cookie_find("__Host-p=", "__Host-p", out, sizeof(out)));
	assert_false(pic_cookie_find("__Host-p=a b", "__Host-p", out, sizeof(out)));
	assert_false(pic_cookie_find("__Host-p=0123456789abcdef", "__Host-p", out, sizeof(out)));
	assert_false(pic_cookie_find("a=\"__Host-p=abc\"", "__Host-p", out, sizeof(out)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_decoded),
		cmocka_unit_test(damaged_forms_are_refused),
		cmocka_unit_test(forms_are_bounded),
		cmocka_unit_test(cookies_are_found_by_their_whole_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
