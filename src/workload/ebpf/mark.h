/*
 * The mark on what does not go with its owner (clsact filters, trace instances): whose it is and until when,
 * written into the name, so that `sweep` finds it without a list of its own. Pure.
 *
 *   piccolo-<process namespace>-<process>-<its start>-<end, boot-time ms>-<q|k>-<instance~component>
 *
 * q: the qdisc was made by us and goes with its last filter. A mark of another process namespace is never touched: its
 * numbers mean nothing here.
 */
#ifndef PIC_WORKLOAD_EBPF_MARK_H
#define PIC_WORKLOAD_EBPF_MARK_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/supervisor.h"

#define PIC_EBPF_MARK_TEXT 255

struct pic_ebpf_mark {
	uint64_t space; /* number of the process namespace */
	int32_t pid;
	uint64_t pid_start;
	int64_t end_boot_ms;
	bool made_qdisc;
	struct pic_workload_name name;
};

void pic_ebpf_mark_write(const struct pic_ebpf_mark *mark, char out[PIC_EBPF_MARK_TEXT]);
/* False: somebody else's name. */
bool pic_ebpf_mark_read(const char *text, struct pic_ebpf_mark *out);

/* What the kernel says of the mark's owner. */
struct pic_ebpf_owner {
	uint64_t space; /* our process namespace */
	bool alive;	/* the process of the mark, by its start time */
	int64_t now_boot_ms;
};

/* Whose marks are looked at: see the driver's sweep. */
struct pic_ebpf_swept {
	const struct pic_ledger_entry *gone;
	const struct pic_ledger_entry *live;
	size_t live_count;
};

/* Nobody will undo it any more: its owner is dead, or was to be a second ago. */
bool pic_ebpf_mark_is_ownerless(const struct pic_ebpf_mark *mark,
				const struct pic_ebpf_owner *owner,
				const struct pic_ebpf_swept *swept);

#endif
