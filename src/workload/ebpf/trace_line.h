/*
 * One line of a trace instance, and whether it is this object's own: an instance receives what every program of the
 * machine prints. Pure.
 */
#ifndef PIC_WORKLOAD_EBPF_TRACE_LINE_H
#define PIC_WORKLOAD_EBPF_TRACE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct pic_ebpf_trace_line {
	struct pic_view time; /* "1234.567890", seconds since the boot */
	struct pic_view text;
	uint64_t lost; /* instead: so many lines were overwritten before anybody read them */
};

/* "TASK-PID [CPU] FLAGS TIME: bpf_trace_printk: TEXT" or "CPU:0 [LOST 12 EVENTS]"; false: neither. */
bool pic_ebpf_trace_line_read(const char *line, size_t size, struct pic_ebpf_trace_line *out);

/* What a line must begin with to be the object's: the literal heads of its formats, each NUL-terminated. */
struct pic_ebpf_heads {
	struct pic_buf texts;
	bool any; /* a format begins with a directive: its lines can only be told by a prefix */
};
#define PIC_EBPF_HEADS_INIT \
	{ \
		PIC_BUF_INIT(8192), false \
	}

/* As pic_ebpf_formats calls it. */
void pic_ebpf_heads_add(void *heads, const char *text, size_t size);
/* `prefix` narrows; alone it decides where there are no heads, or one is empty. */
bool pic_ebpf_heads_fit(const struct pic_ebpf_heads *heads, const char *prefix,
			const struct pic_view *text);

#endif
