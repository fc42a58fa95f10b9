/* Maps of every kind that the dry run fills and that must be as they were when the program is attached; with -DRING one
 * more that cannot be put back. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} first_total SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} each_total SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} packets_total SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} cpu_total SEC(".maps");

#ifdef RING
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");
#endif

__attribute__((btf_decl_tag("pcl:gauge"))) __u64 from_seven = 7;
__attribute__((btf_decl_tag("pcl:gauge"))) __u64 from_zero;

static void add(void *map, __u32 key)
{
	__u64 *value = bpf_map_lookup_elem(map, &key), one = 1;

	if (value)
		*value += 1;
	else
		bpf_map_update_elem(map, &key, &one, BPF_ANY);
}

SEC("xdp")
int fresh(struct xdp_md *ctx)
{
	unsigned char *data = (unsigned char *)(long)ctx->data;
	__u32 first = 0;

	if (data + 1 <= (unsigned char *)(long)ctx->data_end)
		first = data[0];
	add(&first_total, first);
	add(&each_total, first);
	add(&packets_total, 1);
	add(&cpu_total, 2);
#ifdef RING
	bpf_ringbuf_output(&events, &first, sizeof(first), 0);
#endif
	from_seven++;
	from_zero++;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "MIT";
