/*
 * The disposable loader: a process that reads a stranger's object, loads and attaches it, hands the descriptors
 * over and is gone. It is nobody in particular, with the capabilities that the kernel asks for that kind of
 * program; whatever the object does to it, only it dies.
 */
#ifndef PIC_WORKLOAD_EBPF_LOADER_H
#define PIC_WORKLOAD_EBPF_LOADER_H

#include "protocol/policy.h"
#include "protocol/supervisor.h"
#include "workload/ebpf/spec.h"

struct pic_ebpf_order {
	const struct pic_ebpf_spec *spec;
	const struct pic_policy *policy;
	uint32_t grants;
	struct pic_uplink uplink;
	uid_t user;
	int socket_fd, artifact_fd;
	int log_fds[2]; /* -1: none */
};

/* In a child of the runner; still root. */
void pic_ebpf_loader_main(const struct pic_ebpf_order *order) __attribute__((noreturn));

#endif
