#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/text.h"

static void names(void **state)
{
	static const char *const good[] = {
		"a", "tiny-edge", "a.b", "0", "tiny-app-v-v1.2", "a--b"
	};
	static const char *const bad[] = { "",	  "A",	  "-a",	  "a-",	  ".a",
					   "a.",  "a..b", "a.-b", "a-.b", "a/b",
					   "a_b", "a b",  "\n",	  "a\n",  "\xc3\xa4" };
	char label[65];

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(good); i++)
		assert_true(pic_name_is_valid(good[i], PIC_NAME_MAX));
	for (size_t i = 0; i < PIC_COUNT(bad); i++)
		assert_false(pic_name_is_valid(bad[i], PIC_NAME_MAX));
	memset(label, 'a', 64);
	label[64] = '\0';
	assert_false(pic_name_is_valid(label, PIC_NAME_MAX));
	assert_true(pic_name_is_valid(label + 1, PIC_NAME_MAX));
	assert_false(pic_name_is_valid(NULL, PIC_NAME_MAX));
}

static void hexadecimal(void **state)
{
	unsigned char bytes[3] = { 9, 9, 9 };
	char text[7];

	(void)state;
	pic_hex_encode("\x00\xfe\x1a", 3, text);
	assert_string_equal(text, "00fe1a");
	assert_int_equal(pic_hex_decode("00FE1A", bytes, 3), 0);
	assert_memory_equal(bytes, "\x00\xfe\x1a", 3);
	assert_int_equal(pic_hex_decode("00fe1", bytes, 3), -EINVAL);
	assert_int_equal(pic_hex_decode("00fe1a0", bytes, 3), -EINVAL);
	assert_int_equal(pic_hex_decode("", bytes, 3), -EINVAL);
	assert_int_equal(pic_hex_decode("00feXX", bytes, 3), -EINVAL);
	assert_memory_equal(bytes, "\x00\xfe\x1a", 3);
}

static void base64_vectors(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(pairs); i++) {
		PIC_BUF struct pic_buf out = PIC_BUF_INIT(64);

		pic_base64_encode(pairs[i][0], strlen(pairs[i][0]), &out);
		assert_string_equal(pic_buf_text(&out), pairs[i][1]);
		pic_buf_clear(&out);
		assert_int_equal(pic_base64_decode(pairs[i][1], strlen(pairs[i][1]), &out), 0);
		assert_string_equal(pic_buf_text(&out), pairs[i][0]);
	}
}

static void base64_refuses_what_is_damaged(void **state)
{
	static const char *const bad[] = { "Z",	     "Zg=",  "Zg===", "Zh==", "Zm9=",  "Z m9v",
					   "Zm9v\n", "====", "=",     "Zg=a", "Zm9vZ", "Zm9!" };

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(bad); i++) {
		PIC_BUF struct pic_buf out = PIC_BUF_INIT(64);

		pic_buf_text_add(&out, "kept");
		assert_int_equal(pic_base64_decode(bad[i], strlen(bad[i]), &out), -EINVAL);
		assert_string_equal(out.data, "kept");
	}
}

static void base64_random_round_trips(void **state)
{
	uint64_t seed = 42;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(512), back = PIC_BUF_INIT(512);
		unsigned char bytes[100];
		size_t size = check_random(&seed) % sizeof(bytes);

		for (size_t i = 0; i < size; i++)
			bytes[i] = (unsigned char)check_random(&seed);
		if (round % 2)
			pic_base64_encode(bytes, size, &text);
		else
			pic_base64url_encode(bytes, size, &text);
		assert_int_equal(pic_base64_decode(pic_buf_text(&text), text.size, &back), 0);
		assert_int_equal(back.size, size);
		assert_memory_equal(pic_buf_text(&back), bytes, size);
	}
}

static void percent_code(void **state)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(64);

	(void)state;
	pic_percent_encode("a b/\xc3\xa4~%", &out);
	assert_string_equal(out.data, "a%20b%2F%C3%A4~%25");
	pic_buf_clear(&out);
	assert_int_equal(pic_percent_decode("a%20b%2f%C3%A4+", 15, &out), 0);
	assert_string_equal(out.data, "a b/\xc3\xa4+");
	assert_int_equal(pic_percent_decode("%", 1, &out), -EINVAL);
	assert_int_equal(pic_percent_decode("%4", 2, &out), -EINVAL);
	assert_int_equal(pic_percent_decode("%zz", 3, &out), -EINVAL);
	assert_int_equal(pic_percent_decode("%00", 3, &out), -EINVAL);
	assert_int_equal(pic_percent_decode("x%41", 3, &out), -EINVAL); /* not behind the size */
	assert_string_equal(out.data, "a b/\xc3\xa4+");
}

static void check_escape(const char *text, bool keep_newlines, const char *wanted)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(256);

	pic_text_escape(text, strlen(text), keep_newlines, &out);
	assert_string_equal(pic_buf_text(&out), wanted);
}

static void escapes_what_a_terminal_would_obey(void **state)
{
	(void)state;
	check_escape("plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", false,
		     "plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
	check_escape("\x1b[31mred\x7f", false, "\\x1b[31mred\\x7f");
	check_escape("a\nb", false, "a\\x0ab");
	check_escape("a\nb\r", true, "a\nb\\x0d");
	check_escape("\xc2\x9b"
		     "31m",
		     false, "\\xc2\\x9b31m"); /* C1: CSI in one character */
	check_escape("\xff\xc3", false, "\\xff\\xc3");
	check_escape("\xed\xa0\x80", false, "\\xed\\xa0\\x80"); /* a surrogate */
	check_escape("\xe0\x80\xaf", false, "\\xe0\\x80\\xaf");
	check_escape("\xf0\x80\x80\xaf", false, "\\xf0\\x80\\x80\\xaf");
	check_escape("\xf4\x90\x80\x80", false, "\\xf4\\x90\\x80\\x80");
	check_escape("\xc0\xaf", false, "\\xc0\\xaf"); /* an overlong slash */
	check_escape("\xe2\x80\xae"
		     "txt",
		     false, "\\xe2\\x80\\xaetxt"); /* right-to-left override */
}

static void compares_secrets(void **state)
{
	(void)state;
	assert_true(pic_text_equal_secret("abc", "abc"));
	assert_true(pic_text_equal_secret("", ""));
	assert_false(pic_text_equal_secret("abc", "abd"));
	assert_false(pic_text_equal_secret("abc", "ab"));
	assert_false(pic_text_equal_secret("ab", "abc"));
	assert_false(pic_text_equal_secret("", "a"));
	assert_false(pic_text_equal_secret("a", ""));
}

static void integers(void **state)
{
	long long value = 7;

	(void)state;
	assert_int_equal(pic_integer_parse("-9223372036854775808", LLONG_MIN, LLONG_MAX, &value),
			 0);
	assert_true(value == LLONG_MIN);
	assert_int_equal(pic_integer_parse("9223372036854775807", LLONG_MIN, LLONG_MAX, &value), 0);
	assert_true(value == LLONG_MAX);
	value = 7;
	assert_int_equal(pic_integer_parse("9223372036854775808", LLONG_MIN, LLONG_MAX, &value),
			 -ERANGE);
	assert_int_equal(pic_integer_parse("-9223372036854775809", LLONG_MIN, LLONG_MAX, &value),
			 -ERANGE);
	assert_int_equal(pic_integer_parse("70000", 0, 65535, &value), -ERANGE);
	assert_int_equal(pic_integer_parse("", 0, 9, &value), -EINVAL);
	assert_int_equal(pic_integer_parse("-", -9, 9, &value), -EINVAL);
	assert_int_equal(pic_integer_parse(" 1", 0, 9, &value), -EINVAL);
	assert_int_equal(pic_integer_parse("1x", 0, 9, &value), -EINVAL);
	assert_int_equal(pic_integer_parse("+1", 0, 9, &value), -EINVAL);
	assert_int_equal(value, 7);
}

static void sizes(void **state)
{
	unsigned long long bytes = 7;

	(void)state;
	assert_int_equal(pic_size_parse("64M", &bytes), 0);
	assert_int_equal(bytes, 64 << 20);
	assert_int_equal(pic_size_parse("512k", &bytes), 0);
	assert_int_equal(bytes, 512 << 10);
	assert_int_equal(pic_size_parse("0", &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(pic_size_parse("9000000T", &bytes), -ERANGE);
	assert_int_equal(pic_size_parse("M", &bytes), -EINVAL);
	assert_int_equal(pic_size_parse("", &bytes), -EINVAL);
	assert_int_equal(pic_size_parse("-1", &bytes), -EINVAL);
	assert_int_equal(pic_size_parse("1MB", &bytes), -EINVAL);
	assert_int_equal(pic_size_parse("1111111111111111111111111111", &bytes), -EINVAL);
}

static void beginnings_and_ends(void **state)
{
	(void)state;
	assert_true(pic_text_starts("abc", "ab"));
	assert_true(pic_text_starts("abc", ""));
	assert_false(pic_text_starts("a", "ab"));
	assert_true(pic_text_ends("abc", "bc"));
	assert_false(pic_text_ends("c", "bc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(hexadecimal),
		cmocka_unit_test(base64_vectors),
		cmocka_unit_test(base64_refuses_what_is_damaged),
		cmocka_unit_test(base64_random_round_trips),
		cmocka_unit_test(percent_code),
		cmocka_unit_test(escapes_what_a_terminal_would_obey),
		cmocka_unit_test(compares_secrets),
		cmocka_unit_test(integers),
		cmocka_unit_test(sizes),
		cmocka_unit_test(beginnings_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
