/* A map of maps; -DFLAGS=... are those of the maps in it. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#ifdef FLAGS
#define FIRST
#define VALUES
#else
#define FLAGS BPF_F_NO_PREALLOC
#define FIRST first SEC(".maps")
#define VALUES = { .values = { [1] = &first } }
#endif

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__uint(map_flags, FLAGS);
	__type(key, __u32);
	__type(value, __u64);
} FIRST;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} all SEC(".maps") VALUES;

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 16);
	__uint(map_extra, 3);
	__type(value, __u32);
} seen SEC(".maps");

SEC("xdp")
int inside(struct xdp_md *ctx)
{
	__u32 key = 1, queue = ctx->rx_queue_index;
	void *map = bpf_map_lookup_elem(&all, &key);
	__u64 one = 1;

	if (map && bpf_map_peek_elem(&seen, &queue) == 0)
		bpf_map_update_elem(map, &key, &one, BPF_ANY);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "MIT";
