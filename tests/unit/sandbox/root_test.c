/* The empty root, and folders without a way up. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "sandbox/root.h"
#include "sandbox/sandbox_child.h"

static char folder[] = "/tmp/piccolo-root-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 && mkdir("inner", 0755) == 0 &&
			       close(open("inner/file", O_CREAT | O_WRONLY, 0644)) == 0 &&
			       close(open("secret", O_CREAT | O_WRONLY, 0644)) == 0
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink("inner/file") + unlink("secret") + rmdir("inner") + rmdir(folder);
}

static long count_entries(const char *path)
{
	DIR *list = opendir(path);
	long count = 0;

	if (!list)
		return -1;
	while (readdir(list))
		count++;
	closedir(list);
	return count - 2; /* . and .. */
}

static void go_empty(struct sandbox_child *child, void *data)
{
	int before = open("secret", O_RDONLY);

	if (pic_root_empty(data, &child->error) < 0)
		return;
	child->numbers[0] = count_entries("/");
	child->numbers[1] = open("/new", O_CREAT | O_WRONLY, 0644);
	child->numbers[2] = errno;
	child->numbers[3] = mkdir("/new", 0755);
	child->numbers[4] = access("/proc", F_OK);
	child->numbers[5] = chdir("../../../../..");
	child->numbers[6] = count_entries(".");
	child->numbers[7] = fcntl(before, F_GETFD); /* what was open stays so */
	child->numbers[8] = access("/../etc/passwd", F_OK);
	child->numbers[9] = mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
}

static void the_root_is_empty_and_stays_so(void **state)
{
	struct sandbox_child child;

	(void)state;
	if (!sandbox_is_root())
		skip();
	assert_int_equal(sandbox_child_run(go_empty, folder, &child), 0);
	assert_string_equal(child.error.text, "");
	assert_int_equal(child.numbers[0], 0);
	assert_int_equal(child.numbers[1], -1);
	assert_int_equal(child.numbers[2], EROFS);
	assert_int_equal(child.numbers[3], -1);
	assert_int_equal(child.numbers[4], -1);
	assert_int_equal(child.numbers[5], 0);
	assert_int_equal(child.numbers[6], 0);
	assert_true(child.numbers[7] >= 0);
	assert_int_equal(child.numbers[8], -1);
}

static void nothing_shows_outside(void **state)
{
	char line[512];
	FILE *mounts = fopen("/proc/self/mountinfo", "re");

	(void)state;
	assert_non_null(mounts);
	while (fgets(line, sizeof(line), mounts))
		assert_null(strstr(line, folder));
	fclose(mounts);
	assert_int_equal(access("secret", F_OK), 0);
}

/* A chroot into a plain folder: the remedy is in the sentence. */
static void go_empty_in_chroot(struct sandbox_child *child, void *data)
{
	bool bind = *(bool *)data;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    (bind && mount(".", folder, NULL, MS_BIND, NULL) < 0) || chroot(folder) < 0 ||
	    chdir("/") < 0) {
		child->error.code = -1;
		return;
	}
	pic_root_empty("/inner", &child->error);
	child->numbers[0] = count_entries("/");
}

static void a_plain_chroot_is_told_what_to_do(void **state)
{
	struct sandbox_child child;
	bool bind = false;

	(void)state;
	if (!sandbox_is_root())
		skip();
	assert_int_equal(sandbox_child_run(go_empty_in_chroot, &bind, &child), 0);
	assert_int_equal(child.error.code, -EINVAL);
	assert_non_null(strstr(child.error.text, "bind-mount"));
	bind = true;
	assert_int_equal(sandbox_child_run(go_empty_in_chroot, &bind, &child), 0);
	assert_string_equal(child.error.text, "");
	assert_int_equal(child.numbers[0], 0);
}

static void climb(struct sandbox_child *child, void *data)
{
	int fd = pic_folder_clone("inner", *(bool *)data, &child->error);

	if (fd < 0 || pic_root_empty(folder, &child->error) < 0)
		return;
	child->numbers[0] = faccessat(fd, "file", F_OK, 0);
	child->numbers[1] = faccessat(fd, "../secret", F_OK, 0);
	child->numbers[2] = faccessat(fd, "../../etc/passwd", F_OK, 0);
	child->numbers[3] = openat(fd, "new", O_CREAT | O_WRONLY, 0644);
	child->numbers[4] = errno;
	child->numbers[5] = openat(fd, "..", O_RDONLY | O_DIRECTORY);
	child->numbers[6] = faccessat((int)child->numbers[5], "secret", F_OK, 0);
	unlinkat(fd, "new", 0);
}

static void a_cloned_folder_has_no_way_up(void **state)
{
	struct sandbox_child child;
	bool writable = false;

	(void)state;
	if (!sandbox_is_root())
		skip();
	assert_int_equal(sandbox_child_run(climb, &writable, &child), 0);
	assert_string_equal(child.error.text, "");
	assert_int_equal(child.numbers[0], 0);
	assert_int_equal(child.numbers[1], -1);
	assert_int_equal(child.numbers[2], -1);
	assert_int_equal(child.numbers[3], -1);
	assert_int_equal(child.numbers[4], EROFS);
	assert_int_equal(child.numbers[6], -1);
	writable = true;
	assert_int_equal(sandbox_child_run(climb, &writable, &child), 0);
	assert_true(child.numbers[3] >= 0);
	assert_int_equal(child.numbers[1], -1);
}

static void an_absent_folder_is_named(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	if (!sandbox_is_root())
		skip();
	assert_int_equal(pic_folder_clone("/nowhere/at/all", false, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	assert_true(pic_folder_clone("secret", false, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root_is_empty_and_stays_so),
		cmocka_unit_test(nothing_shows_outside),
		cmocka_unit_test(a_plain_chroot_is_told_what_to_do),
		cmocka_unit_test(a_cloned_folder_has_no_way_up),
		cmocka_unit_test(an_absent_folder_is_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
