/* What the agent keeps on disk, parts of downloads, and what is carried between two views. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "agent/fetch/part.h"
#include "agent/status/merge.h"
#include "agent/store/identity.h"
#include "base/file.h"

#define SHA "1111111111111111111111111111111111111111111111111111111111111111"

struct room {
	char state[64];
	struct pic_agent_store store;
};

static int begin(void **state)
{
	struct room *room = calloc(1, sizeof(*room));
	char path[80];

	snprintf(room->state, sizeof(room->state), "/tmp/pic-store-test-XXXXXX");
	if (!mkdtemp(room->state))
		return -1;
	snprintf(path, sizeof(path), "%s/agent", room->state);
	*state = room;
	if (mkdir(path, 0700) < 0)
		return -1;
	return pic_agent_store_open(&room->store, room->state, NULL);
}

static int end(void **state)
{
	struct room *room = *state;

	pic_agent_store_close(&room->store);
	pic_folder_remove(AT_FDCWD, room->state, NULL);
	free(room);
	return 0;
}

static const char *document(const char *components, const char *removed, int revision)
{
	static char text[2048];

	snprintf(
		text, sizeof(text),
		"{\"protocol\":1,\"epoch\":\"00112233445566778899aabbccddeeff\",\"revision\":%d,\"device\":\"box\","
		"\"issued-at\":\"2026-11-24T14:00:00Z\",\"components\":[%s],\"removed\":[%s]}",
		revision, components, removed);
	return text;
}

#define NAMED(name) \
	"{\"instance\":\"app\",\"component\":\"" name \
	"\",\"type\":\"wasm\",\"revision\":1,\"properties\":{}}"

static void nothing_is_there_at_first(void **state)
{
	struct room *room = *state;
	struct pic_document *loaded = (void *)1, *kept = (void *)1;
	struct pic_agent_identity identity;
	struct pic_sha256 digest;

	assert_int_equal(pic_agent_store_load(&room->store, &loaded, &digest, &kept, NULL), 0);
	assert_null(loaded);
	assert_null(kept);
	assert_int_equal(pic_agent_identity_load(&identity, &room->store, NULL), -ENOENT);
}

static void a_document_comes_back_with_its_digest(void **state)
{
	struct room *room = *state;
	const char *text = document(NAMED("web"), "", 3);
	struct pic_document *loaded = NULL, *kept = NULL;
	struct pic_sha256 digest, wanted;

	assert_int_equal(pic_agent_store_save(&room->store, text, strlen(text), NULL, NULL), 0);
	assert_int_equal(pic_agent_store_load(&room->store, &loaded, &digest, &kept, NULL), 0);
	pic_sha256_of(text, strlen(text), &wanted);
	assert_true(pic_sha256_equal(&digest, &wanted));
	assert_int_equal(loaded->revision, 3);
	assert_null(kept);
	pic_document_free(loaded);
}

/* A crash between the two writes must neither lose nor repeat anybody. */
static void what_the_document_names_is_not_kept_twice(void **state)
{
	struct room *room = *state;
	struct pic_document *loaded = NULL, *kept = NULL, *parsed = NULL;
	const char *text = document(NAMED("web") "," NAMED("old") "," NAMED("gone"), "", 3);
	struct pic_sha256 digest;

	assert_int_equal(pic_document_parse(&parsed, text, strlen(text), NULL), 0);
	text = document(NAMED("web"),
			"{\"instance\":\"app\",\"component\":\"gone\",\"revision\":4}", 4);
	assert_int_equal(pic_agent_store_save(&room->store, text, strlen(text), parsed, NULL), 0);
	pic_document_free(parsed);
	assert_int_equal(pic_agent_store_load(&room->store, &loaded, &digest, &kept, NULL), 0);
	assert_int_equal(kept->component_count, 1);
	assert_string_equal(kept->components[0].name.component, "old");
	pic_document_free(loaded);
	pic_document_free(kept);
	assert_int_equal(pic_agent_store_save(&room->store, text, strlen(text), NULL, NULL), 0);
	assert_int_equal(faccessat(room->store.folder, "kept.json", F_OK, 0), -1);
}

static void damage_is_said_and_no_document(void **state)
{
	struct room *room = *state;
	struct pic_document *loaded = NULL, *kept = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_sha256 digest;

	assert_int_equal(pic_file_write(room->store.folder, "document.json", 0600, "{", 1,
					PIC_FILE_VOLATILE, NULL),
			 0);
	assert_int_equal(pic_agent_store_load(&room->store, &loaded, &digest, &kept, &err),
			 -EBADMSG);
	assert_null(loaded);
	assert_non_null(strstr(err.text, "document.json on disk is damaged"));
}

static void an_identity_comes_back_and_is_private(void **state)
{
	struct room *room = *state;
	struct pic_agent_identity identity = { .hub = (char *)"https://h",
					       .target = "box",
					       .key = (char *)"KEY",
					       .certificate = (char *)"CERT",
					       .authority = (char *)"CA",
					       .epoch = "00112233445566778899aabbccddeeff" };
	struct pic_agent_identity back = { .hub = NULL };
	struct stat facts;

	assert_int_equal(pic_agent_identity_save(&identity, &room->store, NULL), 0);
	assert_int_equal(fstatat(room->store.folder, "identity.json", &facts, 0), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	assert_int_equal(pic_agent_identity_load(&back, &room->store, NULL), 0);
	assert_string_equal(back.hub, "https://h");
	assert_string_equal(back.key, "KEY");
	assert_string_equal(back.epoch, identity.epoch);
	assert_null(back.tls_pin);
	pic_agent_identity_clear(&back);
	assert_null(back.key);
}

static void count(void *data, const unsigned char digest[PIC_DIGEST_SIZE], bool is_copy)
{
	int *counts = data;

	(void)digest;
	counts[is_copy]++;
}

static void marks_and_copies_are_found_and_forgotten(void **state)
{
	struct room *room = *state;
	unsigned char digest[PIC_DIGEST_SIZE];
	int counts[2] = { 0, 0 };

	memset(digest, 0x11, sizeof(digest));
	assert_int_equal(pic_agent_store_mark(&room->store, digest, NULL), 0);
	assert_int_equal(pic_agent_store_mark(&room->store, digest, NULL), 0);
	assert_int_equal(pic_file_write(room->store.downloads, SHA, 0600, "x", 1, PIC_FILE_VOLATILE,
					NULL),
			 0);
	assert_int_equal(pic_file_write(room->store.downloads, SHA ".part", 0600, "x", 1,
					PIC_FILE_VOLATILE, NULL),
			 0);
	pic_agent_store_each(&room->store, count, counts);
	assert_int_equal(counts[false], 1);
	assert_int_equal(counts[true], 1); /* half a download is none */
	assert_int_equal(pic_agent_store_forget(&room->store, digest, NULL), 0);
	assert_int_equal(pic_agent_store_forget(&room->store, digest, NULL), 0);
	memset(counts, 0, sizeof(counts));
	pic_agent_store_each(&room->store, count, counts);
	assert_int_equal(counts[false] + counts[true], 0);
	assert_int_equal(faccessat(room->store.downloads, SHA ".part", F_OK, 0), -1);
}

/* -- parts ------------------------------------------------------------------------------------------------ */

static void a_part_goes_on_where_it_was(void **state)
{
	struct room *room = *state;
	unsigned char digest[PIC_DIGEST_SIZE];
	struct pic_sha256 is, wanted;
	struct pic_part part;

	memset(digest, 0x11, sizeof(digest));
	assert_int_equal(pic_part_open(&part, room->store.downloads, digest, NULL), 0);
	assert_int_equal(pic_part_write(&part, "abc", 3), 0);
	pic_part_close(&part);
	assert_int_equal(pic_part_open(&part, room->store.downloads, digest, NULL), 0);
	assert_int_equal(pic_part_catch_up(&part, NULL), 0);
	assert_int_equal(part.offset, 3);
	assert_int_equal(pic_part_write(&part, "def", 3), 0);
	pic_part_digest(&part, &is);
	pic_sha256_of("abcdef", 6, &wanted);
	assert_true(pic_sha256_equal(&is, &wanted));
	assert_int_equal(pic_part_keep(&part, NULL), 0);
	pic_part_close(&part);
	assert_int_equal(faccessat(room->store.downloads, SHA, F_OK, 0), 0);
}

static void a_large_part_is_hashed_in_slices(void **state)
{
	struct room *room = *state;
	unsigned char digest[PIC_DIGEST_SIZE] = { 0 };
	static char block[600 * 1024];
	struct pic_part part;
	int slices = 0;

	assert_int_equal(pic_part_open(&part, room->store.downloads, digest, NULL), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pic_part_write(&part, block, sizeof(block)), 0);
	pic_part_close(&part);
	assert_int_equal(pic_part_open(&part, room->store.downloads, digest, NULL), 0);
	while (pic_part_catch_up(&part, NULL) == 1)
		slices++;
	assert_int_equal(part.offset, 4 * sizeof(block));
	assert_int_equal(slices, 2);
	assert_int_equal(pic_part_restart(&part, NULL), 0);
	assert_int_equal(part.offset, 0);
	assert_int_equal(pic_part_write(&part, "  <!DOCTYPE", 2), 0);
	assert_false(pic_part_is_page(&part));
	assert_int_equal(pic_part_restart(&part, NULL), 0);
	assert_int_equal(pic_part_write(&part, "<!DoC", 5), 0);
	assert_int_equal(pic_part_write(&part, "TYPE html>", 10), 0);
	assert_true(pic_part_is_page(&part));
	pic_part_discard(&part);
	pic_part_close(&part);
}

/* -- views ------------------------------------------------------------------------------------------------ */

static void since_and_last_error_are_carried(void **state)
{
	struct pic_report_component last = { .phase = PIC_PHASE_RUNNING,
					     .reason = "Started",
					     .since_ms = 7,
					     .last_error = "it trapped" };
	struct pic_report_component next = { .phase = PIC_PHASE_RUNNING, .reason = "Started" };

	(void)state;
	assert_false(pic_status_merge(&last, 1, &next, 1, 99, 50));
	assert_int_equal(next.since_ms, 7);
	assert_string_equal(next.last_error, "it trapped");
	next = (struct pic_report_component){ .phase = PIC_PHASE_FAILED,
					      .reason = "NotAdmitted",
					      .message = "damaged" };
	assert_true(pic_status_merge(&last, 1, &next, 1, 99, 50));
	assert_int_equal(next.since_ms, 99);
	assert_string_equal(next.last_error, "damaged");
	next = (struct pic_report_component){ .phase = PIC_PHASE_RUNNING, .reason = "Started" };
	assert_false(pic_status_merge(&last, 1, &next, 1, 1795000000000,
				      50)); /* the clock was set meanwhile */
	assert_int_equal(next.since_ms, 1795000000000);
	next = last;
	next.memory_bytes = 5; /* a figure is no news */
	assert_false(pic_status_merge(&last, 1, &next, 1, 99, 50));
	next.pid = 5;
	assert_true(pic_status_merge(&last, 1, &next, 1, 99, 50));
	assert_true(pic_status_merge(&last, 1, NULL, 0, 99, 50));
}

/* By the boot clock of the ledger where there is one, and computed once. */
static void an_error_keeps_its_time(void **state)
{
	const int64_t wall = 1795000000000;
	struct pic_report_component last = { .phase = PIC_PHASE_RUNNING };
	struct pic_report_component next = { .phase = PIC_PHASE_RUNNING,
					     .last_error = "it was killed",
					     .error_boot_ms = 40 };

	(void)state;
	pic_status_merge(&last, 1, &next, 1, wall, 50);
	assert_int_equal(next.last_error_ms, wall - 10);
	last = next;
	next.last_error_ms = 0;
	pic_status_merge(&last, 1, &next, 1, wall + 77777, 60);
	assert_int_equal(next.last_error_ms, wall - 10);
	last = next; /* the same again, later */
	next.error_boot_ms = 90;
	pic_status_merge(&last, 1, &next, 1, wall + 1000, 100);
	assert_int_equal(next.last_error_ms, wall + 990);
	last = next; /* what no ledger knows happens when it is seen, and stays */
	next = (struct pic_report_component){ .phase = PIC_PHASE_REFUSED, .message = "no port" };
	pic_status_merge(&last, 1, &next, 1, wall + 2000, 200);
	assert_string_equal(next.last_error, "no port");
	assert_int_equal(next.last_error_ms, wall + 2000);
	last = next;
	next = (struct pic_report_component){ .phase = PIC_PHASE_RUNNING };
	pic_status_merge(&last, 1, &next, 1, wall + 3000, 300);
	assert_string_equal(next.last_error, "no port");
	assert_int_equal(next.last_error_ms, wall + 2000);
	last = (struct pic_report_component){ .phase = PIC_PHASE_RUNNING };
	next = last;
	pic_status_merge(&last, 1, &next, 1, wall, 50);
	assert_int_equal(next.last_error_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_there_at_first, begin, end),
		cmocka_unit_test_setup_teardown(a_document_comes_back_with_its_digest, begin, end),
		cmocka_unit_test_setup_teardown(what_the_document_names_is_not_kept_twice, begin,
						end),
		cmocka_unit_test_setup_teardown(damage_is_said_and_no_document, begin, end),
		cmocka_unit_test_setup_teardown(an_identity_comes_back_and_is_private, begin, end),
		cmocka_unit_test_setup_teardown(marks_and_copies_are_found_and_forgotten, begin,
						end),
		cmocka_unit_test_setup_teardown(a_part_goes_on_where_it_was, begin, end),
		cmocka_unit_test_setup_teardown(a_large_part_is_hashed_in_slices, begin, end),
		cmocka_unit_test(since_and_last_error_are_carried),
		cmocka_unit_test(an_error_keeps_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
