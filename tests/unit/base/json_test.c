#include <errno.h>
#include <stdio.h>

#include "base/check.h"
#include "base/json.h"

static struct pic_json *parse(const char *text)
{
	struct pic_json *value = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_json_parse(&value, text, strlen(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return value;
}

static void assert_refused(const char *text, const char *why)
{
	struct pic_json *value = (struct pic_json *)1;
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(pic_json_parse(&value, text, strlen(text), &err), -EINVAL);
	assert_ptr_equal(value, (struct pic_json *)1);
	assert_contains(err.text, why);
}

static void assert_writes(const struct pic_json *value, unsigned style, const char *wanted)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(1 << 20);

	assert_int_equal(pic_json_write(value, style, &out), 0);
	assert_string_equal(pic_buf_text(&out), wanted);
}

static void comes_out_as_it_went_in(void **state)
{
	static const char *const texts[] = {
		"null",
		"true",
		"\"a\"",
		"0",
		"-1",
		"9223372036854775807",
		"-9223372036854775808",
		"9223372036854775808",
		"-0",
		"0.1",
		"1e3",
		"1E+3",
		"0.10",
		"-0.0",
		"1.0",
		"12345678901234567890",
		"[]",
		"{}",
		"[0.1,\"0.1\",1e400]",
		"{\"z\":1.50,\"a\":{\"b\":[1,2.0,\"\\\"2.0\",null,true]}}",
		"\"\xc3\xa4\\n\\\\ 1.5 \\\"1.5\"",
		"[1e-5,1,1e-5]",
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(texts); i++) {
		PIC_JSON struct pic_json *value = parse(texts[i]);

		assert_writes(value, PIC_JSON_COMPACT, texts[i]);
	}
}

static void knows_types_and_values(void **state)
{
	PIC_JSON struct pic_json *v = parse(
		"{\"i\":5,\"f\":0.5,\"h\":1e400,\"t\":\"x\",\"b\":true,\"n\":null,\"a\":[1],\"z\":-0}");
	long long integer = 0;
	double number = 0;

	(void)state;
	assert_true(pic_json_integer(pic_json_get(v, "i"), &integer));
	assert_int_equal(integer, 5);
	assert_false(pic_json_integer(pic_json_get(v, "f"), &integer));
	assert_true(pic_json_integer(pic_json_get(v, "z"), &integer));
	assert_int_equal(integer, 0);
	assert_true(pic_json_number(pic_json_get(v, "f"), &number));
	assert_true(number > 0.49 && number < 0.51);
	assert_true(pic_json_number(pic_json_get(v, "i"), &number));
	assert_false(pic_json_number(pic_json_get(v, "h"), &number));
	assert_int_equal(pic_json_type(pic_json_get(v, "f")), PIC_JSON_NUMBER);
	assert_null(pic_json_text(pic_json_get(v, "f")));
	assert_string_equal(pic_json_text(pic_json_get(v, "t")), "x");
	assert_string_equal(pic_json_type_name(pic_json_get(v, "n")), "null");
	assert_string_equal(pic_json_type_name(pic_json_get(v, "no")), "nothing");
	assert_true(pic_json_true(pic_json_get(v, "b")));
	assert_int_equal(pic_json_count(v), 8);
	assert_int_equal(pic_json_count(pic_json_get(v, "a")), 1);
	assert_int_equal(pic_json_count(pic_json_get(v, "t")), 0);
	assert_string_equal(pic_json_text_or(pic_json_get(v, "i"), "none"), "none");
}

static void refuses_with_a_place(void **state)
{
	(void)state;
	assert_refused("", "empty");
	assert_refused("{\n  \"a\": 1,\n  \"a\": 2\n}",
		       "key \"a\" appears twice, at line 3, column");
	assert_refused("[0.5, 1.25, x]", "line 1, column 13");
	assert_refused("[0.5,\n 1.25,\n   x]", "line 3, column 4");
	assert_refused("[\"\xc3\xa4\", 0.5, x]", "line 1, column 12");
	assert_refused("{\"a\":1}{", "end of file expected");
	assert_refused("[1.]", "not JSON");
	assert_refused("[01]", "not JSON");
	assert_refused("[1-1]", "not JSON");
	assert_refused("[1.5.5]", "not JSON");
	assert_refused("[+1]", "not JSON");
	assert_refused("[.5]", "not JSON");
	assert_refused("[1e]", "not JSON");
	assert_refused("[NaN]", "near 'NaN' at line 1, column 2");
	assert_refused("\"a\\u0000b\"", "a text contains \\u0000");
	assert_refused("\"\xff\"", "UTF-8");
	assert_refused("\"\xed\xa0\x80\"", "UTF-8");
	assert_refused("[1,]", "not JSON");
	assert_refused("{'a':1}", "not JSON");
	assert_refused("\"abc", "not JSON");
	assert_refused("[\"\\\"", "not JSON");
	assert_refused("\xef\xbb\xbf{}", "not JSON");
}

static void names_a_long_doubled_key(void **state)
{
	char text[400], key[101];

	(void)state;
	memset(key, 'k', 100);
	key[100] = '\0';
	snprintf(text, sizeof(text), "{\"n\":0.25,\"%s\":{\"x\":1e2},\"%s\":2}", key, key);
	assert_refused(text, "key \"kkkkkkkk");
	assert_refused("{\"a\\u001b[0m\":1,\"a\\u001b[0m\":2}",
		       "key \"a\\u001b[0m\" appears twice");
	assert_refused("{\"a\\\"b\":1,\"a\\\"b\":2}", "appears twice");
}

static void refuses_a_deep_text(void **state)
{
	char text[2 * PIC_JSON_DEPTH_MAX + 8];
	PIC_JSON struct pic_json *value = NULL;
	static char bomb[1 << 20];

	(void)state;
	memset(text, '[', PIC_JSON_DEPTH_MAX);
	memset(text + PIC_JSON_DEPTH_MAX, ']', PIC_JSON_DEPTH_MAX);
	assert_int_equal(pic_json_parse(&value, text, 2 * PIC_JSON_DEPTH_MAX, NULL), 0);
	memset(text, '[', PIC_JSON_DEPTH_MAX + 1);
	memset(text + PIC_JSON_DEPTH_MAX + 1, ']', PIC_JSON_DEPTH_MAX + 1);
	text[2 * PIC_JSON_DEPTH_MAX + 2] = '\0';
	assert_refused(text, "nested too deeply at line 1, column 65");
	memset(bomb, '[', sizeof(bomb) - 1);
	assert_refused(bomb, "nested too deeply");
	/* brackets in a text do not count */
	memset(bomb, '[', 300);
	bomb[0] = bomb[299] = '"';
	bomb[300] = '\0';
	pic_json_unref(parse(bomb));
}

static void a_stranger_cannot_forge_a_number(void **state)
{
	PIC_JSON struct pic_json *object = pic_json_new_object();

	(void)state;
	assert_refused("\"\xef\xb7\x90"
		       "1.5\"",
		       "noncharacter");
	assert_refused("\"\\ufdd0"
		       "1.5\"",
		       "noncharacter");
	assert_refused("\"\\uFDD0"
		       "1.5\"",
		       "noncharacter");
	assert_refused("{\"\\uFdD0\":1}", "noncharacter");
	assert_null(pic_json_new_text("\xef\xb7\x90,\"x\":1"));
	assert_int_equal(pic_json_set_integer(object, "\xef\xb7\x90,", 1), -EINVAL);
	/* elsewhere in a text it is any character */
	assert_int_equal(pic_json_set_text(object, "a",
					   "x\xef\xb7\x90"
					   "1"),
			 0);
	assert_writes(object, PIC_JSON_COMPACT,
		      "{\"a\":\"x\xef\xb7\x90"
		      "1\"}");
}

static void makes_numbers(void **state)
{
	PIC_JSON struct pic_json *a = pic_json_new_number("1.50");
	PIC_JSON struct pic_json *b = pic_json_new_number("12");
	char large[3000];
	long long value;

	(void)state;
	assert_writes(a, 0, "1.50");
	assert_true(pic_json_integer(b, &value));
	assert_null(pic_json_new_number("1."));
	assert_null(pic_json_new_number(""));
	assert_null(pic_json_new_number(NULL));
	assert_null(pic_json_new_number("0x10"));
	assert_null(pic_json_new_number("1 "));
	memset(large, '1', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	assert_null(pic_json_new_number(large));
	assert_refused(large, "too long");
}

static void compares_numbers_by_value(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} pairs[] = {
		{ "1", "1.0", true },
		{ "1000", "1e3", true },
		{ "0.1", "1e-1", true },
		{ "0.1", "0.10", true },
		{ "0", "-0.0", true },
		{ "0.0", "0e99", true },
		{ "1", "-1.0", false },
		{ "0.1", "0.11", false },
		{ "100", "1e3", false },
		{ "12345678901234567890", "12345678901234567890.0", true },
		{ "12345678901234567890", "12345678901234567891", false },
		{ "1e400", "10e399", true },
		{ "1e400", "1e401", false },
		{ "10.01", "1001e-2", true },
		{ "1.5", "\"1.5\"", false },
		{ "9223372036854775807", "9.223372036854775807e18", true },
		{ "0.5", "0.25", false },
		{ "120", "1.2e2", true },
		{ "1e99999999999999999999", "1e99999999999999999998", true },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(pairs); i++) {
		PIC_JSON struct pic_json *a = parse(pairs[i].a);
		PIC_JSON struct pic_json *b = parse(pairs[i].b);

		if (pic_json_equal(a, b) != pairs[i].equal ||
		    pic_json_equal(b, a) != pairs[i].equal)
			fail_msg("%s and %s", pairs[i].a, pairs[i].b);
	}
}

static void compares_trees(void **state)
{
	PIC_JSON struct pic_json *a = parse("{\"x\":[1,{\"y\":null}],\"z\":true}");
	PIC_JSON struct pic_json *b = parse("{\"z\":true,\"x\":[1.0,{\"y\":null}]}");
	PIC_JSON struct pic_json *c = parse("{\"x\":[1,{\"y\":0}],\"z\":true}");
	PIC_JSON struct pic_json *copy = pic_json_copy(a);

	(void)state;
	assert_true(pic_json_equal(a, b));
	assert_false(pic_json_equal(a, c));
	assert_true(pic_json_equal(a, copy));
	assert_true(pic_json_equal(NULL, NULL));
	assert_false(pic_json_equal(a, NULL));
	pic_json_set_bool(copy, "w", true);
	assert_false(pic_json_equal(a, copy));
	assert_false(pic_json_equal(copy, a));
}

static void takes_null_everywhere(void **state)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(10);

	(void)state;
	assert_int_equal(pic_json_write(NULL, 0, &out), -EINVAL);
	assert_null(pic_json_get(NULL, "a"));
	assert_null(pic_json_find(NULL, "a", "b", NULL));
	assert_null(pic_json_at(NULL, 0));
	assert_null(pic_json_ref(NULL));
	assert_null(pic_json_copy(NULL));
	assert_int_equal(pic_json_count(NULL), 0);
	assert_int_equal(pic_json_set_text(NULL, "a", "b"), -EINVAL);
	assert_int_equal(pic_json_append_text(NULL, "a"), -EINVAL);
	assert_null(pic_json_ensure_object(NULL, "a"));
	assert_null(pic_json_get_text(NULL, "a"));
	pic_json_unref(NULL);
	pic_json_delete(NULL, "a");
	pic_json_remove_at(NULL, 0);
	pic_json_each(NULL, i)
		fail();
	assert_null(pic_json_new_text(NULL));
	assert_null(pic_json_new_text("\xff"));
}

static void changes_trees(void **state)
{
	PIC_JSON struct pic_json *o = pic_json_new_object();
	struct pic_json *list = pic_json_new_array();

	(void)state;
	pic_json_set_text(pic_json_ensure_object(o, "spec"), "a.b/c", "v");
	assert_ptr_equal(pic_json_ensure_object(o, "spec"), pic_json_get(o, "spec"));
	pic_json_append_text(list, "two");
	pic_json_insert(list, 0, pic_json_new_text("one"));
	assert_int_equal(pic_json_insert(list, 9, pic_json_new_null()), -EINVAL);
	pic_json_append(list, pic_json_new_bool(false));
	pic_json_replace_at(list, 2, pic_json_new_integer(3));
	pic_json_set(o, "list", list);
	assert_writes(o, 0, "{\"spec\":{\"a.b/c\":\"v\"},\"list\":[\"one\",\"two\",3]}");
	pic_json_remove_at(list, 0);
	pic_json_set_integer(o, "spec", 1); /* keeps its place */
	assert_writes(o, 0, "{\"spec\":1,\"list\":[\"two\",3]}");
	assert_writes(o, PIC_JSON_SORTED, "{\"list\":[\"two\",3],\"spec\":1}");
	assert_writes(o, PIC_JSON_INDENT,
		      "{\n  \"spec\": 1,\n  \"list\": [\n    \"two\",\n    3\n  ]\n}");
	assert_ptr_equal(pic_json_find(o, "list", NULL), list);
}

static void iterates_and_deletes_on_the_way(void **state)
{
	PIC_JSON struct pic_json *o = pic_json_new_object();
	char key[16];
	int seen = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		pic_json_set_integer(o, key, i);
	}
	pic_json_each(o, i) {
		snprintf(key, sizeof(key), "k%d", seen);
		assert_string_equal(pic_json_key(i), key);
		if (seen++ % 2)
			pic_json_delete(o, key);
	}
	assert_int_equal(seen, 100);
	assert_int_equal(pic_json_count(o), 50);
}

static void writes_within_the_buffer(void **state)
{
	PIC_JSON struct pic_json *v = parse("[1.25,\"abcdefghij\"]");
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(12);

	(void)state;
	pic_buf_text_add(&out, "x");
	assert_int_equal(pic_json_write(v, 0, &out), -ENOBUFS);
	assert_string_equal(out.data, "x");
}

/* Random trees: written, read, written again; the text must be the same and the trees equal. */
static struct pic_json *random_value(uint64_t *seed, int depth);

static struct pic_json *random_number(uint64_t *seed)
{
	char text[64];

	switch (check_random(seed) % 4) {
	case 0:
		return pic_json_new_integer(
			(long long)((uint64_t)check_random(seed) << 32 | check_random(seed)));
	case 1:
		snprintf(text, sizeof(text), "%d.%03u", (int)check_random(seed),
			 check_random(seed) % 1000);
		break;
	case 2:
		snprintf(text, sizeof(text), "-%uE-%u", check_random(seed), check_random(seed));
		break;
	default:
		snprintf(text, sizeof(text), "1%u%u%u", check_random(seed), check_random(seed),
			 check_random(seed));
	}
	return pic_json_new_number(text);
}

static struct pic_json *random_text(uint64_t *seed)
{
	static const char *const parts[] = {
		"\"",	"\\",	    "a",    "\n", "1.5",	  "{",
		"]",	"\xc3\xa4", "\x01", "/",  "\xef\xb7\x90", "\xf0\x9f\x98\x80",
		"\x7f", " "
	};
	char text[80] = "~";

	for (uint32_t i = check_random(seed) % 10; i > 0; i--)
		strcat(text, parts[check_random(seed) % PIC_COUNT(parts)]);
	return pic_json_new_text(check_random(seed) % 2 ? text : text + 1);
}

static struct pic_json *random_container(uint64_t *seed, int depth)
{
	bool object = check_random(seed) % 2;
	struct pic_json *value = object ? pic_json_new_object() : pic_json_new_array();
	char key[16];

	for (uint32_t i = check_random(seed) % 6; i > 0; i--) {
		snprintf(key, sizeof(key), "k%u\"\n", check_random(seed) % 9);
		if (object)
			pic_json_set(value, key, random_value(seed, depth - 1));
		else
			pic_json_append(value, random_value(seed, depth - 1));
	}
	return value;
}

static struct pic_json *random_value(uint64_t *seed, int depth)
{
	switch (check_random(seed) % 6) {
	case 0:
		return random_number(seed);
	case 1:
		return random_text(seed);
	case 2:
		return check_random(seed) % 2 ? pic_json_new_bool(check_random(seed) % 2)
					      : pic_json_new_null();
	default:
		return depth > 0 ? random_container(seed, depth) : random_number(seed);
	}
}

static void random_round_trips(void **state)
{
	uint64_t seed = 20261124;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		PIC_JSON struct pic_json *value = random_value(&seed, 6);
		PIC_JSON struct pic_json *back = NULL;
		PIC_BUF struct pic_buf first = PIC_BUF_INIT(1 << 24),
				       second = PIC_BUF_INIT(1 << 24);
		struct pic_error err = PIC_ERROR_INIT;
		unsigned style = check_random(&seed) % 4;

		if (!value)
			continue;
		assert_int_equal(pic_json_write(value, style, &first), 0);
		if (pic_json_parse(&back, first.data, first.size, &err) < 0)
			fail_msg("%s: %s", err.text, first.data);
		assert_true(pic_json_equal(value, back));
		assert_int_equal(pic_json_write(back, style, &second), 0);
		assert_string_equal(first.data, second.data);
	}
}

/* Damaged texts: an answer, never a crash; what is taken can be written and read again. */
static void random_damage(void **state)
{
	static const char alphabet[] = "[]{}\",:\\ \n0123456789.eE+-tfnu\xef\xb7\x90\xc3";
	uint64_t seed = 5;
	int taken = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		PIC_JSON struct pic_json *value = NULL;
		PIC_JSON struct pic_json *back = NULL;
		PIC_BUF struct pic_buf out = PIC_BUF_INIT(1 << 16);
		char text[24];
		size_t size = check_random(&seed) % sizeof(text);

		for (size_t k = 0; k < size; k++)
			text[k] = alphabet[check_random(&seed) % (sizeof(alphabet) - 1)];
		if (pic_json_parse(&value, text, size, NULL) < 0)
			continue;
		taken++;
		assert_int_equal(pic_json_write(value, 0, &out), 0);
		assert_int_equal(pic_json_parse(&back, out.data, out.size, NULL), 0);
		assert_true(pic_json_equal(value, back));
	}
	assert_true(taken > 1000);
}

/* "{}" is two bytes of text and two hundred of memory. */
static void empty_ones_do_not_fill_the_memory(void **state)
{
	struct pic_buf text = PIC_BUF_INIT(2 << 20);
	PIC_JSON struct pic_json *value = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	pic_buf_char(&text, '[');
	while (text.size < (1 << 20))
		pic_buf_text_add(&text, text.size % 2 ? "{}," : "[],");
	pic_buf_text_add(&text, "0]");
	assert_int_equal(pic_json_parse(&value, text.data, text.size, &err), -EINVAL);
	assert_non_null(strstr(err.text, "too many"));
	/* dense, and small */
	pic_buf_clear(&text);
	pic_buf_char(&text, '[');
	for (int i = 0; i < 5000; i++)
		pic_buf_text_add(&text, "{\"f:spec\":{\"f:target\":{}}},");
	pic_buf_text_add(&text, "0]");
	assert_int_equal(pic_json_parse(&value, text.data, text.size, &err), 0);
	pic_buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_out_as_it_went_in),
		cmocka_unit_test(knows_types_and_values),
		cmocka_unit_test(refuses_with_a_place),
		cmocka_unit_test(names_a_long_doubled_key),
		cmocka_unit_test(refuses_a_deep_text),
		cmocka_unit_test(empty_ones_do_not_fill_the_memory),
		cmocka_unit_test(a_stranger_cannot_forge_a_number),
		cmocka_unit_test(makes_numbers),
		cmocka_unit_test(compares_numbers_by_value),
		cmocka_unit_test(compares_trees),
		cmocka_unit_test(takes_null_everywhere),
		cmocka_unit_test(changes_trees),
		cmocka_unit_test(iterates_and_deletes_on_the_way),
		cmocka_unit_test(writes_within_the_buffer),
		cmocka_unit_test(random_round_trips),
		cmocka_unit_test(random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
