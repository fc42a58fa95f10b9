/*
 * The plan against a model of a device: many random cases converge, and every rule that is switched off
 * makes the model complain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "agent/world.h"

#define CASES 120000
#define CASES_OF_A_BROKEN_RULE 20000
#define ROUNDS_MAX 600

static const char *const rule_names[PIC_RULE_COUNT] = {
	"absence keeps",      "removed stops",	     "removal is proved", "revision rises",
	"epoch is confirmed", "orphans are kept",    "drift is healed",	  "old until new is ready",
	"admission",	      "stored before start", "backoff",		  "invalid stays down",
	"restart policy",     "held stays down",     "failure is local",  "dependencies",
	"used is kept",	      "unused is dropped",   "few fetches",	  "nothing twice",
	"refused stays down", "retry waits",	     "file removes",	  "permission",
	"expired stays down",
};

/* NULL, or the rule that was broken. */
static const char *run_case(uint64_t seed, uint32_t broken)
{
	struct world world;
	const char *violation;

	world_begin(&world, seed, broken);
	for (uint64_t offers = 1 + world_below(&world, 3); offers > 0; offers--) {
		world_offer(&world);
		for (uint64_t rounds = world_below(&world, 15); rounds > 0 && !world.violation;
		     rounds--)
			world_round(&world);
	}
	world.quiet = true;
	for (int i = 0; i < ROUNDS_MAX && !world.violation && !world_is_settled(&world); i++)
		world_round(&world);
	if (!world.violation && !world_is_settled(&world))
		world.violation = "it does not come to rest";
	if (!world.violation)
		world_check_idempotence(&world);
	violation = world.violation;
	world_end(&world);
	return violation;
}

static void converges(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= CASES; seed++) {
		const char *violation = run_case(seed, 0);

		if (violation)
			fail_msg("case %llu: %s", (unsigned long long)seed, violation);
	}
	print_message("%d random cases\n", CASES);
}

static void every_rule_is_watched(void **state)
{
	(void)state;
	for (unsigned rule = 0; rule < PIC_RULE_COUNT; rule++) {
		const char *violation = NULL;
		uint64_t seed = 0;

		while (!violation && ++seed <= CASES_OF_A_BROKEN_RULE)
			violation = run_case(seed, 1U << rule);
		if (!violation)
			fail_msg("nobody notices that '%s' is broken", rule_names[rule]);
		print_message("'%s' broken: case %llu says: %s\n", rule_names[rule],
			      (unsigned long long)seed, violation);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converges),
		cmocka_unit_test(every_rule_is_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
