/* Names below a folder, and every way out of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "wasi_world.h"

#define RO 3ull
#define RW 4ull
#define PATH 60000ull
#define OTHER 62000ull
#define ALL PIC_WASI_RIGHTS_ALL

/* /tmp/X/secret beside /tmp/X/in, the folder that the module sees. */
static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	char name[] = "/tmp/piccolo-path-XXXXXX", command[512];

	assert_non_null(mkdtemp(name));
	snprintf(world->folder, sizeof(world->folder), "%s", name);
	snprintf(
		command, sizeof(command),
		"cd %s && mkdir -p in/sub/deep && echo secret >secret && echo inside >in/file && "
		"ln -s ../secret in/up && ln -s /etc/passwd in/absolute && ln -s sub in/link && "
		"ln -s ../file in/sub/down && ln -s loop in/loop && mkfifo in/pipe && ln -s .. in/parent",
		name);
	assert_int_equal(system(command), 0);
	pic_wasm_spec_init(&world->spec);
	world->spec.folder_count = 2;
	strcpy(world->spec.folders[0].guest, "/ro");
	strcpy(world->spec.folders[1].guest, "/rw");
	world->spec.folders[1].writable = true;
	for (unsigned i = 0; i < 2; i++)
		snprintf(world->spec.folders[i].host, sizeof(world->spec.folders[i].host), "%s/in",
			 name);
	world_open(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	char command[128];

	world_close(world);
	snprintf(command, sizeof(command), "rm -rf %s", world->folder);
	assert_int_equal(system(command), 0);
	free(world);
	return 0;
}

static uint32_t open_at(struct world *world, uint64_t folder, uint64_t follow, const char *name,
			uint64_t oflags, uint64_t rights, uint32_t *fd)
{
	uint64_t size = world_text(world, PATH, name);
	uint32_t r = CALL(world, path_open, folder, follow, PATH, size, oflags, rights, rights,
			  0ull, 61000ull);

	if (r == 0)
		*fd = world_get32(world, 61000);
	return r;
}

#define READ \
	(PIC_WASI_RIGHT_READ | PIC_WASI_RIGHT_READDIR | PIC_WASI_RIGHT_OPEN | \
	 PIC_WASI_RIGHT_PATH_STAT)
#define WRITE (READ | PIC_WASI_RIGHT_WRITE)

static void never_leaves_its_folder(void **state)
{
	static const char *const outside[] = {
		"..",
		"../secret",
		"/",
		"/etc/passwd",
		"sub/../../secret",
		"up",
		"absolute",
		"sub/deep/../../../secret",
		"parent/secret",
		"./../secret",
		"link/../../secret",
		"sub/down/../../../secret",
		"//etc/passwd",
	};
	struct world *world = *state;
	uint32_t fd, size, r;

	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		r = open_at(world, RW, 1, outside[i], 0, READ, &fd);
		if (r != PIC_WASI_NOTCAPABLE &&
		    !(r == PIC_WASI_NOTDIR && strstr(outside[i], "down")))
			fail_msg("%s: open gave %u", outside[i], r);
		size = world_text(world, PATH, outside[i]);
		r = CALL(world, path_filestat_get, RW, 1ull, PATH, (uint64_t)size, 1000ull);
		assert_int_not_equal(r, 0);
		/* what makes, removes and renames: by the last part too */
		assert_int_not_equal(CALL(world, path_create_directory, RW, PATH, (uint64_t)size),
				     0);
		assert_int_not_equal(CALL(world, path_remove_directory, RW, PATH, (uint64_t)size),
				     0);
		world_text(world, OTHER, "file");
		assert_int_not_equal(CALL(world, path_rename, RW, OTHER, 4ull, RW, PATH,
					  (uint64_t)size) == 0 &&
					     strchr(outside[i], '/'),
				     1);
		if (strcmp(outside[i], "up") == 0 || strcmp(outside[i], "absolute") == 0)
			break; /* those were renamed over: rightly, they are names in the folder */
	}
}

static void follows_links_inside(void **state)
{
	struct world *world = *state;
	uint32_t fd, size;

	assert_int_equal(open_at(world, RW, 1, "link/down", 0, READ, &fd), 0);
	assert_int_equal(open_at(world, RW, 1, "sub/../file", 0, READ, &fd), 0);
	assert_int_equal(open_at(world, RW, 0, "link", 0, READ, &fd), PIC_WASI_LOOP);
	assert_int_equal(open_at(world, RW, 1, "loop", 0, READ, &fd), PIC_WASI_LOOP);
	size = world_text(world, PATH, "up");
	assert_int_equal(CALL(world, path_filestat_get, RW, 0ull, PATH, (uint64_t)size, 1000ull),
			 0);
	assert_int_equal(world->wasi->memory[1016], PIC_WASI_TYPE_SYMLINK);
	assert_int_equal(
		CALL(world, path_readlink, RW, PATH, (uint64_t)size, 2000ull, 100ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 9);
	assert_memory_equal(world->wasi->memory + 2000, "../secret", 9);
	/* a buffer too short gets a part */
	assert_int_equal(
		CALL(world, path_readlink, RW, PATH, (uint64_t)size, 2000ull, 3ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 3);
}

static void refuses_odd_names(void **state)
{
	struct world *world = *state;
	uint32_t fd, i;

	assert_int_equal(open_at(world, RW, 1, "", 0, READ, &fd), PIC_WASI_NOENT);
	world_text(world, PATH, "fi");
	world->wasi->memory[PATH + 2] = '\0';
	assert_int_equal(CALL(world, path_unlink_file, RW, PATH, 4ull), PIC_WASI_ILSEQ);
	for (i = 0; i < 5000; i++)
		world->wasi->memory[30000 + i] = 'a';
	assert_int_equal(CALL(world, path_create_directory, RW, 30000ull, 5000ull),
			 PIC_WASI_NAMETOOLONG);
	assert_int_equal(CALL(world, path_create_directory, RW, 30000ull, 300ull),
			 PIC_WASI_NAMETOOLONG);
	world_text(world, PATH, ".");
	assert_int_equal(CALL(world, path_remove_directory, RW, PATH, 1ull), PIC_WASI_INVAL);
	world_text(world, PATH, "file/");
	assert_int_equal(CALL(world, path_unlink_file, RW, PATH, 5ull), PIC_WASI_NOTDIR);
	world_text(world, PATH, "link/"); /* a link is not the folder it names */
	assert_int_equal(CALL(world, path_remove_directory, RW, PATH, 5ull), PIC_WASI_NOTDIR);
	assert_int_equal(CALL(world, path_create_directory, 0ull, PATH, 4ull), PIC_WASI_NOTCAPABLE);
	assert_int_equal(CALL(world, path_create_directory, 99ull, PATH, 4ull), PIC_WASI_BADF);
}

static void read_only_means_it(void **state)
{
	struct world *world = *state;
	uint64_t size = world_text(world, PATH, "file");
	uint32_t fd, folder;

	assert_int_equal(open_at(world, RO, 1, "file", 0, READ, &fd), 0);
	assert_int_equal(open_at(world, RO, 1, "file", 0, WRITE, &fd), PIC_WASI_ROFS);
	assert_int_equal(open_at(world, RO, 1, "file", PIC_WASI_O_TRUNC, READ, &fd), PIC_WASI_ROFS);
	assert_int_equal(open_at(world, RO, 1, "new", PIC_WASI_O_CREAT, READ, &fd), PIC_WASI_ROFS);
	assert_int_equal(open_at(world, RO, 1, "file", PIC_WASI_O_CREAT, READ, &fd), 0);
	assert_int_equal(open_at(world, RO, 1, "file", PIC_WASI_O_CREAT | PIC_WASI_O_EXCL, READ,
				 &fd),
			 PIC_WASI_EXIST);
	world_text(world, PATH, "file");
	world_text(world, OTHER, "other");
	assert_int_equal(CALL(world, path_unlink_file, RO, PATH, size), PIC_WASI_ROFS);
	assert_int_equal(CALL(world, path_create_directory, RO, OTHER, 5ull), PIC_WASI_ROFS);
	assert_int_equal(CALL(world, path_remove_directory, RO, OTHER, 5ull), PIC_WASI_ROFS);
	assert_int_equal(CALL(world, path_symlink, PATH, size, RO, OTHER, 5ull), PIC_WASI_ROFS);
	assert_int_equal(CALL(world, path_rename, RO, PATH, size, RW, OTHER, 5ull), PIC_WASI_ROFS);
	assert_int_equal(CALL(world, path_rename, RW, PATH, size, RO, OTHER, 5ull), PIC_WASI_ROFS);
	assert_int_equal(CALL(world, path_link, RW, 0ull, PATH, size, RO, OTHER, 5ull),
			 PIC_WASI_ROFS);
	/* a link into a writable folder would make the file writable */
	assert_int_equal(CALL(world, path_link, RO, 0ull, PATH, size, RW, OTHER, 5ull),
			 PIC_WASI_ROFS);
	assert_int_equal(CALL(world, path_filestat_set_times, RO, 1ull, PATH, size, 0ull, 0ull,
			      1ull),
			 PIC_WASI_ROFS);
	/* and below it */
	assert_int_equal(open_at(world, RO, 1, "sub", PIC_WASI_O_DIRECTORY, ALL, &folder), 0);
	assert_int_equal(open_at(world, folder, 1, "new", PIC_WASI_O_CREAT, WRITE, &fd),
			 PIC_WASI_ROFS);
	assert_int_equal(open_at(world, RO, 1, "file", 0,
				 PIC_WASI_RIGHT_READ | PIC_WASI_RIGHT_SET_SIZE, &fd),
			 0);
	assert_int_equal(CALL(world, fd_filestat_set_size, (uint64_t)fd, 0ull), PIC_WASI_ROFS);
}

static void changes_what_it_may(void **state)
{
	struct world *world = *state;
	struct stat st;
	char name[128];
	uint32_t fd;

	assert_int_equal(
		open_at(world, RW, 1, "new", PIC_WASI_O_CREAT | PIC_WASI_O_EXCL, WRITE, &fd), 0);
	assert_int_equal(open_at(world, RW, 1, "new", PIC_WASI_O_CREAT | PIC_WASI_O_EXCL, WRITE,
				 &fd),
			 PIC_WASI_EXIST);
	assert_int_equal(open_at(world, RW, 1, "new", PIC_WASI_O_DIRECTORY, READ, &fd),
			 PIC_WASI_NOTDIR);
	assert_int_equal(open_at(world, RW, 1, "sub", 0, WRITE, &fd), PIC_WASI_ISDIR);
	world_text(world, PATH, "made/");
	assert_int_equal(CALL(world, path_create_directory, RW, PATH, 5ull), 0);
	assert_int_equal(CALL(world, path_create_directory, RW, PATH, 5ull), PIC_WASI_EXIST);
	world_text(world, PATH, "made");
	world_text(world, OTHER, "new");
	assert_int_equal(CALL(world, path_link, RW, 0ull, OTHER, 3ull, RW, PATH, 4ull),
			 PIC_WASI_EXIST);
	world_text(world, PATH, "made/two");
	assert_int_equal(CALL(world, path_link, RW, 1ull, OTHER, 3ull, RW, PATH, 8ull), 0);
	world_text(world, OTHER, "up");
	world_text(world, PATH, "made/esc");
	assert_int_equal(CALL(world, path_link, RW, 1ull, OTHER, 2ull, RW, PATH, 8ull),
			 PIC_WASI_INVAL);
	world_text(world, OTHER, "/etc/passwd");
	assert_int_equal(CALL(world, path_symlink, OTHER, 11ull, RW, PATH, 8ull),
			 PIC_WASI_NOTCAPABLE);
	world_text(world, OTHER, "made/two");
	world_text(world, PATH, "sub/three");
	assert_int_equal(CALL(world, path_rename, RW, OTHER, 8ull, RW, PATH, 9ull), 0);
	assert_int_equal(CALL(world, path_filestat_set_times, RW, 1ull, PATH, 9ull, 0ull,
			      3000000000ull, 4ull),
			 0);
	snprintf(name, sizeof(name), "%s/in/sub/three", world->folder);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_mtim.tv_sec, 3);
	assert_int_equal(CALL(world, path_unlink_file, RW, PATH, 9ull), 0);
	assert_int_equal(stat(name, &st), -1);
	world_text(world, PATH, "sub");
	assert_int_equal(CALL(world, path_remove_directory, RW, PATH, 3ull), PIC_WASI_NOTEMPTY);
	assert_int_equal(CALL(world, path_unlink_file, RW, PATH, 3ull), PIC_WASI_ISDIR);
}

/* Opening and reading a quiet pipe must not hang the module. */
static void pipes_do_not_wait(void **state)
{
	struct world *world = *state;
	char name[128], bytes[] = "34 bytes of a trace that goes on..";
	uint32_t fd;
	int writer;

	assert_int_equal(open_at(world, RO, 1, "pipe", 0, READ, &fd), 0);
	world_vector(world, 0, 100, 1024);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 1ull, 400ull),
			 0); /* no writer: its end */
	assert_int_equal(world_get32(world, 400), 0);
	snprintf(name, sizeof(name), "%s/in/pipe", world->folder);
	writer = open(name, O_WRONLY | O_NONBLOCK);
	assert_true(writer >= 0);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 1ull, 400ull), PIC_WASI_AGAIN);
	assert_int_equal(write(writer, bytes, 34), 34);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 1ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 34);
	/* even when the guest asks to wait */
	assert_int_equal(CALL(world, fd_fdstat_set_flags, (uint64_t)fd, 0ull), PIC_WASI_NOTCAPABLE);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 1ull, 400ull), PIC_WASI_AGAIN);
	close(writer);
}

/* All names, with buffers so short that records are cut, and with cookies that nobody gave out. */
static void lists_folders(void **state)
{
	static const uint64_t rooms[] = { 25, 40, 64, 200, 4096 };
	struct world *world = *state;
	unsigned seen;

	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		uint64_t cookie = 0, room = rooms[i], before = UINT64_MAX;

		seen = 0;
		for (unsigned turns = 0; turns < 200; turns++) {
			uint32_t used, at = 0;

			assert_int_equal(CALL(world, fd_readdir, RO, 1000ull, room, cookie, 400ull),
					 0);
			used = world_get32(world, 400);
			assert_true(used <= room);
			before = cookie;
			while (at + 24 <= used) {
				uint32_t size = world_get32(world, 1000 + at + 16);

				assert_true(size > 0 && size < 256);
				if (at + 24 + size > used)
					break;
				cookie = world_get64(world, 1000 + at);
				at += 24 + size;
				seen++;
			}
			if (used < room)
				break;
			if (cookie == before)
				room = rooms[i] *
				       2; /* not one whole record fits: as guests' libraries do */
		}
		assert_int_equal(seen, 10); /* with . and .. */
	}
	assert_int_equal(CALL(world, fd_readdir, RO, 1000ull, 4096ull, UINT64_MAX, 400ull),
			 PIC_WASI_INVAL);
	(void)CALL(world, fd_readdir, RO, 1000ull, 4096ull, 0x123456789abcull,
		   400ull); /* any answer, no harm */
	assert_int_equal(CALL(world, fd_readdir, RO, 1000ull, 0ull, 0ull, 400ull), 0);
	assert_int_equal(CALL(world, fd_readdir, 1ull, 1000ull, 64ull, 0ull, 400ull),
			 PIC_WASI_NOTCAPABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(never_leaves_its_folder), TEST(follows_links_inside), TEST(refuses_odd_names),
		TEST(read_only_means_it),      TEST(changes_what_it_may),  TEST(pipes_do_not_wait),
		TEST(lists_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
