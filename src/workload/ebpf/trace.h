/*
 * What the programs print (bpf_printk): from the runner's own trace instance, filtered, at most 100 lines a second,
 * into the instance's pipe and the workload's log.
 */
#ifndef PIC_WORKLOAD_EBPF_TRACE_H
#define PIC_WORKLOAD_EBPF_TRACE_H

#include "base/loop.h"
#include "workload/ebpf/trace_line.h"
#include "workload/log.h"

struct pic_ebpf_trace {
	struct pic_workload_log *log;
	const char *prefix;
	int trace_fd, pipe_fd;
	struct pic_ebpf_heads heads;
	struct pic_watch *watch;
	struct pic_timer *timer; /* the end of the second in which there was too much */
	int64_t second_ms;
	unsigned in_second;
	uint64_t dropped;
	size_t used;
	char rest[2048]; /* a line that is not whole yet */
};

/* log, prefix, descriptors and heads are set. */
int pic_ebpf_trace_start(struct pic_ebpf_trace *trace, struct pic_loop *loop,
			 struct pic_error *err);
/* What is there still, before the end. */
void pic_ebpf_trace_drain(struct pic_ebpf_trace *trace);

#endif
