/* A loop without an end in sight, which keeps the verifier busy for seconds. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int loop(struct xdp_md *context)
{
	__u32 value = context->rx_queue_index;

	while (value != 12345) {
		asm volatile("" : "+r"(value));
		if (value & 1)
			value = value * 3 + 1;
		else
			value += 7;
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
