/*
 * Modules that broke some version of the WebAssembly engine, written byte by byte. They say whether the source that
 * third_party/ brings, with our patches, still has the defect. The overflow is seen by the `asan` preset; without a
 * sanitizer the module's wrong answer or a crash tells.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include <wasm_export.h>

enum { I32 = 0x7f, I64 = 0x7e, FUNCREF = 0x70 };

struct bytes {
	uint8_t *data;
	uint32_t size, room;
};

static void put(struct bytes *b, const void *data, size_t size)
{
	if (b->size + size > b->room) {
		b->room = (uint32_t)(b->size + size) * 2;
		b->data = realloc(b->data, b->room);
		assert_non_null(b->data);
	}
	memcpy(b->data + b->size, data, size);
	b->size += (uint32_t)size;
}

#define PUT(b, ...) \
	put(b, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void put_unsigned(struct bytes *b, uint32_t value)
{
	do {
		PUT(b, (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0)));
		value >>= 7;
	} while (value != 0);
}

/* A signed LEB128 of a number that is not negative. */
static void put_number(struct bytes *b, uint32_t value)
{
	while (value > 0x3f) {
		PUT(b, (uint8_t)((value & 0x7f) | 0x80));
		value >>= 7;
	}
	PUT(b, (uint8_t)value);
}

static void put_section(struct bytes *module, uint8_t id, struct bytes *content)
{
	PUT(module, id);
	put_unsigned(module, content->size);
	put(module, content->data, content->size);
	free(content->data);
	memset(content, 0, sizeof *content);
}

static void put_head(struct bytes *module)
{
	PUT(module, 0, 'a', 's', 'm', 1, 0, 0, 0);
}

/* A module with one exported function "run", () -> i32, and type 1, () -> (type, type). */
static void put_function(struct bytes *module, uint8_t type, struct bytes *body)
{
	struct bytes s = { 0 }, size = { 0 };

	put_head(module);
	PUT(&s, 2, 0x60, 0, 1, I32, 0x60, 0, 2, type, type);
	put_section(module, 1, &s);
	PUT(&s, 1, 0);
	put_section(module, 3, &s);
	PUT(&s, 1, 3, 'r', 'u', 'n', 0, 0);
	put_section(module, 7, &s);
	PUT(&s, 1);
	put_unsigned(&size, body->size);
	put(&s, size.data, size.size);
	put(&s, body->data, body->size);
	put_section(module, 10, &s);
	free(size.data);
	free(body->data);
}

static int run_module(struct bytes *module, uint32_t *result, char *why, uint32_t room)
{
	wasm_module_t loaded = wasm_runtime_load(module->data, module->size, why, room);
	wasm_module_inst_t instance;
	wasm_exec_env_t env;
	bool ok;

	if (loaded == NULL)
		return -1;
	instance = wasm_runtime_instantiate(loaded, 1 << 20, 0, why, room);
	assert_non_null(instance);
	env = wasm_runtime_create_exec_env(instance, 1 << 20);
	assert_non_null(env);
	ok = wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(instance, "run"), 0, result);
	wasm_runtime_destroy_exec_env(env);
	wasm_runtime_deinstantiate(instance);
	wasm_runtime_unload(loaded);
	return ok ? 0 : -1;
}

/*
 * CVE-2026-54912. More different constants than the table of the fast interpreter holds, then one that it does hold,
 * as the second result of a block. The unpatched loader counts an instruction for the constant (14 bytes) and none for
 * the result, which would lie in its place; it then writes no instruction, and a copy of the result (21 bytes).
 */
static void full_constant_table(uint8_t type)
{
	const uint8_t constant = type == I32 ? 0x41 : 0x42, add = type == I32 ? 0x6a : 0x7c;
	const uint8_t exclusive_or = type == I32 ? 0x73 : 0x85;
	enum { FILL = 33000, ROUNDS = 1000, VALUE = 5 };
	enum { BLOCK = 0x02, END = 0x0b, DROP = 0x1a, LOCAL_GET = 0x20, LOCAL_SET = 0x21 };
	struct bytes body = { 0 }, module = { 0 };
	uint32_t result = 0;
	char why[128] = "";

	PUT(&body, 1, 1, type);
	for (uint32_t i = 0; i < FILL; i++) {
		PUT(&body, constant);
		put_number(&body, i);
		PUT(&body, DROP);
	}
	/* sum += (sum ^ sum) + VALUE */
	for (int i = 0; i < ROUNDS; i++)
		PUT(&body, BLOCK, 1, LOCAL_GET, 0, LOCAL_GET, 0, exclusive_or, constant, VALUE, END,
		    add, LOCAL_GET, 0, add, LOCAL_SET, 0);
	PUT(&body, LOCAL_GET, 0);
	if (type == I64)
		PUT(&body, 0xa7); /* i32.wrap_i64 */
	PUT(&body, END);
	put_function(&module, type, &body);

	if (run_module(&module, &result, why, sizeof why) < 0)
		fail_msg("the module was refused or trapped: %s", why);
	assert_int_equal(result, ROUNDS * VALUE);
	free(module.data);
}

static void cve_2026_54912_i32(void **state)
{
	(void)state;
	full_constant_table(I32);
}

static void cve_2026_54912_i64(void **state)
{
	(void)state;
	full_constant_table(I64);
}

/* CVE-2026-54913. A constant expression with the null of a type that is no reference. */
static void cve_2026_54913(void **state)
{
	struct bytes module = { 0 }, s = { 0 };
	char why[128] = "";

	(void)state;
	put_head(&module);
	PUT(&s, 1, FUNCREF, 0, 0xd0, 0x40, 0x0b);
	put_section(&module, 6, &s);
	assert_null(wasm_runtime_load(module.data, module.size, why, sizeof why));
	free(module.data);
}

/* CVE-2025-64704. A vector instruction, which this build does not know: refused, not run through an empty slot. */
static void cve_2025_64704(void **state)
{
	struct bytes module = { 0 }, body = { 0 };
	uint32_t result = 0;
	char why[128] = "";

	(void)state;
	PUT(&body, 0, 0x41, 0, 0xfd, 0x11, 0x1a, 0x41, 0, 0x0b);
	put_function(&module, I32, &body);
	assert_int_equal(run_module(&module, &result, why, sizeof why), -1);
	free(module.data);
}

static int set_up(void **state)
{
	RuntimeInitArgs args = { .mem_alloc_type = Alloc_With_System_Allocator };

	(void)state;
	return wasm_runtime_full_init(&args) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	wasm_runtime_destroy();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cve_2026_54912_i32),
		cmocka_unit_test(cve_2026_54912_i64),
		cmocka_unit_test(cve_2026_54913),
		cmocka_unit_test(cve_2025_64704),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
