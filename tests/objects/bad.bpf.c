/* One thing each that policy says no to; -DBAD_... chooses. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#if defined(BAD_KFUNC)
extern int bpf_no_such_kernel_function(void *ctx) __ksym;
#elif defined(BAD_KSYM)
extern const int runqueues __ksym;
int filler SEC(".fill") = 1; /* a test makes another section of its type information */
#elif defined(BAD_PIN)
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} kept SEC(".maps");
#elif defined(BAD_LARGE)
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 128 * 1024 * 1024);
	__type(key, __u32);
	__type(value, __u64);
} large SEC(".maps");
#elif defined(BAD_MAP)
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} ports SEC(".maps");
#elif defined(BAD_FLAGS)
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED);
	__type(key, __u32);
	__type(value, __u32);
} seedless SEC(".maps");
#endif

SEC("xdp")
int bad(struct xdp_md *ctx)
{
	(void)ctx;
#if defined(BAD_KFUNC)
	return bpf_no_such_kernel_function(ctx);
#elif defined(BAD_KSYM)
	return ctx->rx_queue_index > (__u64)&runqueues;
#elif defined(BAD_PIN)
	return bpf_map_lookup_elem(&kept, &(__u32){ 0 }) ? XDP_DROP : XDP_PASS;
#elif defined(BAD_LARGE)
	return bpf_map_lookup_elem(&large, &(__u32){ 0 }) ? XDP_DROP : XDP_PASS;
#elif defined(BAD_MAP)
	return bpf_redirect_map(&ports, 0, XDP_PASS);
#elif defined(BAD_PACKET)
	return *((unsigned char *)(long)ctx->data + 5) == 7 ? XDP_DROP : XDP_PASS;
#elif defined(BAD_FLAGS)
	return bpf_map_lookup_elem(&seedless, &(__u32){ 0 }) ? XDP_DROP : XDP_PASS;
#elif defined(BAD_REDIRECT)
	return (int)bpf_redirect(ctx->ingress_ifindex, 0);
#elif defined(BAD_HELPER)
	return bpf_send_signal(9) ? XDP_DROP : XDP_PASS;
#elif defined(BAD_LICENSE)
	bpf_printk("not under the GPL");
	return ctx->rx_queue_index ? XDP_DROP : XDP_PASS;
#endif
}

#if defined(BAD_LICENSE)
char LICENSE[] SEC("license") = "Proprietary";
#else
char LICENSE[] SEC("license") = "GPL";
#endif
