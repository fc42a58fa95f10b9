/* What tickets allow: bound once, never longer, never again after it was closed. The clock is a number. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/binding.h"

#define NOW 1000000
#define HOUR (3600 * 1000)

struct world {
	struct pic_ledger_head head;
	struct pic_binding bindings[PIC_BINDINGS_MAX];
};

static void give_stamp(struct world *world, unsigned char first, int64_t boot_ms)
{
	struct pic_stamp *stamp = &world->head.stamps[first];

	memset(stamp->bytes, first, sizeof(stamp->bytes));
	stamp->boot_ms = boot_ms;
}

static struct world world_with_stamp(void)
{
	struct world world = { .head = { .binding_count = 0 } };

	give_stamp(&world, 1, NOW);
	return world;
}

static struct pic_ticket ticket_of(unsigned char approval, unsigned char stamp, int64_t length_ms)
{
	struct pic_ticket ticket = { .device = "box",
				     .name = { "app", "probe" },
				     .type = "ebpf",
				     .grants = PIC_GRANT_KERNEL_READ,
				     .length_ms = length_ms };

	memset(ticket.approval, approval, sizeof(ticket.approval));
	memset(ticket.stamp, stamp, sizeof(ticket.stamp));
	memset(ticket.digest, 0xd, sizeof(ticket.digest));
	memset(ticket.terms, 0xe, sizeof(ticket.terms));
	return ticket;
}

static int make(struct world *world, const struct pic_ticket *ticket, int64_t now, int64_t *end,
		const char *sentence)
{
	struct pic_binding *binding = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_binding_make(&world->head, world->bindings, ticket, "box", now, &binding, &err);

	if (end && r >= 0)
		*end = binding->end_boot_ms;
	if (sentence && !strstr(err.text, sentence))
		fail_msg("'%s' does not say '%s'", err.text, sentence);
	assert_true((r < 0) == (err.text[0] != '\0'));
	return r;
}

static struct pic_binding_wish wish_of(const struct pic_ticket *ticket)
{
	return (struct pic_binding_wish){ .name = &ticket->name,
					  .type = ticket->type,
					  .digest = ticket->digest,
					  .terms = ticket->terms };
}

/* The end by which it may start; 0: it may not. */
static int64_t may_start(const struct world *world, const struct pic_binding_wish *wish,
			 uint32_t lease_s, int64_t now, const char *sentence)
{
	struct pic_error err = PIC_ERROR_INIT;
	int64_t end = 0;
	const struct pic_binding *binding =
		pic_binding_find(&world->head, world->bindings, wish, lease_s, now, &end, &err);

	if (sentence && !strstr(err.text, sentence))
		fail_msg("'%s' does not say '%s'", err.text, sentence);
	assert_true(!binding == (end == 0));
	return end;
}

static void the_end_counts_from_the_stamp(void **state)
{
	struct world world = world_with_stamp();
	const struct pic_ticket ticket = ticket_of(7, 1, HOUR);
	int64_t end = 0;

	(void)state;
	/* withheld for a minute: it does not lengthen */
	assert_int_equal(make(&world, &ticket, NOW + 60000, &end, NULL), 1);
	assert_int_equal(end, NOW + HOUR);
	assert_int_equal(world.bindings[0].bound_boot_ms, NOW + 60000);
	assert_int_equal(world.bindings[0].grants, PIC_GRANT_KERNEL_READ);
}

static void the_same_approval_never_lengthens(void **state)
{
	struct world world = world_with_stamp();
	struct pic_ticket ticket = ticket_of(7, 1, HOUR);
	int64_t end = 0;

	(void)state;
	assert_int_equal(make(&world, &ticket, NOW, &end, NULL), 1);
	give_stamp(&world, 2, NOW + 1000);
	ticket = ticket_of(7, 2, 2 * HOUR);
	assert_int_equal(make(&world, &ticket, NOW + 1000, &end, NULL), 0);
	assert_int_equal(end, NOW + HOUR);
	/* also long after it was over */
	give_stamp(&world, 3, NOW + 3 * HOUR);
	ticket = ticket_of(7, 3, HOUR);
	assert_int_equal(make(&world, &ticket, NOW + 3 * HOUR, &end, NULL), 0);
	assert_int_equal(end, NOW + HOUR);
	assert_int_equal(world.head.binding_count, 1);
	/* a new approval does */
	ticket = ticket_of(8, 3, HOUR);
	assert_int_equal(make(&world, &ticket, NOW + 3 * HOUR, &end, NULL), 1);
	assert_int_equal(end, NOW + 4 * HOUR);
}

static void foreign_old_and_late_tickets_are_worth_nothing(void **state)
{
	struct world world = world_with_stamp();
	struct pic_ticket ticket = ticket_of(7, 9, HOUR);

	(void)state;
	assert_int_equal(make(&world, &ticket, NOW, NULL, "answers no poll"), -ESTALE);
	/* a place in the list that was never given out has bytes too: zeros */
	ticket = ticket_of(7, 0, HOUR);
	assert_int_equal(make(&world, &ticket, NOW, NULL, "answers no poll"), -ESTALE);
	ticket = ticket_of(7, 1, HOUR);
	assert_int_equal(make(&world, &ticket, NOW + HOUR, NULL, "after its time"), -EPERM);
	strcpy(ticket.device, "box2");
	assert_int_equal(make(&world, &ticket, NOW, NULL, "for the device box2, this is box"),
			 -EPERM);
	assert_int_equal(world.head.binding_count, 0);
}

static void another_digest_under_a_bound_approval_is_refused(void **state)
{
	struct world world = world_with_stamp();
	const struct pic_ticket good = ticket_of(7, 1, HOUR);
	struct pic_ticket bad;

	(void)state;
	assert_int_equal(make(&world, &good, NOW, NULL, NULL), 1);
#define REFUSED(change) \
	do { \
		bad = good; \
		change; \
		assert_int_equal(make(&world, &bad, NOW, NULL, "other bytes or hooks"), -EPERM); \
	} while (0)
	REFUSED(bad.digest[31] ^= 1);
	REFUSED(bad.terms[0] ^= 1);
	REFUSED(bad.grants |= PIC_GRANT_REDIRECT);
	REFUSED(strcpy(bad.type, "wasm"));
#undef REFUSED
	assert_int_equal(world.head.binding_count, 1);
	/* another component of the same approval has its own */
	bad = good;
	strcpy(bad.name.component, "other");
	bad.digest[0] ^= 1;
	assert_int_equal(make(&world, &bad, NOW, NULL, NULL), 1);
}

static void only_what_was_bound_may_start(void **state)
{
	struct world world = world_with_stamp();
	const struct pic_ticket ticket = ticket_of(7, 1, HOUR);
	struct pic_binding_wish wish = wish_of(&ticket);
	static const unsigned char other[PIC_DIGEST_SIZE];
	struct pic_workload_name name = { "app", "else" };

	(void)state;
	assert_int_equal(may_start(&world, &wish, 7200, NOW, "needs an approval and its ticket"),
			 0);
	assert_int_equal(make(&world, &ticket, NOW, NULL, NULL), 1);
	assert_int_equal(may_start(&world, &wish, 7200, NOW, NULL), NOW + HOUR);
	/* again, after a crash: the same end; policy's cap counts from when it was bound */
	assert_int_equal(may_start(&world, &wish, 7200, NOW + HOUR - 1, NULL), NOW + HOUR);
	assert_int_equal(may_start(&world, &wish, 60, NOW + 59999, NULL), NOW + 60000);
	assert_int_equal(may_start(&world, &wish, 60, NOW + 60000, "time of the one it had"), 0);
	assert_int_equal(may_start(&world, &wish, 7200, NOW + HOUR, "time of the one it had"), 0);
	wish.digest = other;
	assert_int_equal(may_start(&world, &wish, 7200, NOW, "other bytes"), 0);
	wish = wish_of(&ticket);
	wish.terms = other;
	assert_int_equal(may_start(&world, &wish, 7200, NOW, "other hooks"), 0);
	wish = wish_of(&ticket);
	wish.name = &name;
	assert_int_equal(may_start(&world, &wish, 7200, NOW, "app/else needs an approval"), 0);
}

static void of_two_approvals_the_longer_one_counts(void **state)
{
	struct world world = world_with_stamp();
	struct pic_ticket ticket = ticket_of(7, 1, HOUR);
	const struct pic_binding_wish wish = wish_of(&ticket);

	(void)state;
	assert_int_equal(make(&world, &ticket, NOW, NULL, NULL), 1);
	ticket = ticket_of(8, 1, 2 * HOUR);
	assert_int_equal(make(&world, &ticket, NOW, NULL, NULL), 1);
	ticket = ticket_of(9, 1, HOUR / 2);
	assert_int_equal(make(&world, &ticket, NOW, NULL, NULL), 1);
	assert_int_equal(may_start(&world, &wish, 100000, NOW, NULL), NOW + 2 * HOUR);
}

static void what_was_closed_stays_closed(void **state)
{
	struct world world = world_with_stamp();
	struct pic_ticket ticket = ticket_of(7, 1, HOUR);
	const struct pic_binding_wish wish = wish_of(&ticket);
	struct pic_ledger_entry entry = { .state = PIC_LEDGER_RUNNING };
	struct pic_workload_name other = { "app", "else" };
	uint32_t from = 0;

	(void)state;
	entry.name = ticket.name;
	assert_true(pic_binding_holds(&world.head, world.bindings, &entry)); /* needs none */
	memcpy(entry.approval, ticket.approval, sizeof(entry.approval));
	assert_false(pic_binding_holds(&world.head, world.bindings, &entry));
	assert_int_equal(make(&world, &ticket, NOW, NULL, NULL), 1);
	assert_true(pic_binding_holds(&world.head, world.bindings, &entry));
	assert_null(pic_binding_close(&world.head, world.bindings, &other, &from));
	from = 0;
	assert_ptr_equal(pic_binding_close(&world.head, world.bindings, &ticket.name, &from),
			 &world.bindings[0]);
	assert_null(pic_binding_close(&world.head, world.bindings, &ticket.name, &from));
	assert_false(pic_binding_holds(&world.head, world.bindings, &entry));
	assert_int_equal(may_start(&world, &wish, 7200, NOW, "was taken back"), 0);
	assert_int_equal(make(&world, &ticket, NOW, NULL, "was taken back"), -EPERM);
	give_stamp(&world, 2, NOW + 1);
	ticket = ticket_of(7, 2, HOUR);
	assert_int_equal(make(&world, &ticket, NOW + 1, NULL, "was taken back"), -EPERM);
}

static void room_is_made_of_what_is_over(void **state)
{
	struct world world = world_with_stamp();
	struct pic_ticket ticket;
	int64_t over = NOW + 1000;

	(void)state;
	for (unsigned char i = 0; i < PIC_BINDINGS_MAX; i++) {
		ticket = ticket_of((unsigned char)(100 + i), 1, i == 5 ? 1000 : HOUR);
		assert_int_equal(make(&world, &ticket, NOW, NULL, NULL), 1);
	}
	give_stamp(&world, 2, over);
	ticket = ticket_of(7, 2, HOUR);
	assert_int_equal(make(&world, &ticket, over, NULL, "has no room"), -ENOSPC);
	assert_int_equal(make(&world, &ticket, over + 1, NULL, NULL), 1);
	assert_int_equal(world.head.binding_count, PIC_BINDINGS_MAX);
	assert_int_equal(world.bindings[5].approval[0], 7);
	ticket = ticket_of(8, 2, HOUR);
	assert_int_equal(make(&world, &ticket, over + 1, NULL, "has no room"), -ENOSPC);
	ticket = ticket_of(105, 1, 1000); /* that which was forgotten */
	assert_int_equal(make(&world, &ticket, over + 1, NULL, "after its time was over"), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_counts_from_the_stamp),
		cmocka_unit_test(the_same_approval_never_lengthens),
		cmocka_unit_test(foreign_old_and_late_tickets_are_worth_nothing),
		cmocka_unit_test(another_digest_under_a_bound_approval_is_refused),
		cmocka_unit_test(only_what_was_bound_may_start),
		cmocka_unit_test(of_two_approvals_the_longer_one_counts),
		cmocka_unit_test(what_was_closed_stays_closed),
		cmocka_unit_test(room_is_made_of_what_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
