/* The lines of policy.conf about eBPF. */
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "admission/ebpf_attach.h"
#include "admission/ebpf_tables.h"
#include "admission/policy_line.h"
#include "base/cleanup.h"
#include "base/text.h"

#define KERNEL_MIN (64ull << 10)
#define KERNEL_MAX (1ull << 34)

#define BIT(number) (1ull << (number))

/* Programs that watch, maps whose size is known from the object, and no helper that changes what other
 * programs do. */
void pic_policy_ebpf_defaults(struct pic_policy_ebpf *ebpf)
{
	static const uint8_t denied[] = {
		BPF_FUNC_probe_write_user,   BPF_FUNC_override_return, BPF_FUNC_send_signal,
		BPF_FUNC_send_signal_thread, BPF_FUNC_sys_bpf,
	};

	ebpf->program_types = BIT(BPF_PROG_TYPE_XDP) | BIT(BPF_PROG_TYPE_SCHED_CLS) |
			      BIT(BPF_PROG_TYPE_TRACEPOINT) | BIT(BPF_PROG_TYPE_RAW_TRACEPOINT);
	ebpf->map_types = BIT(BPF_MAP_TYPE_HASH) | BIT(BPF_MAP_TYPE_ARRAY) |
			  BIT(BPF_MAP_TYPE_PERCPU_HASH) | BIT(BPF_MAP_TYPE_PERCPU_ARRAY) |
			  BIT(BPF_MAP_TYPE_LRU_HASH) | BIT(BPF_MAP_TYPE_LRU_PERCPU_HASH) |
			  BIT(BPF_MAP_TYPE_LPM_TRIE) | BIT(BPF_MAP_TYPE_RINGBUF) |
			  BIT(BPF_MAP_TYPE_PERF_EVENT_ARRAY) | BIT(BPF_MAP_TYPE_PROG_ARRAY) |
			  BIT(BPF_MAP_TYPE_STACK_TRACE) | BIT(BPF_MAP_TYPE_QUEUE) |
			  BIT(BPF_MAP_TYPE_STACK) | BIT(BPF_MAP_TYPE_BLOOM_FILTER);
	for (size_t i = 0; i < PIC_COUNT(denied); i++)
		ebpf->helpers_denied[denied[i] / 32] |= 1u << (denied[i] % 32);
	ebpf->grants_by_hand = PIC_GRANT_KERNEL_READ;
	ebpf->kernel_bytes_max = 8 << 20;
}

static int unknown(const struct pic_policy_line *line, const char *word, const char *what,
		   struct pic_error *err)
{
	return pic_error_set(err, -EINVAL, "%s:%u: \"%.40s\" is no %s", line->file, line->number,
			     word, what);
}

/* Numbers of the line's words as bits; the first line of its kind replaces the default. */
static int take_types(uint64_t *out, const struct pic_policy_line *line,
		      int (*number)(const char *text), const char *what, struct pic_error *err)
{
	uint64_t types = 0;

	for (unsigned i = 2; i < line->count; i++) {
		int n = number(line->words[i]);

		if (n < 0)
			return unknown(line, line->words[i], what, err);
		types |= BIT(n);
	}
	*out = types;
	return 0;
}

static int parse_programs(struct pic_policy_ebpf *out, const struct pic_policy_line *line,
			  struct pic_error *err)
{
	return take_types(&out->program_types, line, pic_ebpf_program_type_number,
			  "type of program, such as xdp or tracepoint", err);
}

static int parse_maps(struct pic_policy_ebpf *out, const struct pic_policy_line *line,
		      struct pic_error *err)
{
	return take_types(&out->map_types, line, pic_ebpf_map_type_number,
			  "type of map, such as hash or percpu-array", err);
}

/* A name, or its beginning and a star. */
static bool interface_is_good(const char *word)
{
	char name[PIC_POLICY_INTERFACE_MAX];
	size_t size = strlen(word);

	if (strcmp(word, "*") == 0)
		return true;
	if (size >= sizeof(name))
		return false;
	memcpy(name, word, size + 1);
	if (size > 0 && name[size - 1] == '*')
		name[size - 1] = '\0';
	return pic_ebpf_interface_is_clean(name) && !strchr(name, '*');
}

static int parse_interfaces(struct pic_policy_ebpf *out, const struct pic_policy_line *line,
			    struct pic_error *err)
{
	if (line->count - 2 > PIC_POLICY_RULES_MAX)
		return pic_policy_bad_line(line, err, "too many interfaces");
	for (unsigned i = 2; i < line->count; i++) {
		if (!interface_is_good(line->words[i]))
			return unknown(line, line->words[i],
				       "interface's name, with or without a star at its end", err);
		snprintf(out->interfaces[i - 2], sizeof(out->interfaces[0]), "%s", line->words[i]);
	}
	out->interface_count = line->count - 2;
	return 0;
}

static int parse_kernel_max(struct pic_policy_ebpf *out, const struct pic_policy_line *line,
			    struct pic_error *err)
{
	unsigned long long bytes;

	if (line->count != 3 || pic_size_parse(line->words[2], &bytes) < 0 || bytes < KERNEL_MIN ||
	    bytes > KERNEL_MAX)
		return pic_policy_bad_line(line, err,
					   "write `ebpf kernel-max SIZE`, from 64k to 16G");
	out->kernel_bytes_max = bytes;
	return 0;
}

/* "bpf_send_signal" or "send_signal". */
static int helper_number(const char *word)
{
	return pic_ebpf_helper_number(pic_text_starts(word, "bpf_") ? word + 4 : word);
}

static int set_helpers(struct pic_policy_ebpf *out, const struct pic_policy_line *line, bool denied,
		       struct pic_error *err)
{
	for (unsigned i = 2; i < line->count; i++) {
		int id = helper_number(line->words[i]);

		if (id < 0)
			return unknown(line, line->words[i], "helper, such as bpf_send_signal",
				       err);
		if (denied)
			out->helpers_denied[id / 32] |= 1u << (id % 32);
		else
			out->helpers_denied[id / 32] &= ~(1u << (id % 32));
	}
	return 0;
}

static int parse_deny(struct pic_policy_ebpf *out, const struct pic_policy_line *line,
		      struct pic_error *err)
{
	return set_helpers(out, line, true, err);
}

static int parse_allow(struct pic_policy_ebpf *out, const struct pic_policy_line *line,
		       struct pic_error *err)
{
	return set_helpers(out, line, false, err);
}

static int parse_by_hand(struct pic_policy_ebpf *out, const struct pic_policy_line *line,
			 struct pic_error *err)
{
	uint32_t grants = 0, bit;
	bool none = line->count == 3 && strcmp(line->words[2], "none") == 0;

	for (unsigned i = 2; i < line->count && !none; i++) {
		if (pic_grant_parse(line->words[i], &bit) < 0)
			return unknown(line, line->words[i],
				       "grant: write kernel-read, redirect, "
				       "or none",
				       err);
		grants |= bit;
	}
	out->grants_by_hand = grants;
	return 0;
}

#define LINE(field) offsetof(struct pic_policy_ebpf, field)
#define MANY SIZE_MAX

static const struct {
	const char *word;
	int (*parse)(struct pic_policy_ebpf *out, const struct pic_policy_line *line,
		     struct pic_error *err);
	size_t line; /* where the number of the one line of this kind is kept */
} rules[] = {
	{ "programs", parse_programs, LINE(programs_line) },
	{ "maps", parse_maps, LINE(maps_line) },
	{ "interfaces", parse_interfaces, LINE(interfaces_line) },
	{ "kernel-max", parse_kernel_max, LINE(kernel_line) },
	{ "by-hand", parse_by_hand, LINE(hand_line) },
	{ "deny-helpers", parse_deny, MANY },
	{ "allow-helpers", parse_allow, MANY },
};

static int parse_once(struct pic_policy_ebpf *out, size_t rule, const struct pic_policy_line *line,
		      struct pic_error *err)
{
	uint32_t *number = (uint32_t *)((char *)out + rules[rule].line);

	if (*number)
		return pic_error_set(err, -EINVAL, "%s:%u: there is an earlier 'ebpf %s' line",
				     line->file, line->number, rules[rule].word);
	*number = line->number;
	return rules[rule].parse(out, line, err);
}

#define RULES "programs, maps, interfaces, kernel-max, by-hand, deny-helpers, allow-helpers"

int pic_policy_parse_ebpf(struct pic_policy *out, const struct pic_policy_line *line,
			  struct pic_error *err)
{
	if (line->count < 3)
		return pic_policy_bad_line(line, err,
					   "write `ebpf RULE VALUE...`; rules are " RULES);
	for (size_t i = 0; i < PIC_COUNT(rules); i++)
		if (strcmp(line->words[1], rules[i].word) == 0)
			return rules[i].line == MANY ? rules[i].parse(&out->ebpf, line, err)
						     : parse_once(&out->ebpf, i, line, err);
	return unknown(line, line->words[1], "rule about ebpf; rules are " RULES, err);
}
