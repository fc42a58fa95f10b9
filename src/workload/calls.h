/*
 * The system calls of a process that runs what is not ours, put together from lists: what every one of its
 * kind needs, and what its spec adds. Anything else ends the process.
 */
#ifndef PIC_WORKLOAD_CALLS_H
#define PIC_WORKLOAD_CALLS_H

#include "sandbox/seccomp.h"

struct pic_calls {
	struct pic_seccomp_rule rules[PIC_SECCOMP_RULES_MAX];
	size_t count; /* may be more than there is room for: pic_calls_allow says so */
};

void pic_calls_add(struct pic_calls *calls, const struct pic_seccomp_rule *rules, size_t count);
/* In force from here on, for good; with the sanitizers, what their reports need besides. */
int pic_calls_allow(struct pic_calls *calls, struct pic_error *err);

#endif
