/* One program for each hook; each counts how often it ran. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} runs_total SEC(".maps");

static __always_inline void ran(__u32 which)
{
	__u64 *count = bpf_map_lookup_elem(&runs_total, &which);

	if (count)
		__sync_fetch_and_add(count, 1);
}

SEC("xdp")
int on_xdp(void *context)
{
	(void)context;
	ran(0);
	return XDP_PASS;
}

SEC("tcx/ingress")
int on_ingress(void *context)
{
	(void)context;
	ran(1);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int on_tc(void *context)
{
	(void)context;
	ran(2);
	return TC_ACT_OK;
}

SEC("tracepoint/syscalls/sys_enter_getppid")
int on_event(void *context)
{
	(void)context;
	ran(3);
	return 0;
}

SEC("raw_tp/sys_enter")
int on_raw(void *context)
{
	(void)context;
	ran(4);
	return 0;
}

/* Reads further than the event goes. */
SEC("tracepoint/syscalls/sys_enter_getppid")
int too_far(__u64 *context)
{
	ran(context[40] & 7);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
