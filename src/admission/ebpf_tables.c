/* Section names, types, helpers: tables of the kernel's numbers. */
#include "admission/ebpf_tables.h"

#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "admission/ebpf.h"
#include "base/cleanup.h"

/* Numbers of enum bpf_attach_type that this machine's headers may not have yet. */
#define UPROBE_MULTI 48
#define NETKIT_PRIMARY 54
#define NETKIT_PEER 55
#define KPROBE_SESSION 56

/* A row with has_target matches "NAME" and "NAME/..."; the others only "NAME". */
static const struct pic_ebpf_section sections[] = {
	{ "socket", BPF_PROG_TYPE_SOCKET_FILTER, 0, false, false },
	{ "sk_reuseport/migrate", BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT_OR_MIGRATE,
	  false, false },
	{ "sk_reuseport", BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT, false, false },
	{ "kprobe", BPF_PROG_TYPE_KPROBE, 0, false, true },
	{ "uprobe", BPF_PROG_TYPE_KPROBE, 0, false, true },
	{ "uprobe.s", BPF_PROG_TYPE_KPROBE, 0, true, true },
	{ "kretprobe", BPF_PROG_TYPE_KPROBE, 0, false, true },
	{ "uretprobe", BPF_PROG_TYPE_KPROBE, 0, false, true },
	{ "uretprobe.s", BPF_PROG_TYPE_KPROBE, 0, true, true },
	{ "kprobe.multi", BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, false, true },
	{ "kretprobe.multi", BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, false, true },
	{ "kprobe.session", BPF_PROG_TYPE_KPROBE, KPROBE_SESSION, false, true },
	{ "uprobe.multi", BPF_PROG_TYPE_KPROBE, UPROBE_MULTI, false, true },
	{ "uretprobe.multi", BPF_PROG_TYPE_KPROBE, UPROBE_MULTI, false, true },
	{ "uprobe.multi.s", BPF_PROG_TYPE_KPROBE, UPROBE_MULTI, true, true },
	{ "uretprobe.multi.s", BPF_PROG_TYPE_KPROBE, UPROBE_MULTI, true, true },
	{ "ksyscall", BPF_PROG_TYPE_KPROBE, 0, false, true },
	{ "kretsyscall", BPF_PROG_TYPE_KPROBE, 0, false, true },
	{ "usdt", BPF_PROG_TYPE_KPROBE, 0, false, true },
	{ "usdt.s", BPF_PROG_TYPE_KPROBE, 0, true, true },
	{ "tc/ingress", BPF_PROG_TYPE_SCHED_CLS, PIC_BPF_TCX_INGRESS, false, false },
	{ "tc/egress", BPF_PROG_TYPE_SCHED_CLS, PIC_BPF_TCX_EGRESS, false, false },
	{ "tcx/ingress", BPF_PROG_TYPE_SCHED_CLS, PIC_BPF_TCX_INGRESS, false, false },
	{ "tcx/egress", BPF_PROG_TYPE_SCHED_CLS, PIC_BPF_TCX_EGRESS, false, false },
	{ "tc", BPF_PROG_TYPE_SCHED_CLS, 0, false, false },
	{ "classifier", BPF_PROG_TYPE_SCHED_CLS, 0, false, false },
	{ "action", BPF_PROG_TYPE_SCHED_ACT, 0, false, false },
	{ "netkit/primary", BPF_PROG_TYPE_SCHED_CLS, NETKIT_PRIMARY, false, false },
	{ "netkit/peer", BPF_PROG_TYPE_SCHED_CLS, NETKIT_PEER, false, false },
	{ "tracepoint", BPF_PROG_TYPE_TRACEPOINT, 0, false, true },
	{ "tp", BPF_PROG_TYPE_TRACEPOINT, 0, false, true },
	{ "raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, false, true },
	{ "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, false, true },
	{ "raw_tracepoint.w", BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0, false, true },
	{ "raw_tp.w", BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0, false, true },
	{ "tp_btf", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, false, true },
	{ "fentry", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, false, true },
	{ "fmod_ret", BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, false, true },
	{ "fexit", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, false, true },
	{ "fentry.s", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, true, true },
	{ "fmod_ret.s", BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, true, true },
	{ "fexit.s", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, true, true },
	{ "freplace", BPF_PROG_TYPE_EXT, 0, false, true },
	{ "lsm", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, false, true },
	{ "lsm.s", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, true, true },
	{ "lsm_cgroup", BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, false, true },
	{ "iter", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, false, true },
	{ "iter.s", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, true, true },
	{ "syscall", BPF_PROG_TYPE_SYSCALL, 0, true, false },
	{ "xdp.frags/devmap", BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, false, false },
	{ "xdp/devmap", BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, false, false },
	{ "xdp.frags/cpumap", BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, false, false },
	{ "xdp/cpumap", BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, false, false },
	{ "xdp.frags", BPF_PROG_TYPE_XDP, BPF_XDP, false, false },
	{ "xdp", BPF_PROG_TYPE_XDP, BPF_XDP, false, false },
	{ "perf_event", BPF_PROG_TYPE_PERF_EVENT, 0, false, false },
	{ "lwt_in", BPF_PROG_TYPE_LWT_IN, 0, false, false },
	{ "lwt_out", BPF_PROG_TYPE_LWT_OUT, 0, false, false },
	{ "lwt_xmit", BPF_PROG_TYPE_LWT_XMIT, 0, false, false },
	{ "lwt_seg6local", BPF_PROG_TYPE_LWT_SEG6LOCAL, 0, false, false },
	{ "sockops", BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, false, false },
	{ "sk_skb/stream_parser", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_PARSER, false, false },
	{ "sk_skb/stream_verdict", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_VERDICT, false, false },
	{ "sk_skb/verdict", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_VERDICT, false, false },
	{ "sk_skb", BPF_PROG_TYPE_SK_SKB, 0, false, false },
	{ "sk_msg", BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT, false, false },
	{ "lirc_mode2", BPF_PROG_TYPE_LIRC_MODE2, BPF_LIRC_MODE2, false, false },
	{ "flow_dissector", BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR, false, false },
	{ "cgroup_skb/ingress", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, false, false },
	{ "cgroup_skb/egress", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, false, false },
	{ "cgroup/skb", BPF_PROG_TYPE_CGROUP_SKB, 0, false, false },
	{ "cgroup/sock_create", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, false,
	  false },
	{ "cgroup/sock_release", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_RELEASE, false,
	  false },
	{ "cgroup/sock", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, false, false },
	{ "cgroup/post_bind4", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND, false,
	  false },
	{ "cgroup/post_bind6", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET6_POST_BIND, false,
	  false },
	{ "cgroup/bind4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND, false, false },
	{ "cgroup/bind6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND, false, false },
	{ "cgroup/connect4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, false,
	  false },
	{ "cgroup/connect6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT, false,
	  false },
	{ "cgroup/sendmsg4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG, false,
	  false },
	{ "cgroup/sendmsg6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG, false,
	  false },
	{ "cgroup/recvmsg4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_RECVMSG, false,
	  false },
	{ "cgroup/recvmsg6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_RECVMSG, false,
	  false },
	{ "cgroup/getpeername4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_GETPEERNAME,
	  false, false },
	{ "cgroup/getpeername6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_GETPEERNAME,
	  false, false },
	{ "cgroup/getsockname4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_GETSOCKNAME,
	  false, false },
	{ "cgroup/getsockname6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_GETSOCKNAME,
	  false, false },
	{ "cgroup/sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL, false, false },
	{ "cgroup/getsockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT, false, false },
	{ "cgroup/setsockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT, false, false },
	{ "cgroup/dev", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, false, false },
	{ "struct_ops", BPF_PROG_TYPE_STRUCT_OPS, 0, false, true },
	{ "struct_ops.s", BPF_PROG_TYPE_STRUCT_OPS, 0, true, true },
	{ "sk_lookup", BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, false, false },
	{ "netfilter", PIC_BPF_NETFILTER, 45, false, false },
};

const struct pic_ebpf_section *pic_ebpf_section_find(const char *name, const char **target)
{
	if (name[0] == '?') /* libbpf: load only when asked by name */
		name++;
	for (size_t i = 0; i < PIC_COUNT(sections); i++) {
		size_t size = strlen(sections[i].name);
		bool more = sections[i].has_target && name[size] == '/';

		if (strncmp(name, sections[i].name, size) != 0 || (name[size] && !more))
			continue;
		*target = more ? name + size + 1 : "";
		return &sections[i];
	}
	*target = "";
	return NULL;
}

static const char *const program_types[PIC_EBPF_PROGRAM_TYPES] = {
	"unknown",
	"socket-filter",
	"kprobe",
	"tc",
	"tc-action",
	"tracepoint",
	"xdp",
	"perf-event",
	"cgroup-skb",
	"cgroup-sock",
	"lwt-in",
	"lwt-out",
	"lwt-xmit",
	"sock-ops",
	"sk-skb",
	"cgroup-device",
	"sk-msg",
	"raw-tracepoint",
	"cgroup-sock-addr",
	"lwt-seg6local",
	"lirc-mode2",
	"sk-reuseport",
	"flow-dissector",
	"cgroup-sysctl",
	"raw-tracepoint-writable",
	"cgroup-sockopt",
	"tracing",
	"struct-ops",
	"ext",
	"lsm",
	"sk-lookup",
	"syscall",
	"netfilter",
};

static const char *const map_types[PIC_EBPF_MAP_TYPES] = {
	"unspecified",
	"hash",
	"array",
	"prog-array",
	"perf-event-array",
	"percpu-hash",
	"percpu-array",
	"stack-trace",
	"cgroup-array",
	"lru-hash",
	"lru-percpu-hash",
	"lpm-trie",
	"array-of-maps",
	"hash-of-maps",
	"devmap",
	"sockmap",
	"cpumap",
	"xskmap",
	"sockhash",
	"cgroup-storage",
	"reuseport-sockarray",
	"percpu-cgroup-storage",
	"queue",
	"stack",
	"sk-storage",
	"devmap-hash",
	"struct-ops",
	"ringbuf",
	"inode-storage",
	"task-storage",
	"bloom-filter",
	"user-ringbuf",
	"cgrp-storage",
	"arena",
};

/* Helpers have got no new numbers since these: kernels add functions (kfuncs) instead. */
static const char *const helpers[] = {
	"unspec",
	"map_lookup_elem",
	"map_update_elem",
	"map_delete_elem",
	"probe_read",
	"ktime_get_ns",
	"trace_printk",
	"get_prandom_u32",
	"get_smp_processor_id",
	"skb_store_bytes",
	"l3_csum_replace",
	"l4_csum_replace",
	"tail_call",
	"clone_redirect",
	"get_current_pid_tgid",
	"get_current_uid_gid",
	"get_current_comm",
	"get_cgroup_classid",
	"skb_vlan_push",
	"skb_vlan_pop",
	"skb_get_tunnel_key",
	"skb_set_tunnel_key",
	"perf_event_read",
	"redirect",
	"get_route_realm",
	"perf_event_output",
	"skb_load_bytes",
	"get_stackid",
	"csum_diff",
	"skb_get_tunnel_opt",
	"skb_set_tunnel_opt",
	"skb_change_proto",
	"skb_change_type",
	"skb_under_cgroup",
	"get_hash_recalc",
	"get_current_task",
	"probe_write_user",
	"current_task_under_cgroup",
	"skb_change_tail",
	"skb_pull_data",
	"csum_update",
	"set_hash_invalid",
	"get_numa_node_id",
	"skb_change_head",
	"xdp_adjust_head",
	"probe_read_str",
	"get_socket_cookie",
	"get_socket_uid",
	"set_hash",
	"setsockopt",
	"skb_adjust_room",
	"redirect_map",
	"sk_redirect_map",
	"sock_map_update",
	"xdp_adjust_meta",
	"perf_event_read_value",
	"perf_prog_read_value",
	"getsockopt",
	"override_return",
	"sock_ops_cb_flags_set",
	"msg_redirect_map",
	"msg_apply_bytes",
	"msg_cork_bytes",
	"msg_pull_data",
	"bind",
	"xdp_adjust_tail",
	"skb_get_xfrm_state",
	"get_stack",
	"skb_load_bytes_relative",
	"fib_lookup",
	"sock_hash_update",
	"msg_redirect_hash",
	"sk_redirect_hash",
	"lwt_push_encap",
	"lwt_seg6_store_bytes",
	"lwt_seg6_adjust_srh",
	"lwt_seg6_action",
	"rc_repeat",
	"rc_keydown",
	"skb_cgroup_id",
	"get_current_cgroup_id",
	"get_local_storage",
	"sk_select_reuseport",
	"skb_ancestor_cgroup_id",
	"sk_lookup_tcp",
	"sk_lookup_udp",
	"sk_release",
	"map_push_elem",
	"map_pop_elem",
	"map_peek_elem",
	"msg_push_data",
	"msg_pop_data",
	"rc_pointer_rel",
	"spin_lock",
	"spin_unlock",
	"sk_fullsock",
	"tcp_sock",
	"skb_ecn_set_ce",
	"get_listener_sock",
	"skc_lookup_tcp",
	"tcp_check_syncookie",
	"sysctl_get_name",
	"sysctl_get_current_value",
	"sysctl_get_new_value",
	"sysctl_set_new_value",
	"strtol",
	"strtoul",
	"sk_storage_get",
	"sk_storage_delete",
	"send_signal",
	"tcp_gen_syncookie",
	"skb_output",
	"probe_read_user",
	"probe_read_kernel",
	"probe_read_user_str",
	"probe_read_kernel_str",
	"tcp_send_ack",
	"send_signal_thread",
	"jiffies64",
	"read_branch_records",
	"get_ns_current_pid_tgid",
	"xdp_output",
	"get_netns_cookie",
	"get_current_ancestor_cgroup_id",
	"sk_assign",
	"ktime_get_boot_ns",
	"seq_printf",
	"seq_write",
	"sk_cgroup_id",
	"sk_ancestor_cgroup_id",
	"ringbuf_output",
	"ringbuf_reserve",
	"ringbuf_submit",
	"ringbuf_discard",
	"ringbuf_query",
	"csum_level",
	"skc_to_tcp6_sock",
	"skc_to_tcp_sock",
	"skc_to_tcp_timewait_sock",
	"skc_to_tcp_request_sock",
	"skc_to_udp6_sock",
	"get_task_stack",
	"load_hdr_opt",
	"store_hdr_opt",
	"reserve_hdr_opt",
	"inode_storage_get",
	"inode_storage_delete",
	"d_path",
	"copy_from_user",
	"snprintf_btf",
	"seq_printf_btf",
	"skb_cgroup_classid",
	"redirect_neigh",
	"per_cpu_ptr",
	"this_cpu_ptr",
	"redirect_peer",
	"task_storage_get",
	"task_storage_delete",
	"get_current_task_btf",
	"bprm_opts_set",
	"ktime_get_coarse_ns",
	"ima_inode_hash",
	"sock_from_file",
	"check_mtu",
	"for_each_map_elem",
	"snprintf",
	"sys_bpf",
	"btf_find_by_name_kind",
	"sys_close",
	"timer_init",
	"timer_set_callback",
	"timer_start",
	"timer_cancel",
	"get_func_ip",
	"get_attach_cookie",
	"task_pt_regs",
	"get_branch_snapshot",
	"trace_vprintk",
	"skc_to_unix_sock",
	"kallsyms_lookup_name",
	"find_vma",
	"loop",
	"strncmp",
	"get_func_arg",
	"get_func_ret",
	"get_func_arg_cnt",
	"get_retval",
	"set_retval",
	"xdp_get_buff_len",
	"xdp_load_bytes",
	"xdp_store_bytes",
	"copy_from_user_task",
	"skb_set_tstamp",
	"ima_file_hash",
	"kptr_xchg",
	"map_lookup_percpu_elem",
	"skc_to_mptcp_sock",
	"dynptr_from_mem",
	"ringbuf_reserve_dynptr",
	"ringbuf_submit_dynptr",
	"ringbuf_discard_dynptr",
	"dynptr_read",
	"dynptr_write",
	"dynptr_data",
	"tcp_raw_gen_syncookie_ipv4",
	"tcp_raw_gen_syncookie_ipv6",
	"tcp_raw_check_syncookie_ipv4",
	"tcp_raw_check_syncookie_ipv6",
	"ktime_get_tai_ns",
	"user_ringbuf_drain",
	"cgrp_storage_get",
	"cgrp_storage_delete",
};

static int number_of(const char *const *words, size_t count, const char *text)
{
	for (size_t i = 1; i < count; i++)
		if (strcmp(words[i], text) == 0)
			return (int)i;
	return -1;
}

const char *pic_ebpf_program_type_text(uint32_t type)
{
	return type < PIC_COUNT(program_types) ? program_types[type] : program_types[0];
}

const char *pic_ebpf_map_type_text(uint32_t type)
{
	return type < PIC_COUNT(map_types) ? map_types[type] : "unknown";
}

const char *pic_ebpf_helper_text(uint32_t id)
{
	return id > 0 && id < PIC_COUNT(helpers) ? helpers[id] : NULL;
}

int pic_ebpf_program_type_number(const char *text)
{
	return number_of(program_types, PIC_COUNT(program_types), text);
}

int pic_ebpf_map_type_number(const char *text)
{
	return number_of(map_types, PIC_COUNT(map_types), text);
}

int pic_ebpf_helper_number(const char *text)
{
	return number_of(helpers, PIC_COUNT(helpers), text);
}

/* -- what needs what ---------------------------------------------------------------------------- */

static bool holds(const uint8_t *list, size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == id)
			return true;
	return false;
}

/* The program sees the kernel's own data, not a packet that was meant for this machine. */
uint32_t pic_ebpf_program_type_grants(uint32_t type)
{
	static const uint8_t tracing[] = {
		BPF_PROG_TYPE_KPROBE,
		BPF_PROG_TYPE_TRACEPOINT,
		BPF_PROG_TYPE_PERF_EVENT,
		BPF_PROG_TYPE_RAW_TRACEPOINT,
		BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
		BPF_PROG_TYPE_TRACING,
		BPF_PROG_TYPE_STRUCT_OPS,
		BPF_PROG_TYPE_EXT,
		BPF_PROG_TYPE_LSM,
		BPF_PROG_TYPE_SYSCALL,
	};

	return holds(tracing, PIC_COUNT(tracing), type) ? PIC_GRANT_KERNEL_READ : 0;
}

/* Reads kernel memory, or is refused by the kernel without CAP_PERFMON (trace_printk, snprintf ...). */
static const uint8_t kernel_readers[] = {
	BPF_FUNC_probe_read,
	BPF_FUNC_probe_read_str,
	BPF_FUNC_probe_read_user,
	BPF_FUNC_probe_read_kernel,
	BPF_FUNC_probe_read_user_str,
	BPF_FUNC_probe_read_kernel_str,
	BPF_FUNC_trace_printk,
	BPF_FUNC_trace_vprintk,
	BPF_FUNC_probe_write_user,
	BPF_FUNC_perf_event_read,
	BPF_FUNC_perf_event_read_value,
	BPF_FUNC_get_current_task,
	BPF_FUNC_get_current_task_btf,
	BPF_FUNC_task_pt_regs,
	BPF_FUNC_get_stackid,
	BPF_FUNC_get_stack,
	BPF_FUNC_get_task_stack,
	BPF_FUNC_snprintf,
	BPF_FUNC_snprintf_btf,
	BPF_FUNC_copy_from_user,
	BPF_FUNC_copy_from_user_task,
	BPF_FUNC_kallsyms_lookup_name,
	BPF_FUNC_find_vma,
	BPF_FUNC_per_cpu_ptr,
	BPF_FUNC_this_cpu_ptr,
};

static const uint8_t redirectors[] = {
	BPF_FUNC_clone_redirect,   BPF_FUNC_redirect,
	BPF_FUNC_redirect_map,	   BPF_FUNC_sk_redirect_map,
	BPF_FUNC_msg_redirect_map, BPF_FUNC_msg_redirect_hash,
	BPF_FUNC_sk_redirect_hash, BPF_FUNC_sk_select_reuseport,
	BPF_FUNC_sk_assign,	   BPF_FUNC_redirect_neigh,
	BPF_FUNC_redirect_peer,
};

uint32_t pic_ebpf_helper_grants(uint32_t id)
{
	return (holds(kernel_readers, PIC_COUNT(kernel_readers), id) ? PIC_GRANT_KERNEL_READ : 0u) |
	       (holds(redirectors, PIC_COUNT(redirectors), id) ? PIC_GRANT_REDIRECT : 0u);
}

bool pic_ebpf_helper_is_gpl_only(uint32_t id)
{
	static const uint8_t list[] = {
		BPF_FUNC_probe_read,
		BPF_FUNC_trace_printk,
		BPF_FUNC_perf_event_read,
		BPF_FUNC_perf_event_output,
		BPF_FUNC_get_stackid,
		BPF_FUNC_get_current_task,
		BPF_FUNC_probe_write_user,
		BPF_FUNC_probe_read_str,
		BPF_FUNC_perf_event_read_value,
		BPF_FUNC_perf_prog_read_value,
		BPF_FUNC_override_return,
		BPF_FUNC_get_stack,
		BPF_FUNC_fib_lookup,
		BPF_FUNC_skb_output,
		BPF_FUNC_probe_read_user,
		BPF_FUNC_probe_read_kernel,
		BPF_FUNC_probe_read_user_str,
		BPF_FUNC_probe_read_kernel_str,
		BPF_FUNC_read_branch_records,
		BPF_FUNC_xdp_output,
		BPF_FUNC_seq_printf,
		BPF_FUNC_seq_write,
		BPF_FUNC_get_current_task_btf,
		BPF_FUNC_check_mtu,
		BPF_FUNC_snprintf,
		BPF_FUNC_timer_init,
		BPF_FUNC_timer_set_callback,
		BPF_FUNC_timer_start,
		BPF_FUNC_timer_cancel,
		BPF_FUNC_trace_vprintk,
	};

	return holds(list, PIC_COUNT(list), id);
}

bool pic_ebpf_license_is_gpl(const char *license)
{
	static const char *const words[] = {
		"GPL",		"GPL v2",	"GPL and additional rights",
		"Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
	};

	for (size_t i = 0; i < PIC_COUNT(words); i++)
		if (strcmp(license, words[i]) == 0)
			return true;
	return false;
}
