/*
 * Counts packets too, and says so: each line lands in the module's trace page. bpf_printk reads memory of the kernel,
 * so whoever approves this grants `kernel-read`, and the kernel asks for a GPL-compatible license.
 */
#include "packets.h"

SEC("xdp")
int hello(struct xdp_md *context)
{
	count(context);
	bpf_printk("Hello, World!");
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
