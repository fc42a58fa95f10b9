/* Why a workload ended: what beats what; and the note that says so when nobody watched. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "workload/note.h"

#define EXIT(status) W_EXITCODE((status), 0)
#define KILLED(signo) W_EXITCODE(0, (signo))

static struct pic_note noted(enum pic_end_kind kind, int value, const char *text)
{
	struct pic_note note = { .ready = 1 };

	pic_note_end(&note, kind, value, text);
	return note;
}

static void what_the_kernel_says_beats_the_note(void **state)
{
	const struct pic_note none = { 0 }, trap = noted(PIC_END_TRAP, 0, "unreachable in main");
	const struct {
		struct pic_end_facts facts;
		enum pic_end_kind kind;
		int value;
		const char *text;
	} cases[] = {
		{ { .stopped = true, .status_known = true, .status = KILLED(9) },
		  PIC_END_NONE,
		  0,
		  "stopped" },
		{ { .stopped = true, .memory_kills = 1, .note = trap },
		  PIC_END_NONE,
		  0,
		  "stopped" },
		{ { .status_known = true, .status = KILLED(9), .memory_kills = 1 },
		  PIC_END_MEMORY,
		  0,
		  "memory" },
		{ { .memory_kills = 2, .note = none }, PIC_END_MEMORY, 0, "memory" },
		/* somebody else in the group was killed; this one ended by itself */
		{ { .status_known = true, .status = EXIT(3), .memory_kills = 1 },
		  PIC_END_STATUS,
		  3,
		  "status 3" },
		{ { .status_known = true, .status = KILLED(11), .note = trap },
		  PIC_END_SIGNAL,
		  11,
		  "signal 11" },
		{ { .status_known = true, .status = KILLED(31) | 0x80 },
		  PIC_END_SIGNAL,
		  31,
		  "signal 31" },
		{ { .status_known = true, .status = EXIT(134), .note = trap },
		  PIC_END_TRAP,
		  0,
		  "main" },
		{ { .note = trap }, PIC_END_TRAP, 0, "main" },
		{ { .status_known = true, .status = EXIT(0) }, PIC_END_STATUS, 0, "status 0" },
		{ { .status_known = false }, PIC_END_UNKNOWN, 0, "nobody watched" },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		struct pic_ledger_entry entry;

		memset(&entry, 0xa5, sizeof(entry));
		pic_end_judge(&cases[i].facts, &entry);
		assert_int_equal(entry.end_kind, cases[i].kind);
		assert_int_equal(entry.end_value, cases[i].value);
		assert_non_null(strstr(entry.end_text, cases[i].text));
	}
}

static void what_was_denied_is_told_with_the_end_of_who_gave_up(void **state)
{
	const struct pic_end_facts gave_up = { .note = noted(PIC_END_STATUS, 1, "") };
	const struct pic_end_facts trapped = { .note = noted(PIC_END_TRAP, 0, "unreachable") };
	const struct pic_end_facts done = { .note = noted(PIC_END_STATUS, 0, "") };
	struct pic_ledger_entry entry = { .end_kind = PIC_END_NONE,
					  .end_text = "port 1 is in use" };

	(void)state;
	pic_end_judge(&gave_up, &entry);
	assert_string_equal(entry.end_text, "ended with status 1; port 1 is in use");
	pic_end_judge(&gave_up, &entry); /* of the next run, in which nothing was denied */
	assert_string_equal(entry.end_text, "ended with status 1");
	entry = (struct pic_ledger_entry){ .end_text = "port 1 is in use" };
	pic_end_judge(&trapped, &entry);
	assert_string_equal(entry.end_text, "unreachable; port 1 is in use");
	entry = (struct pic_ledger_entry){ .end_text = "port 1 is in use" };
	pic_end_judge(&done, &entry);
	assert_string_equal(entry.end_text, "ended with status 0");
}

static void a_note_comes_back_and_a_damaged_one_does_not(void **state)
{
	struct pic_note note = noted(PIC_END_STATUS, 5, "exit status 5"), again;
	int fd = memfd_create("note", MFD_CLOEXEC);

	(void)state;
	pic_note_read(fd, &again);
	assert_int_equal(again.end_kind, PIC_END_NONE); /* empty file */
	pic_note_write(fd, &note);
	pic_note_write(fd, &note);
	pic_note_read(fd, &again);
	assert_int_equal(again.ready, 1);
	assert_int_equal(again.end_kind, PIC_END_STATUS);
	assert_int_equal(again.end_value, 5);
	assert_string_equal(again.end_text, "exit status 5");
	again.version = 2;
	again.end_kind = 77;
	assert_int_equal(pwrite(fd, &again, sizeof(again), 0), sizeof(again));
	pic_note_read(fd, &again);
	assert_int_equal(again.end_kind, PIC_END_NONE);
	memset(&again, 'x', sizeof(again));
	again.version = 2;
	again.end_kind = PIC_END_TRAP;
	assert_int_equal(pwrite(fd, &again, sizeof(again), 0), sizeof(again));
	pic_note_read(fd, &again);
	assert_int_equal(strlen(again.end_text), sizeof(again.end_text) - 1);
	assert_int_equal(strlen(again.evidence), sizeof(again.evidence) - 1);
	assert_int_equal(ftruncate(fd, 20), 0);
	pic_note_read(fd, &again);
	assert_int_equal(again.end_kind, PIC_END_NONE);
	close(fd);
}

static void a_long_text_is_cut_between_characters(void **state)
{
	char text[400] = "";
	struct pic_note note;

	(void)state;
	for (int i = 0; i < 150; i++)
		strcat(text, "\xc3\xa4");
	note = noted(PIC_END_TRAP, 0, text);
	assert_int_equal(strlen(note.end_text) % 2, 0);
	assert_in_range(strlen(note.end_text), sizeof(note.end_text) - 3,
			sizeof(note.end_text) - 1);
}

/* What the next run's log begins with. */
static void logged(const struct pic_ledger_entry *entry, char out[512])
{
	int segments[2] = { memfd_create("0", MFD_CLOEXEC), memfd_create("1", MFD_CLOEXEC) };
	const int copies[2] = { dup(segments[0]), dup(segments[1]) };
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);
	struct pic_workload_log *log = NULL;
	uint64_t end;

	assert_int_equal(pic_workload_log_new(&log, copies, 65536, NULL), 0);
	pic_end_log(entry, log);
	pic_workload_log_free(log);
	assert_int_equal(pic_workload_log_read(segments, 0, 0, &text, &end, NULL), 0);
	snprintf(out, 512, "%s", pic_buf_text(&text));
	close(segments[0]);
	close(segments[1]);
}

static void who_was_killed_is_told_of_in_the_next_log(void **state)
{
	static const enum pic_end_kind own[] = { PIC_END_NONE,	 PIC_END_STATUS,
						 PIC_END_TRAP,	 PIC_END_INVALID,
						 PIC_END_LEASE,	 PIC_END_ROLLED_BACK,
						 PIC_END_MISSING };
	struct pic_ledger_entry entry = { .ended_boot_ms = pic_clock_boot_ms() - 3600000 };
	struct pic_end_facts facts = { .status_known = true, .status = KILLED(9) };
	char text[512], time[PIC_TIME_TEXT];
	int64_t now = pic_clock_wall_ms();

	(void)state;
	pic_end_judge(&facts, &entry);
	logged(&entry, text);
	/* ours, and the hour is right: a minute of slowness would still be seen */
	pic_time_format(now - 3600000, time);
	assert_non_null(
		strstr(text, " p started again; the run before: killed by signal 9 (Killed), at "));
	assert_memory_equal(strstr(text, ", at ") + strlen(", at "), time, strlen("2026-11-24T19"));
	entry.end_kind = PIC_END_UNKNOWN;
	logged(&entry, text);
	assert_non_null(strstr(text, " p started again; "));
	for (size_t i = 0; i < PIC_COUNT(own); i++) {
		entry.end_kind = own[i];
		logged(&entry, text);
		assert_string_equal(text, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_says_beats_the_note),
		cmocka_unit_test(what_was_denied_is_told_with_the_end_of_who_gave_up),
		cmocka_unit_test(a_note_comes_back_and_a_damaged_one_does_not),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
		cmocka_unit_test(who_was_killed_is_told_of_in_the_next_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
