/* Counts the packets of a protocol for experiments: no other traffic and no packet of a dry run is of that kind, so the
 * first one that is counted was counted by the program that stays. */
#include <linux/bpf.h>

#define SEC(name) __attribute__((section(name), used))
#define EXPERIMENTAL 253
#define PROTOCOL 23 /* where an IPv4 packet says it, behind the 14 bytes of Ethernet */

struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*max_entries)[1];
	__u32 *key;
	__u64 *value;
} bench_first_total SEC(".maps");

static void *(*look_up)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;

SEC("xdp")
int first(struct xdp_md *context)
{
	const unsigned char *frame = (void *)(long)context->data,
			    *end = (void *)(long)context->data_end;
	__u32 key = 0;
	__u64 *seen;

	if (frame + PROTOCOL + 1 > end || frame[12] != 8 || frame[13] != 0)
		return XDP_PASS;
	seen = look_up(&bench_first_total, &key);
	if (seen && frame[PROTOCOL] == EXPERIMENTAL)
		__sync_fetch_and_add(seen, 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Apache-2.0";
