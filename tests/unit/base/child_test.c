/* Jobs in children, and facts about processes. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"

struct outcome {
	struct pic_loop *loop;
	unsigned calls;
	size_t size;
	char bytes[64];
};

static void note(void *data, const void *result, size_t size)
{
	struct outcome *outcome = data;

	outcome->calls++;
	outcome->size = size;
	memcpy(outcome->bytes, result,
	       size < sizeof(outcome->bytes) ? size : sizeof(outcome->bytes));
	pic_loop_stop(outcome->loop);
}

static void answer(void *data, int result_fd)
{
	(void)data;
	pic_fd_write_all(result_fd, "result", 6);
}

static void hang(void *data, int result_fd)
{
	(void)data;
	(void)result_fd;
	for (;;)
		pause();
}

static void crash(void *data, int result_fd)
{
	(void)data;
	(void)result_fd;
	raise(SIGKILL);
}

static struct outcome run(void (*work)(void *data, int result_fd), int64_t limit_ms)
{
	struct outcome outcome = { .calls = 0 };
	struct pic_child_order order = {
		.work = work, .done = note, .data = &outcome, .limit_ms = limit_ms
	};
	struct pic_child *child;

	assert_int_equal(pic_loop_new(&outcome.loop, NULL), 0);
	assert_int_equal(pic_child_start(&child, outcome.loop, &order, NULL), 0);
	assert_int_equal(outcome.calls, 0);
	assert_int_equal(pic_loop_run(outcome.loop, NULL), 0);
	pic_loop_free(outcome.loop);
	assert_int_equal(outcome.calls, 1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
	return outcome;
}

static void a_result_comes(void **state)
{
	struct outcome outcome = run(answer, 10000);

	(void)state;
	assert_int_equal(outcome.size, 6);
	assert_memory_equal(outcome.bytes, "result", 6);
}

static void a_late_or_dead_child_has_none(void **state)
{
	int64_t began = pic_clock_boot_ms();

	(void)state;
	assert_int_equal(run(hang, 50).size, 0);
	assert_true(pic_clock_boot_ms() - began >= 45);
	assert_int_equal(run(crash, 10000).size, 0);
}

static void a_cancelled_one_is_gone_and_silent(void **state)
{
	struct outcome outcome = { .calls = 0 };
	struct pic_child_order order = {
		.work = hang, .done = note, .data = &outcome, .limit_ms = 10000
	};
	struct pic_child *child;

	(void)state;
	assert_int_equal(pic_loop_new(&outcome.loop, NULL), 0);
	assert_int_equal(pic_child_start(&child, outcome.loop, &order, NULL), 0);
	pic_child_cancel(child);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(outcome.calls, 0);
	pic_loop_free(outcome.loop);
}

static void waiting_has_a_limit(void **state)
{
	char room[6];

	(void)state;
	assert_int_equal(pic_child_wait(answer, NULL, 10000, room, 6, NULL), 0);
	assert_memory_equal(room, "result", 6);
	assert_int_equal(pic_child_wait(answer, NULL, 10000, room, 5, NULL), 0);
	assert_int_equal(pic_child_wait(hang, NULL, 50, room, 6, NULL), -ETIMEDOUT);
	assert_int_equal(pic_child_wait(crash, NULL, 10000, room, 6, NULL), -ETIMEDOUT);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void die_slowly(pid_t pid, int pidfd, int signo)
{
	siginfo_t info;

	kill(pid, signo);
	/* ended, and still there for somebody to reap */
	assert_int_equal(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOWAIT), 0);
}

static void a_process_is_known_by_its_start(void **state)
{
	struct pic_process own, other;
	pid_t pid;
	int pidfd, status = 0;

	(void)state;
	/* a name that looks like the end of the field */
	prctl(PR_SET_NAME, "a) Z 1 (b", 0, 0, 0);
	assert_true(pic_process_look(getpid(), &own));
	assert_false(own.is_zombie);
	assert_true(own.start > 0);
	pid = fork();
	if (pid == 0)
		hang(NULL, -1);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(pic_process_look(pid, &other));
	assert_true(other.start >= own.start);
	assert_false(pic_process_status(pidfd, pid, other.start, &status)); /* it lives */
	die_slowly(pid, pidfd, SIGUSR1);
	assert_true(pic_process_look(pid, &other));
	assert_true(other.is_zombie);
	assert_true(WIFSIGNALED(other.exit_code) && WTERMSIG(other.exit_code) == SIGUSR1);
	assert_true(pic_process_status(pidfd, pid, other.start, &status)); /* and reaps it */
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	assert_false(pic_process_look(pid, &other));
	close(pidfd);
}

/* A grandchild whose parent is gone: somebody else reaps it, now or later. */
static void the_status_of_a_strangers_child_is_known(void **state)
{
	struct pic_process process;
	int ends[2], status = 0, pidfd;
	pid_t parent, pid = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	parent = fork();
	if (parent == 0) {
		pid = fork();
		if (pid == 0)
			hang(NULL, -1);
		_exit(write(ends[1], &pid, sizeof(pid)) != sizeof(pid));
	}
	assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(pic_process_look(pid, &process));
	kill(pid, SIGKILL);
	for (int64_t limit = pic_clock_boot_ms() + 5000; pic_clock_boot_ms() < limit;) {
		if (pic_process_status(pidfd, pid, process.start, &status))
			break;
	}
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(pidfd);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_comes),
		cmocka_unit_test(a_late_or_dead_child_has_none),
		cmocka_unit_test(a_cancelled_one_is_gone_and_silent),
		cmocka_unit_test(waiting_has_a_limit),
		cmocka_unit_test(a_process_is_known_by_its_start),
		cmocka_unit_test(the_status_of_a_strangers_child_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
