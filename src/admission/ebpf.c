/* An object file's bytes to the facts that policy and people ask about. */
#include "admission/ebpf.h"

#include <elf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>

#include "admission/btf.h"
#include "admission/ebpf_attach.h"
#include "admission/ebpf_memory.h"
#include "admission/ebpf_tables.h"
#include "admission/elf.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/utf8.h"

struct reader {
	struct pic_elf elf;
	struct pic_btf btf; /* count 0: the object has none */
	unsigned cpus;
	struct pic_ebpf_facts *facts;
};

/* -- type information --------------------------------------------------------------------------- */

static int read_btf(struct reader *reader, struct pic_error *err)
{
	struct pic_elf_section section;
	int r;

	if (!pic_elf_find(&reader->elf, ".BTF", &section))
		return 0;
	if (section.type != SHT_PROGBITS)
		return pic_error_set(err, -EINVAL, "the object's section .BTF holds no bytes");
	r = pic_btf_read(section.data, section.size, &reader->btf, err);
	if (r < 0)
		return r;
	reader->facts->has_btf = true;
	if (!pic_elf_find(&reader->elf, ".BTF.ext", &section))
		return 0;
	if (section.type != SHT_PROGBITS)
		return pic_error_set(err, -EINVAL, "the object's section .BTF.ext holds no bytes");
	return pic_btf_ext_check(&reader->btf, section.data, section.size, &reader->facts->has_core,
				 err);
}

static int read_license(struct reader *reader, struct pic_error *err)
{
	struct pic_elf_section section;
	size_t size;

	if (!pic_elf_find(&reader->elf, "license", &section))
		return 0;
	size = section.data ? strnlen((const char *)section.data, section.size) : 0;
	if (size >= sizeof(reader->facts->license) || !section.data)
		return pic_error_set(err, -EINVAL,
				     "the object's license is not a text of at most %zu bytes",
				     sizeof(reader->facts->license) - 1);
	memcpy(reader->facts->license, section.data, size);
	for (size_t i = 0; i < size; i++)
		if (reader->facts->license[i] < ' ' || reader->facts->license[i] > '~')
			return pic_error_set(err, -EINVAL, "the object's license is no plain text");
	return 0;
}

/* -- programs ----------------------------------------------------------------------------------- */

/* Names go to people, logs and JSON: what a compiler would never write is refused here, once. */
static bool section_name_is_clean(const char *name)
{
	size_t size = strlen(name);

	if (size == 0 || size >= sizeof(((struct pic_ebpf_program *)NULL)->section))
		return false;
	for (size_t i = 0; i < size; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '"' || name[i] == '\\')
			return false;
	return true;
}

static int name_program(struct pic_ebpf_program *out, const char *section, const char *name,
			struct pic_error *err)
{
	const struct pic_ebpf_section *kind;
	const char *target;

	if (!pic_ebpf_symbol_is_clean(name, PIC_EBPF_PROGRAM_NAME_MAX))
		return pic_error_set(err, -EINVAL,
				     "the object has a program whose name is no C name of at most "
				     "%d letters",
				     PIC_EBPF_PROGRAM_NAME_MAX);
	if (!section_name_is_clean(section))
		return pic_error_set(err, -EINVAL,
				     "program %s lies in a section whose name is too long or no "
				     "plain text",
				     name);
	kind = pic_ebpf_section_find(section, &target);
	if (strlen(target) > PIC_EBPF_TARGET_MAX)
		return pic_error_set(err, -EINVAL, "program %s: its section's target is too long",
				     name);
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->section, sizeof(out->section), "%s", section);
	snprintf(out->target, sizeof(out->target), "%s", target);
	if (kind) {
		out->type = kind->type;
		out->attach_type = kind->attach_type;
		out->sleepable = kind->sleepable;
	}
	return 0;
}

static int add_program(struct reader *reader, const struct pic_elf_section *section,
		       const struct pic_elf_symbol *symbol, struct pic_error *err)
{
	struct pic_ebpf_facts *facts = reader->facts;
	struct pic_ebpf_program *out = &facts->programs[facts->program_count];
	int r;

	if (facts->program_count == PIC_EBPF_PROGRAMS_MAX)
		return pic_error_set(err, -EINVAL, "the object has more than %d programs",
				     PIC_EBPF_PROGRAMS_MAX);
	r = name_program(out, section->name, symbol->name, err);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < facts->program_count; i++)
		if (strcmp(facts->programs[i].name, out->name) == 0)
			return pic_error_set(err, -EINVAL, "the object has two programs %s",
					     out->name);
	if (symbol->binding == STB_LOCAL)
		return pic_error_set(err, -EINVAL,
				     "program %s is static: make it a global function", out->name);
	if (symbol->size == 0 || symbol->size % sizeof(struct bpf_insn) ||
	    symbol->value % sizeof(struct bpf_insn))
		return pic_error_set(err, -EINVAL, "program %s is not made of whole instructions",
				     out->name);
	out->instructions = (uint32_t)(symbol->size / sizeof(struct bpf_insn));
	if (out->instructions > PIC_EBPF_INSTRUCTIONS_MAX)
		return pic_error_set(err, -EINVAL, "program %s has %u instructions, more than %d",
				     out->name, out->instructions, PIC_EBPF_INSTRUCTIONS_MAX);
	facts->program_count++;
	return 0;
}

static int read_programs(struct reader *reader, struct pic_error *err)
{
	for (uint32_t i = 0; i < reader->elf.symbol_count; i++) {
		struct pic_elf_section section;
		struct pic_elf_symbol symbol;
		int r;

		pic_elf_symbol_at(&reader->elf, i, &symbol);
		if (symbol.type != STT_FUNC || symbol.section == SHN_UNDEF ||
		    symbol.section >= SHN_LORESERVE)
			continue;
		pic_elf_section_at(&reader->elf, symbol.section, &section);
		if (!pic_elf_is_code(&section) || strcmp(section.name, ".text") == 0)
			continue;
		r = add_program(reader, &section, &symbol, err);
		if (r < 0)
			return r;
	}
	if (reader->facts->program_count == 0)
		return pic_error_set(err, -EINVAL,
				     "the object holds no program: mark one with SEC(\"xdp\") or "
				     "another section");
	return 0;
}

/* -- calls -------------------------------------------------------------------------------------- */

static struct bpf_insn instruction_at(const struct pic_elf_section *section, uint64_t offset)
{
	struct bpf_insn instruction;

	memcpy(&instruction, section->data + offset, sizeof(instruction));
	return instruction;
}

static bool is_call(const struct bpf_insn *instruction)
{
	return instruction->code == (BPF_JMP | BPF_CALL);
}

static void add_kfunc(struct pic_ebpf_facts *facts, const char *name)
{
	if (facts->kfunc_count++ == 0)
		snprintf(facts->kfunc, sizeof(facts->kfunc), "%s",
			 pic_ebpf_symbol_is_clean(name, PIC_EBPF_PROGRAM_NAME_MAX) ? name : "?");
}

static int read_instructions(struct reader *reader, const struct pic_elf_section *section,
			     struct pic_error *err)
{
	if (section->size % sizeof(struct bpf_insn) ||
	    section->size / sizeof(struct bpf_insn) > PIC_EBPF_INSTRUCTIONS_MAX)
		return pic_error_set(err, -EINVAL,
				     "section %.60s is not made of at most %d instructions",
				     section_name_is_clean(section->name) ? section->name : "?",
				     PIC_EBPF_INSTRUCTIONS_MAX);
	for (uint64_t at = 0; at < section->size; at += sizeof(struct bpf_insn)) {
		struct bpf_insn instruction = instruction_at(section, at);

		if (!is_call(&instruction) || instruction.src_reg == BPF_PSEUDO_CALL)
			continue;
		if (instruction.src_reg == BPF_PSEUDO_KFUNC_CALL) {
			add_kfunc(reader->facts, "?"); /* by number: only a loader writes that */
			continue;
		}
		if (instruction.src_reg != 0 || instruction.imm <= 0 ||
		    instruction.imm >= PIC_EBPF_HELPERS_MAX)
			return pic_error_set(
				err, -EINVAL,
				"the object calls helper number %d, which no kernel has",
				instruction.imm);
		reader->facts->helpers[instruction.imm / 32] |= 1u << (instruction.imm % 32);
	}
	return 0;
}

/* Calls of functions that are defined elsewhere: the kernel's own (kfuncs). */
static void read_external_calls(struct reader *reader, const struct pic_elf_section *relocations)
{
	struct pic_elf_section section;

	pic_elf_section_at(&reader->elf, relocations->info, &section);
	if (!pic_elf_is_code(&section))
		return;
	for (uint32_t i = 0; i < pic_elf_relocation_count(relocations); i++) {
		struct pic_elf_relocation relocation;
		struct pic_elf_symbol symbol;
		struct bpf_insn instruction;

		pic_elf_relocation_at(relocations, i, &relocation);
		if (relocation.offset + sizeof(instruction) > section.size)
			continue;
		instruction = instruction_at(&section, relocation.offset);
		pic_elf_symbol_at(&reader->elf, relocation.symbol, &symbol);
		if (is_call(&instruction) && symbol.section == SHN_UNDEF)
			add_kfunc(reader->facts, symbol.name);
	}
}

static int read_calls(struct reader *reader, struct pic_error *err)
{
	for (uint32_t i = 1; i < reader->elf.section_count; i++) {
		struct pic_elf_section section;
		int r = 0;

		pic_elf_section_at(&reader->elf, i, &section);
		if (pic_elf_is_code(&section))
			r = read_instructions(reader, &section, err);
		else if (section.type == SHT_REL)
			read_external_calls(reader, &section);
		if (r < 0)
			return r;
	}
	return 0;
}

static void read_kernel_section(struct reader *reader, const struct pic_btf_type *section)
{
	for (uint32_t i = 0; i < section->vlen; i++) {
		struct pic_btf_variable variable;
		struct pic_btf_type type;

		pic_btf_variable_at(section, i, &variable);
		pic_btf_type_at(&reader->btf, variable.type, &type);
		if (type.kind == BTF_KIND_VAR)
			reader->facts->grants |= PIC_GRANT_KERNEL_READ;
		else if (reader->facts->kfunc_count == 0)
			add_kfunc(reader->facts, type.name);
	}
}

/* Variables of the kernel (extern ... __ksym) are kernel memory; functions there are kfuncs. libbpf takes the
 * section that holds the symbol, so an empty one of that name before it must hide nothing. */
static void read_kernel_symbols(struct reader *reader)
{
	for (uint32_t id = 1; id < reader->btf.count; id++) {
		struct pic_btf_type type;

		pic_btf_type_at(&reader->btf, id, &type);
		if (type.kind == BTF_KIND_DATASEC && strcmp(type.name, ".ksyms") == 0)
			read_kernel_section(reader, &type);
	}
}

/* -- maps --------------------------------------------------------------------------------------- */

static int add_map(struct reader *reader, const struct pic_ebpf_map *map, struct pic_error *err)
{
	struct pic_ebpf_facts *facts = reader->facts;

	if (facts->map_count == PIC_EBPF_MAPS_MAX)
		return pic_error_set(err, -EINVAL, "the object has more than %d maps",
				     PIC_EBPF_MAPS_MAX);
	facts->maps[facts->map_count++] = *map;
	facts->kernel_bytes = pic_ebpf_bytes_add(facts->kernel_bytes, map->kernel_bytes);
	return 0;
}

static int read_inner_map(const struct reader *reader, const struct pic_btf_map *map,
			  struct pic_ebpf_map *out, struct pic_error *err)
{
	struct pic_btf_map inner;
	struct pic_ebpf_map shape = { 0 };
	int r = pic_btf_map_inside(&reader->btf, map, &inner, err);

	if (r < 0)
		return r;
	out->inner = (struct pic_ebpf_map_shape){ inner.type,	    inner.key_size,
						  inner.value_size, inner.max_entries,
						  inner.flags,	    inner.extra };
	shape.type = inner.type;
	shape.key_size = inner.key_size;
	shape.value_size = inner.value_size;
	shape.max_entries = inner.max_entries;
	shape.flags = inner.flags;
	out->kernel_bytes =
		pic_ebpf_bytes_add(out->kernel_bytes, pic_ebpf_map_bytes(&shape, reader->cpus));
	return 0;
}

static int read_defined_maps(struct reader *reader, uint32_t id, struct pic_error *err)
{
	struct pic_btf_type section;

	pic_btf_type_at(&reader->btf, id, &section);
	for (uint32_t i = 0; i < section.vlen; i++) {
		struct pic_btf_variable variable;
		struct pic_ebpf_map out = { 0 };
		struct pic_btf_map map;
		int r;

		pic_btf_variable_at(&section, i, &variable);
		r = pic_btf_map_read(&reader->btf, variable.type, &map, err);
		if (r < 0)
			return r;
		if (!pic_ebpf_symbol_is_clean(map.name, PIC_EBPF_PROGRAM_NAME_MAX))
			return pic_error_set(err, -EINVAL,
					     "the object has a map whose name is no C name of at "
					     "most %d letters",
					     PIC_EBPF_PROGRAM_NAME_MAX);
		snprintf(out.name, sizeof(out.name), "%s", map.name);
		out.type = map.type;
		out.key_size = map.key_size;
		out.value_size = map.value_size;
		out.max_entries = map.max_entries;
		out.flags = map.flags;
		out.extra = map.extra;
		out.pinned = map.pinned;
		out.kernel_bytes = pic_ebpf_map_bytes(&out, reader->cpus);
		if (map.inside)
			r = read_inner_map(reader, &map, &out, err);
		if (r == 0)
			r = add_map(reader, &out, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_head(const char *name, const char *head)
{
	size_t size = strlen(head);

	return strncmp(name, head, size) == 0 && (name[size] == '\0' || name[size] == '.');
}

/* libbpf makes a map of one value out of each section of global variables. */
static bool is_data(const struct pic_elf_section *section)
{
	if (section->type == SHT_NOBITS)
		return has_head(section->name, ".bss");
	return section->type == SHT_PROGBITS && !pic_elf_is_code(section) &&
	       (has_head(section->name, ".data") || has_head(section->name, ".rodata"));
}

static int read_data_maps(struct reader *reader, struct pic_error *err)
{
	for (uint32_t i = 1; i < reader->elf.section_count; i++) {
		struct pic_ebpf_map map = { .type = BPF_MAP_TYPE_ARRAY,
					    .key_size = 4,
					    .max_entries = 1 };
		struct pic_elf_section section;
		int r;

		pic_elf_section_at(&reader->elf, i, &section);
		if (!is_data(&section) || section.size == 0)
			continue;
		if (!pic_ebpf_symbol_is_clean(section.name, PIC_EBPF_PROGRAM_NAME_MAX))
			return pic_error_set(
				err, -EINVAL,
				"a section of variables has a name that is too long or "
				"no plain text");
		snprintf(map.name, sizeof(map.name), "%s", section.name);
		map.value_size = (uint32_t)section.size;
		map.flags = has_head(section.name, ".rodata") ? BPF_F_RDONLY_PROG : 0;
		map.kernel_bytes = pic_ebpf_data_bytes(section.size);
		r = add_map(reader, &map, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_maps(struct reader *reader, struct pic_error *err)
{
	struct pic_elf_section section;
	uint32_t id = reader->btf.count ? pic_btf_section(&reader->btf, ".maps") : 0;
	int r = 0;

	if (pic_elf_find(&reader->elf, "maps", &section))
		return pic_error_set(err, -EINVAL,
				     "the object defines its maps in the old section \"maps\", "
				     "which libbpf reads no more: write them for SEC(\".maps\")");
	if (pic_elf_find(&reader->elf, ".maps", &section) && id == 0)
		return pic_error_set(err, -EINVAL,
				     "the object has maps but no type information about them: "
				     "compile it with clang -target bpf -g -O2 -c");
	if (id)
		r = read_defined_maps(reader, id, err);
	return r < 0 ? r : read_data_maps(reader, err);
}

/* -- all of it ---------------------------------------------------------------------------------- */

static void add_grants(struct pic_ebpf_facts *facts)
{
	for (uint32_t i = 0; i < facts->program_count; i++)
		facts->grants |= pic_ebpf_program_type_grants(facts->programs[i].type);
	for (uint32_t id = 0; id < PIC_EBPF_HELPERS_MAX; id++)
		if (facts->helpers[id / 32] & 1u << (id % 32))
			facts->grants |= pic_ebpf_helper_grants(id);
}

static int read_all(struct reader *reader, struct pic_error *err)
{
	int r = read_btf(reader, err);

	if (r == 0)
		r = read_license(reader, err);
	if (r == 0)
		r = read_programs(reader, err);
	if (r == 0)
		r = read_calls(reader, err);
	if (r < 0)
		return r;
	read_kernel_symbols(reader);
	r = read_maps(reader, err);
	if (r < 0)
		return r;
	add_grants(reader->facts);
	return 0;
}

static void count_format(void *data, const char *text, size_t size)
{
	(void)text;
	(void)size;
	++*(uint32_t *)data;
}

int pic_ebpf_facts_read(const unsigned char *bytes, size_t size, unsigned cpus,
			struct pic_ebpf_facts *out, struct pic_error *err)
{
	struct pic_ebpf_facts facts;
	struct reader reader = { .cpus = cpus, .facts = &facts };
	int r;

	memset(&facts, 0, sizeof(facts));
	if (size > PIC_EBPF_OBJECT_MAX)
		return pic_error_set(err, -EINVAL, "the object file is larger than %d MiB",
				     PIC_EBPF_OBJECT_MAX >> 20);
	r = pic_elf_open(bytes, size, &reader.elf, err);
	if (r < 0)
		return r;
	r = read_all(&reader, err);
	pic_btf_free(&reader.btf);
	if (r < 0)
		return r;
	pic_ebpf_formats(bytes, size, count_format, &facts.format_count);
	*out = facts;
	return 0;
}
