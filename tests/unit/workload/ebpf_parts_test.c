/* The pure parts of the ebpf driver: marks, lines of a trace, packets that must pass, sentences about failures, properties. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admission/policy.h"
#include "base/cleanup.h"
#include "workload/ebpf/explain.h"
#include "workload/ebpf/interface.h"
#include "workload/ebpf/mark.h"
#include "workload/ebpf/packets.h"
#include "workload/ebpf/runner.h"
#include "workload/ebpf/trace_line.h"

/* -- marks -------------------------------------------------------------------------------------- */

static const struct pic_ebpf_mark example = {
	.space = 4026531836,
	.pid = 1234,
	.pid_start = 567890,
	.end_boot_ms = 99000,
	.made_qdisc = true,
	.name = { "tiny-app", "ebpf-module" },
};

static void a_mark_comes_back_as_it_was(void **state)
{
	char text[PIC_EBPF_MARK_TEXT];
	struct pic_ebpf_mark read;

	(void)state;
	pic_ebpf_mark_write(&example, text);
	assert_string_equal(text, "piccolo-4026531836-1234-567890-99000-q-tiny-app~ebpf-module");
	assert_true(pic_ebpf_mark_read(text, &read));
	assert_int_equal(read.space, example.space);
	assert_int_equal(read.pid, example.pid);
	assert_int_equal(read.pid_start, example.pid_start);
	assert_int_equal(read.end_boot_ms, example.end_boot_ms);
	assert_true(read.made_qdisc);
	assert_string_equal(read.name.component, "ebpf-module");
}

static void what_others_wrote_is_no_mark(void **state)
{
	static const char *const texts[] = {
		"",
		"piccolo",
		"piccolo-",
		"hello:[12]",
		"piccolo-1-2-3-4-q-app",
		"piccolo-1-2-3-4-x-app~c",
		"piccolo-1-2-3-4-q",
		"piccolo-1-2-3--4-q-app~c",
		"piccolo--1-2-3-4-q-app~c",
		"piccolo-+1-2-3-4-q-app~c",
		"piccolo- 1-2-3-4-q-app~c",
		"piccolo-1-2147483648-3-4-q-app~c",
		"piccolo-99999999999999999999-2-3-4-q-app~c",
		"piccolo-1-2-3-4-q-app~../../c",
		"piccolo-1-2-3-4-q-app~c-q-app~c/",
		"Piccolo-1-2-3-4-q-app~c",
		"piccolo-0x1-2-3-4-q-app~c",
	};
	struct pic_ebpf_mark mark;

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(texts); i++)
		if (pic_ebpf_mark_read(texts[i], &mark))
			fail_msg("\"%s\" was taken for a mark", texts[i]);
}

static void only_what_nobody_will_undo_is_ownerless(void **state)
{
	struct pic_ledger_entry other = { .name = { "other", "one" } };
	struct pic_ledger_entry own = { .name = example.name };
	struct pic_ledger_entry live = { .pid = 1234, .pid_start = 567890 };
	struct pic_ledger_entry reused = { .pid = 1234, .pid_start = 1 };
	const struct {
		const char *what;
		uint64_t space;
		bool alive;
		int64_t now;
		struct pic_ebpf_swept swept;
		bool ownerless;
	} cases[] = {
		{ "its owner is dead", example.space, false, 1000, { 0 }, true },
		{ "its owner lives", example.space, true, 1000, { 0 }, false },
		{ "its end has come", example.space, true, 99000, { 0 }, false },
		{ "its end was a second ago", example.space, true, 100001, { 0 }, true },
		{ "another process namespace", 1, false, 200000, { 0 }, false },
		{ "another workload has ended",
		  example.space,
		  false,
		  1000,
		  { &other, NULL, 0 },
		  false },
		{ "this workload has ended", example.space, false, 1000, { &own, NULL, 0 }, true },
		{ "the ledger knows it", example.space, false, 1000, { NULL, &live, 1 }, false },
		{ "the ledger knows its number",
		  example.space,
		  false,
		  1000,
		  { NULL, &reused, 1 },
		  true },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		const struct pic_ebpf_owner owner = { cases[i].space, cases[i].alive,
						      cases[i].now };

		if (pic_ebpf_mark_is_ownerless(&example, &owner, &cases[i].swept) !=
		    cases[i].ownerless)
			fail_msg("%s: wrong", cases[i].what);
	}
}

/* -- lines -------------------------------------------------------------------------------------- */

static void lines_are_told_apart(void **state)
{
	const char *line =
		"          <idle>-0       [001] ..s2.  4242.123456: bpf_trace_printk: Hello: 1";
	struct pic_ebpf_trace_line read;

	(void)state;
	assert_true(pic_ebpf_trace_line_read(line, strlen(line), &read));
	assert_int_equal(read.time.size, strlen("4242.123456"));
	assert_memory_equal(read.time.data, "4242.123456", read.time.size);
	assert_int_equal(read.text.size, strlen("Hello: 1"));
	assert_memory_equal(read.text.data, "Hello: 1", read.text.size);
	line = "CPU:1 [LOST 4711 EVENTS]";
	assert_true(pic_ebpf_trace_line_read(line, strlen(line), &read));
	assert_int_equal(read.lost, 4711);
	line = "the second line of somebody's text";
	assert_false(pic_ebpf_trace_line_read(line, strlen(line), &read));
	assert_false(pic_ebpf_trace_line_read("", 0, &read));
}

static bool fits(const char *const *texts, const char *prefix, const char *line)
{
	struct pic_ebpf_heads heads = PIC_EBPF_HEADS_INIT;
	const struct pic_view view = { line, strlen(line) };
	bool result;

	for (; *texts; texts++)
		pic_ebpf_heads_add(&heads, *texts, strlen(*texts));
	result = pic_ebpf_heads_fit(&heads, prefix, &view);
	pic_buf_free(&heads.texts);
	return result;
}

static void only_own_lines_fit(void **state)
{
	static const char *const none[] = { NULL }, *const two[] = { "Hello, ", "drop\n", NULL };
	static const char *const bare[] = { "", NULL };

	(void)state;
	assert_true(fits(two, "", "Hello, World!"));
	assert_true(fits(two, "", "drop"));
	assert_false(fits(two, "", "Hello"));
	assert_false(fits(two, "", "password: x"));
	assert_true(fits(two, "Hello, W", "Hello, World!"));
	assert_false(fits(two, "Hello, X", "Hello, World!"));
	/* a prefix of nobody's format shows nothing of others */
	assert_false(fits(two, "password", "password: x"));
	/* without a head to go by, nothing is anybody's; a prefix decides */
	assert_false(fits(none, "", "anything"));
	assert_false(fits(bare, "", "anything"));
	assert_true(fits(none, "any", "anything"));
	assert_true(fits(bare, "any", "anything"));
	assert_false(fits(none, "any", "other"));
}

/* -- packets ------------------------------------------------------------------------------------ */

static unsigned sum16(unsigned sum, const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (unsigned)bytes[i] << 8 | bytes[i + 1];
	if (size % 2)
		sum += (unsigned)bytes[size - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Protocol of the packet, its checksums checked as a receiver does. */
static unsigned check_packet(const struct pic_ebpf_packet *packet)
{
	const unsigned char *ip = packet->bytes + 14;
	unsigned type = (unsigned)packet->bytes[12] << 8 | packet->bytes[13];

	assert_in_range(packet->size, 60, PIC_EBPF_PACKET_MAX);
	if (type == 0x0800) {
		size_t size = (size_t)ip[2] << 8 | ip[3];

		assert_int_equal(sum16(0, ip, 20), 0xffff);
		assert_true(14 + size <= packet->size);
		if (ip[9] == 1)
			assert_int_equal(sum16(0, ip + 20, size - 20), 0xffff);
		if (ip[9] == 6)
			assert_int_equal(sum16(sum16(6 + (unsigned)size - 20, ip + 12, 8), ip + 20,
					       size - 20),
					 0xffff);
		return ip[9];
	}
	if (type == 0x86dd) {
		size_t size = (size_t)ip[4] << 8 | ip[5];

		assert_int_equal(sum16(sum16(ip[6] + (unsigned)size, ip + 8, 32), ip + 40, size),
				 0xffff);
		return ip[6];
	}
	assert_int_equal(type, 0x0806);
	return 0;
}

static void what_must_pass_is_well_formed(void **state)
{
	const struct pic_uplink nowhere = { 0 }, four = { 4, 0, 8443, { 10, 1, 2, 3 } },
				six = { 6, 0, 443, { 0x20, 1, 0xd, 0xb8, [15] = 9 } };
	const struct pic_uplink *const uplinks[] = { &nowhere, &four, &six };

	(void)state;
	for (size_t u = 0; u < PIC_COUNT(uplinks); u++)
		for (int outgoing = 0; outgoing < 2; outgoing++) {
			struct pic_ebpf_packet packet;
			unsigned seen[256] = { 0 }, count = 0;

			while (pic_ebpf_packet_make(count, outgoing, uplinks[u], &packet)) {
				seen[check_packet(&packet)]++;
				count++;
			}
			assert_int_equal(count, u ? 6 : 5);
			assert_int_equal(seen[0], 1);  /* ARP */
			assert_int_equal(seen[1], 1);  /* ICMP */
			assert_int_equal(seen[17], 2); /* DHCP, DNS */
			assert_int_equal(seen[58], 1); /* IPv6 neighbours */
			assert_int_equal(seen[6], u ? 1 : 0);
		}
}

static void the_hubs_packet_has_its_address(void **state)
{
	const struct pic_uplink four = { 4, 0, 8443, { 10, 1, 2, 3 } };
	struct pic_ebpf_packet packet;

	(void)state;
	assert_true(pic_ebpf_packet_make(5, false, &four, &packet)); /* comes from the hub */
	assert_memory_equal(packet.bytes + 14 + 12, four.address, 4);
	assert_int_equal(packet.bytes[34] << 8 | packet.bytes[35], 8443);
	assert_true(pic_ebpf_packet_make(5, true, &four, &packet)); /* goes to it */
	assert_memory_equal(packet.bytes + 14 + 16, four.address, 4);
	assert_int_equal(packet.bytes[36] << 8 | packet.bytes[37], 8443);
}

/* -- sentences ---------------------------------------------------------------------------------- */

static void a_failure_is_one_sentence(void **state)
{
	const struct {
		struct pic_ebpf_failure failure;
		int code;
		const char *text;
	} cases[] = {
		{ { PIC_EBPF_LOAD, EACCES, "count", 0, 0, "", "",
		    "0: R1=ctx()\n5: (1f) r2 -= r1\nR2 pointer -= pointer prohibited\nprocessed 5 insns\n" },
		  -EINVAL,
		  "program count cannot be loaded (EACCES): it subtracts pointers, which needs kernel-read: "
		  "compare them instead; the last words were: 0: R1=ctx() | 5: (1f) r2 -= r1 | R2 pointer -= "
		  "pointer prohibited" },
		{ { PIC_EBPF_LOAD, E2BIG, "loop", 0, 0, "", "", "" },
		  -EINVAL,
		  "program loop cannot be loaded (E2BIG): the verifier found too many ways through it: bound its "
		  "loops" },
		{ { PIC_EBPF_LOAD, ENOMEM, "", 0, 0, "", "", "" },
		  -ENOMEM,
		  "the object cannot be loaded (ENOMEM): there is no memory for its maps" },
		{ { PIC_EBPF_ATTACH, EOPNOTSUPP, "p", PIC_EBPF_XDP, PIC_EBPF_MODE_DRV,
		    "xdp:eth0:drv", "", "" },
		  -EINVAL,
		  "program p at xdp:eth0:drv cannot be attached (EOPNOTSUPP): the interface's driver has no such "
		  "mode: xdp:INTERFACE:skb works everywhere" },
		{ { PIC_EBPF_ATTACH, EBUSY, "p", PIC_EBPF_XDP, 0, "xdp:eth0", "", "" },
		  -EBUSY,
		  "program p at xdp:eth0 cannot be attached (EBUSY): another program is there already" },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		struct pic_error err = PIC_ERROR_INIT;

		assert_int_equal(pic_ebpf_explain(&cases[i].failure, &err), cases[i].code);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void a_log_without_end_is_cut(void **state)
{
	static char log[20000];
	struct pic_ebpf_failure failure = { PIC_EBPF_LOAD, EINVAL, "p", 0, 0, "", "", log };
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	memset(log, 'x', sizeof(log) - 1);
	for (size_t i = 100; i < sizeof(log) - 1; i += 997)
		log[i] = '\n';
	pic_ebpf_explain(&failure, &err);
	assert_in_range(strlen(err.text), 50, sizeof(err.text) - 1);
}

static void the_last_lines_are_found(void **state)
{
	(void)state;
	assert_string_equal(pic_ebpf_last_lines("a\nb\nc\n", 2, 100), "b\nc\n");
	assert_string_equal(pic_ebpf_last_lines("a\nb\nc", 2, 100), "b\nc");
	assert_string_equal(pic_ebpf_last_lines("a\nb\nc\n", 9, 100), "a\nb\nc\n");
	assert_string_equal(pic_ebpf_last_lines("a\nb\nc\n", 9, 3), "\nc\n");
	assert_string_equal(pic_ebpf_last_lines("", 9, 3), "");
	assert_string_equal(pic_ebpf_last_lines("\n", 1, 3), "\n");
}

static void the_failed_program_is_found(void **state)
{
	char name[PIC_EBPF_PROGRAM_NAME_MAX + 1];

	(void)state;
	pic_ebpf_failed_program(
		"libbpf: prog 'a': fine\nlibbpf: prog 'count': BPF program load failed: Nope\n",
		name);
	assert_string_equal(name, "count");
	pic_ebpf_failed_program("libbpf: prog 'a", name);
	assert_string_equal(name, "");
	pic_ebpf_failed_program("", name);
	assert_string_equal(name, "");
}

/* -- interfaces, properties --------------------------------------------------------------------- */

static void the_default_routes_device_is_found(void **state)
{
	static const char head[] =
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n";
	char text[1024], name[IF_NAMESIZE] = "";

	(void)state;
	snprintf(text, sizeof(text),
		 "%seth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n"
		 "wlan0\t00000000\t010200C0\t0003\t0\t0\t600\t00000000\t0\n"
		 "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\n"
		 "down0\t00000000\t010200C0\t0002\t0\t0\t1\t00000000\t0\n",
		 head);
	assert_true(pic_ebpf_default_route(text, name));
	assert_string_equal(name, "eth0");
	assert_false(pic_ebpf_default_route(head, name));
	assert_false(pic_ebpf_default_route("", name));
	assert_false(pic_ebpf_default_route("x\ny\n\n", name));
}

static int parse(const char *json, struct pic_ebpf_spec *spec, struct pic_error *err)
{
	struct pic_json *PIC_JSON properties = NULL;

	assert_int_equal(pic_json_parse(&properties, json, strlen(json), NULL), 0);
	return pic_ebpf_parse(properties, spec, err);
}

static void properties_become_a_spec(void **state)
{
	struct pic_ebpf_spec spec, again;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	memset(&spec, 1, sizeof(spec));
	memset(&again, 2, sizeof(again));
	assert_int_equal(
		parse("{\"ebpf.url\":\"/artifacts/x\",\"ebpf.sha256\":\"\",\"ebpf.event\":\"xdp\","
		      "\"ebpf.name\":\"hello\",\"other\":1}",
		      &spec, &err),
		0);
	assert_int_equal(spec.version, PIC_EBPF_SPEC_VERSION);
	assert_string_equal(spec.terms.program, "hello");
	assert_int_equal(spec.terms.attach_count, 1);
	assert_int_equal(spec.terms.lease_seconds, PIC_EBPF_LEASE_DEFAULT_S);
	parse("{\"ebpf.event\":\"xdp\",\"ebpf.name\":\"hello\"}", &again, NULL);
	assert_memory_equal(&spec, &again, sizeof(spec)); /* compared as bytes, padding too */
	assert_true(parse("{\"ebpf.evnt\":\"xdp\"}", &spec, &err) < 0);
	assert_non_null(strstr(err.text, "ebpf.evnt"));
}

static void a_spec_from_a_stranger_is_checked(void **state)
{
	PIC_FREE struct pic_policy *policy = calloc(1, sizeof(*policy));
	static const char rules[] = "allow ebpf\nebpf interfaces eth*\n";
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ebpf_spec good, bad;

	(void)state;
	assert_int_equal(pic_policy_parse(policy, rules, sizeof(rules) - 1, "rules", &err), 0);
	assert_int_equal(parse("{\"ebpf.attach\":\"xdp:eth0\"}", &good, NULL), 0);
	assert_int_equal(pic_ebpf_check_spec(&good, policy, &err), 0);
	bad = good;
	snprintf(bad.terms.attach[0].target, sizeof(bad.terms.attach[0].target), "wlan0");
	assert_int_equal(pic_ebpf_check_spec(&bad, policy, &err), -EPERM);
	for (size_t at = 0; at < 4; at++) {
		bad = good;
		switch (at) {
		case 0:
			bad.version = 7;
			break;
		case 1:
			bad.terms.attach_count = PIC_EBPF_ATTACH_MAX + 1;
			break;
		case 2:
			memset(bad.terms.attach[0].target, 'x', sizeof(bad.terms.attach[0].target));
			break;
		default:
			bad.terms.lease_seconds = 0;
		}
		assert_int_equal(pic_ebpf_check_spec(&bad, policy, &err), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_comes_back_as_it_was),
		cmocka_unit_test(what_others_wrote_is_no_mark),
		cmocka_unit_test(only_what_nobody_will_undo_is_ownerless),
		cmocka_unit_test(lines_are_told_apart),
		cmocka_unit_test(only_own_lines_fit),
		cmocka_unit_test(what_must_pass_is_well_formed),
		cmocka_unit_test(the_hubs_packet_has_its_address),
		cmocka_unit_test(a_failure_is_one_sentence),
		cmocka_unit_test(a_log_without_end_is_cut),
		cmocka_unit_test(the_last_lines_are_found),
		cmocka_unit_test(the_failed_program_is_found),
		cmocka_unit_test(the_default_routes_device_is_found),
		cmocka_unit_test(properties_become_a_spec),
		cmocka_unit_test(a_spec_from_a_stranger_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
