/* A ticket's bytes: one form, both ways; nothing damaged is one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/ticket.h"

/* Where the parts lie, as the header's layout says. */
enum {
	APPROVAL = 8,
	DEVICE = APPROVAL + 16,
	INSTANCE = DEVICE + 64,
	COMPONENT = INSTANCE + 64,
	TYPE = COMPONENT + 64,
	DIGEST = TYPE + 16,
	TERMS = DIGEST + 32,
	GRANTS = TERMS + 32,
	STAMP = GRANTS + 4,
	LENGTH = STAMP + 16,
	END = LENGTH + 8,
};

static struct pic_ticket ticket_of(void)
{
	struct pic_ticket ticket = {
		.device = "tiny-edge",
		.name = { "tiny-app", "probe" },
		.type = "ebpf",
		.grants = PIC_GRANT_KERNEL_READ,
		.length_ms = 0x0102030405,
	};

	memset(ticket.approval, 1, sizeof(ticket.approval));
	memset(ticket.digest, 2, sizeof(ticket.digest));
	memset(ticket.terms, 3, sizeof(ticket.terms));
	memset(ticket.stamp, 4, sizeof(ticket.stamp));
	return ticket;
}

static void comes_back(void **state)
{
	const struct pic_ticket ticket = ticket_of();
	unsigned char bytes[PIC_TICKET_SIZE], again[PIC_TICKET_SIZE];
	struct pic_ticket read;

	(void)state;
	assert_int_equal(PIC_TICKET_SIZE, END);
	pic_ticket_write(&ticket, bytes);
	assert_memory_equal(bytes, "pictkt1", 8);
	assert_string_equal((char *)bytes + DEVICE, "tiny-edge");
	assert_int_equal(bytes[LENGTH], 5); /* little endian */
	assert_int_equal(bytes[LENGTH + 4], 1);
	assert_int_equal(pic_ticket_read(bytes, &read, NULL), 0);
	assert_string_equal(read.name.component, "probe");
	assert_int_equal(read.length_ms, ticket.length_ms);
	assert_int_equal(read.grants, ticket.grants);
	assert_memory_equal(read.stamp, ticket.stamp, sizeof(read.stamp));
	pic_ticket_write(&read, again);
	assert_memory_equal(bytes, again, sizeof(bytes));
}

/* Garbage behind a text's end would be bytes that nobody reads and somebody signs. */
static void garbage_is_not_carried(void **state)
{
	struct pic_ticket ticket = ticket_of();
	unsigned char clean[PIC_TICKET_SIZE], bytes[PIC_TICKET_SIZE];

	(void)state;
	pic_ticket_write(&ticket, clean);
	memset(ticket.device + strlen(ticket.device) + 1, 'x', 20);
	pic_ticket_write(&ticket, bytes);
	assert_memory_equal(clean, bytes, sizeof(bytes));
}

static void refuses_what_is_damaged(void **state)
{
	static const struct {
		int at, value;
		const char *sentence;
	} damages[] = {
		{ 0, 'q', "not a ticket" },	   { 6, '2', "not a ticket" },
		{ DEVICE, 0, "a name" },	   { DEVICE, 'T', "a name" },
		{ DEVICE + 63, 'a', "a name" },	   { INSTANCE + 4, '/', "a name" },
		{ COMPONENT, '.', "a name" },	   { TYPE + 15, 'x', "a name" },
		{ GRANTS, 4, "grants 0x4" },	   { GRANTS + 3, 0x80, "does not know" },
		{ LENGTH + 7, 0x80, "no length" }, { LENGTH + 5, 1, "no length" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct pic_ticket ticket = ticket_of(), read;
		unsigned char bytes[PIC_TICKET_SIZE];
		struct pic_error err = PIC_ERROR_INIT;

		pic_ticket_write(&ticket, bytes);
		bytes[damages[i].at] = (unsigned char)damages[i].value;
		memset(&read, 7, sizeof(read));
		assert_int_equal(pic_ticket_read(bytes, &read, &err), -EPROTO);
		if (!strstr(err.text, damages[i].sentence))
			fail_msg("'%s' does not say '%s'", err.text, damages[i].sentence);
		assert_int_equal(read.device[0], 7);
	}
}

static void a_length_of_nothing_is_none(void **state)
{
	static const int64_t bad[] = { 0, -1, PIC_TICKET_LENGTH_MAX_MS + 1 };
	struct pic_ticket ticket = ticket_of(), read;
	unsigned char bytes[PIC_TICKET_SIZE];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		ticket.length_ms = bad[i];
		pic_ticket_write(&ticket, bytes);
		assert_int_equal(pic_ticket_read(bytes, &read, NULL), -EPROTO);
	}
	ticket.length_ms = PIC_TICKET_LENGTH_MAX_MS;
	pic_ticket_write(&ticket, bytes);
	assert_int_equal(pic_ticket_read(bytes, &read, NULL), 0);
}

static void grants_have_words(void **state)
{
	uint32_t bit = 0;

	(void)state;
	for (uint32_t one = 1; one & PIC_GRANT_MASK; one <<= 1) {
		assert_non_null(pic_grant_text(one));
		assert_int_equal(pic_grant_parse(pic_grant_text(one), &bit), 0);
		assert_int_equal(bit, one);
	}
	assert_null(pic_grant_text(PIC_GRANT_MASK));
	assert_int_equal(pic_grant_parse("kernel", &bit), -EINVAL);
}

static void keys_tell_components_apart(void **state)
{
	const struct pic_ticket ticket = ticket_of();
	struct pic_workload_name moved = { "tiny-appp", "robe" };
	unsigned char other[PIC_APPROVAL_SIZE] = { 1 };
	char key[PIC_TICKET_KEY_TEXT], again[PIC_TICKET_KEY_TEXT];

	(void)state;
	pic_ticket_key(ticket.approval, &ticket.name, key);
	assert_int_equal(strspn(key, "0123456789abcdef"), PIC_TICKET_KEY_TEXT - 1);
	pic_ticket_key(ticket.approval, &ticket.name, again);
	assert_string_equal(key, again);
	pic_ticket_key(ticket.approval, &moved, again);
	assert_string_not_equal(key, again);
	pic_ticket_key(other, &ticket.name, again);
	assert_string_not_equal(key, again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(garbage_is_not_carried),
		cmocka_unit_test(refuses_what_is_damaged),
		cmocka_unit_test(a_length_of_nothing_is_none),
		cmocka_unit_test(grants_have_words),
		cmocka_unit_test(keys_tell_components_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
