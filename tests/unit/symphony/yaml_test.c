/* YAML as Kubernetes' tools read it: scalars, structure, limits, lines; what is written reads back the same. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "symphony/yaml.h"

static struct pic_yaml parsed(const char *text)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_yaml yaml = { 0 };

	if (pic_yaml_parse(&yaml, text, strlen(text), "f.yaml", &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return yaml;
}

static void assert_reads(const char *text, const char *json)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(1 << 16);
	struct pic_yaml yaml = parsed(text);

	assert_int_equal(yaml.count, 1);
	assert_int_equal(pic_json_write(yaml.documents[0].value, PIC_JSON_COMPACT, &out), 0);
	assert_string_equal(pic_buf_text(&out), json);
	pic_yaml_free(&yaml);
}

static void assert_refused(const char *text, int code, const char *sentence)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_yaml yaml = { 0 };

	assert_int_equal(pic_yaml_parse(&yaml, text, strlen(text), "f.yaml", &err), code);
	if (!strstr(err.text, sentence))
		fail_msg("'%s' is not in '%s'", sentence, err.text);
	assert_int_equal(yaml.count, 0);
}

static void scalars(void **state)
{
	(void)state;
	assert_reads("[~, null, Null, NULL]", "[null,null,null,null]");
	assert_reads("[yes, On, TRUE, y, no, Off, false, n]",
		     "[true,true,true,true,false,false,false,false]");
	assert_reads("[yEs, nULL, 'yes', \"no\", !!str true]",
		     "[\"yEs\",\"nULL\",\"yes\",\"no\",\"true\"]");
	assert_reads("[1, -2, +3, 0x1F, 0b11, 0o17, 017, 1_000]", "[1,-2,3,31,3,15,15,1000]");
	assert_reads("[0.1, 1e3, -2.50, .5, 3., 12345678901234567890]",
		     "[0.1,1e3,-2.50,0.5,3,12345678901234567890]");
	assert_reads("[1.2.3, 1:30, 2001-01-01, 08, -, 0x, 1e, v1]",
		     "[\"1.2.3\",\"1:30\",\"2001-01-01\",\"08\",\"-\",\"0x\",\"1e\",\"v1\"]");
	assert_refused("a: .inf", -EINVAL, "f.yaml:1: .inf");
	assert_refused("a: !!binary aGk=", -EINVAL, "!!binary");
}

static void structure(void **state)
{
	(void)state;
	assert_reads("a:\n- b: 1\n  c: [x, {y: z}]\n- |\n  two\n  lines\n",
		     "{\"a\":[{\"b\":1,\"c\":[\"x\",{\"y\":\"z\"}]},\"two\\nlines\\n\"]}");
	assert_reads("8080: x\ntrue: z\n", "{\"8080\":\"x\",\"true\":\"z\"}");
	assert_reads("a: &one {x: 1}\nb: *one\nc:\n  <<: *one\n  y: 2\n",
		     "{\"a\":{\"x\":1},\"b\":{\"x\":1},\"c\":{\"y\":2,\"x\":1}}");
	assert_reads("{\"json\": [1, 2.50, null]}", "{\"json\":[1,2.50,null]}");
	assert_refused("a: 1\na: 2\n", -EEXIST, "f.yaml:2: 'a' stands here twice");
	assert_refused("a: *nobody\n", -ENOENT, "nobody");
	assert_refused("? [x]\n: y\n", -EINVAL, "a key must be a text");
	assert_refused("a: [1, 2\nb: 3\n", -EINVAL, "f.yaml:2:");
}

static void documents(void **state)
{
	struct pic_yaml yaml = parsed("# nothing\n---\na: 1\n---\n---\nb: 2\n...\n");

	(void)state;
	assert_int_equal(yaml.count, 2);
	assert_non_null(pic_json_get(yaml.documents[1].value, "b"));
	pic_yaml_free(&yaml);
	yaml = parsed("");
	assert_int_equal(yaml.count, 0);
	pic_yaml_free(&yaml);
}

static void limits(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1 << 16);

	(void)state;
	for (int i = 0; i < 100; i++)
		pic_buf_char(&text, '[');
	assert_refused(pic_buf_text(&text), -E2BIG, "nested deeper");
	/* nine lists of nine aliases each: 9^9 values out of 300 bytes */
	pic_buf_clear(&text);
	pic_buf_text_add(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 9; i++) {
		pic_buf_format(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 9; k++)
			pic_buf_format(&text, "%s*a%d", k ? "," : "", i - 1);
		pic_buf_text_add(&text, "]\n");
	}
	assert_refused(pic_buf_text(&text), -E2BIG, "values");
}

static void lines(void **state)
{
	struct pic_yaml yaml =
		parsed("kind: Solution\nspec:\n  components:\n  - name: a\n    type: wasm\n"
		       "  - name: b\n    properties:\n      wasm.url: x\n");
	const struct pic_yaml_document *document = &yaml.documents[0];

	(void)state;
	assert_int_equal(pic_yaml_line(document, "kind"), 1);
	assert_int_equal(pic_yaml_line(document, "spec.components"), 3);
	assert_int_equal(pic_yaml_line(document, "spec.components[0].type"), 5);
	assert_int_equal(pic_yaml_line(document, "spec.components[1]"), 6);
	assert_int_equal(pic_yaml_line(document, "spec.components[1].properties.wasm.url"), 8);
	assert_int_equal(pic_yaml_line(document, "spec.components[1].properties[wasm.url]"), 8);
	assert_int_equal(pic_yaml_line(document, "spec.components[1].properties[wasm.urll]"), 7);
	assert_int_equal(pic_yaml_line(document, "spec.components[1].missing"), 6);
	pic_yaml_free(&yaml);
}

/* A small generator of trees, reproducible from its seed. */
static uint64_t seed;

static unsigned below(unsigned bound)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % bound;
}

static struct pic_json *random_text(void)
{
	static const char *const pieces[] = { "a", "yes", "null", "1",	"0x1", " ", ":", "#", "\n",
					      "-", "'",	  "\"",	  "\\", "{",   "]", "é", "%", "@",
					      "~", ".5",  "1e3",  "\t", "*",   "&", "!" };
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(256);

	for (unsigned i = below(5); i > 0; i--)
		pic_buf_text_add(&text, pieces[below(PIC_COUNT(pieces))]);
	return pic_json_new_text(pic_buf_text(&text));
}

static struct pic_json *random_tree(int depth)
{
	static const char *const numbers[] = { "0.1", "1e3", "-0.0", "12345678901234567890",
					       "1.50" };
	struct pic_json *value;

	switch (below(depth > 0 ? 8 : 5)) {
	case 0:
		return pic_json_new_null();
	case 1:
		return pic_json_new_bool(below(2));
	case 2:
		return pic_json_new_integer((long long)below(100000) - 50000);
	case 3:
		return pic_json_new_number(numbers[below(PIC_COUNT(numbers))]);
	case 4:
		return random_text();
	case 5:
		value = pic_json_new_array();
		for (unsigned i = below(4); i > 0; i--)
			pic_json_append(value, random_tree(depth - 1));
		return value;
	default:
		value = pic_json_new_object();
		for (unsigned i = below(4); i > 0; i--) {
			struct pic_json *key = random_text();

			/* "<<" alone is a merge in YAML 1.1 */
			pic_json_set(value, pic_json_text(key), random_tree(depth - 1));
			pic_json_unref(key);
		}
		return value;
	}
}

static void written_reads_back(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		PIC_BUF struct pic_buf yaml_text = PIC_BUF_INIT(1 << 20);
		PIC_BUF struct pic_buf before = PIC_BUF_INIT(1 << 20);
		PIC_BUF struct pic_buf after = PIC_BUF_INIT(1 << 20);
		PIC_JSON struct pic_json *list = pic_json_new_array();
		struct pic_error err = PIC_ERROR_INIT;
		struct pic_yaml yaml = { 0 };

		seed = (uint64_t)round * 7919 + 1;
		pic_json_append(list, random_tree(4));
		assert_int_equal(pic_yaml_write(list, &yaml_text), 0);
		if (pic_yaml_parse(&yaml, pic_buf_text(&yaml_text), yaml_text.size, "f", &err) < 0)
			fail_msg("round %d: %s\n%s", round, err.text, pic_buf_text(&yaml_text));
		assert_int_equal(yaml.count, 1);
		pic_json_write(list, PIC_JSON_COMPACT, &before);
		pic_json_write(yaml.documents[0].value, PIC_JSON_COMPACT, &after);
		if (strcmp(pic_buf_text(&before), pic_buf_text(&after)) != 0)
			fail_msg("round %d:\n%s\n%s\n%s", round, pic_buf_text(&before),
				 pic_buf_text(&after), pic_buf_text(&yaml_text));
		pic_yaml_free(&yaml);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars),   cmocka_unit_test(structure),
		cmocka_unit_test(documents), cmocka_unit_test(limits),
		cmocka_unit_test(lines),     cmocka_unit_test(written_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
