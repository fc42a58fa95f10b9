/* The supervisor's edge: which bytes are a request, which entry can be true, which name is a file's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/ledger.h"
#include "protocol/ticket.h"

#define HEAD offsetof(struct pic_supervisor_request, spec)

static struct pic_supervisor_request request_of(uint32_t operation)
{
	struct pic_supervisor_request request = { .version = PIC_SUPERVISOR_VERSION,
						  .operation = operation };

	strcpy(request.name.instance, "tiny-app");
	strcpy(request.name.component, "wasm-module");
	strcpy(request.type, "wasm");
	return request;
}

static int check(const struct pic_supervisor_request *request, size_t extra, size_t fds)
{
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_supervisor_request_check(request, HEAD + extra, fds, &err);

	assert_true((r == 0) == (err.text[0] == '\0'));
	return r;
}

static void every_operation_has_its_shape(void **state)
{
	(void)state;
	for (uint32_t operation = 0; operation < 200; operation++) {
		struct pic_supervisor_request request = request_of(operation);
		uint32_t exact = operation == PIC_SUPERVISOR_TICKET
					 ? sizeof(struct pic_signed_ticket)
				 : operation == PIC_SUPERVISOR_UPLINK ? sizeof(struct pic_uplink)
								      : 0;
		bool known = (operation >= 1 && operation <= 13) ||
			     (operation >= 65 && operation <= 68);
		bool takes = operation == PIC_SUPERVISOR_TAKE,
		     starts = operation == PIC_SUPERVISOR_START;

		request.spec_size = exact;
		assert_int_equal(check(&request, exact, takes), known ? 0 : -EPROTO);
		assert_int_equal(check(&request, exact, !takes), -EPROTO);
		if (exact) {
			request.spec_size = exact - 1;
			assert_int_equal(check(&request, exact - 1, takes), -EPROTO);
			request.spec_size = exact + 1;
			assert_int_equal(check(&request, exact + 1, takes), -EPROTO);
			request.spec_size = 0;
			assert_int_equal(check(&request, 0, takes), -EPROTO);
		}
		request.spec_size = 5;
		assert_int_equal(check(&request, 5, takes), starts ? 0 : -EPROTO);
		assert_int_equal(check(&request, 4, takes), -EPROTO);
		assert_int_equal(check(&request, 6, takes), -EPROTO);
		request.spec_size = PIC_SPEC_MAX + 1;
		assert_int_equal(check(&request, PIC_SPEC_MAX + 1, takes), -EPROTO);
		request = request_of(operation);
		request.spec_size = exact;
		request.flags = 1; /* PIC_STOP_TO_REPLACE */
		assert_int_equal(check(&request, exact, takes),
				 operation == PIC_SUPERVISOR_STOP ? 0 : -EPROTO);
		request.flags = 2;
		assert_int_equal(check(&request, exact, takes), -EPROTO);
		request = request_of(operation);
		request.version = PIC_SUPERVISOR_VERSION + 1;
		assert_int_equal(check(&request, 0, takes), -EPROTO);
	}
}

static void a_short_request_is_none(void **state)
{
	struct pic_supervisor_request request = request_of(PIC_SUPERVISOR_LIST);

	(void)state;
	for (size_t size = 0; size < HEAD; size++)
		assert_int_equal(pic_supervisor_request_check(&request, size, 0, NULL), -EPROTO);
}

static void names_and_types_are_checked_where_they_count(void **state)
{
	static const uint32_t with_name[] = { PIC_SUPERVISOR_START,   PIC_SUPERVISOR_STOP,
					      PIC_SUPERVISOR_LOG,     PIC_SUPERVISOR_HOLD,
					      PIC_SUPERVISOR_RELEASE, PIC_SUPERVISOR_REVOKE,
					      PIC_SUPERVISOR_METRICS };
	static const char *const bad[] = { "",	".",  "..", "../x", "a/b", "a~b",
					   "A", "-a", "a-", "a b",  "a\n" };

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(with_name); i++) {
		for (size_t j = 0; j < PIC_COUNT(bad); j++) {
			struct pic_supervisor_request request = request_of(with_name[i]);

			strcpy(request.name.instance, bad[j]);
			assert_int_equal(check(&request, 0, 0), -EPROTO);
			request = request_of(with_name[i]);
			strcpy(request.name.component, bad[j]);
			assert_int_equal(check(&request, 0, 0), -EPROTO);
		}
		struct pic_supervisor_request endless = request_of(with_name[i]);

		memset(endless.name.component, 'a', sizeof(endless.name.component));
		assert_int_equal(check(&endless, 0, 0), -EPROTO);
	}
	struct pic_supervisor_request request = request_of(PIC_SUPERVISOR_START);

	memset(request.type, 'a', sizeof(request.type));
	assert_int_equal(check(&request, 0, 0), -EPROTO);
	strcpy(request.type, "");
	assert_int_equal(check(&request, 0, 0), -EPROTO);
	request = request_of(PIC_SUPERVISOR_LIST);
	memset(&request.name, 0xff, sizeof(request.name)); /* nobody reads it there */
	assert_int_equal(check(&request, 0, 0), 0);
}

static void file_names_and_back(void **state)
{
	struct pic_workload_name name = { "tiny-app", "wasm.module" }, again;
	char text[PIC_WORKLOAD_FILE_TEXT];
	static const char *const bad[] = { "",	    "a",	  "a~",	  "~b",	  "a~b~c",
					   "a/b~c", "supervisor", "a~..", "..~a", "a~B" };

	(void)state;
	pic_workload_file_text(&name, text);
	assert_string_equal(text, "tiny-app~wasm.module");
	assert_int_equal(pic_workload_file_parse(text, &again), 0);
	assert_int_equal(pic_workload_name_compare(&name, &again), 0);
	for (size_t i = 0; i < PIC_COUNT(bad); i++)
		assert_int_equal(pic_workload_file_parse(bad[i], &again), -EINVAL);
	memset(name.instance, 'a', PIC_NAME_MAX);
	memset(name.component, 'b', PIC_NAME_MAX);
	name.instance[PIC_NAME_MAX] = name.component[PIC_NAME_MAX] = '\0';
	pic_workload_file_text(&name, text);
	assert_int_equal(strlen(text), 2 * PIC_NAME_MAX + 1);
	assert_int_equal(pic_workload_file_parse(text, &again), 0);
}

static struct pic_ledger_entry entry_of(const char *component)
{
	struct pic_ledger_entry entry = { .state = PIC_LEDGER_RUNNING, .pid = 7 };

	strcpy(entry.name.instance, "i");
	strcpy(entry.name.component, component);
	strcpy(entry.type, "wasm");
	return entry;
}

static void entries_that_cannot_be_true(void **state)
{
	const struct pic_ledger_entry good = entry_of("c");
	struct pic_ledger_entry bad;

	(void)state;
	assert_true(pic_ledger_entry_is_valid(&good));
#define SPOIL(change) \
	do { \
		bad = good; \
		change; \
		assert_false(pic_ledger_entry_is_valid(&bad)); \
	} while (0)
	SPOIL(bad.state = 0);
	SPOIL(bad.state = PIC_LEDGER_HELD + 1);
	SPOIL(bad.end_kind = PIC_END_LAST + 1);
	SPOIL(bad.pid = -1);
	SPOIL(memset(bad.type, 'a', sizeof(bad.type)));
	SPOIL(memset(bad.end_text, 'a', sizeof(bad.end_text)));
	SPOIL(memset(bad.evidence, 'a', sizeof(bad.evidence)));
	SPOIL(strcpy(bad.name.instance, "../x"));
	SPOIL(bad.name.component[0] = '\0');
#undef SPOIL
}

static struct pic_binding binding_of(const char *component)
{
	struct pic_binding binding = {
		.approval = { 9 }, .type = "ebpf", .state = PIC_BINDING_OPEN, .end_boot_ms = 77
	};

	strcpy(binding.name.instance, "i");
	strcpy(binding.name.component, component);
	return binding;
}

static void bindings_that_cannot_be_true(void **state)
{
	const struct pic_binding good = binding_of("c");
	struct pic_binding bad;

	(void)state;
	assert_true(pic_binding_is_valid(&good));
#define SPOIL(change) \
	do { \
		bad = good; \
		change; \
		assert_false(pic_binding_is_valid(&bad)); \
	} while (0)
	SPOIL(bad.state = 0);
	SPOIL(bad.state = PIC_BINDING_CLOSED + 1);
	SPOIL(bad.grants = PIC_GRANT_MASK + 1);
	SPOIL(memset(bad.type, 'a', sizeof(bad.type)));
	SPOIL(strcpy(bad.name.component, ".."));
#undef SPOIL
}

static void the_ledger_comes_back(void **state)
{
	PIC_BUF struct pic_buf file = PIC_BUF_INIT(PIC_LEDGER_SIZE_MAX);
	struct pic_ledger_head head = { .stamp_next = 3, .binding_count = 2 }, again;
	struct pic_binding bindings[] = { binding_of("a"), binding_of("c") }, binding;
	struct pic_ledger_entry entries[] = { entry_of("a"), entry_of("b") }, entry;
	size_t whole;

	(void)state;
	head.stamps[2].boot_ms = 99;
	pic_ledger_begin(&head, bindings, 2, &file);
	pic_buf_add(&file, entries, sizeof(entries));
	whole = file.size;
	assert_int_equal(pic_ledger_head_read(&file, &again, NULL), 0);
	assert_memory_equal(&head, &again, sizeof(head));
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(pic_ledger_entry_read(&file, i, &entry, NULL), 0);
		assert_memory_equal(&entry, &entries[i], sizeof(entry));
		assert_int_equal(pic_ledger_binding_read(&file, i, &binding, NULL), 0);
		assert_memory_equal(&binding, &bindings[i], sizeof(binding));
	}
	for (file.size = 0; file.size < whole; file.size++)
		assert_int_equal(pic_ledger_head_read(&file, &again, NULL), -EBADMSG);
	file.size = whole;
	file.data[0] ^= 1;
	assert_int_equal(pic_ledger_head_read(&file, &again, NULL), -EBADMSG);
	file.data[0] ^= 1;
	memset(file.data + sizeof(head), 0xff, sizeof(binding));
	assert_int_equal(pic_ledger_binding_read(&file, 0, &binding, NULL), -EBADMSG);
	assert_int_equal(pic_ledger_binding_read(&file, 1, &binding, NULL), 0);
	memset(file.data + sizeof(head) + sizeof(bindings), 0xff, sizeof(entry));
	assert_int_equal(pic_ledger_entry_read(&file, 0, &entry, NULL), -EBADMSG);
	assert_int_equal(pic_ledger_entry_read(&file, 1, &entry, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_has_its_shape),
		cmocka_unit_test(a_short_request_is_none),
		cmocka_unit_test(names_and_types_are_checked_where_they_count),
		cmocka_unit_test(file_names_and_back),
		cmocka_unit_test(entries_that_cannot_be_true),
		cmocka_unit_test(bindings_that_cannot_be_true),
		cmocka_unit_test(the_ledger_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
