/*
 * Route netlink: one request, all of its answer. The socket blocks for at most two seconds. It remembers who opened
 * it: the kernel lets it change something only when its opener could and the caller can (CAP_NET_ADMIN).
 */
#ifndef PIC_WORKLOAD_EBPF_NETLINK_H
#define PIC_WORKLOAD_EBPF_NETLINK_H

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "base/error.h"

struct pic_ebpf_request {
	struct nlmsghdr head;
	union {
		struct tcmsg tc;
		struct ifinfomsg link;
	};
	char attributes[512];
};

int pic_ebpf_netlink_open(struct pic_error *err);
/* `body`: bytes of the struct behind the head; zeros. */
void pic_ebpf_netlink_init(struct pic_ebpf_request *request, uint16_t type, uint16_t flags,
			   size_t body);
/* Ours are a few short ones; the room is there. */
struct rtattr *pic_ebpf_netlink_put(struct pic_ebpf_request *request, uint16_t type,
				    const void *data, size_t size);
/* Sends, and hears all of the answer: 0 or the kernel's negative errno. `fn` may be NULL. */
typedef void pic_ebpf_answer_fn(void *data, const struct nlmsghdr *message);
int pic_ebpf_netlink_ask(int fd, struct pic_ebpf_request *request, pic_ebpf_answer_fn *fn,
			 void *data);
/* The attribute of that type inside of a run of attributes; NULL: none. */
const struct rtattr *pic_ebpf_netlink_find(const struct rtattr *first, int size, uint16_t type);

#endif
