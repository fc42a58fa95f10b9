/* Artifacts as files: digests, names, ranges, what a crash leaves. */
#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "hub/artifacts/artifacts.h"
#include "hub/artifacts/range.h"
#include "hub/store_fixture.h"

#define ONE_MAX 1000

struct world {
	struct store_fixture *store;
	struct pic_artifacts *artifacts;
};

static void open_artifacts(struct world *world)
{
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_artifacts_open(&world->artifacts, world->store->store, world->store->path, ONE_MAX,
			       &err) < 0)
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	store_fixture_setup((void **)&world->store);
	open_artifacts(world);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	pic_store_settle(world->store->store);
	pic_artifacts_close(world->artifacts);
	store_fixture_teardown((void **)&world->store);
	free(world);
	return 0;
}

static struct pic_sha256 put(struct world *world, const char *text)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_sha256 digest;

	if (pic_artifacts_put(world->artifacts, text, strlen(text), "test", &digest, &err) < 0)
		fail_msg("%s", err.text);
	return digest;
}

static void assert_content(struct world *world, const struct pic_sha256 *digest, const char *text)
{
	char content[ONE_MAX + 1] = "";
	uint64_t size = 0;
	int fd = pic_artifacts_fd(world->artifacts, digest, &size, NULL);

	assert_true(fd >= 0);
	assert_int_equal(size, strlen(text));
	assert_int_equal(read(fd, content, ONE_MAX), (ssize_t)strlen(text));
	assert_string_equal(content, text);
	close(fd);
}

static void bytes_are_kept_by_their_digest(void **state)
{
	struct world *world = *state;
	struct pic_sha256 expected, digest = put(world, "hello"), none = { { 1 } };
	uint64_t size = 0;

	pic_sha256_of("hello", 5, &expected);
	assert_true(pic_sha256_equal(&expected, &digest));
	assert_true(pic_artifacts_has(world->artifacts, &digest, &size));
	assert_int_equal(size, 5);
	assert_content(world, &digest, "hello");
	digest = put(world, "hello"); /* again */
	assert_content(world, &digest, "hello");
	assert_int_equal(pic_store_count(world->store->store, PIC_KIND_ARTIFACT), 1);
	assert_false(pic_artifacts_has(world->artifacts, &none, NULL));
	assert_int_equal(pic_artifacts_fd(world->artifacts, &none, &size, NULL), -ENOENT);
}

static void what_is_too_large_is_refused(void **state)
{
	struct world *world = *state;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_sha256 digest;
	char data[ONE_MAX + 1] = { 1 };

	assert_int_equal(pic_artifacts_put(world->artifacts, data, ONE_MAX, "x", &digest, &err), 0);
	assert_int_equal(pic_artifacts_put(world->artifacts, data, ONE_MAX + 1, "x", &digest, &err),
			 -EFBIG);
	assert_contains(err.text, "--artifact-max");
	int fd = pic_artifacts_temporary(world->artifacts, &err);
	assert_true(fd >= 0);
	assert_int_equal(pic_fd_write_all(fd, data, ONE_MAX + 1), 0);
	assert_int_equal(pic_artifacts_keep(world->artifacts, fd, "x", &digest, NULL, &err),
			 -EFBIG);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* taken over all the same */
}

static void a_temporary_file_becomes_one(void **state)
{
	struct world *world = *state;
	struct pic_sha256 digest;
	uint64_t size = 0;
	int fd = pic_artifacts_temporary(world->artifacts, NULL);

	assert_int_equal(pic_fd_write_all(fd, "streamed", 8), 0);
	assert_int_equal(pic_artifacts_keep(world->artifacts, fd, "x", &digest, &size, NULL), 0);
	assert_int_equal(size, 8);
	assert_content(world, &digest, "streamed");
}

static void names_stand_for_digests(void **state)
{
	static const char *const bad[] = {
		"",    ".x", "a/b",
		"a b", "..", "0000000000000000000000000000000000000000000000000000000000000000"
	};
	struct world *world = *state;
	struct pic_sha256 one = put(world, "one"), two = put(world, "two"), found;
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(pic_artifacts_named(world->artifacts, "app.wasm", &found), -ENOENT);
	assert_int_equal(pic_artifacts_publish(world->artifacts, &store_fixture_actor, "app.wasm",
					       &one, NULL, NULL, &err),
			 0);
	assert_int_equal(pic_artifacts_named(world->artifacts, "app.wasm", &found), 0);
	assert_true(pic_sha256_equal(&found, &one));
	pic_artifacts_publish(world->artifacts, &store_fixture_actor, "app.wasm", &two, NULL, NULL,
			      &err);
	pic_artifacts_named(world->artifacts, "app.wasm", &found);
	assert_true(pic_sha256_equal(&found, &two));
	for (size_t i = 0; i < PIC_COUNT(bad); i++) {
		assert_int_equal(pic_artifacts_publish(world->artifacts, &store_fixture_actor,
						       bad[i], &one, NULL, NULL, &err),
				 -EINVAL);
		assert_int_equal(pic_artifacts_named(world->artifacts, bad[i], &found), -ENOENT);
	}
}

static void write_file(struct world *world, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/artifacts/%s", world->store->path, name);
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pic_fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static bool has_file(struct world *world, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/artifacts/%s", world->store->path, name);
	return access(path, F_OK) == 0;
}

static void reopen(struct world *world)
{
	pic_store_settle(world->store->store);
	pic_artifacts_close(world->artifacts);
	store_fixture_reopen(world->store);
	open_artifacts(world);
}

/* A file whose record never became durable may be half of something. */
static void what_nobody_acknowledged_goes(void **state)
{
	struct world *world = *state;
	struct pic_sha256 kept = put(world, "kept"), half;
	char hex[PIC_SHA256_TEXT], kept_hex[PIC_SHA256_TEXT];

	pic_sha256_of("whole", 5, &half);
	pic_sha256_text(&half, hex);
	pic_sha256_text(&kept, kept_hex);
	write_file(world, hex, "who");
	write_file(world, "readme", "of a person");
	reopen(world);
	assert_false(has_file(world, hex));
	assert_true(has_file(world, "readme"));
	assert_content(world, &kept, "kept");

	/* While the hub runs: such a file is replaced, never believed. */
	write_file(world, hex, "who");
	struct pic_sha256 digest = put(world, "whole");
	assert_content(world, &digest, "whole");

	/* The other way round: a record without its file. */
	char path[256];
	snprintf(path, sizeof(path), "%s/artifacts/%s", world->store->path, kept_hex);
	unlink(path);
	reopen(world);
	assert_false(pic_artifacts_has(world->artifacts, &kept, NULL));
}

static void assert_range(const char *header, uint64_t size, enum pic_range_answer answer,
			 uint64_t first, uint64_t count)
{
	uint64_t got_first = 0, got_count = 0;

	assert_int_equal(pic_range_parse(header, size, &got_first, &got_count), answer);
	if (answer != PIC_RANGE_PART)
		return;
	assert_int_equal(got_first, first);
	assert_int_equal(got_count, count);
}

static void ranges_are_read(void **state)
{
	(void)state;
	assert_range(NULL, 10, PIC_RANGE_ALL, 0, 0);
	assert_range("bytes=0-0", 10, PIC_RANGE_PART, 0, 1);
	assert_range("bytes=2-5", 10, PIC_RANGE_PART, 2, 4);
	assert_range("bytes=2-", 10, PIC_RANGE_PART, 2, 8);
	assert_range("bytes=-3", 10, PIC_RANGE_PART, 7, 3);
	assert_range("bytes=-30", 10, PIC_RANGE_PART, 0, 10);
	assert_range("bytes=9-100", 10, PIC_RANGE_PART, 9, 1);
	assert_range("bytes=10-", 10, PIC_RANGE_NONE, 0, 0);
	assert_range("bytes=-0", 10, PIC_RANGE_NONE, 0, 0);
	assert_range("bytes=0-", 0, PIC_RANGE_NONE, 0, 0);
	static const char *const odd[] = { "bytes=5-2",
					   "bytes=-",
					   "bytes=1-2,3-4",
					   "items=1-2",
					   "bytes= 1-2",
					   "bytes=1",
					   "bytes=a-b",
					   "bytes=1-2x",
					   "",
					   "bytes=",
					   "bytes=99999999999999999999-1" };
	for (size_t i = 0; i < PIC_COUNT(odd); i++)
		assert_range(odd[i], 10, PIC_RANGE_ALL, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(bytes_are_kept_by_their_digest), TEST(what_is_too_large_is_refused),
		TEST(a_temporary_file_becomes_one),   TEST(names_stand_for_digests),
		TEST(what_nobody_acknowledged_goes),  cmocka_unit_test(ranges_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
