/*
 * The store on a full disk (a tiny tmpfs): what could not be written is taken back in memory and
 * answered with a sentence, later changes too; when there is room again the store goes on.
 */
#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "hub/store_fixture.h"

#define TARGET PIC_KIND_TARGET

struct answer {
	int status;
	struct pic_error error;
};

static void keep(void *data, int status, const struct pic_error *err)
{
	struct answer *answer = data;

	answer->status = status;
	if (err)
		answer->error = *err;
}

static void commit(struct pic_store *store, const char *name, long long value,
		   struct answer *answer)
{
	struct pic_change *change = pic_change_new(store, &store_fixture_actor);

	*answer = (struct answer){ 1, PIC_ERROR_INIT };
	pic_change_put(change, TARGET, store_fixture_object("default", name, value), NULL);
	pic_change_commit(change, keep, answer);
}

static long long value_of(struct pic_store *store, const char *name)
{
	return store_fixture_value(pic_store_get(store, TARGET, "default", name));
}

/* Leaves no free byte in the folder. */
static void fill(const char *folder)
{
	char path[128], block[4096] = { 1 };

	snprintf(path, sizeof(path), "%s/filler", folder);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void make_room(const char *folder)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/filler", folder);
	assert_int_equal(unlink(path), 0);
}

/* SQLite may still have room in its log: write until the disk says no. The last value that was stored. */
static long long write_until_full(struct pic_store *store, struct answer *answer)
{
	for (long long value = 1; value < 100000; value++) {
		commit(store, "t", value, answer);
		pic_store_settle(store);
		if (answer->status < 0)
			return value - 1;
	}
	fail_msg("the disk never became full");
	return -1;
}

struct seen {
	char text[256];
};

static void see(void *data, enum pic_kind kind, struct pic_object *before, struct pic_object *after,
		int64_t revision)
{
	struct seen *seen = data;
	size_t size = strlen(seen->text);

	(void)kind;
	(void)revision;
	snprintf(seen->text + size, sizeof(seen->text) - size, "%lld>%lld ",
		 store_fixture_value(before), store_fixture_value(after));
}

static void a_full_disk_takes_changes_back(void **state)
{
	struct store_fixture *fixture = *state;
	struct answer first, second, third;
	struct seen seen = { "" }, durable = { "" };

	if (!fixture->store)
		skip();
	commit(fixture->store, "other", 7, &first);
	pic_store_settle(fixture->store);
	fill(fixture->path);
	long long stored = write_until_full(fixture->store, &first);
	assert_int_equal(first.status, -ENOSPC);
	assert_contains(first.error.text, "hub.db");
	assert_contains(first.error.text, "free some space on that disk");
	assert_int_equal(value_of(fixture->store, "t"), stored ? stored : -1);

	/* Several under way at once: all are taken back, the listeners hear of it newest first. */
	pic_store_listen(fixture->store, PIC_STORE_APPLIED, see, &seen);
	pic_store_listen(fixture->store, PIC_STORE_DURABLE, see, &durable);
	commit(fixture->store, "other", 8, &first);
	commit(fixture->store, "other", 9, &second);
	commit(fixture->store, "new", 1, &third);
	pic_store_settle(fixture->store);
	assert_int_equal(first.status, -ENOSPC);
	assert_int_equal(second.status, -ENOSPC);
	assert_int_equal(third.status, -ENOSPC);
	assert_contains(third.error.text, "free some space");
	assert_int_equal(value_of(fixture->store, "other"), 7);
	assert_int_equal(value_of(fixture->store, "new"), -1);
	assert_string_equal(durable.text, "");
	assert_contains(seen.text, "7>8 8>9 -1>1 ");
	assert_contains(seen.text, "1>-1 9>8 8>7 ");

	make_room(fixture->path);
	commit(fixture->store, "other", 10, &first);
	pic_store_settle(fixture->store);
	assert_int_equal(first.status, 0);
	store_fixture_reopen(fixture);
	assert_int_equal(value_of(fixture->store, "other"), 10);
	assert_int_equal(value_of(fixture->store, "t"), stored ? stored : -1);
	assert_int_equal(value_of(fixture->store, "new"), -1);
	struct pic_error err = PIC_ERROR_INIT;
	if (pic_store_journal_verify(fixture->store, &err) < 0)
		fail_msg("%s", err.text);
}

/* Mounts of our own, seen by nobody else. */
static bool can_mount(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static int setup(void **state)
{
	struct store_fixture *fixture = calloc(1, sizeof(*fixture));
	struct pic_error err = PIC_ERROR_INIT;

	*state = fixture;
	if (!can_mount()) {
		print_message("a tiny file system can only be mounted as root: %s\n",
			      strerror(errno));
		return 0;
	}
	store_fixture_folder(fixture->path);
	assert_int_equal(mount("tmpfs", fixture->path, "tmpfs", 0, "size=512k,mode=0700"), 0);
	assert_int_equal(pic_loop_new(&fixture->loop, &err), 0);
	if (pic_store_open(&fixture->store, fixture->loop, fixture->path, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static int teardown(void **state)
{
	struct store_fixture *fixture = *state;

	pic_store_close(fixture->store);
	pic_loop_free(fixture->loop);
	if (*fixture->path) {
		umount2(fixture->path, MNT_DETACH);
		rmdir(fixture->path);
	}
	free(fixture);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_full_disk_takes_changes_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
