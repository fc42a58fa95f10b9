/* A thousand series for Prometheus, all of them there from the first packet on. Built by hand, as people do it:
 * clang -target bpf -g -O2 -c. */
#include <linux/bpf.h>

#define SEC(name) __attribute__((section(name), used))
#define SERIES 1000

struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*max_entries)[SERIES];
	__u32 *key;
	__u64 *value;
} bench_series_total SEC(".maps");

static void *(*look_up)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;

SEC("xdp")
int series(struct xdp_md *context)
{
	(void)context;
	for (__u32 i = 0; i < SERIES; i++) {
		__u32 key = i;
		__u64 *seen = look_up(&bench_series_total, &key);

		if (seen)
			*seen += i + 1;
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Apache-2.0";
