/* Counts the packets that come in, by protocol, and lets all of them pass. Reads no memory of the kernel. */
#include "packets.h"

SEC("xdp")
int packets(struct xdp_md *context)
{
	count(context);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Apache-2.0";
