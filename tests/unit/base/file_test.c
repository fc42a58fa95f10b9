#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/folder.h"

static int put(int dirfd, const char *name, const char *text)
{
	return pic_file_write(dirfd, name, 0640, text, strlen(text), PIC_FILE_DURABLE, NULL);
}

static void assert_holds(int dirfd, const char *name, const char *text)
{
	PIC_BUF struct pic_buf buf = PIC_BUF_INIT(1 << 20);

	assert_int_equal(pic_file_read(dirfd, name, &buf, NULL), 0);
	assert_string_equal(pic_buf_text(&buf), text);
}

static void writes_reads_and_replaces(void **state)
{
	struct test_folder *folder = *state;
	struct stat facts;
	mode_t mask = umask(077);

	assert_int_equal(put(folder->fd, "a", "first"), 0);
	assert_holds(folder->fd, "a", "first");
	assert_int_equal(put(folder->fd, "a", ""), 0);
	assert_holds(folder->fd, "a", "");
	assert_int_equal(fstatat(folder->fd, "a", &facts, 0), 0);
	assert_int_equal(facts.st_mode & 07777, 0640); /* whatever the umask says */
	assert_int_equal(test_folder_count(folder->fd), 1);
	umask(mask);
}

static void reads_no_more_than_the_buffer_takes(void **state)
{
	struct test_folder *folder = *state;
	struct pic_buf buf = PIC_BUF_INIT(8);
	struct pic_error err = PIC_ERROR_INIT;

	put(folder->fd, "a", "12345");
	pic_buf_text_add(&buf, "abc");
	assert_int_equal(pic_file_read(folder->fd, "a", &buf, &err), 0); /* fits exactly */
	assert_string_equal(buf.data, "abc12345");
	buf.size = 4;
	assert_int_equal(pic_file_read(folder->fd, "a", &buf, &err), -EFBIG);
	assert_string_equal(err.text, "a is larger than 8 bytes");
	assert_string_equal(buf.data, "abc1");
	pic_buf_free(&buf);
}

static void tells_what_is_missing(void **state)
{
	struct test_folder *folder = *state;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_BUF struct pic_buf buf = PIC_BUF_INIT(8);

	assert_int_equal(pic_file_read(folder->fd, "gone", &buf, &err), -ENOENT);
	assert_string_equal(err.text, "cannot open gone: No such file or directory");
	assert_int_equal(pic_file_read(folder->fd, "no/gone", &buf, &err), -ENOENT);
}

static void follows_no_links(void **state)
{
	struct test_folder *folder = *state;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_BUF struct pic_buf buf = PIC_BUF_INIT(8);
	int fd = -1;

	put(folder->fd, "secret", "s3cret");
	assert_int_equal(symlinkat("secret", folder->fd, "link"), 0);
	assert_int_equal(pic_file_read(folder->fd, "link", &buf, &err), -ELOOP);
	assert_string_equal(err.text, "link is a symbolic link, which is not followed");
	/* writing replaces the link, not what it points to */
	assert_int_equal(put(folder->fd, "link", "mine"), 0);
	assert_holds(folder->fd, "secret", "s3cret");

	assert_int_equal(mkdirat(folder->fd, "d", 0755), 0);
	assert_int_equal(symlinkat("d", folder->fd, "dlink"), 0);
	assert_int_equal(put(folder->fd, "dlink/x", "x"), -ELOOP);
	assert_int_equal(pic_folder_open(folder->fd, "dlink", true, 0755, -1, -1, &fd, &err),
			 -ELOOP);
	assert_contains(err.text, "dlink in dlink is a symbolic link");
	assert_int_equal(fd, -1);
}

static void stays_below_the_folder(void **state)
{
	struct test_folder *folder = *state;
	PIC_BUF struct pic_buf buf = PIC_BUF_INIT(8);
	int fd;

	assert_int_equal(put(folder->fd, "../x", "x"), -EINVAL);
	assert_int_equal(put(folder->fd, "/tmp/x", "x"), -EINVAL);
	assert_int_equal(put(folder->fd, "..", "x"), -EINVAL);
	assert_int_equal(put(folder->fd, "", "x"), -EINVAL);
	assert_int_equal(put(folder->fd, "x/", "x"), -EINVAL);
	assert_int_equal(pic_file_read(folder->fd, "../../etc/hostname", &buf, NULL), -EINVAL);
	assert_int_equal(pic_folder_open(folder->fd, "a/../../b", true, 0755, -1, -1, &fd, NULL),
			 -EINVAL);
}

static void a_pipe_holds_nobody(void **state)
{
	struct test_folder *folder = *state;
	PIC_BUF struct pic_buf buf = PIC_BUF_INIT(8);

	assert_int_equal(mkfifoat(folder->fd, "pipe", 0644), 0);
	assert_int_equal(pic_file_read(folder->fd, "pipe", &buf, NULL), -EINVAL);
	assert_int_equal(mkdirat(folder->fd, "d", 0755), 0);
	assert_int_equal(pic_file_read(folder->fd, "d", &buf, NULL), -EISDIR);
}

static void makes_folders_with_parents(void **state)
{
	struct test_folder *folder = *state;
	struct stat facts;
	int fd;

	assert_int_equal(pic_folder_open(folder->fd, "a/b//c", false, 0, -1, -1, &fd, NULL),
			 -ENOENT);
	assert_int_equal(pic_folder_open(folder->fd, "a/b//c", true, 0750, 0, 7, &fd, NULL), 0);
	assert_int_equal(fstat(fd, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0750);
	assert_int_equal(facts.st_gid, 7);
	close(fd);
	/* a folder that is there keeps mode and owner */
	assert_int_equal(pic_folder_open(folder->fd, "a", true, 0700, 0, 9, &fd, NULL), 0);
	assert_int_equal(fstat(fd, &facts), 0);
	assert_int_equal(facts.st_gid, 7);
	assert_int_equal(put(fd, "b/c/file", "x"), 0);
	close(fd);
	assert_holds(folder->fd, "a/b/c/file", "x");
}

static void removes_files(void **state)
{
	struct test_folder *folder = *state;

	put(folder->fd, "a", "x");
	assert_int_equal(pic_file_remove(folder->fd, "a", NULL), 0);
	assert_int_equal(pic_file_remove(folder->fd, "a", NULL), 0);
	assert_int_equal(pic_file_remove(folder->fd, "no/a", NULL), 0);
	assert_int_equal(test_folder_count(folder->fd), 0);
}

static void sweeps_what_a_power_cut_left(void **state)
{
	struct test_folder *folder = *state;

	put(folder->fd, ".pic-tmp-0123456789abcdef", "half");
	put(folder->fd, ".pic-tmp-notes", "mine");
	put(folder->fd, "a", "whole");
	assert_int_equal(pic_folder_sweep(folder->fd, NULL), 0);
	assert_int_equal(test_folder_count(folder->fd), 2);
	assert_holds(folder->fd, "a", "whole");
}

/* A limit on the size of files is as good as a full disk, and needs no mount. */
static void a_full_disk_keeps_the_old_file(void **state)
{
	struct test_folder *folder = *state;
	struct rlimit limit = { 4096, RLIM_INFINITY }, before;
	static char large[65536];
	struct pic_error err = PIC_ERROR_INIT;
	int r;

	put(folder->fd, "a", "old");
	memset(large, 'x', sizeof(large));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	setrlimit(RLIMIT_FSIZE, &limit);
	r = pic_file_write(folder->fd, "a", 0644, large, sizeof(large), PIC_FILE_DURABLE, &err);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(r, -EFBIG);
	assert_string_equal(err.text, "cannot write a: File too large");
	assert_holds(folder->fd, "a", "old");
	assert_int_equal(test_folder_count(folder->fd), 1);
}

static void a_really_full_disk_keeps_the_old_file(void **state)
{
	struct test_folder *folder = *state;
	static char large[65536];
	int fd;

	assert_int_equal(mkdirat(folder->fd, "m", 0755), 0);
	if (fchdir(folder->fd) < 0 || mount("none", "m", "tmpfs", 0, "size=16k") < 0) {
		print_message("no right to mount here\n");
		skip();
	}
	fd = openat(folder->fd, "m", O_RDONLY | O_DIRECTORY);
	assert_int_equal(put(fd, "a", "old"), 0);
	assert_int_equal(pic_file_write(fd, "a", 0644, large, sizeof(large), PIC_FILE_VOLATILE,
					NULL),
			 -ENOSPC);
	assert_holds(fd, "a", "old");
	assert_int_equal(test_folder_count(fd), 1);
	close(fd);
	umount2("m", MNT_DETACH);
}

/* The writer is killed again and again; a reader never sees anything but one of the two contents. */
static void a_killed_writer_leaves_one_or_the_other(void **state)
{
	struct test_folder *folder = *state;
	static char text[2][40000];
	uint64_t seed = 99;

	memset(text[0], 'a', sizeof(text[0]) - 1);
	memset(text[1], 'b', sizeof(text[1]) - 1);
	put(folder->fd, "f", text[0]);
	for (int round = 0; round < 60; round++) {
		struct timespec pause = { 0, check_random(&seed) % 4000000 };
		PIC_BUF struct pic_buf buf = PIC_BUF_INIT(1 << 20);
		pid_t writer = fork();

		if (writer == 0)
			for (int i = 0;; i++)
				pic_file_write(folder->fd, "f", 0644, text[i % 2],
					       sizeof(text[0]) - 1, PIC_FILE_VOLATILE, NULL);
		nanosleep(&pause, NULL);
		kill(writer, SIGKILL);
		waitpid(writer, NULL, 0);
		assert_int_equal(pic_file_read(folder->fd, "f", &buf, NULL), 0);
		assert_true(strcmp(buf.data, text[0]) == 0 || strcmp(buf.data, text[1]) == 0);
	}
	assert_int_equal(pic_folder_sweep(folder->fd, NULL), 0);
	assert_int_equal(test_folder_count(folder->fd), 1);
}

static void removes_a_tree(void **state)
{
	struct test_folder *folder = *state;
	int fd;

	put(folder->fd, "outside", "kept");
	pic_folder_open(folder->fd, "t/.pic-rm-0/b/c", true, 0700, -1, -1, &fd, NULL);
	for (int i = 0; i < 2000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "f%d", i);
		close(openat(fd, name, O_CREAT | O_WRONLY, 0600));
		snprintf(name, sizeof(name), "d%d", i);
		mkdirat(fd, name, 0700);
	}
	assert_int_equal(symlinkat("../../../../outside", fd, "link"), 0);
	close(fd);
	put(folder->fd, "t/.pic-rm-1", "a file of that name");
	assert_int_equal(pic_folder_remove(folder->fd, "t", NULL), 0);
	assert_int_equal(test_folder_count(folder->fd), 1);
	assert_int_equal(pic_folder_remove(folder->fd, "t", NULL), 0);
	assert_holds(folder->fd, "outside", "kept");
}

/* Far deeper than descriptors, path names or a stack allow. */
static void removes_a_very_deep_tree(void **state)
{
	struct test_folder *folder = *state;
	struct pic_error err = PIC_ERROR_INIT;
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY);

	for (int i = 0; i < 30000; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	close(fd);
	if (pic_folder_remove(folder->fd, "d", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(test_folder_count(folder->fd), 0);
}

static void never_crosses_a_mount(void **state)
{
	struct test_folder *folder = *state;
	struct pic_error err = PIC_ERROR_INIT;
	int fd;

	pic_folder_open(folder->fd, "t/m", true, 0700, -1, -1, &fd, NULL);
	close(fd);
	pic_folder_open(folder->fd, "other", true, 0700, -1, -1, &fd, NULL);
	put(fd, "kept", "kept");
	close(fd);
	if (fchdir(folder->fd) < 0 || mount("other", "t/m", NULL, MS_BIND, NULL) < 0) {
		print_message("no right to mount here\n");
		skip();
	}
	assert_int_equal(pic_folder_remove(folder->fd, "t", &err), -EXDEV);
	assert_contains(err.text, "something is mounted in it");
	umount2("t/m", MNT_DETACH);
	assert_holds(folder->fd, "other/kept", "kept");
	assert_int_equal(pic_folder_remove(folder->fd, "t", &err), 0);
}

#define FOLDER_TEST(f) cmocka_unit_test_setup_teardown(f, test_folder_setup, test_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOLDER_TEST(writes_reads_and_replaces),
		FOLDER_TEST(reads_no_more_than_the_buffer_takes),
		FOLDER_TEST(tells_what_is_missing),
		FOLDER_TEST(follows_no_links),
		FOLDER_TEST(stays_below_the_folder),
		FOLDER_TEST(a_pipe_holds_nobody),
		FOLDER_TEST(makes_folders_with_parents),
		FOLDER_TEST(removes_files),
		FOLDER_TEST(sweeps_what_a_power_cut_left),
		FOLDER_TEST(a_full_disk_keeps_the_old_file),
		FOLDER_TEST(a_really_full_disk_keeps_the_old_file),
		FOLDER_TEST(a_killed_writer_leaves_one_or_the_other),
		FOLDER_TEST(removes_a_tree),
		FOLDER_TEST(removes_a_very_deep_tree),
		FOLDER_TEST(never_crosses_a_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
