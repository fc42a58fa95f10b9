/* policy.conf about eBPF, approvals and leases: defaults, what each line changes, what the struct must be. */
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admission/ebpf.h"
#include "admission/policy.h"

static struct pic_policy parsed(const char *text)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_policy policy;

	if (pic_policy_parse(&policy, text, strlen(text), "policy.conf", &err) < 0)
		fail_msg("%s", err.text);
	assert_true(pic_policy_is_valid(&policy));
	return policy;
}

static bool denies(const struct pic_policy *policy, uint32_t helper)
{
	return policy->ebpf.helpers_denied[helper / 32] >> (helper % 32) & 1;
}

static void an_empty_file_asks_for_approval(void **state)
{
	struct pic_policy policy = parsed("");

	(void)state;
	assert_true(pic_policy_needs_approval(&policy, "ebpf"));
	assert_false(pic_policy_needs_approval(&policy, "wasm"));
	assert_int_equal(policy.lease_max_seconds, 8 * 3600);
	assert_int_equal(policy.ebpf.program_types, 1ull << BPF_PROG_TYPE_XDP |
							    1ull << BPF_PROG_TYPE_SCHED_CLS |
							    1ull << BPF_PROG_TYPE_TRACEPOINT |
							    1ull << BPF_PROG_TYPE_RAW_TRACEPOINT);
	assert_int_equal(policy.ebpf.kernel_bytes_max, 8 << 20);
	assert_int_equal(policy.ebpf.grants_by_hand, PIC_GRANT_KERNEL_READ);
	assert_int_equal(policy.ebpf.interface_count, 0);
	assert_true(policy.ebpf.map_types >> BPF_MAP_TYPE_RINGBUF & 1);
	assert_false(policy.ebpf.map_types >> BPF_MAP_TYPE_HASH_OF_MAPS & 1);
	assert_true(denies(&policy, BPF_FUNC_probe_write_user));
	assert_true(denies(&policy, BPF_FUNC_sys_bpf));
	assert_false(denies(&policy, BPF_FUNC_trace_printk));
}

static void each_line_changes_its_own(void **state)
{
	struct pic_policy policy = parsed("# a comment\n"
					  "needs-approval process remote\n"
					  "lease-max 90m\n"
					  "ebpf programs xdp kprobe\n"
					  "ebpf maps hash\n"
					  "ebpf interfaces eth0 veth*\n"
					  "ebpf kernel-max 1M\n"
					  "ebpf deny-helpers bpf_redirect ktime_get_ns\n"
					  "ebpf allow-helpers bpf_send_signal\n"
					  "ebpf by-hand kernel-read redirect\n");
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_false(pic_policy_needs_approval(&policy, "ebpf"));
	assert_true(pic_policy_needs_approval(&policy, "process"));
	assert_true(pic_policy_needs_approval(&policy, "remote"));
	assert_int_equal(policy.lease_max_seconds, 5400);
	assert_int_equal(policy.ebpf.program_types,
			 1ull << BPF_PROG_TYPE_XDP | 1ull << BPF_PROG_TYPE_KPROBE);
	assert_int_equal(policy.ebpf.programs_line, 4);
	assert_int_equal(policy.ebpf.map_types, 1ull << BPF_MAP_TYPE_HASH);
	assert_int_equal(policy.ebpf.kernel_bytes_max, 1 << 20);
	assert_true(denies(&policy, BPF_FUNC_redirect));
	assert_true(denies(&policy, BPF_FUNC_ktime_get_ns));
	assert_false(denies(&policy, BPF_FUNC_send_signal));
	assert_int_equal(policy.ebpf.grants_by_hand, PIC_GRANT_KERNEL_READ | PIC_GRANT_REDIRECT);
	assert_int_equal(pic_ebpf_admit_interface(&policy, "eth0", &err), 0);
	assert_int_equal(pic_ebpf_admit_interface(&policy, "veth12", &err), 0);
	assert_int_equal(pic_ebpf_admit_interface(&policy, "eth01", &err), -EPERM);
	assert_non_null(strstr(err.text, "eth01"));
	assert_non_null(strstr(err.text, "`ebpf interfaces`"));
}

static void none_means_none(void **state)
{
	struct pic_policy policy = parsed("needs-approval none\nebpf by-hand none\n");

	(void)state;
	assert_int_equal(policy.approval_count, 0);
	assert_false(pic_policy_needs_approval(&policy, "ebpf"));
	assert_false(pic_policy_needs_approval(&policy, "none"));
	assert_int_equal(policy.ebpf.grants_by_hand, 0);
}

static void a_struct_from_a_pipe_is_checked(void **state)
{
	struct pic_policy good = parsed("allow ebpf\nebpf interfaces eth0\n"), bad;

	(void)state;
	bad = good;
	bad.approval_count = PIC_POLICY_TYPES_MAX + 1;
	assert_false(pic_policy_is_valid(&bad));
	bad = good;
	memset(bad.approval_types[0], 'x', sizeof(bad.approval_types[0]));
	assert_false(pic_policy_is_valid(&bad));
	bad = good;
	bad.lease_max_seconds = 0;
	assert_false(pic_policy_is_valid(&bad));
	bad = good;
	bad.ebpf.interface_count = PIC_POLICY_RULES_MAX + 1;
	assert_false(pic_policy_is_valid(&bad));
	bad = good;
	memset(bad.ebpf.interfaces[0], 'x', sizeof(bad.ebpf.interfaces[0]));
	assert_false(pic_policy_is_valid(&bad));
	bad = good;
	bad.ebpf.grants_by_hand = 8;
	assert_false(pic_policy_is_valid(&bad));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_asks_for_approval),
		cmocka_unit_test(each_line_changes_its_own),
		cmocka_unit_test(none_means_none),
		cmocka_unit_test(a_struct_from_a_pipe_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
