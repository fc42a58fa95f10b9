/* The network interface that a hook means: by its name, or the one that the default route uses. */
#ifndef PIC_WORKLOAD_EBPF_INTERFACE_H
#define PIC_WORKLOAD_EBPF_INTERFACE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct pic_ebpf_interface {
	char name[IF_NAMESIZE];
	uint32_t number;
	uint32_t xdp_program; /* number of the one that sits there; 0: none */
	bool xdp_generic;
};

/* `name` "": the device of the default route, else the only one that is not a loopback. -ENODEV. */
int pic_ebpf_interface_find(int netlink_fd, const char *name, struct pic_ebpf_interface *out,
			    struct pic_error *err);
int pic_ebpf_interface_look(int netlink_fd, uint32_t number, struct pic_ebpf_interface *out);
/* The default route's device out of the text of /proc/net/route; pure. False: there is none. */
bool pic_ebpf_default_route(const char *text, char out[IF_NAMESIZE]);

#endif
