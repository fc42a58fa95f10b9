/* policy.conf: what is read, what is refused, and that each refusal names the line that is missing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admission/policy.h"
#include "base/buffer.h"
#include "base/file.h"

static int parse(const char *text, struct pic_policy *out, struct pic_error *err)
{
	*err = (struct pic_error)PIC_ERROR_INIT;
	return pic_policy_parse(out, text, strlen(text), "policy.conf", err);
}

static struct pic_policy parsed(const char *text)
{
	struct pic_policy policy;
	struct pic_error err;

	if (parse(text, &policy, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(pic_policy_is_valid(&policy));
	return policy;
}

static struct pic_policy_ports ports(const char *text)
{
	struct pic_policy_ports out;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_ports_parse(text, strlen(text), &out, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return out;
}

static void reads_the_shipped_file(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_POLICY_FILE_MAX);
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_policy policy;
	struct pic_policy_ports wanted = ports("0.0.0.0:8085");

	(void)state;
	assert_int_equal(pic_file_read_path(PIC_TEST_SOURCE_DIR "/etc/policy.conf", &text, &err),
			 0);
	policy = parsed(pic_buf_text(&text));
	assert_int_equal(pic_policy_allows_type(&policy, "wasm", &err), 0);
	assert_int_equal(pic_policy_allows_type(&policy, "ebpf", &err), 0);
	assert_true(pic_policy_needs_approval(&policy, "ebpf"));
	assert_false(pic_policy_needs_approval(&policy, "wasm"));
	assert_int_equal(policy.lease_max_seconds, 8 * 3600);
	assert_int_equal(policy.ebpf.kernel_bytes_max, 8 << 20);
	assert_int_equal(pic_policy_allows_listen(&policy, &wanted, &err), 0);
	assert_int_equal(policy.connect_count, 0);
	assert_int_equal(policy.folder_count, 0);
	assert_int_equal(policy.user_first, 1900000000);
	assert_int_equal(policy.user_last, 1900000999);
	assert_int_equal(policy.memory_max, 256 << 20);
	assert_int_equal(policy.processes_max, 16);
}

static void an_empty_file_allows_nothing(void **state)
{
	struct pic_policy policy = parsed("# nothing\n\n   \n");
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_policy_ports wanted = ports("8085");

	(void)state;
	assert_int_equal(pic_policy_allows_type(&policy, "wasm", &err), -EPERM);
	assert_non_null(strstr(err.text, "add `allow wasm`"));
	assert_int_equal(pic_policy_allows_listen(&policy, &wanted, &err), -EPERM);
	assert_non_null(strstr(err.text, "add `listen tcp 8085`"));
	assert_int_equal(pic_policy_allows_connect(&policy, &wanted, &err), -EPERM);
	assert_int_equal(pic_policy_allows_folder(&policy, "/srv", false, &err), -EPERM);
	assert_non_null(strstr(err.text, "add `folder /srv read-only`"));
	assert_true(policy.user_first > 1000 && policy.user_last > policy.user_first);
}

static void every_bad_line_is_named(void **state)
{
	static const char *const lines[] = {
		"allow",
		"allow a b",
		"allow UPPER",
		"allow averyverylongtypename",
		"users 0-10",
		"users 999-2000",
		"users 2000-1500",
		"users 2000-999999",
		"users x-y",
		"users",
		"users 4294967290-4294967295",
		"listen tcp",
		"listen tcp 0",
		"listen tcp 70000",
		"listen sctp 80",
		"listen tcp 90-80",
		"listen tcp 80 to 1.2.3.4",
		"listen tcp 80 on",
		"listen tcp 80 on 1.2.3",
		"listen tcp 80 on 1.2.3.4/33",
		"listen tcp 80 on ::1/129",
		"listen tcp 80 on 1.2.3.4 more",
		"listen tcp 80-",
		"listen tcp -80",
		"listen tcp 80 on 1.2.3.4:5",
		"connect tcp 80 on 1.2.3.4",
		"connect tcp 443 to example.com",
		"folder",
		"folder /srv",
		"folder srv read-only",
		"folder /srv rw",
		"folder /srv/../etc read-only",
		"folder /srv/ writable",
		"folder /a//b writable",
		"folder /a/./b writable",
		"folder /a/.. writable",
		"folder /a/. writable",
		"memory-max",
		"memory-max 1",
		"memory-max lots",
		"memory-max 10M 20M",
		"memory-max -1",
		"artifact-max 1",
		"store-max 0",
		"log-max 1k",
		"workloads-max 0",
		"workloads-max 5000",
		"processes-max 0",
		"processes-max 99999",
		"needs-approval",
		"needs-approval UPPER",
		"needs-approval none ebpf",
		"needs-approval a b c d e f g h i",
		"lease-max",
		"lease-max 0s",
		"lease-max 1500ms",
		"lease-max 400d",
		"lease-max 8",
		"ebpf",
		"ebpf programs",
		"ebpf programs ksomething",
		"ebpf programs unknown",
		"ebpf maps pinned",
		"ebpf interfaces toolonganinterface",
		"ebpf interfaces e*h",
		"ebpf interfaces a/b",
		"ebpf kernel-max 1k",
		"ebpf kernel-max 1T",
		"ebpf kernel-max 1M 2M",
		"ebpf deny-helpers bpf_no_such_thing",
		"ebpf allow-helpers 36",
		"ebpf by-hand everything",
		"ebpf by-hand none kernel-read",
		"ebpf other 1",
		"unknown 1",
		"Allow wasm",
		"a b c d e f g h i",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[256];
		struct pic_policy policy, before;
		struct pic_error err;

		memset(&policy, 0x5a, sizeof(policy));
		before = policy;
		snprintf(text, sizeof(text), "# first\nallow wasm\n%s\nallow ebpf\n", lines[i]);
		if (parse(text, &policy, &err) != -EINVAL)
			fail_msg("accepted: %s", lines[i]);
		assert_non_null(strstr(err.text, "policy.conf:3: "));
		assert_memory_equal(&policy, &before, sizeof(policy));
	}
}

static void a_single_value_is_given_once(void **state)
{
	static const char *const words[] = { "users 2000-3000",	   "memory-max 64M",
					     "artifact-max 1M",	   "store-max 1M",
					     "log-max 1M",	   "workloads-max 3",
					     "processes-max 3",	   "needs-approval none",
					     "lease-max 2h",	   "ebpf programs xdp",
					     "ebpf maps hash",	   "ebpf interfaces eth0",
					     "ebpf kernel-max 1M", "ebpf by-hand none" };
	char text[128];
	struct pic_policy policy;
	struct pic_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(text, sizeof(text), "%s\n%s\n", words[i], words[i]);
		assert_int_equal(parse(text, &policy, &err), -EINVAL);
		assert_non_null(strstr(err.text, "policy.conf:2: there is an earlier"));
	}
}

static void counts_are_bounded(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_POLICY_FILE_MAX);
	struct pic_policy policy;
	struct pic_error err;

	(void)state;
	for (int i = 0; i <= PIC_POLICY_RULES_MAX; i++)
		pic_buf_format(&text, "listen tcp %d\n", 8000 + i);
	assert_int_equal(parse(pic_buf_text(&text), &policy, &err), -EINVAL);
	assert_non_null(strstr(err.text, "policy.conf:33: too many"));
	pic_buf_clear(&text);
	for (int i = 0; i <= PIC_POLICY_TYPES_MAX; i++)
		pic_buf_format(&text, "allow type%d\n", i);
	assert_int_equal(parse(pic_buf_text(&text), &policy, &err), -EINVAL);
	pic_buf_clear(&text);
	for (int i = 0; i < 2000; i++)
		pic_buf_text_add(&text, "#");
	assert_int_equal(parse(pic_buf_text(&text), &policy, &err), -EINVAL);
	assert_int_equal(pic_policy_parse(&policy, "allow wasm\0", 11, "policy.conf", &err),
			 -EINVAL);
}

static void ports_are_sets(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool contained;
	} cases[] = {
		{ "8000-8999", "8085", true },
		{ "8000-8999", "8000-8999", true },
		{ "8000-8999", "7999", false },
		{ "8000-8999", "8999-9000", false },
		{ "8085", "8000-8999", false },
		{ "8085", "udp:8085", false },
		{ "8085", "1.2.3.4:8085", true },
		{ "1.2.3.4:8085", "8085", false },
		{ "10.0.0.0/8:80", "10.255.1.2:80", true },
		{ "10.0.0.0/8:80", "11.0.0.1:80", false },
		{ "10.0.0.0/8:80", "10.0.0.0/9:80", true },
		{ "10.0.0.0/9:80", "10.0.0.0/8:80", false },
		{ "10.128.0.0/9:80", "10.127.0.1:80", false },
		{ "0.0.0.0/0:80", "1.2.3.4:80", true },
		{ "0.0.0.0/0:80", "[::1]:80", false },
		{ "[::]:80", "0.0.0.0:80", false },
		{ "[fe80::/10]:80", "[fe80::1]:80", true },
		{ "[fe80::/10]:80", "[fec0::1]:80", false },
		{ "*:80", "[::1]:80", true },
		{ "0.0.0.0:80", "127.0.0.1:80", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pic_policy_ports outer = ports(cases[i].outer),
					inner = ports(cases[i].inner);

		if (pic_ports_contain(&outer, &inner) != cases[i].contained)
			fail_msg("%s in %s", cases[i].inner, cases[i].outer);
	}
}

static void port_texts_come_back(void **state)
{
	static const char *const texts[] = { "tcp:*:80",
					     "udp:*:53",
					     "tcp:127.0.0.1:8085",
					     "tcp:10.0.0.0/8:1-65535",
					     "udp:[::1]:8000-8010",
					     "tcp:[fe80::/10]:443" };
	static const char *const bad[] = { "",
					   "0",
					   "65536",
					   "80-79",
					   "a",
					   "1.2.3:4",
					   "::1:80",
					   "[::1]80",
					   "[::1:80",
					   "tcp:",
					   "tcp:1.2.3.4",
					   "1.2.3.4/33:80",
					   "[1::/200]:80",
					   "sctp:80",
					   "80 ",
					   " 80",
					   "+80",
					   "80-",
					   "*/8:80",
					   "1.2.3.4/:80" };
	struct pic_policy_ports out;
	char text[96];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		out = ports(texts[i]);
		pic_ports_text(&out, text);
		assert_string_equal(text, texts[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (pic_ports_parse(bad[i], strlen(bad[i]), &out, NULL) != -EINVAL)
			fail_msg("accepted: '%s'", bad[i]);
}

static void the_missing_line_would_help(void **state)
{
	static const char *const wanted[] = { "8085",	    "udp:9000-9010", "127.0.0.1:7000",
					      "[::1]:7000", "10.0.0.0/8:1",  "[fe80::/10]:443" };
	struct pic_policy empty = parsed("");
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct pic_policy_ports asked = ports(wanted[i]);
		struct pic_policy better;
		char line[160];

		assert_int_equal(pic_policy_allows_listen(&empty, &asked, &err), -EPERM);
		assert_int_equal(sscanf(err.text, "%*[^`]`%159[^`]", line), 1);
		better = parsed(line);
		assert_int_equal(pic_policy_allows_listen(&better, &asked, &err), 0);
		assert_int_equal(pic_policy_allows_connect(&empty, &asked, &err), -EPERM);
		assert_int_equal(sscanf(err.text, "%*[^`]`%159[^`]", line), 1);
		better = parsed(line);
		assert_int_equal(pic_policy_allows_connect(&better, &asked, &err), 0);
	}
}

static void folders_do_not_climb(void **state)
{
	struct pic_policy policy = parsed("folder /srv/data read-only\nfolder /srv/out writable\n");
	static const struct {
		const char *path;
		bool writable, allowed;
	} cases[] = {
		{ "/srv/data", false, true },
		{ "/srv/data/a/b", false, true },
		{ "/srv/data", true, false },
		{ "/srv/out", true, true },
		{ "/srv/out/x", false, true },
		{ "/srv/database", false, false },
		{ "/srv", false, false },
		{ "/", false, false },
		{ "/srv/data/../../etc", false, false },
		{ "/srv/data/..", false, false },
		{ "srv/data", false, false },
		{ "", false, false },
		{ "/srv/data/./x", false, false },
		{ "/srv//data", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = pic_policy_allows_folder(&policy, cases[i].path, cases[i].writable, NULL);

		if (r != (cases[i].allowed ? 0 : -EPERM))
			fail_msg("%s: %d", cases[i].path, r);
	}
}

static void memory_has_a_limit(void **state)
{
	struct pic_policy policy = parsed("memory-max 64M");
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(pic_policy_allows_memory(&policy, 64 << 20, &err), 0);
	assert_int_equal(pic_policy_allows_memory(&policy, (64 << 20) + 1, &err), -EPERM);
	assert_non_null(strstr(err.text, "memory-max"));
}

static void a_struct_from_a_pipe_is_checked(void **state)
{
	const struct pic_policy good =
		parsed("allow wasm\nlisten tcp 1\nconnect udp 1 to ::1\nfolder /a read-only");
	struct pic_policy bad;

	(void)state;
#define SPOIL(change) \
	do { \
		bad = good; \
		change; \
		assert_false(pic_policy_is_valid(&bad)); \
	} while (0)
	SPOIL(bad.type_count = PIC_POLICY_TYPES_MAX + 1);
	SPOIL(bad.listen_count = PIC_POLICY_RULES_MAX + 1);
	SPOIL(bad.connect_count = UINT32_MAX);
	SPOIL(bad.folder_count = PIC_POLICY_RULES_MAX + 1);
	SPOIL(memset(bad.types[0], 'a', sizeof(bad.types[0])));
	SPOIL(memset(bad.folders[0].path, 'a', sizeof(bad.folders[0].path)));
	SPOIL(bad.user_first = 0);
	SPOIL(bad.user_last = bad.user_first - 1);
	SPOIL(bad.user_last = bad.user_first + 65536);
	SPOIL(bad.listen[0].transport = 1);
	SPOIL(bad.listen[0].last = 0);
	SPOIL(bad.connect[0].network.family = 5);
	SPOIL(bad.connect[0].network.bits = 129);
	SPOIL(bad.workloads_max = 0);
	SPOIL(bad.workloads_max = 100000);
	SPOIL(bad.processes_max = 0);
#undef SPOIL
}

static bool is_in_list(const void *data, uint32_t user)
{
	for (const uint32_t *taken = data; *taken; taken++)
		if (*taken == user)
			return true;
	return false;
}

static void users_are_stable_and_never_shared(void **state)
{
	struct pic_policy policy = parsed("users 2000-2009");
	struct pic_error err = PIC_ERROR_INIT;
	uint32_t taken[11] = { 0 }, first, again;

	(void)state;
	assert_int_equal(pic_policy_choose_user(&policy, "a~b", is_in_list, taken, &first, &err),
			 0);
	assert_int_equal(pic_policy_choose_user(&policy, "a~b", is_in_list, taken, &again, &err),
			 0);
	assert_int_equal(first, again);
	for (int i = 0; i < 10; i++) {
		uint32_t user = 0;

		assert_int_equal(
			pic_policy_choose_user(&policy, "a~b", is_in_list, taken, &user, &err), 0);
		assert_in_range(user, 2000, 2009);
		assert_false(is_in_list(taken, user));
		taken[i] = user;
	}
	again = 7;
	assert_int_equal(pic_policy_choose_user(&policy, "a~b", is_in_list, taken, &again, &err),
			 -EAGAIN);
	assert_non_null(strstr(err.text, "users"));
	assert_int_equal(again, 7);
}

static void the_same_text_gives_the_same_bytes(void **state)
{
	struct pic_policy a, b;
	struct pic_error err;

	(void)state;
	memset(&a, 0xaa, sizeof(a));
	memset(&b, 0x55, sizeof(b));
	assert_int_equal(parse("allow wasm\nlisten tcp 8000 on ::1\nfolder /x writable", &a, &err),
			 0);
	assert_int_equal(parse("allow wasm\nlisten tcp 8000 on ::1\nfolder /x writable", &b, &err),
			 0);
	assert_memory_equal(&a, &b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_shipped_file),
		cmocka_unit_test(an_empty_file_allows_nothing),
		cmocka_unit_test(every_bad_line_is_named),
		cmocka_unit_test(a_single_value_is_given_once),
		cmocka_unit_test(counts_are_bounded),
		cmocka_unit_test(ports_are_sets),
		cmocka_unit_test(port_texts_come_back),
		cmocka_unit_test(the_missing_line_would_help),
		cmocka_unit_test(folders_do_not_climb),
		cmocka_unit_test(memory_has_a_limit),
		cmocka_unit_test(a_struct_from_a_pipe_is_checked),
		cmocka_unit_test(users_are_stable_and_never_shared),
		cmocka_unit_test(the_same_text_gives_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
