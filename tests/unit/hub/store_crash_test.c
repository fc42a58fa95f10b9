/*
 * The store under kill -9: a child writes and says over a pipe what was acknowledged; it is killed at
 * a random moment, again and again on the same folder. Nothing acknowledged may be lost, a change is
 * there as a whole or not at all, and the journal's chain holds.
 */
#include "base/check.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/store_fixture.h"

#define ROUNDS 40
#define UNDER_WAY 8

struct writer {
	struct pic_store *store;
	int pipe;
	long long next;
};

struct promise {
	struct writer *writer;
	long long value;
};

static void start_one(struct writer *writer);

static void acknowledged(void *data, int status, const struct pic_error *err)
{
	struct promise *promise = data;
	struct writer *writer = promise->writer;

	(void)err;
	if (status < 0 || write(writer->pipe, &promise->value, sizeof(promise->value)) !=
				  (ssize_t)sizeof(promise->value))
		_exit(3);
	free(promise);
	start_one(writer);
}

/* Two objects that must always agree, one of its own that stays, and one that goes. */
static void start_one(struct writer *writer)
{
	struct pic_change *change = pic_change_new(writer->store, &store_fixture_actor);
	struct promise *promise = malloc(sizeof(*promise));
	char own[32], old[32];

	*promise = (struct promise){ writer, writer->next++ };
	snprintf(own, sizeof(own), "own-%lld", promise->value);
	snprintf(old, sizeof(old), "own-%lld", promise->value - 100);
	pic_change_put(change, PIC_KIND_TARGET,
		       store_fixture_object("default", "left", promise->value), NULL);
	pic_change_put(change, PIC_KIND_SOLUTION,
		       store_fixture_object("default", own, promise->value), NULL);
	pic_change_delete(change, PIC_KIND_SOLUTION, "default", old);
	pic_change_put(change, PIC_KIND_INSTANCE,
		       store_fixture_object("default", "right", promise->value), NULL);
	pic_change_commit(change, acknowledged, promise);
}

static long long value_of(struct pic_store *store, enum pic_kind kind, const char *name)
{
	return store_fixture_value(pic_store_get(store, kind, "default", name));
}

static void write_until_killed(const char *path, int pipe)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct writer writer = { NULL, pipe, 0 };
	struct pic_loop *loop = NULL;

	if (pic_loop_new(&loop, &err) < 0 || pic_store_open(&writer.store, loop, path, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		_exit(2);
	}
	writer.next = value_of(writer.store, PIC_KIND_TARGET, "left") + 1;
	for (int i = 0; i < UNDER_WAY; i++)
		start_one(&writer);
	pic_loop_run(loop, &err);
	_exit(4);
}

/* The last acknowledged value, -1 when there was none. */
static long long kill_one_writer(const char *path, unsigned milliseconds)
{
	long long value, last = -1;
	int ends[2], status;

	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		write_until_killed(path, ends[1]);
	}
	close(ends[1]);
	/* Its first acknowledgement, so that every round kills a writer at work; then a random while. */
	if (read(ends[0], &value, sizeof(value)) == (ssize_t)sizeof(value))
		last = value;
	poll(NULL, 0, (int)milliseconds);
	kill(child, SIGKILL);
	while (read(ends[0], &value, sizeof(value)) == (ssize_t)sizeof(value))
		last = value > last ? value : last;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return last;
}

static void check_folder(struct pic_loop *loop, const char *path, long long acknowledged_value)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_store *store = NULL;

	if (pic_store_open(&store, loop, path, &err) < 0)
		fail_msg("%s", err.text);
	long long left = value_of(store, PIC_KIND_TARGET, "left");
	assert_true(left >= acknowledged_value);
	assert_int_equal(value_of(store, PIC_KIND_INSTANCE, "right"), left);
	assert_int_equal(pic_store_count(store, PIC_KIND_SOLUTION), left < 99 ? left + 1 : 100);
	for (long long i = left < 99 ? 0 : left - 99; i <= left; i++) {
		char own[32];

		snprintf(own, sizeof(own), "own-%lld", i);
		assert_int_equal(value_of(store, PIC_KIND_SOLUTION, own), i);
	}
	if (pic_store_journal_verify(store, &err) < 0)
		fail_msg("%s", err.text);
	pic_store_close(store);
}

static void nothing_acknowledged_is_lost(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_loop *loop = NULL;
	uint64_t random = 88172645463325252u;
	long long last = -1;
	char path[64];

	(void)state;
	store_fixture_folder(path);
	assert_int_equal(pic_loop_new(&loop, &err), 0);
	for (int i = 0; i < ROUNDS; i++) {
		long long now = kill_one_writer(path, check_random(&random) % 40);

		assert_true(now > last);
		last = now;
		check_folder(loop, path, last);
	}
	print_message("%d kills, %lld changes acknowledged\n", ROUNDS, last + 1);
	pic_loop_free(loop);
	store_fixture_remove(path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_acknowledged_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
