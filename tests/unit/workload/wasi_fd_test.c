/* Descriptors, reading and writing, and every way to point outside memory. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "wasi_world.h"

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	char name[] = "/tmp/piccolo-wasi-XXXXXX";
	int fd, folder;

	assert_non_null(mkdtemp(name));
	pic_wasm_spec_init(&world->spec);
	snprintf(world->folder, sizeof(world->folder), "%s", name);
	world->spec.folder_count = 2;
	strcpy(world->spec.folders[0].guest, "/ro");
	strcpy(world->spec.folders[1].guest, "/rw");
	world->spec.folders[1].writable = true;
	strcpy(world->spec.folders[0].host, name);
	strcpy(world->spec.folders[1].host, name);
	folder = open(name, O_RDONLY | O_DIRECTORY);
	fd = openat(folder, "ten", O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, "0123456789", 10), 10);
	close(fd);
	close(folder);
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

#define RO 3ull
#define RW 4ull
#define RIGHTS_RW \
	(PIC_WASI_RIGHT_READ | PIC_WASI_RIGHT_WRITE | PIC_WASI_RIGHT_SEEK | PIC_WASI_RIGHT_TELL | \
	 PIC_WASI_RIGHT_STAT | PIC_WASI_RIGHT_SET_SIZE | PIC_WASI_RIGHT_SET_FLAGS | \
	 PIC_WASI_RIGHT_ALLOCATE | PIC_WASI_RIGHT_SYNC | PIC_WASI_RIGHT_SET_TIMES | \
	 PIC_WASI_RIGHT_ADVISE)

static uint32_t open_file(struct world *world, uint64_t folder, const char *name, uint64_t oflags,
			  uint64_t rights, uint32_t *fd)
{
	uint32_t size = world_text(world, 60000, name), r;

	r = CALL(world, path_open, folder, 0ull, 60000ull, (uint64_t)size, oflags, rights, rights,
		 0ull, 61000ull);
	if (r == 0)
		*fd = world_get32(world, 61000);
	return r;
}

static void reads_and_writes(void **state)
{
	struct world *world = *state;
	uint32_t fd;

	assert_int_equal(open_file(world, RW, "ten", 0, RIGHTS_RW, &fd), 0);
	world_vector(world, 0, 100, 4);
	world_vector(world, 8, 200, 0);
	world_vector(world, 16, 300, 100);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 3ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 10);
	assert_memory_equal(world->wasi->memory + 100, "0123", 4);
	assert_memory_equal(world->wasi->memory + 300, "456789", 6);
	world_text(world, 500, "ab");
	world_vector(world, 0, 500, 2);
	assert_int_equal(CALL(world, fd_pwrite, (uint64_t)fd, 0ull, 1ull, 3ull, 400ull), 0);
	world_vector(world, 0, 100, 10);
	assert_int_equal(CALL(world, fd_pread, (uint64_t)fd, 0ull, 1ull, 2ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 8);
	assert_memory_equal(world->wasi->memory + 100, "2ab56789", 8);
	assert_int_equal(CALL(world, fd_seek, (uint64_t)fd, (uint64_t)-2ll, 2ull, 400ull), 0);
	assert_int_equal(world_get64(world, 400), 8);
	assert_int_equal(CALL(world, fd_tell, (uint64_t)fd, 408ull), 0);
	assert_int_equal(world_get64(world, 408), 8);
	assert_int_equal(CALL(world, fd_filestat_set_size, (uint64_t)fd, 5ull), 0);
	assert_int_equal(CALL(world, fd_filestat_get, (uint64_t)fd, 1000ull), 0);
	assert_int_equal(world_get64(world, 1032), 5);
	assert_int_equal(world->wasi->memory[1016], PIC_WASI_TYPE_REGULAR);
	assert_int_equal(CALL(world, fd_allocate, (uint64_t)fd, 0ull, 100ull), 0);
	assert_int_equal(CALL(world, fd_allocate, (uint64_t)fd, (uint64_t)INT64_MAX, 1ull),
			 PIC_WASI_INVAL);
	assert_int_equal(CALL(world, fd_sync, (uint64_t)fd), 0);
	assert_int_equal(CALL(world, fd_advise, (uint64_t)fd, 0ull, 0ull, 3ull), 0);
	assert_int_equal(CALL(world, fd_advise, (uint64_t)fd, 0ull, 0ull, 6ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, fd_filestat_set_times, (uint64_t)fd, 5000000000ull,
			      7000000000ull, 5ull),
			 0);
	assert_int_equal(CALL(world, fd_filestat_get, (uint64_t)fd, 1000ull), 0);
	assert_int_equal(world_get64(world, 1040), 5000000000ull);
	assert_int_equal(world_get64(world, 1048), 7000000000ull);
	assert_int_equal(CALL(world, fd_filestat_set_times, (uint64_t)fd, 0ull, 0ull, 3ull),
			 PIC_WASI_INVAL);
	assert_int_equal(CALL(world, fd_close, (uint64_t)fd), 0);
	assert_int_equal(CALL(world, fd_close, (uint64_t)fd), PIC_WASI_BADF);
}

/* Every place a guest may name, at, before and behind the end of its memory. */
static void points_outside_memory(void **state)
{
	static const uint64_t bad[] = { WORLD_MEMORY - 3, WORLD_MEMORY, WORLD_MEMORY + 1,
					0x7fffffff,	  0xfffffffc,	0xffffffff };
	struct world *world = *state;
	uint32_t fd;

	assert_int_equal(open_file(world, RW, "ten", 0, RIGHTS_RW, &fd), 0);
	world_vector(world, 0, 100, 4);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 1ull, bad[i]),
				 PIC_WASI_FAULT);
		assert_int_equal(CALL(world, fd_read, (uint64_t)fd, bad[i], 1ull, 400ull),
				 PIC_WASI_FAULT);
		assert_int_equal(CALL(world, fd_filestat_get, (uint64_t)fd, bad[i]),
				 PIC_WASI_FAULT);
		assert_int_equal(CALL(world, fd_fdstat_get, (uint64_t)fd, bad[i]), PIC_WASI_FAULT);
		assert_int_equal(CALL(world, fd_tell, (uint64_t)fd, bad[i]), PIC_WASI_FAULT);
		assert_int_equal(CALL(world, fd_prestat_get, RO, bad[i]), PIC_WASI_FAULT);
		assert_int_equal(CALL(world, fd_prestat_dir_name, RO, bad[i], 16ull),
				 PIC_WASI_FAULT);
		assert_int_equal(CALL(world, fd_readdir, RO, bad[i], 100ull, 0ull, 400ull),
				 PIC_WASI_FAULT);
		assert_int_equal(CALL(world, fd_readdir, RO, 100ull, 100ull, 0ull, bad[i]),
				 PIC_WASI_FAULT);
		assert_int_equal(CALL(world, path_open, RO, 0ull, bad[i], 8ull, 0ull, 2ull, 0ull,
				      0ull, 400ull),
				 PIC_WASI_FAULT);
		assert_int_equal(CALL(world, path_open, RO, 0ull, 100ull, 1ull, 0ull, 2ull, 0ull,
				      0ull, bad[i]),
				 PIC_WASI_FAULT);
		assert_int_equal(CALL(world, random_get, bad[i], 16ull), PIC_WASI_FAULT);
		assert_int_equal(CALL(world, args_sizes_get, bad[i], 0ull), PIC_WASI_FAULT);
		assert_int_equal(CALL(world, args_get, bad[i], 0ull), PIC_WASI_FAULT);
		assert_int_equal(CALL(world, clock_time_get, 0ull, 0ull, bad[i]), PIC_WASI_FAULT);
		assert_int_equal(CALL(world, poll_oneoff, bad[i], 0ull, 1ull, 400ull),
				 PIC_WASI_FAULT);
		assert_int_equal(CALL(world, poll_oneoff, 0ull, bad[i], 1ull, 400ull),
				 PIC_WASI_FAULT);
		assert_int_equal(CALL(world, sock_open, 1ull, 2ull, bad[i]), PIC_WASI_FAULT);
		world_vector(world, 0, (uint32_t)bad[i], 4);
		assert_int_equal(CALL(world, fd_write, 1ull, 0ull, 1ull, 400ull), PIC_WASI_FAULT);
		world_vector(world, 0, 100, 4);
	}
	/* the part is inside, its length is not */
	world_vector(world, 0, 100, 0xffffffff);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 1ull, 400ull), PIC_WASI_FAULT);
	world_vector(world, 0, 100, WORLD_MEMORY - 99);
	assert_int_equal(CALL(world, fd_write, 1ull, 0ull, 1ull, 400ull), PIC_WASI_FAULT);
	/* the last byte is good */
	world_vector(world, 0, WORLD_MEMORY - 1, 1);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 1ull, 400ull), 0);
	assert_int_equal(world->wasi->memory[WORLD_MEMORY - 1], '0');
}

static void limits_vectors(void **state)
{
	struct world *world = *state;
	uint32_t fd;

	assert_int_equal(open_file(world, RW, "ten", 0, RIGHTS_RW, &fd), 0);
	for (uint32_t i = 0; i < 1024; i++)
		world_vector(world, i * 8, 20000 + i, 1);
	/* a list that leaves memory although its start is inside */
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, WORLD_MEMORY - 8ull, 2ull, 400ull),
			 PIC_WASI_FAULT);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 1025ull, 50000ull),
			 PIC_WASI_INVAL);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 0xffffffffull, 50000ull),
			 PIC_WASI_INVAL);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 1024ull, 50000ull), 0);
	assert_int_equal(world_get32(world, 50000), 10);
	/* more parts than one system call takes: less is written, and said */
	assert_int_equal(CALL(world, fd_write, (uint64_t)fd, 0ull, 1000ull, 50000ull), 0);
	assert_int_equal(world_get32(world, 50000), 64);
}

static void obeys_rights(void **state)
{
	struct world *world = *state;
	uint32_t fd;

	assert_int_equal(open_file(world, RW, "ten", 0, PIC_WASI_RIGHT_READ, &fd), 0);
	world_vector(world, 0, 100, 4);
	assert_int_equal(CALL(world, fd_write, (uint64_t)fd, 0ull, 1ull, 400ull),
			 PIC_WASI_NOTCAPABLE);
	assert_int_equal(CALL(world, fd_pread, (uint64_t)fd, 0ull, 1ull, 0ull, 400ull),
			 PIC_WASI_NOTCAPABLE);
	assert_int_equal(CALL(world, fd_fdstat_set_rights, (uint64_t)fd, PIC_WASI_RIGHTS_ALL, 0ull),
			 PIC_WASI_NOTCAPABLE);
	assert_int_equal(CALL(world, fd_fdstat_set_rights, (uint64_t)fd, 0ull, 0ull), 0);
	assert_int_equal(CALL(world, fd_read, (uint64_t)fd, 0ull, 1ull, 400ull),
			 PIC_WASI_NOTCAPABLE);
	/* what a folder does not pass on, nothing below it gets */
	assert_int_equal(
		CALL(world, fd_fdstat_set_rights, RW, PIC_WASI_RIGHT_OPEN, PIC_WASI_RIGHT_READ), 0);
	assert_int_equal(open_file(world, RW, "new", PIC_WASI_O_CREAT, RIGHTS_RW, &fd),
			 PIC_WASI_NOTCAPABLE);
	assert_int_equal(CALL(world, path_unlink_file, RW, 100ull, 3ull), PIC_WASI_NOTCAPABLE);
}

static void standard_streams(void **state)
{
	struct world *world = *state;
	char *log;

	world_vector(world, 0, 100, 10);
	assert_int_equal(CALL(world, fd_read, 0ull, 0ull, 1ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 0);
	world_text(world, 100, "one\ntwo\nth");
	assert_int_equal(CALL(world, fd_write, 1ull, 0ull, 1ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 10);
	world_text(world, 100, "ree\n");
	world_vector(world, 0, 100, 4);
	assert_int_equal(CALL(world, fd_write, 1ull, 0ull, 1ull, 400ull), 0);
	assert_int_equal(CALL(world, fd_write, 2ull, 0ull, 1ull, 400ull), 0);
	assert_int_equal(CALL(world, fd_write, 0ull, 0ull, 1ull, 400ull), PIC_WASI_NOTCAPABLE);
	assert_int_equal(CALL(world, fd_seek, 1ull, 0ull, 1ull, 400ull), PIC_WASI_SPIPE);
	assert_int_equal(CALL(world, fd_fdstat_get, 1ull, 1000ull), 0);
	assert_int_equal(world->wasi->memory[1000], PIC_WASI_TYPE_CHARACTER);
	log = world_log(world);
	assert_non_null(strstr(log, " o one\n"));
	assert_non_null(strstr(log, " o two\n"));
	assert_non_null(strstr(log, " o three\n"));
	assert_non_null(strstr(log, " e ree\n"));
	free(log);
}

static void renumbers(void **state)
{
	struct world *world = *state;
	uint32_t a, b;

	assert_int_equal(open_file(world, RW, "ten", 0, RIGHTS_RW, &a), 0);
	assert_int_equal(open_file(world, RW, "ten", 0, RIGHTS_RW, &b), 0);
	assert_int_equal(CALL(world, fd_renumber, (uint64_t)a, (uint64_t)a), 0);
	assert_int_equal(CALL(world, fd_renumber, (uint64_t)a, (uint64_t)b), 0);
	assert_int_equal(CALL(world, fd_close, (uint64_t)a), PIC_WASI_BADF);
	assert_int_equal(CALL(world, fd_renumber, (uint64_t)b, 9999ull), PIC_WASI_BADF);
	assert_int_equal(CALL(world, fd_renumber, (uint64_t)b, 1ull),
			 0); /* standard output into a file */
	world_vector(world, 0, 100, 1);
	assert_int_equal(CALL(world, fd_read, 1ull, 0ull, 1ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 1);
}

static void runs_out_of_descriptors(void **state)
{
	struct world *world = *state;
	uint32_t fd = 0, r = 0, count = 0;

	while (r == 0 && count < 1000) {
		r = open_file(world, RW, "ten", 0, RIGHTS_RW, &fd);
		count += r == 0;
	}
	assert_int_equal(r, PIC_WASI_MFILE);
	assert_int_equal(count, PIC_WASI_FILES_MAX - 5);
	assert_int_equal(CALL(world, fd_close, 100ull), 0);
	assert_int_equal(open_file(world, RW, "ten", 0, RIGHTS_RW, &fd), 0);
	assert_int_equal(fd, 100);
}

static void preopened_folders(void **state)
{
	struct world *world = *state;

	assert_int_equal(CALL(world, fd_prestat_get, RO, 1000ull), 0);
	assert_int_equal(world->wasi->memory[1000], 0);
	assert_int_equal(world_get32(world, 1004), 3);
	assert_int_equal(CALL(world, fd_prestat_dir_name, RO, 2000ull, 3ull), 0);
	assert_memory_equal(world->wasi->memory + 2000, "/ro", 3);
	assert_int_equal(CALL(world, fd_prestat_dir_name, RO, 2000ull, 2ull), PIC_WASI_NAMETOOLONG);
	assert_int_equal(CALL(world, fd_prestat_get, 5ull, 1000ull), PIC_WASI_BADF);
	assert_int_equal(CALL(world, fd_prestat_get, 0ull, 1000ull), PIC_WASI_BADF);
}

static void follows_flags(void **state)
{
	struct world *world = *state;
	uint32_t fd;

	assert_int_equal(open_file(world, RW, "log", PIC_WASI_O_CREAT, RIGHTS_RW, &fd), 0);
	assert_int_equal(CALL(world, fd_fdstat_set_flags, (uint64_t)fd, 64ull), PIC_WASI_INVAL);
	assert_int_equal(
		CALL(world, fd_fdstat_set_flags, (uint64_t)fd, (uint64_t)PIC_WASI_FD_APPEND), 0);
	world_text(world, 100, "abc");
	world_vector(world, 0, 100, 3);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(CALL(world, fd_write, (uint64_t)fd, 0ull, 1ull, 400ull), 0);
		assert_int_equal(CALL(world, fd_seek, (uint64_t)fd, 0ull, 0ull, 400ull), 0);
	}
	assert_int_equal(CALL(world, fd_filestat_get, (uint64_t)fd, 1000ull), 0);
	assert_int_equal(world_get64(world, 1032), 6);
}

static void errors_have_numbers(void **state)
{
	(void)state;
	assert_int_equal(pic_wasi_errno(0), 0);
	assert_int_equal(pic_wasi_errno(ENOENT), PIC_WASI_NOENT);
	assert_int_equal(pic_wasi_errno(-ENOENT), PIC_WASI_NOENT);
	assert_int_equal(pic_wasi_errno(EROFS), 69);
	assert_int_equal(pic_wasi_errno(ENOTEMPTY), 55);
	assert_int_equal(pic_wasi_errno(EOPNOTSUPP), 58);
	assert_int_equal(pic_wasi_errno(ETIMEDOUT), 73);
	for (int i = 1; i < 4096; i++)
		assert_int_not_equal(pic_wasi_errno(i), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_and_writes),	       TEST(points_outside_memory),
		TEST(limits_vectors),	       TEST(obeys_rights),
		TEST(standard_streams),	       TEST(renumbers),
		TEST(runs_out_of_descriptors), TEST(preopened_folders),
		TEST(follows_flags),	       TEST(errors_have_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
