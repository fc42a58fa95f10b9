#include "workload/note.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define VERSION 2

void pic_note_write(int fd, const struct pic_note *note)
{
	struct pic_note copy = *note;

	copy.version = VERSION;
	/* a failure leaves an older note or none: the end is then "unknown", which is true */
	if (pwrite(fd, &copy, sizeof(copy), 0) < 0)
		return;
}

void pic_note_read(int fd, struct pic_note *out)
{
	struct pic_note note = { 0 };

	memset(out, 0, sizeof(*out));
	if (pread(fd, &note, sizeof(note), 0) != (ssize_t)sizeof(note) || note.version != VERSION ||
	    note.end_kind > PIC_END_LAST)
		return;
	note.end_text[sizeof(note.end_text) - 1] = '\0';
	note.evidence[sizeof(note.evidence) - 1] = '\0';
	*out = note;
}

void pic_note_end(struct pic_note *note, enum pic_end_kind kind, int value, const char *text)
{
	size_t size = strlen(text);

	if (size >= sizeof(note->end_text))
		size = pic_utf8_cut(text, sizeof(note->end_text) - 1);
	note->end_kind = kind;
	note->end_value = value;
	memset(note->end_text, 0, sizeof(note->end_text));
	memcpy(note->end_text, text, size);
}

static const char *plain(int status, char text[64])
{
	snprintf(text, 64, "ended with status %d", status);
	return text;
}

static void judge(const struct pic_end_facts *facts, struct pic_note *out)
{
	bool exited = facts->status_known && WIFEXITED(facts->status);
	char text[64];

	if (facts->revoked) {
		pic_note_end(out, PIC_END_LEASE, PIC_LEASE_REVOKED,
			     "its permission was taken back");
	} else if (facts->overdue) {
		pic_note_end(out, PIC_END_LEASE, PIC_LEASE_OVER, "its time is over");
	} else if (facts->stopped) {
		pic_note_end(out, PIC_END_NONE, 0, "stopped as it was asked for");
	} else if (facts->memory_kills && !exited) {
		pic_note_end(out, PIC_END_MEMORY, 0, "killed by its memory limit");
	} else if (facts->status_known && WIFSIGNALED(facts->status)) {
		int signo = WTERMSIG(facts->status);

		snprintf(text, sizeof(text), "killed by signal %d (%s)", signo, strsignal(signo));
		pic_note_end(out, PIC_END_SIGNAL, signo, text);
	} else if (facts->note.end_kind == PIC_END_STATUS && !facts->note.end_text[0]) {
		pic_note_end(out, PIC_END_STATUS, facts->note.end_value,
			     plain(facts->note.end_value, text));
	} else if (facts->note.end_kind != PIC_END_NONE) {
		*out = facts->note;
	} else if (exited) {
		pic_note_end(out, PIC_END_STATUS, WEXITSTATUS(facts->status),
			     plain(WEXITSTATUS(facts->status), text));
	} else {
		pic_note_end(out, PIC_END_UNKNOWN, 0, "ended while nobody watched, without a note");
	}
}

/* What it was denied while it ran is most often why it gave up. */
static void add_denied(struct pic_note *end, const char *denied)
{
	char text[2 * sizeof(end->end_text)];
	bool gave_up = end->end_kind == PIC_END_TRAP ||
		       (end->end_kind == PIC_END_STATUS && end->end_value != 0);

	if (!*denied || !gave_up)
		return;
	snprintf(text, sizeof(text), "%s; %s", end->end_text, denied);
	pic_note_end(end, end->end_kind, end->end_value, text);
}

void pic_end_judge(const struct pic_end_facts *facts, struct pic_ledger_entry *entry)
{
	struct pic_note end;

	judge(facts, &end);
	add_denied(&end, entry->end_kind == PIC_END_NONE ? entry->end_text : "");
	entry->end_kind = end.end_kind;
	entry->end_value = end.end_value;
	memcpy(entry->end_text, end.end_text, sizeof(entry->end_text));
}

void pic_end_log(const struct pic_ledger_entry *entry, struct pic_workload_log *log)
{
	char time[PIC_TIME_TEXT];

	if (entry->end_kind != PIC_END_SIGNAL && entry->end_kind != PIC_END_MEMORY &&
	    entry->end_kind != PIC_END_UNKNOWN)
		return;
	pic_time_format(pic_clock_wall_ms() - (pic_clock_boot_ms() - entry->ended_boot_ms), time);
	pic_workload_log_line(log, "started again; the run before: %s, at %s", entry->end_text,
			      time);
}
