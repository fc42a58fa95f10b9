/*
 * The system calls of a process that runs what is not ours, put together from lists: what every one of its
 * kind needs, and what its spec adds. Anything else ends the process.
 *
 * The lists name the calls of a 64-bit machine. Where libc makes others for the same purpose (32-bit ARM: large files,
 * times after 2038, and some older calls), pic_calls_add adds exactly those, with the same conditions.
 */
#ifndef PIC_WORKLOAD_CALLS_H
#define PIC_WORKLOAD_CALLS_H

#include <sys/syscall.h>

#include "sandbox/seccomp.h"

#ifdef __arm__
#define SYS_mmap SYS_mmap2 /* counts its offset in pages; the rights are the same argument */
#define SYS_newfstatat SYS_fstatat64
#endif

struct pic_calls {
	struct pic_seccomp_rule rules[PIC_SECCOMP_RULES_MAX];
	size_t count; /* may be more than there is room for: pic_calls_allow says so */
};

void pic_calls_add(struct pic_calls *calls, const struct pic_seccomp_rule *rules, size_t count);
/* In force from here on, for good; with the sanitizers, what their reports need besides. */
int pic_calls_allow(struct pic_calls *calls, struct pic_error *err);

#endif
