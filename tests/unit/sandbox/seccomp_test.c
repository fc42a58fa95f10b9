/* System call lists against the running kernel. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "sandbox/sandbox_child.h"
#include "sandbox/seccomp.h"

/* What the test's own child needs besides the rules it tries. */
#ifdef __SANITIZE_ADDRESS__
#define ALWAYS \
	PIC_SECCOMP_CALL(exit_group), PIC_SECCOMP_CALL(munmap), PIC_SECCOMP_CALL(sigaltstack), \
		PIC_SECCOMP_CALL(mmap)
#else
#define ALWAYS PIC_SECCOMP_CALL(exit_group)
#endif

static void try_refused(struct sandbox_child *child, void *data)
{
	const struct pic_seccomp_rule rules[] = {
		ALWAYS,
		PIC_SECCOMP_CALL(getppid),
		PIC_SECCOMP_WHERE(fcntl, 2, 0xffffffff, F_GETFD),
		PIC_SECCOMP_WHERE(fcntl, 2, 0xffffffff, F_GETFL),
		PIC_SECCOMP_CALL(getpgid),
		/* both halves of a 64-bit argument */
		PIC_SECCOMP_WHERE(lseek, 2, UINT64_MAX, 0x100000001ull),
		PIC_SECCOMP_WHERE(dup3, 3, O_CLOEXEC, O_CLOEXEC),
	};

	(void)data;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (pic_seccomp_allow(rules, PIC_COUNT(rules), PIC_SECCOMP_REFUSE, &child->error) < 0)
		return;
	child->numbers[0] = syscall(SYS_getppid) > 0;
	child->numbers[1] = socket(AF_INET, SOCK_STREAM, 0);
	child->numbers[2] = errno;
	child->numbers[3] = syscall(SYS_fcntl, 0, F_GETFD) >= 0;
	child->numbers[4] = syscall(SYS_fcntl, 0, F_GETFL) >= 0;
	child->numbers[5] = syscall(SYS_fcntl, 0, F_DUPFD, 100);
	child->numbers[6] = errno;
	child->numbers[7] = syscall(SYS_getpgid, 0) >= 0;
	errno = 0;
	syscall(SYS_lseek, 9999, 0x100000001ull, 0);
	child->numbers[8] = errno; /* EBADF: the call was made */
	syscall(SYS_lseek, 9999, 1, 0);
	child->numbers[9] = errno;
	syscall(SYS_lseek, 9999, 0x100000002ull, 0);
	child->numbers[10] = errno;
	syscall(SYS_dup3, 9998, 9999, O_CLOEXEC);
	child->numbers[11] = errno;
	syscall(SYS_dup3, 9998, 9999, 0);
	child->numbers[12] = errno;
}

static void only_the_list_is_allowed(void **state)
{
	struct sandbox_child child;

	(void)state;
	assert_int_equal(sandbox_child_run(try_refused, NULL, &child), 0);
	assert_string_equal(child.error.text, "");
	assert_int_equal(child.numbers[0], 1);
	assert_int_equal(child.numbers[1], -1);
	assert_int_equal(child.numbers[2], EPERM);
	assert_int_equal(child.numbers[3], 1);
	assert_int_equal(child.numbers[4], 1);
	assert_int_equal(child.numbers[5], -1);
	assert_int_equal(child.numbers[6], EPERM);
	assert_int_equal(child.numbers[7], 1);
	assert_int_equal(child.numbers[8], EBADF);
	assert_int_equal(child.numbers[9], EPERM);
	assert_int_equal(child.numbers[10], EPERM);
	assert_int_equal(child.numbers[11], EBADF);
	assert_int_equal(child.numbers[12], EPERM);
}

static void try_killed(struct sandbox_child *child, void *data)
{
	const struct pic_seccomp_rule rules[] = { ALWAYS };

	(void)data;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (pic_seccomp_allow(rules, PIC_COUNT(rules), PIC_SECCOMP_KILL, &child->error) < 0)
		return;
	child->numbers[0] = 1;
	syscall(SYS_getppid);
	child->numbers[0] = 2;
}

static void another_call_ends_the_process(void **state)
{
	struct sandbox_child child;
	int status;

	(void)state;
	status = sandbox_child_run(try_killed, NULL, &child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	assert_int_equal(child.numbers[0], 1);
}

#ifdef __x86_64__
/* The 32-bit door of the same kernel: getpid there is 20, which is writev here. */
static void try_other_convention(struct sandbox_child *child, void *data)
{
	const struct pic_seccomp_rule rules[] = { ALWAYS, PIC_SECCOMP_CALL(writev),
						  PIC_SECCOMP_CALL(getppid) };
	long answer = 20;

	(void)data;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (pic_seccomp_allow(rules, PIC_COUNT(rules), PIC_SECCOMP_REFUSE, &child->error) < 0)
		return;
	child->numbers[0] = 1;
	__asm__ volatile("int $0x80" : "+a"(answer) : : "memory", "rcx", "r8", "r9", "r10", "r11");
	child->numbers[0] = 2;
	child->numbers[1] = answer;
}

static void the_other_convention_ends_the_process(void **state)
{
	struct sandbox_child child;
	int status;

	(void)state;
	status = sandbox_child_run(try_other_convention, NULL, &child);
	/* a kernel without that door raises SIGSEGV by itself */
	assert_true(WIFSIGNALED(status));
	assert_int_equal(child.numbers[0], 1);
}
#endif

/* Calls without arguments and without an effect; every other one of them is allowed. */
static const int harmless[] = {
	SYS_getpid,    SYS_getppid,	SYS_gettid,  SYS_getuid,    SYS_geteuid,   SYS_getgid,
	SYS_getegid,   SYS_sched_yield, SYS_getpgid, SYS_getsid,    SYS_getgroups, SYS_uname,
	SYS_getrusage, SYS_times,	SYS_sysinfo, SYS_getitimer,
};

/* Rules in no order, many of one number among them: more than stand behind one comparison. */
static void try_long(struct sandbox_child *child, void *data)
{
	struct pic_seccomp_rule rules[96] = { ALWAYS };
	size_t count = PIC_COUNT((struct pic_seccomp_rule[]){ ALWAYS });

	(void)data;
	for (size_t i = 0; i < PIC_COUNT(harmless); i += 2)
		rules[count++] = (struct pic_seccomp_rule){ .number = harmless[i] };
	for (uint64_t i = 0; i < 40; i++)
		rules[count++] =
			(struct pic_seccomp_rule)PIC_SECCOMP_WHERE(lseek, 2, UINT64_MAX, i);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (pic_seccomp_allow(rules, count, PIC_SECCOMP_REFUSE, &child->error) < 0)
		return;
	for (size_t i = 0; i < PIC_COUNT(harmless); i++) {
		errno = 0;
		syscall(harmless[i], 0L, 0L, 0L);
		child->numbers[0] += errno != EPERM && i % 2 == 0;
		child->numbers[1] += errno == EPERM && i % 2 == 1;
	}
	for (long i = 0; i < 42; i++) {
		syscall(SYS_lseek, 9999, i, 0);
		child->numbers[2] += errno == EBADF && i < 40;
		child->numbers[3] += errno == EPERM && i >= 40;
	}
	errno = 0;
	syscall(0x7fffffff);
	child->numbers[4] = errno;
}

static void a_long_list_allows_what_it_says(void **state)
{
	struct sandbox_child child;

	(void)state;
	assert_int_equal(sandbox_child_run(try_long, NULL, &child), 0);
	assert_string_equal(child.error.text, "");
	assert_int_equal(child.numbers[0], PIC_COUNT(harmless) / 2);
	assert_int_equal(child.numbers[1], PIC_COUNT(harmless) / 2);
	assert_int_equal(child.numbers[2], 40);
	assert_int_equal(child.numbers[3], 2);
	assert_int_equal(child.numbers[4], EPERM);
}

static void a_list_that_is_too_long_is_refused(void **state)
{
	static struct pic_seccomp_rule rules[PIC_SECCOMP_RULES_MAX + 1];
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(pic_seccomp_allow(rules, PIC_COUNT(rules), PIC_SECCOMP_KILL, &err),
			 -E2BIG);
	assert_int_equal(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_list_is_allowed),
		cmocka_unit_test(another_call_ends_the_process),
#ifdef __x86_64__
		cmocka_unit_test(the_other_convention_ends_the_process),
#endif
		cmocka_unit_test(a_long_list_allows_what_it_says),
		cmocka_unit_test(a_list_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
