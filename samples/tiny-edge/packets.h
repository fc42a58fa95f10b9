/*
 * Packets counted by protocol. Nothing has to be configured for Prometheus: name and labels of the counter come from
 * the map's type information, its words from the tag (docs/ebpf-metrics.md).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum protocol { OTHER, ARP, ICMP, TCP, UDP, ICMPV6 };

struct packet {
	enum protocol protocol;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, struct packet);
	__type(value, __u64);
} packets_total __attribute__((btf_decl_tag("pcl:counter help=\"Packets that came in\"")))
SEC(".maps");

static __always_inline enum protocol of_ip(__u8 number)
{
	switch (number) {
	case 1:
		return ICMP;
	case 6:
		return TCP;
	case 17:
		return UDP;
	case 58:
		return ICMPV6;
	default:
		return OTHER;
	}
}

/* Everything that is read is compared with the packet's end before: the kernel insists on it. */
static __always_inline enum protocol look_at(struct xdp_md *context)
{
	void *end = (void *)(long)context->data_end;
	struct ethhdr *frame = (void *)(long)context->data;
	void *inside = frame + 1;

	if (inside > end)
		return OTHER;
	switch (bpf_ntohs(frame->h_proto)) {
	case ETH_P_ARP:
		return ARP;
	case ETH_P_IP:
		return inside + sizeof(struct iphdr) > end
			       ? OTHER
			       : of_ip(((struct iphdr *)inside)->protocol);
	case ETH_P_IPV6:
		return inside + sizeof(struct ipv6hdr) > end
			       ? OTHER
			       : of_ip(((struct ipv6hdr *)inside)->nexthdr);
	default:
		return OTHER;
	}
}

static __always_inline void count(struct xdp_md *context)
{
	struct packet packet = { .protocol = look_at(context) };
	__u64 one = 1, *seen = bpf_map_lookup_elem(&packets_total, &packet);

	if (seen)
		++*seen; /* each processor has its own */
	else
		bpf_map_update_elem(&packets_total, &packet, &one, BPF_NOEXIST);
}
