/* What is read out of objects that clang made, and what policy says to them. */
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admission/ebpf_memory.h"
#include "admission/objects.h"
#include "admission/policy.h"

static const struct pic_ebpf_program *program(const struct pic_ebpf_facts *facts, const char *name)
{
	for (uint32_t i = 0; i < facts->program_count; i++)
		if (strcmp(facts->programs[i].name, name) == 0)
			return &facts->programs[i];
	fail_msg("no program %s", name);
	return NULL;
}

static const struct pic_ebpf_map *map(const struct pic_ebpf_facts *facts, const char *name)
{
	for (uint32_t i = 0; i < facts->map_count; i++)
		if (strcmp(facts->maps[i].name, name) == 0)
			return &facts->maps[i];
	fail_msg("no map %s", name);
	return NULL;
}

static bool calls(const struct pic_ebpf_facts *facts, uint32_t id)
{
	return facts->helpers[id / 32] >> (id % 32) & 1;
}

static void hello_is_what_it_is(void **state)
{
	struct pic_ebpf_facts facts;

	(void)state;
	object_facts("hello", &facts);
	assert_int_equal(facts.program_count, 1);
	assert_string_equal(facts.programs[0].name, "hello");
	assert_string_equal(facts.programs[0].section, "xdp");
	assert_int_equal(facts.programs[0].type, BPF_PROG_TYPE_XDP);
	assert_int_equal(facts.programs[0].attach_type, BPF_XDP);
	assert_true(facts.programs[0].instructions > 3 && facts.programs[0].instructions < 20);
	assert_string_equal(facts.license, "Dual BSD/GPL");
	assert_true(calls(&facts, BPF_FUNC_trace_printk));
	assert_int_equal(facts.grants, PIC_GRANT_KERNEL_READ);
	assert_int_equal(facts.map_count, 1);
	assert_string_equal(facts.maps[0].name, ".rodata");
	assert_int_equal(facts.maps[0].kernel_bytes, 8192);
	assert_int_equal(facts.kfunc_count, 0);
	assert_true(facts.has_btf);
	assert_false(facts.has_core);
	assert_int_equal(facts.format_count, 1);
}

static void programs_are_named_by_their_sections(void **state)
{
	static const struct {
		const char *name, *target;
		uint32_t type, attach_type;
		bool sleepable;
	} wanted[] = {
		{ "from_net", "", BPF_PROG_TYPE_SCHED_CLS, 46, false },
		{ "classify", "", BPF_PROG_TYPE_SCHED_CLS, 0, false },
		{ "opened", "syscalls/sys_enter_openat", BPF_PROG_TYPE_TRACEPOINT, 0, false },
		{ "switched", "sched_switch", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, false },
		{ "probed", "do_sys_open", BPF_PROG_TYPE_KPROBE, 0, false },
		{ "entered", "vfs_read", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, true },
		{ "leaves", "", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, false },
		{ "nowhere", "", BPF_PROG_TYPE_UNSPEC, 0, false },
	};
	struct pic_ebpf_facts facts;

	(void)state;
	object_facts("many", &facts);
	assert_int_equal(facts.program_count, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const struct pic_ebpf_program *found = program(&facts, wanted[i].name);

		assert_int_equal(found->type, wanted[i].type);
		assert_int_equal(found->attach_type, wanted[i].attach_type);
		assert_string_equal(found->target, wanted[i].target);
		assert_int_equal(found->sleepable, wanted[i].sleepable);
	}
	assert_true(facts.has_core);
	/* called in .text only */
	assert_true(calls(&facts, BPF_FUNC_probe_read_kernel));
	assert_int_equal(facts.grants, PIC_GRANT_KERNEL_READ);
}

/* What a kernel with two processors accounted for these maps, within one percent. */
static void kernel_memory_is_near_the_truth(void **state)
{
	static const struct {
		const char *name;
		uint64_t measured;
	} maps[] = { { "flows", 1082416 },
		     { "each_cpu", 1328000 },
		     { "ring", 78408 },
		     { "numbers", 82232 } };
	struct pic_ebpf_facts facts;
	uint64_t sum = 0;

	(void)state;
	object_facts("many", &facts);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		uint64_t bytes = map(&facts, maps[i].name)->kernel_bytes;

		if (bytes * 100 < maps[i].measured * 99 || bytes * 100 > maps[i].measured * 101)
			fail_msg("%s: %llu", maps[i].name, (unsigned long long)bytes);
	}
	for (uint32_t i = 0; i < facts.map_count; i++)
		sum += facts.maps[i].kernel_bytes;
	assert_int_equal(facts.kernel_bytes, sum);
	assert_int_equal(map(&facts, "flows")->key_size, 16);
	assert_int_equal(map(&facts, "numbers")->value_size, 8);
	assert_int_equal(map(&facts, "numbers")->flags, BPF_F_MMAPABLE);
}

static void maps_in_maps_are_seen(void **state)
{
	struct pic_ebpf_facts facts;
	const struct pic_ebpf_map *all;

	(void)state;
	object_facts("inside", &facts);
	all = map(&facts, "all");
	assert_int_equal(all->inner.type, BPF_MAP_TYPE_HASH);
	assert_int_equal(all->inner.key_size, 4);
	assert_int_equal(all->inner.value_size, 8);
	assert_int_equal(all->inner.max_entries, 16);
	assert_int_equal(all->inner.flags, BPF_F_NO_PREALLOC);
	assert_true(all->kernel_bytes > map(&facts, "first")->kernel_bytes);
	assert_int_equal(map(&facts, "first")->inner.type, 0);
	assert_int_equal(map(&facts, "seen")->extra, 3);
}

/* No size that an object can write makes the sum small again. */
static void kernel_memory_does_not_wrap(void **state)
{
	struct pic_ebpf_map map = { .type = BPF_MAP_TYPE_PERCPU_ARRAY,
				    .key_size = UINT32_MAX,
				    .value_size = UINT32_MAX,
				    .max_entries = UINT32_MAX };

	(void)state;
	assert_true(pic_ebpf_map_bytes(&map, 1024) == UINT64_MAX);
	for (map.type = 0; map.type < 40; map.type++)
		assert_true(pic_ebpf_map_bytes(&map, 1) >= UINT32_MAX);
	assert_true(pic_ebpf_bytes_add(UINT64_MAX - 1, 2) == UINT64_MAX);
	/* libbpf makes a power of two out of it */
	map.type = BPF_MAP_TYPE_RINGBUF;
	map.max_entries = (4 << 20) + 1;
	assert_true(pic_ebpf_map_bytes(&map, 1) >= 8 << 20);
	map.max_entries = 0;
	assert_true(pic_ebpf_map_bytes(&map, 1) >= 4096);
	/* with as many hash functions as its definition may ask for */
	map.type = BPF_MAP_TYPE_BLOOM_FILTER;
	map.max_entries = 1 << 20;
	assert_true(pic_ebpf_map_bytes(&map, 1) >= 4 << 20);
}

struct heads {
	char text[256];
};

static void add_head(void *data, const char *text, size_t size)
{
	struct heads *heads = data;
	size_t at = strlen(heads->text);

	snprintf(heads->text + at, sizeof(heads->text) - at, "[%.*s]", (int)size, text);
}

/* A format that begins with % would let everybody's lines through: it is no head. */
static void formats_give_their_heads(void **state)
{
	PIC_BUF struct pic_buf object = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX);
	struct heads heads = { "" };

	(void)state;
	object_read("hello", &object);
	pic_ebpf_formats((const unsigned char *)object.data, object.size, add_head, &heads);
	assert_string_equal(heads.text, "[Hello, World!]");
	pic_buf_clear(&object);
	heads.text[0] = '\0';
	object_read("many", &object);
	pic_ebpf_formats((const unsigned char *)object.data, object.size, add_head, &heads);
	assert_string_equal(heads.text, "[opened ]");
}

/* -- hooks -------------------------------------------------------------------------------------- */

static int resolve(const char *object, const struct pic_ebpf_terms *terms, char *out, size_t size,
		   struct pic_error *err)
{
	struct pic_ebpf_attach hooks[PIC_EBPF_PROGRAMS_MAX];
	struct pic_ebpf_facts facts;
	uint32_t count;
	int r;

	*err = (struct pic_error)PIC_ERROR_INIT;
	object_facts(object, &facts);
	r = pic_ebpf_terms_resolve(&facts, terms, hooks, &count, err);
	assert_int_equal(pic_ebpf_terms_fit(&facts, terms, NULL), r);
	out[0] = '\0';
	for (uint32_t i = 0; r == 0 && i < count; i++) {
		char text[256];

		pic_ebpf_attach_text(&hooks[i], text, sizeof(text));
		snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? " " : "", text);
	}
	return r;
}

static void terms_find_their_programs(void **state)
{
	static const struct {
		const char *object, *name, *attach, *hooks;
	} cases[] = {
		{ "hello", NULL, NULL, "hello=xdp" },
		{ "hello", "hello", NULL, "hello=xdp" },
		{ "hello", "hello", "xdp:eth0:skb", "hello=xdp:eth0:skb" },
		{ "hello", NULL, "xdp:eth0,xdp:eth1", "hello=xdp:eth0 hello=xdp:eth1" },
		{ "many", "opened", NULL, "opened=tp:syscalls/sys_enter_openat" },
		{ "many", "switched", NULL, "switched=raw_tp:sched_switch" },
		{ "many", "from_net", NULL, "from_net=tcx::ingress" },
		{ "many", "classify", NULL, "classify=tcx::ingress" },
		{ "many", NULL, "classify=clsact:eth0:egress tp:sched/sched_switch",
		  "classify=clsact:eth0:egress opened=tp:sched/sched_switch" },
		{ "many", NULL, "opened=section", "opened=tp:syscalls/sys_enter_openat" },
	};
	char hooks[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pic_ebpf_terms terms = object_terms(cases[i].name ? "ebpf.name" : "other",
							   cases[i].name ? cases[i].name : "",
							   cases[i].attach ? "ebpf.attach" : "more",
							   cases[i].attach ? cases[i].attach : "",
							   NULL);
		struct pic_error err;

		if (resolve(cases[i].object, &terms, hooks, sizeof(hooks), &err) < 0)
			fail_msg("case %zu: %s", i, err.text);
		assert_string_equal(hooks, cases[i].hooks);
	}
}

static void terms_that_do_not_fit_are_refused(void **state)
{
	static const struct {
		const char *object, *name, *attach, *says;
	} cases[] = {
		{ "hello", "other", NULL, "no program other; it has hello" },
		{ "hello", NULL, "other=xdp", "no program other" },
		{ "hello", "hello", "other=xdp", "names program other, ebpf.name another one" },
		{ "hello", NULL, "tcx:eth0:ingress", "no program of type tc" },
		{ "hello", "hello", "tcx:eth0:ingress", "program hello is of type xdp" },
		{ "many", NULL, "tcx:eth0:ingress",
		  "fits several programs, from_net and classify" },
		{ "many", "probed", NULL, "kprobe (section \"kprobe/do_sys_open\"), which this" },
		{ "many", "leaves", NULL, "of type cgroup-skb" },
		{ "many", "nowhere", NULL, "section \"prog\" names no type" },
		{ "many", NULL, NULL, "cannot attach" },
	};
	char hooks[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pic_ebpf_terms terms = object_terms(cases[i].name ? "ebpf.name" : "other",
							   cases[i].name ? cases[i].name : "",
							   cases[i].attach ? "ebpf.attach" : "more",
							   cases[i].attach ? cases[i].attach : "",
							   NULL);
		struct pic_error err;

		assert_int_equal(resolve(cases[i].object, &terms, hooks, sizeof(hooks), &err),
				 -EINVAL);
		if (!strstr(err.text, cases[i].says))
			fail_msg("case %zu: %s", i, err.text);
	}
}

/* The original's way of writing it. */
static void an_event_is_a_hook_on_the_default_device(void **state)
{
	struct pic_ebpf_terms terms = object_terms("ebpf.name", "hello", "ebpf.event", "xdp", NULL);
	struct pic_error err;
	char hooks[256];

	(void)state;
	assert_int_equal(resolve("hello", &terms, hooks, sizeof(hooks), &err), 0);
	assert_string_equal(hooks, "hello=xdp");
}

/* -- the verdict -------------------------------------------------------------------------------- */

static int admit(const char *object, const struct pic_ebpf_terms *terms, const char *policy_text,
		 uint32_t grants, struct pic_error *err)
{
	struct pic_ebpf_facts facts;
	struct pic_policy policy;

	*err = (struct pic_error)PIC_ERROR_INIT;
	if (pic_policy_parse(&policy, policy_text, strlen(policy_text), "policy.conf", err) < 0)
		fail_msg("%s", err->text);
	object_facts(object, &facts);
	return pic_ebpf_admit(&facts, terms, &policy, grants, err);
}

static void what_watches_is_admitted(void **state)
{
	struct pic_ebpf_terms terms = object_terms("ebpf.attach", "xdp:eth0", NULL);
	struct pic_ebpf_terms by_name = object_terms("ebpf.name", "opened", NULL);
	struct pic_error err;

	(void)state;
	assert_int_equal(admit("hello", &terms, "", PIC_GRANT_KERNEL_READ, &err), 0);
	assert_int_equal(admit("hello", &terms, "ebpf interfaces eth*", PIC_GRANT_MASK, &err), 0);
	/* the counter needs no grant at all */
	assert_int_equal(admit("count", &terms, "", 0, &err), 0);
	/* only what is to be loaded must be of an allowed type */
	assert_int_equal(admit("many", &by_name, "", PIC_GRANT_KERNEL_READ, &err), 0);
}

static void every_refusal_names_thing_and_rule(void **state)
{
	static const struct {
		const char *object, *policy;
		uint32_t grants;
		const char *thing, *rule;
	} cases[] = {
		{ "hello", "", 0, "grant kernel-read", "bpf_trace_printk" },
		{ "hello", "ebpf programs tc", 1, "program hello is of type xdp",
		  "`ebpf programs`" },
		{ "hello", "ebpf deny-helpers trace_printk", 1, "bpf_trace_printk",
		  "`ebpf allow-helpers trace_printk`" },
		{ "hello", "ebpf interfaces wlan0", 1, "interface eth0", "`ebpf interfaces`" },
		{ "hello", "ebpf maps hash", 1, "map .rodata is of type array", "`ebpf maps`" },
		{ "bad-kfunc", "", 3, "bpf_no_such_kernel_function", "never allowed" },
		{ "bad-ksym", "", 2, "grant kernel-read", "variables of the kernel" },
		{ "bad-pin", "", 3, "map kept", "pinned" },
		{ "bad-large", "", 3, "1073741824 bytes of kernel memory",
		  "`ebpf kernel-max 1073741824`" },
		{ "bad-map", "", 3, "map ports is of type devmap", "`ebpf maps`" },
		{ "bad-map", "ebpf maps devmap", 1, "grant redirect", "bpf_redirect_map" },
		{ "bad-flags", "", 3, "map seedless has map_flags 0x41", "0x40 is never allowed" },
		{ "inside", "ebpf maps hash bloom-filter", 3, "map all is of type array-of-maps",
		  "`ebpf maps`" },
		{ "inside-zeroseed", "ebpf maps array-of-maps bloom-filter", 3,
		  "map all holds maps of type hash", "`ebpf maps`" },
		{ "inside-zeroseed", "ebpf maps hash array-of-maps bloom-filter", 3,
		  "map all holds maps with map_flags 0x40", "never allowed" },
		{ "bad-redirect", "", 1, "grant redirect", "bpf_redirect" },
		{ "bad-helper", "", 3, "bpf_send_signal", "`ebpf allow-helpers send_signal`" },
		{ "bad-license", "", 3, "bpf_trace_printk", "its license is \"Proprietary\"" },
	};
	struct pic_ebpf_terms terms = object_terms("ebpf.attach", "xdp:eth0", NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pic_error err;

		if (admit(cases[i].object, &terms, cases[i].policy, cases[i].grants, &err) !=
		    -EPERM)
			fail_msg("case %zu, %s: admitted, or %s", i, cases[i].object, err.text);
		if (!strstr(err.text, cases[i].thing) || !strstr(err.text, cases[i].rule))
			fail_msg("case %zu: %s", i, err.text);
	}
}

/* libbpf finds a symbol in whichever section .ksyms names it: an empty one in front hides nothing. */
static void an_empty_section_hides_no_kernel_symbol(void **state)
{
	static const uint32_t section[] = { 0x0f000001, 0 }; /* one variable, no size yet */
	PIC_BUF struct pic_buf object = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX);
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ebpf_facts facts;
	uint32_t words[6] = { 0, 0x0f000000, 0, 0, 0x07000000, 0 };
	char *fill;

	(void)state;
	object_read("bad-ksym", &object);
	fill = memmem(object.data, object.size, section, sizeof(section));
	assert_non_null(fill);
	/* .ksyms is the section behind .fill, which becomes an empty .ksyms and a struct without members */
	assert_memory_equal(fill + 24, section, sizeof(section));
	memcpy(&words[0], fill + 20, 4);
	memcpy(&words[3], fill + 20, 4);
	memcpy(fill - 4, words, sizeof(words));
	if (pic_ebpf_facts_read((const unsigned char *)object.data, object.size, 2, &facts, &err) <
	    0)
		fail_msg("%s", err.text);
	assert_int_equal(facts.grants, PIC_GRANT_KERNEL_READ);
}

static void words_and_numbers(void **state)
{
	(void)state;
	assert_string_equal(pic_ebpf_helper_text(1), "map_lookup_elem");
	assert_string_equal(pic_ebpf_helper_text(6), "trace_printk");
	assert_string_equal(pic_ebpf_helper_text(177), "trace_vprintk");
	assert_string_equal(pic_ebpf_helper_text(211), "cgrp_storage_delete");
	assert_null(pic_ebpf_helper_text(212));
	assert_null(pic_ebpf_helper_text(0));
	assert_string_equal(pic_ebpf_program_type_text(6), "xdp");
	assert_string_equal(pic_ebpf_program_type_text(32), "netfilter");
	assert_string_equal(pic_ebpf_program_type_text(33), "unknown");
	assert_string_equal(pic_ebpf_map_type_text(27), "ringbuf");
	assert_string_equal(pic_ebpf_map_type_text(33), "arena");
	assert_string_equal(pic_ebpf_map_type_text(34), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_is_what_it_is),
		cmocka_unit_test(programs_are_named_by_their_sections),
		cmocka_unit_test(kernel_memory_is_near_the_truth),
		cmocka_unit_test(maps_in_maps_are_seen),
		cmocka_unit_test(kernel_memory_does_not_wrap),
		cmocka_unit_test(formats_give_their_heads),
		cmocka_unit_test(terms_find_their_programs),
		cmocka_unit_test(terms_that_do_not_fit_are_refused),
		cmocka_unit_test(an_event_is_a_hook_on_the_default_device),
		cmocka_unit_test(what_watches_is_admitted),
		cmocka_unit_test(every_refusal_names_thing_and_rule),
		cmocka_unit_test(an_empty_section_hides_no_kernel_symbol),
		cmocka_unit_test(words_and_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
