/* Giving up root: what /proc says of the process afterwards, and what it can no longer do. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/capability.h>

#include "sandbox/privilege.h"
#include "sandbox/sandbox_child.h"

#define USER 1900000123

/* The hexadecimal number behind a key of /proc/self/status. */
static long status_hex(const char *key)
{
	char line[256];
	long value = -1;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtol(line + strlen(key), NULL, 16);
	if (file)
		fclose(file);
	return value;
}

enum {
	CAP_EFF,
	CAP_PRM,
	CAP_INH,
	CAP_BND,
	CAP_AMB,
	NO_NEW,
	UID,
	EUID,
	GID,
	GROUPS,
	DUMPABLE,
	BITS,
	SETUID_BACK,
	CORE,
	NOFILE,
	READ_SHADOW
};

static void drop_and_look(struct sandbox_child *child, void *data)
{
	const struct pic_privileges *wanted = data;
	struct rlimit limit;
	gid_t groups[8];
	int shadow;

	if (pic_privileges_drop(wanted, &child->error) < 0)
		return;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* only so that /proc/self can be read here */
	child->numbers[CAP_EFF] = status_hex("CapEff:");
	child->numbers[CAP_PRM] = status_hex("CapPrm:");
	child->numbers[CAP_INH] = status_hex("CapInh:");
	child->numbers[CAP_BND] = status_hex("CapBnd:");
	child->numbers[CAP_AMB] = status_hex("CapAmb:");
	child->numbers[NO_NEW] = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	child->numbers[UID] = getuid();
	child->numbers[EUID] = geteuid();
	child->numbers[GID] = getgid();
	child->numbers[GROUPS] = getgroups(8, groups);
	child->numbers[BITS] = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	child->numbers[SETUID_BACK] = setuid(0);
	getrlimit(RLIMIT_CORE, &limit);
	child->numbers[CORE] = (long)limit.rlim_max;
	getrlimit(RLIMIT_NOFILE, &limit);
	child->numbers[NOFILE] = (long)limit.rlim_max;
	shadow = open("/etc/shadow", O_RDONLY);
	child->numbers[READ_SHADOW] = shadow;
}

static void nothing_of_root_is_left(void **state)
{
	struct pic_privileges wanted = { .user = USER, .group = USER, .files_max = 77 };
	struct sandbox_child child;
	gid_t some[] = { 4, 5 };

	(void)state;
	if (!sandbox_is_root())
		skip();
	assert_int_equal(setgroups(2, some), 0);
	assert_int_equal(sandbox_child_run(drop_and_look, &wanted, &child), 0);
	assert_int_equal(setgroups(0, NULL), 0);
	assert_int_equal(child.error.code, 0);
	assert_int_equal(child.numbers[CAP_EFF], 0);
	assert_int_equal(child.numbers[CAP_PRM], 0);
	assert_int_equal(child.numbers[CAP_INH], 0);
	assert_int_equal(child.numbers[CAP_BND], 0);
	assert_int_equal(child.numbers[CAP_AMB], 0);
	assert_int_equal(child.numbers[NO_NEW], 1);
	assert_int_equal(child.numbers[UID], USER);
	assert_int_equal(child.numbers[EUID], USER);
	assert_int_equal(child.numbers[GID], USER);
	assert_int_equal(child.numbers[GROUPS], 0);
	assert_int_equal(child.numbers[SETUID_BACK], -1);
	assert_int_equal(child.numbers[CORE], 0);
	assert_int_equal(child.numbers[NOFILE], 77);
	assert_int_equal(child.numbers[READ_SHADOW], -1);
	/* noroot, no setuid fix-up, keep-caps off and no ambient, each locked */
	assert_int_equal(child.numbers[BITS] & 0xef, 0xef);
}

/* Number 0 without capabilities is not root: it may write what it owns, and nothing more. */
static void number_zero_is_powerless(void **state)
{
	struct pic_privileges wanted = { .user = 0, .group = 0 };
	struct sandbox_child child;

	(void)state;
	if (!sandbox_is_root())
		skip();
	assert_int_equal(sandbox_child_run(drop_and_look, &wanted, &child), 0);
	assert_int_equal(child.error.code, 0);
	assert_int_equal(child.numbers[CAP_EFF], 0);
	assert_int_equal(child.numbers[CAP_PRM], 0);
	assert_int_equal(child.numbers[CAP_BND], 0);
}

static void only_the_kept_capability_stays(void **state)
{
	struct pic_privileges wanted = { .user = USER,
					 .group = USER,
					 .keep_capabilities = 1ull << CAP_NET_ADMIN };
	struct sandbox_child child;

	(void)state;
	if (!sandbox_is_root())
		skip();
	assert_int_equal(sandbox_child_run(drop_and_look, &wanted, &child), 0);
	assert_int_equal(child.error.code, 0);
	assert_int_equal(child.numbers[CAP_EFF], 1 << CAP_NET_ADMIN);
	assert_int_equal(child.numbers[CAP_PRM], 1 << CAP_NET_ADMIN);
	assert_int_equal(child.numbers[CAP_BND], 1 << CAP_NET_ADMIN);
	assert_int_equal(child.numbers[CAP_INH], 0);
	assert_int_equal(child.numbers[SETUID_BACK], -1);
}

static void look_dumpable(struct sandbox_child *child, void *data)
{
	if (pic_privileges_drop(data, &child->error) == 0)
		child->numbers[0] = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
}

static void nobody_may_trace_it(void **state)
{
	struct pic_privileges wanted = { .user = USER, .group = USER };
	struct sandbox_child child = { .numbers = { 9 } };

	(void)state;
	if (!sandbox_is_root())
		skip();
	assert_int_equal(sandbox_child_run(look_dumpable, &wanted, &child), 0);
	assert_int_equal(child.error.code, 0);
	assert_int_equal(child.numbers[0], 0);
}

static void write_much(struct sandbox_child *child, void *data)
{
	FILE *file = tmpfile();
	int fd = fileno(file);

	if (pic_privileges_drop(data, &child->error) < 0)
		return;
	signal(SIGXFSZ, SIG_IGN);
	child->numbers[0] = write(fd, "0123456789", 10);
	child->numbers[1] = write(fd, "0123456789", 10);
	child->numbers[2] = errno;
}

static void a_file_may_not_grow(void **state)
{
	struct pic_privileges wanted = { .user = USER, .group = USER, .file_size_max = 10 };
	struct sandbox_child child;

	(void)state;
	if (!sandbox_is_root())
		skip();
	assert_int_equal(sandbox_child_run(write_much, &wanted, &child), 0);
	assert_int_equal(child.numbers[0], 10);
	assert_int_equal(child.numbers[1], -1);
	assert_int_equal(child.numbers[2], EFBIG);
}

static void arrange(struct sandbox_child *child, void *data)
{
	int ends[2], null = open("/dev/null", O_RDONLY), fds[4];
	char byte = 0;

	(void)data;
	if (pipe(ends) < 0)
		return;
	/* positions that are taken by others of the list, on purpose */
	fds[0] = ends[1];
	fds[1] = ends[0];
	fds[2] = null;
	fds[3] = null;
	dup2(null, 300);
	if (pic_descriptors_arrange(fds, 4, &child->error) < 0)
		return;
	child->numbers[0] = write(0, "x", 1);
	child->numbers[1] = read(1, &byte, 1);
	child->numbers[2] = byte;
	child->numbers[3] = read(3, &byte, 1);
	for (int fd = 4; fd < 400; fd++)
		child->numbers[4] += fcntl(fd, F_GETFD) >= 0;
	for (int fd = 0; fd < 4; fd++)
		child->numbers[5] += fcntl(fd, F_GETFD); /* 0: not close-on-exec */
}

static void descriptors_are_those_of_the_list(void **state)
{
	struct sandbox_child child;

	(void)state;
	assert_int_equal(sandbox_child_run(arrange, NULL, &child), 0);
	assert_int_equal(child.error.code, 0);
	assert_int_equal(child.numbers[0], 1);
	assert_int_equal(child.numbers[1], 1);
	assert_int_equal(child.numbers[2], 'x');
	assert_int_equal(child.numbers[3], 0);
	assert_int_equal(child.numbers[5], 0);
}

static void spoil_signals(struct sandbox_child *child, void *data)
{
	sigset_t all, now;

	(void)data;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	pic_signals_reset();
	sigprocmask(SIG_BLOCK, NULL, &now);
	for (int signo = 1; signo < NSIG; signo++)
		child->numbers[0] += sigismember(&now, signo) == 1;
	raise(SIGTERM);
}

static void signals_are_as_usual(void **state)
{
	struct sandbox_child child;
	int status;

	(void)state;
	status = sandbox_child_run(spoil_signals, NULL, &child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_int_equal(child.numbers[0], 0);
}

static void hide_and_fork(struct sandbox_child *child, void *data)
{
	const char *before;
	pid_t pid;
	int status = -1;

	(void)data;
	setenv("SOME_SECRET", "word", 1);
	before = getenv("SOME_SECRET");
	if (pic_environment_hide(&child->error) < 0)
		return;
	child->numbers[0] = getenv("SOME_SECRET") && strcmp(getenv("SOME_SECRET"), "word") == 0;
	child->numbers[1] = before[0] + before[1] + before[2] + before[3];
	pid = fork();
	if (pid == 0)
		_exit(getenv("SOME_SECRET") || getenv("PATH"));
	waitpid(pid, &status, 0);
	child->numbers[2] = status;
	pid = fork();
	if (pid == 0)
		_exit(pic_environment_hide(&child->error) < 0); /* there is nothing, twice */
	waitpid(pid, &status, 0);
	child->numbers[3] = status;
}

static void a_fork_has_no_environment(void **state)
{
	struct sandbox_child child = { .numbers = { 0, 9, 9, 9 } };

	(void)state;
	assert_int_equal(sandbox_child_run(hide_and_fork, NULL, &child), 0);
	assert_int_equal(child.error.code, 0);
	assert_int_equal(child.numbers[0], 1);
	assert_int_equal(child.numbers[1], 0);
	assert_int_equal(child.numbers[2], 0);
	assert_int_equal(child.numbers[3], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_of_root_is_left),
		cmocka_unit_test(number_zero_is_powerless),
		cmocka_unit_test(only_the_kept_capability_stays),
		cmocka_unit_test(nobody_may_trace_it),
		cmocka_unit_test(a_file_may_not_grow),
		cmocka_unit_test(descriptors_are_those_of_the_list),
		cmocka_unit_test(signals_are_as_usual),
		cmocka_unit_test(a_fork_has_no_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
