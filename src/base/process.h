/*
 * Facts about other processes, from /proc and pidfds.
 */
#ifndef PIC_BASE_PROCESS_H
#define PIC_BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pic_process {
	uint64_t start; /* in clock ticks since boot; with the pid an identity */
	bool is_zombie;
	int exit_code; /* of a zombie, as wait(2) has it */
};

/* False: there is no such process. */
bool pic_process_look(pid_t pid, struct pic_process *out);
/* Whether its real user is that one. */
bool pic_process_is_of(pid_t pid, uid_t user);
/* The status, as wait(2) has it, of a process that has ended; a child of ours is reaped by this. Others
 * leave it in /proc until somebody reaps them, and in the pidfd after that (Linux 6.15). False: nobody
 * can tell. */
bool pic_process_status(int pidfd, pid_t pid, uint64_t start, int *status);

#endif
