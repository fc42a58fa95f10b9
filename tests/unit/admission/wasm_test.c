/* A module's facts: from hand-made bytes, whole, damaged and cut. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "admission/wasm.h"

#define HEAD "\0asm\1\0\0\0"
/* (type (func) (func (param i32 i32) (result i32))) */
#define TYPES "\1\12\2\140\0\0\140\2\177\177\1\177"
/* (import "wasi_snapshot_preview1" "args_get" (func (type 1))) */
#define IMPORT "\2\43\1\26wasi_snapshot_preview1\10args_get\0\1"
#define FUNCTION "\3\2\1\0"
#define MEMORY "\5\4\1\1\2\20"
/* (export "memory" (memory 0)) (export "_start" (func 1)) */
#define EXPORT "\7\23\2\6memory\2\0\6_start\0\1"
#define CODE "\12\4\1\2\0\13"
/* names: function 0 "args_get", function 1 "the_start" */
#define NAMES "\0\35\4name\1\26\2\0\10args_get\1\11the_start"
#define WHOLE HEAD TYPES IMPORT FUNCTION MEMORY EXPORT CODE NAMES

static int read_bytes(const void *bytes, size_t size, struct pic_wasm_facts **facts,
		      struct pic_error *err)
{
	/* of exact size, for the sanitizers */
	char *copy = malloc(size ? size : 1);
	int r;

	memcpy(copy, bytes, size);
	r = pic_wasm_read(facts, copy, size, err);
	if (r < 0)
		free(copy);
	return r;
}

static void reads_a_module(void **state)
{
	struct pic_wasm_facts *facts;
	struct pic_error err = PIC_ERROR_INIT;
	char text[PIC_WASM_SIGNATURE_MAX], name[PIC_WASM_NAME_TEXT];
	const char *bytes = WHOLE;

	(void)state;
	if (pic_wasm_read(&facts, bytes, sizeof(WHOLE) - 1, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(facts->type_count, 2);
	assert_int_equal(facts->import_count, 1);
	assert_int_equal(facts->imported_functions, 1);
	assert_int_equal(facts->functions, 1);
	assert_int_equal(facts->imports[0].host, PIC_WASM_HOST_args_get);
	assert_int_equal(facts->memory_initial, 2);
	assert_int_equal(facts->memory_maximum, 16);
	assert_true(facts->memory_has_maximum);
	assert_false(facts->has_start);
	assert_int_equal(facts->export_count, 2);
	pic_wasm_signature(facts, 0, text);
	assert_string_equal(text, "()");
	pic_wasm_signature(facts, 1, text);
	assert_string_equal(text, "(ii)i");
	assert_int_equal(pic_wasm_function_type(facts, 0), 1);
	assert_int_equal(pic_wasm_function_type(facts, 1), 0);
	assert_non_null(pic_wasm_find_function(facts, "_start"));
	assert_null(pic_wasm_find_function(facts, "memory"));
	assert_true(pic_wasm_uses(facts, PIC_WASM_PREVIEW1));
	assert_false(pic_wasm_uses(facts, PIC_WASM_WASMEDGE));
	assert_true(pic_wasm_imports_name(facts, "args_get"));
	assert_true(pic_wasm_function_name(facts->name_section, 1, name));
	assert_string_equal(name, "the_start");
	assert_false(pic_wasm_function_name(facts->name_section, 2, name));
	assert_int_equal(pic_wasm_check(facts, 2 * 65536, &err), 0);
	assert_int_equal(pic_wasm_check(facts, 2 * 65536 - 1, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "128 KiB"));
	pic_wasm_facts_free(facts);
}

/* Each with its sentence and its place. */
static void says_what_is_wrong(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *says;
	} cases[] = {
#define CASE(text, says) { text, sizeof(text) - 1, says }
		CASE("", "no WebAssembly module"),
		CASE("\0asm", "no WebAssembly module"),
		CASE("<!DOCTYPE html>", "web page"),
		CASE("(module)", "wat2wasm"),
		CASE("\177ELF\2\1\1\0\0", "at byte 0"),
		CASE("\0asm\2\0\0\0", "version"),
		CASE("\0asm\15\0\1\0", "component"),
		CASE(HEAD "\15\1\0", "unknown kind at byte 8"),
		CASE(HEAD TYPES TYPES, "out of order at byte 20"),
		CASE(HEAD FUNCTION TYPES, "does not exist"),
		CASE(HEAD "\1\177\0", "past the end of the file"),
		CASE(HEAD "\1\200\200\200\200\20\0", "number is too large"),
		CASE(HEAD "\1\2\1\140", "announces more"),
		CASE(HEAD "\1\4\1\141\0\0", "not a function's at byte 11"),
		CASE(HEAD "\1\5\1\140\1\100\0", "type is unknown"),
		CASE(HEAD "\1\5\1\140\1\173\0", "SIMD"),
		CASE(HEAD "\1\5\1\140\0\0\0", "longer than its content"),
		CASE(HEAD TYPES "\2\5\1\0\0\4\0", "import is of an unknown kind"),
		CASE(HEAD TYPES "\2\5\1\0\0\0\2", "type does not exist"),
		CASE(HEAD TYPES "\2\6\1\1\377\0\0\0", "not UTF-8"),
		CASE(HEAD TYPES FUNCTION, "another number of functions"),
		CASE(HEAD "\5\3\1\3\1", "shares memory"),
		CASE(HEAD "\5\4\1\1\5\4", "maximum is below"),
		CASE(HEAD "\5\5\2\0\1\0\1", "more than one memory"),
		CASE(HEAD "\5\5\1\0\201\200\4", "larger than 4 GiB"),
		CASE(HEAD TYPES FUNCTION "\7\5\1\1a\0\1" CODE, "exports what does not exist"),
		CASE(HEAD TYPES FUNCTION "\7\11\2\1a\0\0\1a\0\0" CODE, "one name twice"),
		CASE(HEAD TYPES FUNCTION "\10\1\1" CODE, "start function does not exist"),
		CASE(HEAD TYPES "\3\2\1\1"
				"\10\1\0" CODE,
		     "start function takes"),
		CASE(HEAD "\14\1\1", "data segments"),
#undef CASE
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pic_wasm_facts *facts = NULL;
		struct pic_error err = PIC_ERROR_INIT;
		int r = read_bytes(cases[i].bytes, cases[i].size, &facts, &err);

		if (r >= 0 || !strstr(err.text, cases[i].says))
			fail_msg("case %zu (%s): %d \"%s\"", i, cases[i].says, r, err.text);
		assert_null(facts);
	}
}

static void refuses_every_cut(void **state)
{
	(void)state;
	/* where a section ends, a shorter module may be whole */
	for (size_t size = 0; size < sizeof(WHOLE) - 1; size++) {
		struct pic_wasm_facts *facts = NULL;
		struct pic_error err = PIC_ERROR_INIT;
		char *copy = malloc(size + 1);

		memcpy(copy, WHOLE, size);
		if (pic_wasm_read(&facts, copy, size, &err) == 0)
			pic_wasm_facts_free(facts);
		else
			assert_int_not_equal(err.text[0], '\0');
		free(copy);
	}
}

/* Every byte changed to every value: an answer each time, no harm. */
static void survives_every_change(void **state)
{
	char bytes[sizeof(WHOLE) - 1], *copy = malloc(sizeof(bytes)), name[PIC_WASM_NAME_TEXT];

	(void)state;
	for (size_t at = 0; at < sizeof(bytes); at++)
		for (int value = 0; value < 256; value++) {
			struct pic_wasm_facts *facts = NULL;
			struct pic_error err = PIC_ERROR_INIT;

			memcpy(copy, WHOLE, sizeof(bytes));
			copy[at] = (char)value;
			if (pic_wasm_read(&facts, copy, sizeof(bytes), &err) < 0)
				continue;
			(void)pic_wasm_check(facts, 1 << 20, &err);
			(void)pic_wasm_function_name(facts->name_section, 1, name);
			pic_wasm_facts_free(facts);
		}
	free(copy);
}

static void lists_what_is_missing(void **state)
{
	/* args_get as (), env.f, a memory, a name with a line end in it */
	static const char bytes[] = HEAD TYPES
		"\2\107\4\26wasi_snapshot_preview1\10args_get\0\0\3env\1f\0\1\3env\6memory\2\0\1"
		"\11bad\nname\33\1x\0\0" FUNCTION "\7\12\1\6_start\0\3" CODE;
	struct pic_wasm_facts *facts;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	if (pic_wasm_read(&facts, bytes, sizeof(bytes) - 1, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(pic_wasm_check(facts, 1 << 20, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "wasi_snapshot_preview1.args_get as ()"));
	assert_non_null(strstr(err.text, "env.f"));
	assert_non_null(strstr(err.text, "env.memory (a memory)"));
	assert_null(strchr(err.text, '\n'));
	assert_null(strchr(err.text, '\33'));
	pic_wasm_facts_free(facts);
}

static void wants_a_start(void **state)
{
	static const char none[] = HEAD TYPES FUNCTION CODE;
	static const char wrong[] = HEAD TYPES "\3\2\1\1"
					       "\7\12\1\6_start\0\0" CODE;
	struct pic_wasm_facts *facts;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(pic_wasm_read(&facts, none, sizeof(none) - 1, &err), 0);
	assert_int_equal(pic_wasm_check(facts, 1 << 20, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "no function _start"));
	pic_wasm_facts_free(facts);
	assert_int_equal(pic_wasm_read(&facts, wrong, sizeof(wrong) - 1, &err), 0);
	assert_int_equal(pic_wasm_check(facts, 1 << 20, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "(ii)i"));
	pic_wasm_facts_free(facts);
}

static struct pic_view view(const char *text)
{
	return (struct pic_view){ text, strlen(text) };
}

static void knows_its_functions(void **state)
{
	static const struct {
		const char *name, *signature;
		enum pic_wasm_host_id id;
	} shapes[] = {
		{ "sock_accept", "(ii)i", PIC_WASM_HOST_sock_accept_1 },
		{ "sock_accept", "(iii)i", PIC_WASM_HOST_sock_accept },
		{ "sock_recv_from", "(iiiiiii)i", PIC_WASM_HOST_sock_recv_from_1 },
		{ "sock_recv_from", "(iiiiiiii)i", PIC_WASM_HOST_sock_recv_from },
		{ "sock_getpeeraddr", "(iiii)i", PIC_WASM_HOST_sock_getpeeraddr_1 },
		{ "sock_getpeeraddr", "(iii)i", PIC_WASM_HOST_sock_getpeeraddr },
		{ "sock_open", "(iiii)i", PIC_WASM_HOST_COUNT }, /* another runtime's dialect */
		{ "proc_exit", "(i)", PIC_WASM_HOST_proc_exit },
	};
	bool known;
	unsigned preview1 = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		assert_int_equal(pic_wasm_host_find(view(PIC_WASM_HOST_MODULE),
						    view(shapes[i].name), shapes[i].signature,
						    &known),
				 shapes[i].id);
		assert_true(known);
	}
	assert_int_equal(pic_wasm_host_find(view("env"), view("fd_read"), "(iiii)i", &known),
			 PIC_WASM_HOST_COUNT);
	assert_false(known);
	for (unsigned i = 0; i < PIC_WASM_HOST_COUNT; i++) {
		const struct pic_wasm_host_function *f = pic_wasm_host_at(i);

		assert_int_equal(pic_wasm_host_find(view(PIC_WASM_HOST_MODULE), view(f->name),
						    f->signature, &known),
				 i);
		preview1 += f->dialect == PIC_WASM_PREVIEW1;
	}
	assert_int_equal(preview1, 46); /* all of preview1 */
}

static void cuts_long_signatures(void **state)
{
	/* a function type of 100 parameters and 100 results */
	char bytes[8 + 2 + 2 + 4 + 200 + 8] = HEAD, text[PIC_WASM_SIGNATURE_MAX];
	struct pic_wasm_facts *facts;
	struct pic_error err = PIC_ERROR_INIT;
	size_t at = 8;

	(void)state;
	bytes[at++] = 1;
	bytes[at++] = (char)(0x80 | ((1 + 1 + 1 + 100 + 1 + 100) & 0x7f));
	bytes[at++] = 1;
	bytes[at++] = 1;
	bytes[at++] = 0x60;
	for (int part = 0; part < 2; part++) {
		bytes[at++] = 100;
		for (int i = 0; i < 100; i++)
			bytes[at++] = 0x7e;
	}
	assert_int_equal(pic_wasm_read(&facts, bytes, at, &err), 0);
	pic_wasm_signature(facts, 0, text);
	assert_true(strlen(text) < PIC_WASM_SIGNATURE_MAX);
	assert_int_equal(text[0], '(');
	pic_wasm_facts_free(facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_module),	 cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(refuses_every_cut),	 cmocka_unit_test(survives_every_change),
		cmocka_unit_test(lists_what_is_missing), cmocka_unit_test(wants_a_start),
		cmocka_unit_test(knows_its_functions),	 cmocka_unit_test(cuts_long_signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
