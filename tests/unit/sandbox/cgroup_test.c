/* Cgroups of this machine, whichever kind it has: membership, limits, figures, the end. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sandbox/cgroup.h"
#include "sandbox/sandbox_child.h"

#define GROUP "test~one"

static struct pic_cgroups groups;
static char folder[32];
static bool usable;

static int set_up(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	if (geteuid() != 0)
		return 0;
	snprintf(folder, sizeof(folder), "piccolo-test-%d", (int)getpid());
	usable = pic_cgroups_open(&groups, folder, &err) == 0;
	if (!usable)
		printf("skipped: %s\n", err.text);
	return 0;
}

static bool can_run(void)
{
	return sandbox_is_root() && usable;
}

/* Ends the group, waiting for its processes to die. */
static int end_group(const char *name)
{
	int64_t limit = pic_clock_boot_ms() + 5000;
	const struct timespec pause = { 0, 2000000 };
	int r;

	while ((r = pic_cgroup_end(&groups, name, NULL)) < 0 && pic_clock_boot_ms() < limit)
		nanosleep(&pause, NULL);
	return r;
}

static void lives_nowhere(const char *name)
{
	for (int role = 0; role < PIC_CGROUP_ROLES; role++)
		if (groups.tree[role].fd >= 0)
			assert_int_equal(faccessat(groups.tree[role].fd, name, F_OK, 0), -1);
}

/* A child in the group that does as it is told until it is killed. */
static pid_t child_in(const char *name, void (*work)(void), int *ready)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (pic_cgroup_join(&groups, name, NULL) < 0)
			_exit(9);
		if (write(ends[1], "j", 1) != 1)
			_exit(8);
		work();
		_exit(0);
	}
	close(ends[1]);
	*ready = read(ends[0], &byte, 1) == 1;
	close(ends[0]);
	return pid;
}

static void sleep_long(void)
{
	for (;;)
		pause();
}

static void multiply(void)
{
	for (int i = 0; i < 5; i++)
		if (fork() == 0)
			sleep_long();
	sleep_long();
}

static void eat(void)
{
	/* 64 MB, touched; far more than the group may have */
	for (size_t size = 0; size < 64 << 20; size += 1 << 20) {
		char *block = malloc(1 << 20);

		if (!block)
			_exit(7);
		memset(block, 1, 1 << 20);
	}
}

static void spin(void)
{
	volatile unsigned long sum = 0;

	for (;;)
		sum++;
}

static void a_member_is_seen_counted_and_ended(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;
	int ready, status;
	pid_t pid;

	(void)state;
	if (!can_run())
		skip();
	assert_int_equal(pic_cgroup_make(&groups, GROUP, 32 << 20, 8, &err), 0);
	assert_int_equal(pic_cgroup_make(&groups, GROUP, 32 << 20, 8, &err),
			 0); /* again: no matter */
	pid = child_in(GROUP, sleep_long, &ready);
	assert_true(ready);
	assert_true(pic_cgroup_holds(&groups, GROUP, pid));
	assert_false(pic_cgroup_holds(&groups, GROUP, getpid()));
	assert_false(pic_cgroup_holds(&groups, GROUP, 0));
	assert_false(pic_cgroup_holds(&groups, "test~other", pid));
	assert_int_equal(end_group(GROUP), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	lives_nowhere(GROUP);
	assert_int_equal(pic_cgroup_end(&groups, GROUP, &err), 0); /* absent is gone */
}

static void all_of_many_are_ended(void **state)
{
	int ready;
	pid_t pid;

	(void)state;
	if (!can_run())
		skip();
	assert_int_equal(pic_cgroup_make(&groups, GROUP, 32 << 20, 32, NULL), 0);
	pid = child_in(GROUP, multiply, &ready);
	assert_true(ready);
	assert_int_equal(end_group(GROUP), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	lives_nowhere(GROUP);
}

static void the_memory_limit_kills_and_is_counted(void **state)
{
	struct pic_cgroup_usage usage = { 0 };
	int ready, status;
	pid_t pid;

	(void)state;
	if (!can_run())
		skip();
	if (groups.tree[PIC_CGROUP_MEMORY].fd < 0) {
		printf("skipped: no memory controller here\n");
		skip();
	}
	assert_int_equal(pic_cgroup_make(&groups, GROUP, 8 << 20, 8, NULL), 0);
	pid = child_in(GROUP, eat, &ready);
	assert_true(ready);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	pic_cgroup_usage(&groups, GROUP, &usage);
	assert_true(usage.memory_kills > 0);
	assert_int_equal(end_group(GROUP), 0);
}

static void fork_often(void)
{
	int made = 0;

	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0)
			sleep_long();
		made += pid > 0;
	}
	_exit(made);
}

static void the_tasks_limit_holds(void **state)
{
	int ready, status;
	pid_t pid;

	(void)state;
	if (!can_run())
		skip();
	if (groups.tree[PIC_CGROUP_TASKS].fd < 0) {
		printf("skipped: no pids controller here\n");
		skip();
	}
	assert_int_equal(pic_cgroup_make(&groups, GROUP, 32 << 20, 4, NULL), 0);
	pid = child_in(GROUP, fork_often, &ready);
	assert_true(ready);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_int_equal(end_group(GROUP), 0);
}

static void usage_grows(void **state)
{
	struct pic_cgroup_usage usage = { 0 };
	int64_t limit = pic_clock_boot_ms() + 5000;
	int ready;
	pid_t pid;

	(void)state;
	if (!can_run())
		skip();
	assert_int_equal(pic_cgroup_make(&groups, GROUP, 32 << 20, 8, NULL), 0);
	pid = child_in(GROUP, spin, &ready);
	assert_true(ready);
	while (usage.cpu_us < 20000 && pic_clock_boot_ms() < limit)
		pic_cgroup_usage(&groups, GROUP, &usage);
	assert_true(usage.cpu_us >= 20000);
	if (groups.tree[PIC_CGROUP_MEMORY].fd >= 0)
		assert_true(usage.memory_bytes > 0 && usage.memory_bytes < 32 << 20);
	assert_int_equal(usage.memory_kills, 0);
	assert_int_equal(end_group(GROUP), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void note_name(void *data, const char *name)
{
	strcat(data, name);
	strcat(data, " ");
}

static void the_names_are_listed(void **state)
{
	char names[512] = "";

	(void)state;
	if (!can_run())
		skip();
	pic_cgroup_make(&groups, "a~b", 8 << 20, 8, NULL);
	pic_cgroup_make(&groups, "c~d", 8 << 20, 8, NULL);
	pic_cgroups_each(&groups, note_name, names);
	assert_non_null(strstr(names, "a~b "));
	assert_non_null(strstr(names, "c~d "));
	assert_int_equal(strlen(names), 8);
	assert_int_equal(end_group("a~b"), 0);
	assert_int_equal(end_group("c~d"), 0);
}

static void two_owners_are_refused(void **state)
{
	struct pic_cgroups second;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	if (!can_run())
		skip();
	assert_int_equal(pic_cgroups_open(&second, folder, &err), -EBUSY);
	assert_non_null(strstr(err.text, "another supervisor"));
}

/* The unified tree's mount point, or "". */
static void unified_mount(char out[256])
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[1024];

	out[0] = '\0';
	while (mounts && fgets(line, sizeof(line), mounts))
		if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %255s", out) == 1)
			break;
	if (mounts)
		fclose(mounts);
}

static void write_file(const char *folder_path, const char *name, const char *content)
{
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder_path, name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, content, strlen(content)) < 0)
		_exit(5);
	close(fd);
}

/* As systemd would start it: in a group that carries the mark. */
static void live_in_a_delegated_group(struct sandbox_child *child, void *data)
{
	struct pic_cgroups own;
	char line[512] = "";
	FILE *self;

	write_file(data, "cgroup.procs", "0");
	if (pic_cgroups_open(&own, "never-made", &child->error) < 0)
		return;
	child->numbers[0] = own.delegated;
	child->numbers[1] = pic_cgroup_make(&own, GROUP, 8 << 20, 4, &child->error);
	self = fopen("/proc/self/cgroup", "re");
	while (self && fgets(line, sizeof(line), self) && strncmp(line, "0::", 3) != 0)
		;
	snprintf(child->text, sizeof(child->text), "%.255s", line);
	child->numbers[2] = faccessat(own.tree[PIC_CGROUP_MEMBERS].fd, GROUP, F_OK, 0);
	child->numbers[3] = pic_cgroup_end(&own, GROUP, &child->error);
	pic_cgroups_close(&own, "never-made", true);
	/* a second time, from the leaf: the same base */
	if (pic_cgroups_open(&own, "never-made", &child->error) < 0)
		return;
	child->numbers[4] = own.delegated;
	child->numbers[5] = faccessat(own.tree[PIC_CGROUP_MEMBERS].fd, "supervisor", F_OK, 0);
	pic_cgroups_close(&own, "never-made", true);
}

static void a_delegated_group_is_the_base(void **state)
{
	struct sandbox_child child = { .numbers = { 0 } };
	char mount[256], path[400], leaf[450];

	(void)state;
	if (!can_run())
		skip();
	unified_mount(mount);
	if (!mount[0]) {
		printf("skipped: no unified cgroup tree here\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/piccolo-unit-%d", mount, (int)getpid());
	snprintf(leaf, sizeof(leaf), "%s/supervisor", path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(setxattr(path, "user.delegate", "1", 1, 0), 0);
	assert_int_equal(sandbox_child_run(live_in_a_delegated_group, path, &child), 0);
	rmdir(leaf);
	assert_int_equal(rmdir(path), 0);
	assert_string_equal(child.error.text, "");
	assert_int_equal(child.numbers[0], 1);
	assert_int_equal(child.numbers[1], 0);
	assert_non_null(strstr(child.text, "/supervisor\n"));
	assert_int_equal(child.numbers[2], 0);
	assert_int_equal(child.numbers[3], 0);
	assert_int_equal(child.numbers[4], 1);
	assert_int_equal(child.numbers[5], 0);
}

static int tear_down(void **state)
{
	char path[128];
	bool left = false;

	(void)state;
	if (!usable)
		return 0;
	pic_cgroups_close(&groups, folder, true);
	snprintf(path, sizeof(path),
		 "find /sys/fs/cgroup -name '%s' -o -name never-made 2>/dev/null | grep -q .",
		 folder);
	left = system(path) == 0;
	if (left)
		printf("a base folder stayed behind\n");
	return left ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_is_seen_counted_and_ended),
		cmocka_unit_test(all_of_many_are_ended),
		cmocka_unit_test(the_memory_limit_kills_and_is_counted),
		cmocka_unit_test(the_tasks_limit_holds),
		cmocka_unit_test(usage_grows),
		cmocka_unit_test(the_names_are_listed),
		cmocka_unit_test(two_owners_are_refused),
		cmocka_unit_test(a_delegated_group_is_the_base),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
