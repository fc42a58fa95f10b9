/* Every kind of type that metrics know: labels, units, histograms, globals, per-CPU values. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#define PCL(text) __attribute__((btf_decl_tag("pcl:" text)))

enum verdict { PASSED, DROPPED };

struct inner {
	__u16 low;
	__u16 high;
};

struct key {
	__be32 saddr;
	__be16 dport;
	__u16 pad;
	enum verdict verdict;
	__u32 ifindex PCL("label dec=ifname");
	char comm[16];
	struct inner part;
	__u32 flag : 3;
	__u32 level : 5;
	__u32 : 24;
	__u8 mac[6] PCL("label dec=mac name=peer");
	__u8 secret[2] PCL("ignore");
};

struct value {
	__u64 packets;
	__u64 bytes PCL("counter unit=bytes help=\"Bytes \\\\ seen\"");
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 256);
	__type(key, struct key);
	__type(value, struct value);
} net PCL("counter help=\"Packets seen\" max=100") SEC(".maps");

struct histogram {
	__u64 slots[8];
	__u64 sum;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct histogram);
} packet_size PCL("histogram unit=bytes log2=ceil") SEC(".maps");

/* Named by rule, without a tag. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} packets_total SEC(".maps");

typedef __s32 celsius;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, celsius);
	__type(value, __s64);
} gauge_depth SEC(".maps");

/* Shown only when everything is asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} state SEC(".maps");

/* No type of its own: nothing can be said about it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

PCL("counter help=\"All events\"") __u64 seen_events;
PCL("gauge unit=bytes") __u32 last_length = 7;
__u64 not_told;

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *total = bpf_map_lookup_elem(&packets_total, &zero);

	(void)ctx;
	if (total)
		++*total;
	seen_events++;
	not_told++;
	last_length++;
	bpf_map_lookup_elem(&gauge_depth, &zero);
	bpf_map_lookup_elem(&state, &zero);
	bpf_map_lookup_elem(&packet_size, &zero);
	bpf_map_lookup_elem(&net, &(struct key){ 0 });
	bpf_ringbuf_output(&events, &zero, sizeof(zero), 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "MIT";
