/*
 * The note a runner leaves: whether it was ready, and how it ended. A small file that the supervisor
 * reads when the process is gone, so that an end is known even when no supervisor saw it. It lies in
 * the runtime folder (memory) and is written in one go.
 *
 * The runner is not trusted: the note decides nothing but what is shown.
 */
#ifndef PIC_WORKLOAD_NOTE_H
#define PIC_WORKLOAD_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/supervisor.h"
#include "workload/log.h"

struct pic_note {
	uint32_t version; /* 2 */
	uint32_t ready;
	uint32_t end_kind; /* enum pic_end_kind; NONE: it has not ended by itself */
	int32_t end_value;
	char end_text[sizeof(((struct pic_ledger_entry *)0)->end_text)];
	char evidence[PIC_EVIDENCE_TEXT];
};

void pic_note_write(int fd, const struct pic_note *note);
/* Validated; all zeros when there is none. */
void pic_note_read(int fd, struct pic_note *out);
/* The text is cut where it does not fit, between characters. */
void pic_note_end(struct pic_note *note, enum pic_end_kind kind, int value, const char *text);

/* Everything that is known when a process is gone. */
struct pic_end_facts {
	bool stopped;	   /* we wanted it */
	bool overdue;	   /* its time was over */
	bool revoked;	   /* what allowed it was taken back */
	bool status_known; /* `status` is what wait(2) says */
	int status;
	uint64_t memory_kills; /* by the limit of its cgroup */
	struct pic_note note;
};
/*
 * Why a workload ended, into end_kind, end_value and end_text; what the kernel says beats what was noted.
 * An end_text of `entry` whose end_kind is NONE is what the workload was denied while it ran.
 */
void pic_end_judge(const struct pic_end_facts *facts, struct pic_ledger_entry *entry);
/* A workload logs its own end, unless it was killed: then its next run says so first. */
void pic_end_log(const struct pic_ledger_entry *entry, struct pic_workload_log *log);

#endif
