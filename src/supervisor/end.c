/*
 * Why a workload's process ended: what the kernel says, what the runner noted, what the memory limit did.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "protocol/binding.h"
#include "supervisor/context.h"
#include "workload/note.h"

static void read_note(const struct pic_workload *workload, struct pic_note *out)
{
	char name[PIC_WORKLOAD_FILE_TEXT + 4];
	PIC_FD int fd = -1;

	snprintf(name, sizeof(name), "%s/end", workload->file);
	fd = openat(workload->supervisor->folders[PIC_WORK], name,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	memset(out, 0, sizeof(*out));
	if (fd >= 0)
		pic_note_read(fd, out);
}

bool pic_workload_was_ready(const struct pic_workload *workload)
{
	struct pic_note note;

	read_note(workload, &note);
	return note.ready != 0;
}

void pic_evidence_find(struct pic_workload *workload)
{
	struct pic_note note;

	read_note(workload, &note);
	memcpy(workload->entry.evidence, note.evidence, sizeof(workload->entry.evidence));
}

void pic_end_find(struct pic_workload *workload)
{
	struct pic_ledger_entry *entry = &workload->entry;
	struct pic_end_facts facts = {
		.stopped = entry->state == PIC_LEDGER_STOPPING,
		.overdue = pic_lease_is_over(workload),
		.revoked = !pic_binding_holds(&workload->supervisor->ledger,
					      workload->supervisor->bindings, entry),
	};
	struct pic_cgroup_usage usage;

	facts.status_known =
		workload->pidfd >= 0 &&
		pic_process_status(workload->pidfd, entry->pid, entry->pid_start, &facts.status);
	pic_cgroup_usage(&workload->supervisor->cgroups, workload->file, &usage);
	facts.memory_kills = usage.memory_kills;
	read_note(workload, &facts.note);
	pic_end_judge(&facts, entry);
}
