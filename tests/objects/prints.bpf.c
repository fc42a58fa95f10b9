/* Says what it sees, in two ways. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

SEC("tcx/ingress")
int prints(struct __sk_buff *packet)
{
	bpf_printk("a packet of %d bytes", packet->len);
	bpf_printk("another line");
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
