/*
 * clsact filters over route netlink: the older hook for packets, which the kernel does not undo when its owner
 * dies. Each filter of ours carries its mark (mark.h) as its name.
 *
 * The socket is opened by whoever has the right to (CAP_NET_ADMIN, then and at each use). Nothing here needs another
 * file or socket once it is open.
 */
#ifndef PIC_WORKLOAD_EBPF_FILTER_H
#define PIC_WORKLOAD_EBPF_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "workload/ebpf/mark.h"
#include "workload/ebpf/netlink.h"

struct pic_ebpf_filter {
	uint32_t interface; /* number */
	uint32_t parent;    /* the qdisc's ingress or egress */
	uint32_t info;	    /* priority and protocol, as the kernel gave them */
	uint32_t handle;
	bool made_qdisc; /* the qdisc is ours and goes with its last filter */
};

/* The program `program_fd` behind all filters that are there already, with the qdisc where there is none, under that
 * owner's mark. */
int pic_ebpf_filter_make(int netlink_fd, uint32_t interface, bool egress, int program_fd,
			 const struct pic_ebpf_mark *owner, struct pic_ebpf_filter *out,
			 struct pic_error *err);
/* Whether the kernel has this filter under a mark of that workload and end. */
bool pic_ebpf_filter_belongs(int netlink_fd, const struct pic_ebpf_filter *filter,
			     const struct pic_workload_name *name, int64_t end_boot_ms);
/* The filter, and the qdisc that was made for it unless somebody else uses it by now. A filter that is not
 * there is removed already. */
int pic_ebpf_filter_remove(int netlink_fd, const struct pic_ebpf_filter *filter,
			   struct pic_error *err);
/* Every bpf filter of an interface at both hooks; fn removes none. */
typedef void pic_ebpf_filter_fn(void *data, const struct pic_ebpf_filter *filter, const char *name);
int pic_ebpf_filters_each(int netlink_fd, uint32_t interface, pic_ebpf_filter_fn *fn, void *data,
			  struct pic_error *err);

#endif
