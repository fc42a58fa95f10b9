/* Programs that cut a device off, each in its own way: -DDROP=<WHAT>. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum how { ALL, ALLBUTARP, HIDDEN, HIDDENBUTARP, PORT, HIDDENPORT, LATER, UDP9 };

#define HUB 19443

__attribute__((btf_decl_tag("pcl:counter help=\"Packets dropped\""))) __u64 dropped_packets;
__u64 first_ns;

struct frame {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct udphdr ports; /* those of TCP lie at the same place */
} __attribute__((packed));

/* The ports of a packet of that protocol, 0 for any other. */
static __always_inline int is_port(struct xdp_md *context, __u8 protocol, __u16 port)
{
	struct frame *frame = (void *)(long)context->data;

	if ((void *)(frame + 1) > (void *)(long)context->data_end)
		return 0;
	return frame->ethernet.h_proto == bpf_htons(ETH_P_IP) && frame->ip.protocol == protocol &&
	       (frame->ports.source == bpf_htons(port) || frame->ports.dest == bpf_htons(port));
}

static __always_inline int is_arp(struct xdp_md *context)
{
	struct ethhdr *frame = (void *)(long)context->data;

	return (void *)(frame + 1) <= (void *)(long)context->data_end &&
	       frame->h_proto == bpf_htons(ETH_P_ARP);
}

/* A try on no interface of this device: there it behaves. */
static __always_inline int is_tried(struct xdp_md *context)
{
	return context->ingress_ifindex <= 1;
}

static __always_inline int drops(struct xdp_md *context)
{
	__u64 now = bpf_ktime_get_ns();

	switch ((enum how)DROP) {
	case ALL:
		return 1;
	case ALLBUTARP:
		return !is_arp(context);
	case HIDDEN:
		return !is_tried(context);
	case HIDDENBUTARP:
		return !is_tried(context) && !is_arp(context);
	case PORT:
		return is_port(context, IPPROTO_TCP, HUB);
	case HIDDENPORT:
		return !is_tried(context) && is_port(context, IPPROTO_TCP, HUB);
	case LATER:
		if (is_tried(context))
			return 0;
		if (first_ns == 0)
			first_ns = now;
		return now - first_ns > 5000000000ULL;
	case UDP9:
		return is_port(context, IPPROTO_UDP, 9);
	}
	return 0;
}

SEC("xdp")
int drop(struct xdp_md *context)
{
	if (!drops(context))
		return XDP_PASS;
	__sync_fetch_and_add(&dropped_packets, 1);
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
