/* Many programs of many types, a subprogram, CO-RE, maps that policy looks at. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__uint(key_size, 16);
	__uint(value_size, 16);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 10240);
	__uint(key_size, 16);
	__uint(value_size, 16);
} each_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

const volatile __u32 every = 10;

/* In .text: what it calls counts too. */
__attribute__((noinline)) int look(void *task)
{
	struct task_struct copy;

	if (bpf_probe_read_kernel(&copy, sizeof(copy), task))
		return 0;
	return copy.pid > 7;
}

SEC("tcx/ingress")
int from_net(struct __sk_buff *skb)
{
	return skb->len > every;
}

SEC("tc")
int classify(struct __sk_buff *skb)
{
	return skb->len > 100;
}

SEC("tp/syscalls/sys_enter_openat")
int opened(void *ctx)
{
	bpf_printk("opened %d", 1);
	bpf_printk("%d alone", 2);
	return look(ctx);
}

SEC("raw_tp/sched_switch")
int switched(struct task_struct *task)
{
	return task->pid;
}

SEC("kprobe/do_sys_open")
int probed(void *ctx)
{
	(void)ctx;
	return 0;
}

SEC("fentry.s/vfs_read")
int entered(void *ctx)
{
	(void)ctx;
	return 0;
}

SEC("cgroup_skb/egress")
int leaves(struct __sk_buff *skb)
{
	(void)skb;
	return 1;
}

SEC("prog")
int nowhere(void *ctx)
{
	(void)ctx;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
