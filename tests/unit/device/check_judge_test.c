/* Every finding of `piccolo check`, provoked by facts. */
#include <errno.h>
#include <stdio.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "device/check/check.h"

#define DAY (24LL * 3600 * 1000)
#define NOW 1795000000000LL /* 2026-11-18 */

/* A machine with nothing to complain about. */
static struct pic_check_facts good(void)
{
	const struct pic_check_folder folder = {
		.path = "/var/lib/piccolo",
		.is_folder = true,
		.mode = 040755,
		.bytes = 1ULL << 30,
		.bytes_free = 1ULL << 29,
		.inodes = 100000,
		.inodes_free = 90000,
	};
	struct pic_check_facts facts = {
		.is_root = true,
		.release = "6.12.0",
		.machine = "x86_64",
		.jit = 1,
		.btf = PIC_YES,
		.kprobes = PIC_YES,
		.bpffs = PIC_YES,
		.bpffs_mounted = PIC_YES,
		.tracefs = PIC_YES,
		.tracefs_mounted = PIC_YES,
		.cgroup_v1 = PIC_NO,
		.cgroup_v2 = PIC_YES,
		.memory = PIC_CONTROLLER_V2,
		.pids = PIC_CONTROLLER_V2,
		.cpu = PIC_CONTROLLER_V2,
		.cgroup_tried = PIC_YES,
		.user_namespaces = 1000,
		.landlock = 6,
		.root_tried = PIC_YES,
		.now_ms = NOW,
		.synchronised = PIC_YES,
		.state = folder,
		.run = folder,
		.policy_file = "/etc/piccolo/policy.conf",
		.policy_mode = 0100644,
		.policy_types = 2,
		.policy_listens = 1,
		.user_first = 1900000000,
		.user_last = 1900000999,
		.users_seen = PIC_YES,
		.agent_name = "piccolo",
		.has_agent = true,
		.workloads = 1,
		.joined = PIC_YES,
		.hub = "https://hub:8443",
		.target = "edge",
		.hub_asked = true,
		.hub_url = "https://hub:8443",
		.certificate_name = "edge",
		.joined_as = "edge",
		.not_before_ms = NOW - 10 * DAY,
		.not_after_ms = NOW + 80 * DAY,
		.token_file = "/etc/piccolo/token",
		.token_there = PIC_NO,
		.extension = "/etc/extensions/piccolo.raw",
		.merged = true,
		.extension_architecture = "x86-64",
		.extension_wanted = "x86-64",
	};

	snprintf(facts.run.path, sizeof(facts.run.path), "/run/piccolo");
	return facts;
}

static struct pic_finding findings[PIC_FINDINGS_MAX];
static size_t count;

static const struct pic_finding *find(const char *code)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(findings[i].code, code) == 0)
			return &findings[i];
	return NULL;
}

/* That one finding is as expected and all others stay fine. */
static void expect(const struct pic_check_facts *facts, const char *code,
		   enum pic_finding_state state, const char *text, const char *advice)
{
	const struct pic_finding *finding;

	count = pic_check_judge(facts, 0, findings);
	finding = find(code);
	if (!finding)
		fail_msg("%s is not told", code);
	if (finding->state != state)
		fail_msg("%s is %s, not %s: %s", code, pic_finding_word(finding->state),
			 pic_finding_word(state), finding->text);
	assert_contains(finding->text, text);
	assert_contains(finding->advice, advice);
	if (state >= PIC_FINDING_WARNING && !finding->advice[0] &&
	    !strstr(finding->text, "do this"))
		fail_msg("%s gives no advice", code);
	for (size_t i = 0; i < count; i++)
		if (findings[i].state >= PIC_FINDING_WARNING && strcmp(findings[i].code, code) != 0)
			fail_msg("%s complains as well: %s", findings[i].code, findings[i].text);
}

/* From the good machine, what is changed, and what is said of it. */
#define PROVOKE(change, ...) \
	do { \
		struct pic_check_facts facts = good(); \
		change; \
		expect(&facts, __VA_ARGS__); \
	} while (0)

#define SET_ERROR(field, number) \
	snprintf(facts.field.text, sizeof(facts.field.text), "it fails"), \
		facts.field.code = (number)

static void a_good_machine_is_fine(void **state)
{
	const struct pic_check_facts facts = good();

	(void)state;
	count = pic_check_judge(&facts, 0, findings);
	assert_int_equal(count, 25);
	for (size_t i = 0; i < count; i++) {
		char code[8];

		snprintf(code, sizeof(code), "P%02zu", i + 1);
		assert_string_equal(findings[i].code, code);
		if (findings[i].state != PIC_FINDING_OK)
			fail_msg("%s: %s", code, findings[i].text);
		assert_string_equal(findings[i].advice, "");
	}
}

static void the_kernel(void **state)
{
	(void)state;
	PROVOKE((facts.missing_call = "openat2", facts.missing_since = "5.6"), "P01",
		PIC_FINDING_ERROR, "Linux 5.6 or newer", "newer kernel");
	PROVOKE(facts.bpf_error = -ENOSYS, "P02", PIC_FINDING_WARNING, "no bpf()",
		"CONFIG_BPF_SYSCALL");
	PROVOKE(facts.bpf_error = -EPERM, "P02", PIC_FINDING_WARNING, "refused even to root",
		"container");
	PROVOKE((facts.bpf_error = -EPERM, facts.is_root = false), "P02", PIC_FINDING_UNSEEN,
		"not tried", "root");
	PROVOKE(facts.jit = 0, "P02", PIC_FINDING_WARNING, "slow", "bpf_jit_enable=1");
	PROVOKE(facts.btf = PIC_NO, "P03", PIC_FINDING_WARNING, "CO-RE", "CONFIG_DEBUG_INFO_BTF");
	PROVOKE(facts.bpffs = PIC_NO, "P04", PIC_FINDING_WARNING, "no bpffs", "CONFIG_BPF_SYSCALL");
	PROVOKE(facts.bpffs_mounted = PIC_NO, "P04", PIC_FINDING_OK, "not mounted", "");
	PROVOKE(facts.tracefs = PIC_NO, "P05", PIC_FINDING_WARNING, "no tracefs", "CONFIG_TRACING");
	PROVOKE(facts.tracefs_mounted = PIC_NO, "P05", PIC_FINDING_OK, "not mounted", "");
	PROVOKE(facts.kprobes = PIC_NO, "P06", PIC_FINDING_WARNING, "no kprobes", "CONFIG_KPROBES");
	PROVOKE(facts.kprobes = PIC_UNSEEN, "P06", PIC_FINDING_UNSEEN, "does not tell", "");
	PROVOKE(facts.seccomp_error = -EINVAL, "P10", PIC_FINDING_ERROR, "no seccomp",
		"CONFIG_SECCOMP_FILTER");
	PROVOKE(facts.user_namespaces = 0, "P08", PIC_FINDING_OK, "switched off", "");
	PROVOKE(facts.user_namespaces = -1, "P08", PIC_FINDING_OK, "has none", "");
	PROVOKE(facts.landlock = -EOPNOTSUPP, "P09", PIC_FINDING_OK, "not switched on", "");
	PROVOKE(facts.landlock = -ENOSYS, "P09", PIC_FINDING_OK, "not in this kernel", "");
	PROVOKE(facts.root_tried = PIC_UNSEEN, "P11", PIC_FINDING_UNSEEN, "not tried", "root");
	PROVOKE(SET_ERROR(root_error, -EINVAL), "P11", PIC_FINDING_ERROR, "it fails", "may mount");
}

static void cgroups(void **state)
{
	(void)state;
	PROVOKE(facts.cgroup_v2 = PIC_NO, "P07", PIC_FINDING_ERROR, "no cgroups are mounted",
		"mount -t cgroup2");
	PROVOKE(SET_ERROR(cgroup_error, -EROFS), "P07", PIC_FINDING_ERROR, "it fails",
		"make cgroups");
	PROVOKE((facts.memory = PIC_CONTROLLER_NONE, facts.cpu = PIC_CONTROLLER_NONE), "P07",
		PIC_FINDING_WARNING, "cgroups v2 without memory, cpu: limits of memory",
		"Delegate=yes");
	PROVOKE(facts.pids = PIC_CONTROLLER_NONE, "P07", PIC_FINDING_WARNING,
		"without pids:", "Delegate=yes");
	PROVOKE(facts.cgroup_v1 = PIC_YES, "P07", PIC_FINDING_OK, "cgroups v1 and v2 with", "");
	PROVOKE((facts.cgroup_v1 = PIC_YES, facts.cgroup_v2 = PIC_NO), "P07", PIC_FINDING_OK,
		"cgroups v1 with", "");
}

static void clock_and_disk(void **state)
{
	(void)state;
	PROVOKE((facts.now_ms = 1000, facts.hub_asked = false, facts.joined = PIC_UNSEEN), "P12",
		PIC_FINDING_WARNING, "1970-01-01T00:00:01Z cannot be true", "set the clock");
	PROVOKE(facts.synchronised = PIC_NO, "P12", PIC_FINDING_WARNING, "nobody keeps it right",
		"time service");
	PROVOKE(facts.synchronised = PIC_UNSEEN, "P12", PIC_FINDING_OK, "2026-", "");
	PROVOKE(facts.state.read_only = true, "P13", PIC_FINDING_ERROR,
		"/var/lib/piccolo is read-only", "remount,rw");
	PROVOKE((facts.state.read_only = true, facts.state.error = -ENOENT), "P13",
		PIC_FINDING_ERROR, "cannot be made", "remount,rw");
	PROVOKE(facts.state.error = -ENOENT, "P13", PIC_FINDING_OK, "first start", "");
	PROVOKE(facts.state.error = -EACCES, "P13", PIC_FINDING_UNSEEN, "cannot be looked at",
		"root");
	PROVOKE(facts.state.is_folder = false, "P13", PIC_FINDING_ERROR, "is no folder",
		"take it away");
	PROVOKE(facts.state.user = 5, "P13", PIC_FINDING_ERROR, "of user 5, mode 0755",
		"chown root:root /var/lib/piccolo");
	PROVOKE(facts.state.mode = 040775, "P13", PIC_FINDING_ERROR, "mode 0775",
		"chmod 0755 /var/lib/piccolo");
	PROVOKE(facts.state.bytes_free = 500 * 1024, "P14", PIC_FINDING_ERROR, "is full: 500 KB",
		"make room");
	PROVOKE(facts.state.bytes_free = 9 << 20, "P14", PIC_FINDING_WARNING, "nearly full: 9 MB",
		"make room");
	PROVOKE(facts.state.inodes_free = 3, "P14", PIC_FINDING_ERROR, "3 of 100000",
		"small files");
	PROVOKE(facts.state.inodes_free = 100, "P14", PIC_FINDING_WARNING, "100 more files",
		"small files");
	PROVOKE(facts.state.inodes = facts.state.inodes_free = 0, "P14", PIC_FINDING_OK,
		"512 of 1024 MB", "");
	PROVOKE(facts.state.bytes = 0, "P14", PIC_FINDING_UNSEEN, "not known", "");
	PROVOKE(facts.run.mode = 041777, "P15", PIC_FINDING_ERROR, "/run/piccolo must belong",
		"chmod 0755 /run/piccolo");
}

static void policy_and_users(void **state)
{
	(void)state;
	PROVOKE((SET_ERROR(policy_error, -ENOENT), facts.has_agent = true), "P16",
		PIC_FINDING_ERROR, "nothing may start", "install the one");
	PROVOKE(SET_ERROR(policy_error, -EINVAL), "P16", PIC_FINDING_ERROR, "it fails",
		"reload piccolo");
	PROVOKE(facts.policy_user = 7, "P16", PIC_FINDING_ERROR, "of user 7, mode 0644",
		"chown root:root /etc");
	PROVOKE(facts.policy_mode = 0100666, "P16", PIC_FINDING_ERROR, "mode 0666",
		"chmod 0644 /etc");
	PROVOKE(facts.policy_types = 0, "P16", PIC_FINDING_WARNING, "allows no type", "allow wasm");
	PROVOKE((snprintf(facts.taken_by, sizeof(facts.taken_by), "joe"), facts.taken = 1900000007),
		"P17", PIC_FINDING_ERROR, "number 1900000007 of the workloads' range",
		"another range");
	PROVOKE(facts.users_seen = PIC_UNSEEN, "P17", PIC_FINDING_UNSEEN, "not looked at", "");
	PROVOKE(facts.has_agent = false, "P18", PIC_FINDING_WARNING,
		"no user piccolo, so number 1899999999", "systemd-sysusers");
}

static void processes(void **state)
{
	(void)state;
	PROVOKE(SET_ERROR(supervisor_error, -ENOENT), "P19", PIC_FINDING_WARNING, "it fails",
		"systemctl start piccolo");
	PROVOKE(SET_ERROR(supervisor_error, -EACCES), "P19", PIC_FINDING_UNSEEN, "it fails",
		"root");
	PROVOKE(facts.workloads = 2, "P19", PIC_FINDING_OK, "with 2 workloads", "");
	PROVOKE(SET_ERROR(agent_error, -ECONNREFUSED), "P20", PIC_FINDING_WARNING, "it fails",
		"piccolo-agent");
}

static void the_hub(void **state)
{
	(void)state;
	PROVOKE((facts.joined = PIC_NO, facts.hub = NULL, facts.hub_asked = false,
		 facts.token_file = NULL),
		"P21", PIC_FINDING_WARNING, "no hub is set", "piccolo join");
	PROVOKE((facts.joined = PIC_NO, facts.token_file = NULL), "P21", PIC_FINDING_ERROR,
		"has not joined it", "enroll");
	PROVOKE((facts.joined = PIC_NO, facts.token_there = PIC_YES), "P21", PIC_FINDING_WARNING,
		"has not joined it", "enroll");
	PROVOKE((facts.joined = PIC_UNSEEN, facts.hub_asked = false), "P21", PIC_FINDING_UNSEEN,
		"secret", "root");
	PROVOKE(SET_ERROR(hub_error, -EKEYREJECTED), "P22", PIC_FINDING_ERROR, "it fails", "pin");
	PROVOKE(SET_ERROR(hub_error, -EHOSTUNREACH), "P22", PIC_FINDING_ERROR, "it fails",
		"firewall");
	PROVOKE(SET_ERROR(hub_error, -EPROTO), "P22", PIC_FINDING_ERROR, "it fails", "piccolo-hub");
	PROVOKE(SET_ERROR(certificate_error, -EBADMSG), "P23", PIC_FINDING_ERROR, "it fails",
		"new token");
	PROVOKE(snprintf(facts.certificate_name, sizeof(facts.certificate_name), "other"), "P23",
		PIC_FINDING_ERROR, "is for other, but this device is edge",
		"token for this device");
	PROVOKE(facts.target = "renamed", "P23", PIC_FINDING_ERROR, "configuration says renamed",
		"piccolo.conf");
	PROVOKE(facts.not_after_ms = NOW - 1, "P23", PIC_FINDING_ERROR, "has expired", "new token");
	PROVOKE(facts.not_before_ms = NOW + 1, "P23", PIC_FINDING_ERROR, "not valid yet", "clocks");
	PROVOKE(facts.not_after_ms = NOW + DAY, "P23", PIC_FINDING_WARNING,
		"should have been renewed", "renews");
	PROVOKE(facts.token_there = PIC_YES, "P24", PIC_FINDING_WARNING, "still lies there",
		"remove");
	PROVOKE(facts.token_there = PIC_UNSEEN, "P24", PIC_FINDING_UNSEEN, "cannot be looked at",
		"root");
}

static void the_extension(void **state)
{
	(void)state;
	PROVOKE(facts.merged = false, "P25", PIC_FINDING_ERROR, "not merged",
		"systemd-sysext refresh");
	PROVOKE(snprintf(facts.extension_architecture, sizeof(facts.extension_architecture),
			 "arm64"),
		"P25", PIC_FINDING_ERROR, "is for arm64 machines, and this is x86-64",
		"for this machine");
}

static void what_does_not_concern_is_not_told(void **state)
{
	struct pic_check_facts facts = good();

	(void)state;
	facts.extension[0] = '\0';
	facts.token_file = NULL;
	facts.joined = PIC_NO;
	facts.hub_asked = false;
	count = pic_check_judge(&facts, 0, findings);
	assert_null(find("P22"));
	assert_null(find("P23"));
	assert_null(find("P24"));
	assert_null(find("P25"));
	facts = good();
	count = pic_check_judge(&facts, PIC_CHECK_LOCAL, findings);
	assert_non_null(find("P03"));
	assert_non_null(find("P14"));
	assert_null(find("P11"));
	assert_null(find("P19"));
	assert_null(find("P22"));
}

static void long_names_are_cut(void **state)
{
	struct pic_check_facts facts = good();

	(void)state;
	memset(facts.state.path, 'p', sizeof(facts.state.path) - 1);
	memset(facts.policy_file, 'q', sizeof(facts.policy_file) - 1);
	facts.state.mode = 040777;
	facts.policy_mode = 0666;
	count = pic_check_judge(&facts, 0, findings);
	assert_int_equal(find("P13")->state, PIC_FINDING_ERROR);
	assert_int_equal(find("P16")->state, PIC_FINDING_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_machine_is_fine),
		cmocka_unit_test(the_kernel),
		cmocka_unit_test(cgroups),
		cmocka_unit_test(clock_and_disk),
		cmocka_unit_test(policy_and_users),
		cmocka_unit_test(processes),
		cmocka_unit_test(the_hub),
		cmocka_unit_test(the_extension),
		cmocka_unit_test(what_does_not_concern_is_not_told),
		cmocka_unit_test(long_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
