/*
 * A program in the kernel for the person at the keyboard: no supervisor, but root, and policy's grants by hand. A child
 * loads it as the supervisor's runner does and gives everything up; this process is its broker, ends it when it is told
 * to, and removes what does not go by itself.
 */
#ifndef PIC_DEVICE_EBPF_RUN_H
#define PIC_DEVICE_EBPF_RUN_H

#include "protocol/policy.h"
#include "protocol/supervisor.h"
#include "workload/ebpf/spec.h"

struct pic_ebpf_by_hand {
	int object_fd;
	const char *name; /* in the kernel's lists */
	const char *file; /* for people */
	const struct pic_ebpf_spec *spec;
	const struct pic_policy *policy;
	int64_t end_boot_ms;
	struct pic_uplink uplink; /* what must go on answering; family 0: nothing is asked */
};

/* Until its end, SIGINT or SIGTERM. 0; -ENOEXEC: it cannot run here; -ECANCELED: it was rolled back. */
int pic_ebpf_run_here(const struct pic_ebpf_by_hand *order, struct pic_error *err);

#endif
