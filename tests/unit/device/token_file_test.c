/* Root hands a token over: what it reads, what it leaves alone, and what a hostile agent's folder cannot make it do. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "device/token_file.h"

#define AGENT 54321
#define AGENT_TEXT "54321"

struct place {
	char folder[64], state[96], agent[96], handed[128], source[96], other[96];
	struct pic_device_options options;
};

static void write_text(const char *path, const char *text)
{
	PIC_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pic_fd_write_all(fd, text, strlen(text)), 0);
}

static void begin(struct place *place)
{
	memset(place, 0, sizeof(*place));
	strcpy(place->folder, "/tmp/pic-token-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->state, sizeof(place->state), "%s/state", place->folder);
	snprintf(place->agent, sizeof(place->agent), "%s/agent", place->state);
	snprintf(place->handed, sizeof(place->handed), "%s/token", place->agent);
	snprintf(place->source, sizeof(place->source), "%s/source", place->folder);
	snprintf(place->other, sizeof(place->other), "%s/other", place->folder);
	place->options = (struct pic_device_options){ .state = place->state,
						      .user = AGENT_TEXT,
						      .token_file = place->source,
						      .policy = "/nonexistent" };
}

static void end(struct place *place)
{
	assert_int_equal(pic_folder_remove(AT_FDCWD, place->folder, NULL), 0);
}

static void text_is(const char *path, const char *text)
{
	PIC_BUF struct pic_buf found = PIC_BUF_INIT(8192);

	assert_int_equal(pic_file_read_path(path, &found, NULL), 0);
	assert_string_equal(pic_buf_text(&found), text);
}

static void it_becomes_the_agents(void **state)
{
	struct place place;
	struct stat is;

	(void)state;
	begin(&place);
	write_text(place.source, " secret\n");
	pic_device_token_hand_over(&place.options);
	text_is(place.handed, "secret");
	assert_int_equal(stat(place.handed, &is), 0);
	assert_int_equal(is.st_uid, AGENT);
	assert_int_equal(is.st_mode & 07777, 0600);
	assert_int_equal(access(place.source, F_OK), -1);
	end(&place);
}

/* The source is not root's own, whole and only: it stays, and nobody gets it. */
static void what_is_not_roots_own_is_not_read(void **state)
{
	struct place place;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct stat is;

		begin(&place);
		write_text(place.other, "somebody's");
		if (i == 0)
			assert_int_equal(symlink(place.other, place.source), 0);
		else if (i == 1)
			assert_int_equal(link(place.other, place.source), 0);
		else if (i == 2)
			assert_int_equal(mkfifo(place.source, 0600), 0);
		else
			assert_int_equal(rename(place.other, place.source), 0);
		if (i == 3)
			assert_int_equal(chown(place.source, AGENT, AGENT), 0);
		pic_device_token_hand_over(&place.options);
		if (access(place.handed, F_OK) == 0 || lstat(place.source, &is) != 0)
			fail_msg("case %u: handed over", i);
		end(&place);
	}
}

/* Where the token goes a hostile agent has put something. */
static void the_agents_folder_is_not_trusted(void **state)
{
	struct place place;
	struct stat is;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		begin(&place);
		write_text(place.other, "root's");
		write_text(place.source, "secret");
		assert_int_equal(mkdir(place.state, 0755), 0);
		if (i == 2) {
			assert_int_equal(symlink(place.folder, place.agent), 0);
		} else {
			assert_int_equal(mkdir(place.agent, 0700), 0);
			assert_int_equal(i == 0 ? symlink(place.other, place.handed)
						: link(place.other, place.handed),
					 0);
		}
		pic_device_token_hand_over(&place.options);
		text_is(place.other, "root's");
		assert_int_equal(stat(place.other, &is), 0);
		assert_int_equal(is.st_uid, 0);
		if (i == 2)
			text_is(place.source, "secret");
		else
			text_is(place.handed, "secret");
		end(&place);
	}
}

static void an_empty_or_endless_one_stays(void **state)
{
	char big[6000];
	struct place place;

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (unsigned i = 0; i < 2; i++) {
		begin(&place);
		write_text(place.source, i ? big : " \n");
		pic_device_token_hand_over(&place.options);
		text_is(place.source, i ? big : " \n");
		assert_int_equal(access(place.handed, F_OK), -1);
		end(&place);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_becomes_the_agents),
		cmocka_unit_test(what_is_not_roots_own_is_not_read),
		cmocka_unit_test(the_agents_folder_is_not_trusted),
		cmocka_unit_test(an_empty_or_endless_one_stays),
	};

	if (geteuid() != 0) {
		printf("skipped: needs root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
