/* Any bytes as an eBPF object: facts within their bounds, or one sentence; terms, policy and formats on top. */
#include <stdlib.h>
#include <string.h>

#include "admission/ebpf.h"
#include "admission/policy.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check_text(const char *text, size_t room)
{
	size_t size = strnlen(text, room);

	if (size == room)
		abort();
	for (size_t i = 0; i < size; i++)
		if (text[i] < ' ' || text[i] > '~')
			abort();
}

static void check_facts(const struct pic_ebpf_facts *facts)
{
	if (facts->program_count == 0 || facts->program_count > PIC_EBPF_PROGRAMS_MAX ||
	    facts->map_count > PIC_EBPF_MAPS_MAX || facts->grants & ~PIC_GRANT_MASK)
		abort();
	check_text(facts->license, sizeof(facts->license));
	check_text(facts->kfunc, sizeof(facts->kfunc));
	for (uint32_t i = 0; i < facts->program_count; i++) {
		check_text(facts->programs[i].name, sizeof(facts->programs[i].name));
		check_text(facts->programs[i].section, sizeof(facts->programs[i].section));
		check_text(facts->programs[i].target, sizeof(facts->programs[i].target));
	}
	for (uint32_t i = 0; i < facts->map_count; i++)
		check_text(facts->maps[i].name, sizeof(facts->maps[i].name));
}

static void add(void *data, const char *text, size_t size)
{
	if (size == 0 || memchr(text, '%', size) || memchr(text, '\n', size))
		abort();
	++*(uint32_t *)data;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const struct pic_ebpf_terms terms = { .lease_seconds = 1 };
	struct pic_ebpf_attach hooks[PIC_EBPF_PROGRAMS_MAX];
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ebpf_facts facts;
	struct pic_policy policy;
	uint32_t heads = 0, count;

	pic_ebpf_formats(data, size, add, &heads);
	if (pic_ebpf_facts_read(data, size, 2, &facts, &err) < 0) {
		if (!err.text[0])
			abort();
		return 0;
	}
	check_facts(&facts);
	if (facts.format_count != heads)
		abort();
	if (pic_ebpf_terms_resolve(&facts, &terms, hooks, &count, &err) == 0 &&
	    count > PIC_EBPF_PROGRAMS_MAX)
		abort();
	if (pic_policy_parse(&policy, "", 0, "f", &err) < 0)
		abort();
	(void)pic_ebpf_admit(&facts, &terms, &policy, PIC_GRANT_MASK, &err);
	return 0;
}
