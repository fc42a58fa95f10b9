/*
 * Why the kernel or libbpf refused a program, in one sentence: what was tried, the errno's name, the program,
 * the usual cause, the verifier's last lines. Pure.
 */
#ifndef PIC_WORKLOAD_EBPF_EXPLAIN_H
#define PIC_WORKLOAD_EBPF_EXPLAIN_H

#include "admission/ebpf.h"

enum pic_ebpf_stage { PIC_EBPF_OPEN, PIC_EBPF_LOAD, PIC_EBPF_ATTACH };

struct pic_ebpf_failure {
	enum pic_ebpf_stage stage;
	int error;	     /* errno */
	const char *program; /* "" when it is about the object */
	uint32_t hook;	     /* PIC_EBPF_ATTACH: enum pic_ebpf_hook */
	uint32_t mode;
	const char *place; /* PIC_EBPF_ATTACH: "xdp:eth0" */
	const char *said;  /* what libbpf printed */
	const char *log;   /* the verifier's */
};

/* -EINVAL: it can never run here as it is; -EBUSY, -ENOMEM...: another time it may. */
int pic_ebpf_explain(const struct pic_ebpf_failure *failure, struct pic_error *err);
/* Where the last `lines` lines of a text begin, and at most `size` bytes of them. */
const char *pic_ebpf_last_lines(const char *text, unsigned lines, size_t size);
/* The name between "prog '" and "': BPF program load failed" of what libbpf printed; "" when there is none. */
void pic_ebpf_failed_program(const char *said, char out[PIC_EBPF_PROGRAM_NAME_MAX + 1]);

#endif
