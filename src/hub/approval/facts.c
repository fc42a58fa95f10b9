#include "hub/approval/facts.h"

#include <stdio.h>
#include <string.h>

static bool is_loaded(const struct pic_ebpf_terms *terms, const struct pic_ebpf_program *program)
{
	return !terms->program[0] || strcmp(terms->program, program->name) == 0;
}

/* Where it would be attached: what the terms say of it, else what its own section says. */
static void hook_of(const struct pic_ebpf_terms *terms, const struct pic_ebpf_program *program,
		    struct pic_buf *out)
{
	char text[320];

	for (uint32_t i = 0; i < terms->attach_count; i++) {
		const struct pic_ebpf_attach *attach = &terms->attach[i];

		if (attach->program[0] && strcmp(attach->program, program->name) != 0)
			continue;
		pic_ebpf_attach_text(attach, text, sizeof(text));
		pic_buf_format(out, "%s%s", out->size ? ", " : "", text);
	}
	if (out->size == 0)
		pic_buf_text_add(out, program->section);
}

static struct pic_json *program_json(const struct pic_ebpf_terms *terms,
				     const struct pic_ebpf_program *program)
{
	struct pic_json *json = pic_json_new_object();
	PIC_BUF struct pic_buf hook = PIC_BUF_INIT(4096);

	hook_of(terms, program, &hook);
	pic_json_set_text(json, "name", program->name);
	pic_json_set_text(json, "type", pic_ebpf_program_type_text(program->type));
	pic_json_set_text(json, "hook", pic_buf_text(&hook));
	return json;
}

static struct pic_json *programs_json(const struct pic_ebpf_facts *facts,
				      const struct pic_ebpf_terms *terms)
{
	struct pic_json *list = pic_json_new_array();

	for (uint32_t i = 0; i < facts->program_count; i++)
		if (is_loaded(terms, &facts->programs[i]))
			pic_json_append(list, program_json(terms, &facts->programs[i]));
	return list;
}

static struct pic_json *helpers_json(const struct pic_ebpf_facts *facts)
{
	struct pic_json *list = pic_json_new_array();
	char number[32];

	for (uint32_t id = 0; id < PIC_EBPF_HELPERS_MAX; id++) {
		if (!(facts->helpers[id / 32] & (1u << id % 32)))
			continue;
		const char *name = pic_ebpf_helper_text(id);
		snprintf(number, sizeof(number), "helper %u", id);
		pic_json_append_text(list, name ? name : number);
	}
	return list;
}

static struct pic_json *maps_json(const struct pic_ebpf_facts *facts)
{
	struct pic_json *list = pic_json_new_array();
	char text[256];

	for (uint32_t i = 0; i < facts->map_count; i++) {
		const struct pic_ebpf_map *map = &facts->maps[i];

		snprintf(text, sizeof(text), "%s (%s, %u entries of %u bytes)", map->name,
			 pic_ebpf_map_type_text(map->type), map->max_entries, map->value_size);
		pic_json_append_text(list, text);
	}
	return list;
}

struct pic_json *pic_approval_facts_json(const struct pic_ebpf_facts *facts,
					 const struct pic_ebpf_terms *terms, size_t size)
{
	struct pic_json *json = pic_json_new_object();

	pic_json_set(json, "programs", programs_json(facts, terms));
	pic_json_set(json, "helpers", helpers_json(facts));
	pic_json_set(json, "maps", maps_json(facts));
	pic_json_set_text(json, "license", facts->license);
	pic_json_set_integer(json, "size", (long long)size);
	pic_json_set_integer(json, "kernelBytes", (long long)facts->kernel_bytes);
	pic_json_set_integer(json, "leaseSeconds", terms->lease_seconds);
	if (facts->kfunc_count)
		pic_json_set_integer(json, "kfuncs", facts->kfunc_count);
	if (terms->confirm_seconds)
		pic_json_set_integer(json, "confirmSeconds", terms->confirm_seconds);
	if (terms->trace_prefix[0])
		pic_json_set_text(json, "tracePrefix", terms->trace_prefix);
	return json;
}

struct pic_json *pic_approval_grants_json(uint32_t grants)
{
	struct pic_json *list = pic_json_new_array();

	for (uint32_t bit = 1; bit; bit <<= 1)
		if ((grants & bit) && pic_grant_text(bit))
			pic_json_append_text(list, pic_grant_text(bit));
	return list;
}
