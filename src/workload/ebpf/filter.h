/*
 * clsact filters over route netlink: the older hook for packets, which the kernel does not undo when its owner
 * dies. Each filter of ours carries its mark (mark.h) as its name.
 *
 * The socket is opened by whoever has the right to (CAP_NET_ADMIN, then and at each use); it blocks for at
 * most two seconds. Nothing here needs another file or socket once it is open.
 */
#ifndef PIC_WORKLOAD_EBPF_FILTER_H
#define PIC_WORKLOAD_EBPF_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct pic_ebpf_filter {
	uint32_t interface; /* number */
	uint32_t parent;    /* the qdisc's ingress or egress */
	uint32_t info;	    /* priority and protocol, as the kernel gave them */
	uint32_t handle;
	bool made_qdisc; /* the qdisc is ours and goes with its last filter */
};

int pic_ebpf_netlink_open(struct pic_error *err);
/* Makes the qdisc where there is none; `*made` says so. */
int pic_ebpf_qdisc_make(int netlink_fd, uint32_t interface, bool *made, struct pic_error *err);
/* The program `program_fd` behind all filters that are there already. `out->made_qdisc` is left alone. */
int pic_ebpf_filter_add(int netlink_fd, uint32_t interface, bool egress, int program_fd,
			const char *mark, struct pic_ebpf_filter *out, struct pic_error *err);
/* The filter, and the qdisc that was made for it unless somebody else uses it by now. A filter that is not
 * there is removed already. */
int pic_ebpf_filter_remove(int netlink_fd, const struct pic_ebpf_filter *filter,
			   struct pic_error *err);
/* Every bpf filter of an interface at both hooks; fn removes none. */
typedef void pic_ebpf_filter_fn(void *data, const struct pic_ebpf_filter *filter, const char *name);
int pic_ebpf_filters_each(int netlink_fd, uint32_t interface, pic_ebpf_filter_fn *fn, void *data,
			  struct pic_error *err);

#endif
