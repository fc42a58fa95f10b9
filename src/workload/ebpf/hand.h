/*
 * What the loader and its parent say to each other, over one SOCK_SEQPACKET pair, and what the loader leaves
 * in it for the runner (the parent, once it has given up its privileges): the hand, with the descriptors.
 *
 * The loader asks for what only root can do, at most PIC_EBPF_ASKS_MAX times, then says how it ended; hand and
 * plan follow when it ended well. Every word is checked: the loader has read a stranger's file.
 */
#ifndef PIC_WORKLOAD_EBPF_HAND_H
#define PIC_WORKLOAD_EBPF_HAND_H

#include "admission/ebpf.h"
#include "protocol/supervisor.h"
#include "workload/ebpf/filter.h"
#include "workload/ebpf/metrics.h"

#define PIC_EBPF_ASKS_MAX 64

enum pic_ebpf_word_kind {
	PIC_EBPF_ASK_EVENT = 1, /* text "category/event": a descriptor of that tracepoint */
	PIC_EBPF_ASK_TRACE,	/* its own trace instance; the parent keeps it */
	PIC_EBPF_ASK_OWNER,	/* the name of the program of that number, in text */
	PIC_EBPF_ASK_FILTER, /* its program, which comes along, at that interface's queue; the parent remembers */
	PIC_EBPF_SAY_END, /* status, and the sentence in text */
};

struct pic_ebpf_word {
	uint32_t kind;	/* enum pic_ebpf_word_kind; the answer has the same */
	int32_t status; /* negative errno with the sentence in text */
	uint32_t number;
	uint32_t egress;	       /* ASK_FILTER */
	struct pic_ebpf_filter filter; /* and its answer */
	char text[PIC_ERROR_TEXT];
};

#define PIC_EBPF_HAND_FILES (PIC_EBPF_PROGRAMS_MAX * 2 + PIC_EBPF_MAPS_MAX)

struct pic_ebpf_hand_interface {
	uint32_t number;
	char name[16];
};

/* Descriptors in this order: links, programs, maps. Names are the object's own. */
struct pic_ebpf_hand {
	uint32_t link_count, program_count, map_count, filter_count, interface_count;
	char programs[PIC_EBPF_PROGRAMS_MAX][PIC_EBPF_PROGRAM_NAME_MAX + 1];
	char maps[PIC_EBPF_MAPS_MAX][PIC_EBPF_PROGRAM_NAME_MAX + 1];
	struct pic_ebpf_filter filters[PIC_EBPF_PROGRAMS_MAX];
	struct pic_ebpf_hand_interface interfaces[PIC_EBPF_PROGRAMS_MAX]; /* that it sits on */
	uint32_t processors; /* values of each entry of a per-CPU map */
	bool network;	     /* it sits where packets pass */
	bool traced;	     /* there is a trace instance */
	char evidence[PIC_EVIDENCE_TEXT];
};

/* Sends with at most one descriptor (-1: none). Negative errno. */
int pic_ebpf_word_send(int socket_fd, const struct pic_ebpf_word *word, int fd);
/* Waits. 0, -ECONNRESET when the other end is gone, -EPROTO for anything that is no word. `fd` may be NULL. */
int pic_ebpf_word_receive(int socket_fd, struct pic_ebpf_word *word, int *fd);
int pic_ebpf_hand_send(int socket_fd, const struct pic_ebpf_hand *hand,
		       const struct pic_ebpf_plan *plan, const int *fds, uint32_t count);
/* Takes what lies there. The descriptors land in `fds`; on failure none does, and `plan` is undefined. */
int pic_ebpf_hand_receive(int socket_fd, struct pic_ebpf_hand *hand, struct pic_ebpf_plan *plan,
			  int fds[PIC_EBPF_HAND_FILES], struct pic_error *err);

#endif
