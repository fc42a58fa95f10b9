#include "base/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"

/* PIDFD_GET_INFO of Linux 6.15. */
struct pidfd_facts {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
#define FACTS_EXIT (1UL << 3)
#define GET_FACTS _IOWR(0xFF, 11, struct pidfd_facts)

/* Fields of /proc/PID/stat, as proc(5) counts them. */
#define FIELD_STATE 3
#define FIELD_START 22
#define FIELD_EXIT_CODE 52

bool pic_process_look(pid_t pid, struct pic_process *out)
{
	struct pic_process process = { 0 };
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
	if (!at || at[1] != ' ')
		return false;
	at += 2;
	process.is_zombie = *at == 'Z';
	for (int field = FIELD_STATE; (word = strsep(&at, " ")); field++) {
		if (field == FIELD_START)
			process.start = strtoull(word, NULL, 10);
		if (field == FIELD_EXIT_CODE)
			process.exit_code = (int)strtol(word, NULL, 10);
	}
	*out = process;
	return true;
}

bool pic_process_is_of(pid_t pid, uid_t user)
{
	char path[32], text[1024];
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	PIC_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (size <= 0)
		return false;
	text[size] = '\0';
	line = strstr(text, "\nUid:\t"); /* the name in the first line cannot hold a line's end */
	return line && strtoul(line + strlen("\nUid:\t"), NULL, 10) == user;
}

bool pic_process_status(int pidfd, pid_t pid, uint64_t start, int *status)
{
	struct pidfd_facts facts = { .mask = FACTS_EXIT };
	struct pic_process process;
	siginfo_t info = { 0 };

	if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid) {
		*status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
						     : info.si_status;
		return true;
	}
	if (pic_process_look(pid, &process) && process.start == start && process.is_zombie) {
		*status = process.exit_code;
		return true;
	}
	if (ioctl(pidfd, GET_FACTS, &facts) < 0 || !(facts.mask & FACTS_EXIT))
		return false;
	*status = facts.exit_code;
	return true;
}
