/* Lists of system calls: what is added to what they name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "workload/calls.h"

static const struct pic_seccomp_rule named[] = {
	PIC_SECCOMP_WHERE(mmap, 3, PROT_EXEC, 0),
	PIC_SECCOMP_WHERE(fcntl, 2, 0xffffffff, F_SETFL),
	PIC_SECCOMP_WHERE(sendto, 5, UINT64_MAX, 0),
	PIC_SECCOMP_CALL(clock_gettime),
	PIC_SECCOMP_CALL(getpid),
};

static const struct pic_seccomp_rule *find(const struct pic_calls *calls, int number)
{
	for (size_t i = 0; i < calls->count; i++)
		if (calls->rules[i].number == number)
			return &calls->rules[i];
	return NULL;
}

static void what_is_named_is_in_it(void **state)
{
	struct pic_calls calls = { .count = 0 };

	(void)state;
	pic_calls_add(&calls, named, PIC_COUNT(named));
	for (size_t i = 0; i < PIC_COUNT(named); i++) {
		const struct pic_seccomp_rule *rule = find(&calls, named[i].number);

		assert_non_null(rule);
		assert_int_equal(rule->argument, named[i].argument);
		assert_int_equal(rule->mask, named[i].mask);
		assert_int_equal(rule->value, named[i].value);
	}
}

static void what_libc_makes_of_it_is_added_and_nothing_else(void **state)
{
	struct pic_calls calls = { .count = 0 };

	(void)state;
	pic_calls_add(&calls, named, PIC_COUNT(named));
#ifdef __arm__
	assert_int_equal(calls.count, PIC_COUNT(named) + 3);
	assert_int_equal(find(&calls, SYS_fcntl64)->argument, 2);
	assert_int_equal(find(&calls, SYS_fcntl64)->mask, 0xffffffff);
	assert_int_equal(find(&calls, SYS_fcntl64)->value, F_SETFL);
	assert_int_equal(find(&calls, SYS_send)->argument, 0);
	assert_int_equal(find(&calls, SYS_clock_gettime64)->argument, 0);
#else
	assert_int_equal(calls.count, PIC_COUNT(named));
#endif
}

/* No form of a call may do more than the call; those with fewer arguments lack what it could be about. */
static void a_form_keeps_the_condition(void **state)
{
	static const struct pic_seccomp_rule all[] = {
		PIC_SECCOMP_WHERE(fcntl, 1, 1, 1),
		PIC_SECCOMP_WHERE(fstat, 1, 1, 1),
		PIC_SECCOMP_WHERE(newfstatat, 1, 1, 1),
		PIC_SECCOMP_WHERE(ftruncate, 1, 1, 1),
		PIC_SECCOMP_WHERE(lseek, 1, 1, 1),
		PIC_SECCOMP_WHERE(clock_gettime, 1, 1, 1),
		PIC_SECCOMP_WHERE(clock_getres, 1, 1, 1),
		PIC_SECCOMP_WHERE(ppoll, 1, 1, 1),
		PIC_SECCOMP_WHERE(timerfd_settime, 1, 1, 1),
		PIC_SECCOMP_WHERE(utimensat, 1, 1, 1),
		PIC_SECCOMP_WHERE(sendto, 1, 1, 1),
		PIC_SECCOMP_WHERE(recvfrom, 1, 1, 1),
	};
	struct pic_calls calls = { .count = 0 };

	(void)state;
	pic_calls_add(&calls, all, PIC_COUNT(all));
	for (size_t i = 0; i < calls.count; i++)
		assert_int_equal(calls.rules[i].argument, 1);
}

static void too_many_are_refused_by_count(void **state)
{
	struct pic_calls calls = { .count = 0 };
	struct pic_error err = { 0 };

	(void)state;
	for (size_t i = 0; i <= PIC_SECCOMP_RULES_MAX; i++)
		pic_calls_add(&calls, &named[PIC_COUNT(named) - 1], 1);
	assert_int_equal(calls.count, PIC_SECCOMP_RULES_MAX + 1);
	assert_int_equal(pic_calls_allow(&calls, &err), -E2BIG);
	assert_non_null(strstr(err.text, "is longer than 256"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_named_is_in_it),
		cmocka_unit_test(what_libc_makes_of_it_is_added_and_nothing_else),
		cmocka_unit_test(a_form_keeps_the_condition),
		cmocka_unit_test(too_many_are_refused_by_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
