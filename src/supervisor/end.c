/*
 * Why a workload's process ended: what the kernel says, what the runner noted, what the memory limit did.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "supervisor/context.h"
#include "workload/note.h"

/* PIDFD_GET_INFO of Linux 6.15: exits of processes that are not our children. */
struct pidfd_facts {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
#define FACTS_EXIT (1UL << 3)
#define GET_FACTS _IOWR(0xFF, 11, struct pidfd_facts)

bool pic_process_look(pid_t pid, struct pic_process *out)
{
	char path[32], text[1024], *at, *word;
	PIC_FD int fd = -1;
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (size <= 0)
		return false;
	text[size] = '\0';
	at = strrchr(text, ')'); /* the name before it may hold anything */
	if (!at)
		return false;
	at += 2;
	*out = (struct pic_process){ .is_zombie = *at == 'Z' };
	for (int field = 3; (word = strsep(&at, " ")); field++) {
		if (field == 22)
			out->start = strtoull(word, NULL, 10);
		if (field == 52)
			out->exit_code = atoi(word);
	}
	return true;
}

/* The status as wait(2) has it; false when nobody can tell. A child is reaped here; others leave their
 * status as a zombie, and in the pidfd after that. */
static bool exit_status(const struct pic_workload *w, int *status)
{
	struct pidfd_facts facts = { .mask = FACTS_EXIT };
	struct pic_process process;
	siginfo_t info = { 0 };

	if (waitid((idtype_t)P_PIDFD, (id_t)w->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid) {
		*status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0) : info.si_status;
		return true;
	}
	if (pic_process_look(w->entry.pid, &process) && process.start == w->entry.pid_start &&
	    process.is_zombie) {
		*status = process.exit_code;
		return true;
	}
	if (ioctl(w->pidfd, GET_FACTS, &facts) < 0 || !(facts.mask & FACTS_EXIT))
		return false;
	*status = facts.exit_code;
	return true;
}

static void read_note(const struct pic_workload *workload, struct pic_note *out)
{
	char name[PIC_WORKLOAD_FILE_TEXT + 4];
	PIC_FD int fd = -1;

	snprintf(name, sizeof(name), "%s/end", workload->file);
	fd = openat(workload->supervisor->work_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
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

void pic_end_find(struct pic_workload *workload)
{
	struct pic_end_facts facts = { .stopped = workload->entry.state == PIC_LEDGER_STOPPING };
	struct pic_cgroup_usage usage;

	facts.status_known = workload->pidfd >= 0 && exit_status(workload, &facts.status);
	pic_cgroup_usage(&workload->supervisor->cgroups, workload->file, &usage);
	facts.memory_kills = usage.memory_kills;
	read_note(workload, &facts.note);
	pic_end_judge(&facts, &workload->entry);
}
