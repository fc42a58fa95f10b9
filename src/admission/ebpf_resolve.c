/* Terms and facts together: which program hooks in where. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "admission/ebpf.h"
#include "admission/ebpf_attach.h"
#include "admission/ebpf_tables.h"

static uint32_t type_of_hook(uint32_t hook)
{
	switch ((enum pic_ebpf_hook)hook) {
	case PIC_EBPF_XDP:
		return BPF_PROG_TYPE_XDP;
	case PIC_EBPF_TCX:
	case PIC_EBPF_CLSACT:
		return BPF_PROG_TYPE_SCHED_CLS;
	case PIC_EBPF_TRACEPOINT:
		return BPF_PROG_TYPE_TRACEPOINT;
	case PIC_EBPF_RAW_TRACEPOINT:
		return BPF_PROG_TYPE_RAW_TRACEPOINT;
	case PIC_EBPF_SECTION:
		break;
	}
	return BPF_PROG_TYPE_UNSPEC;
}

/* Some attach types change what the program is: they belong to other hooks than ours. */
static bool can_hook(const struct pic_ebpf_program *program)
{
	switch (program->type) {
	case BPF_PROG_TYPE_XDP:
		return program->attach_type == BPF_XDP;
	case BPF_PROG_TYPE_SCHED_CLS:
		return program->attach_type == 0 || program->attach_type == PIC_BPF_TCX_INGRESS ||
		       program->attach_type == PIC_BPF_TCX_EGRESS;
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
		return true;
	default:
		return false;
	}
}

static int no_program(const struct pic_ebpf_facts *facts, const char *name, struct pic_error *err)
{
	return pic_error_set(err, -EINVAL, "the object has no program %s; it has %s%s", name,
			     facts->programs[0].name,
			     facts->program_count > 1 ? " and others" : "");
}

static const struct pic_ebpf_program *find(const struct pic_ebpf_facts *facts, const char *name)
{
	for (uint32_t i = 0; i < facts->program_count; i++)
		if (strcmp(facts->programs[i].name, name) == 0)
			return &facts->programs[i];
	return NULL;
}

/* The program that a hook without a name means: the only one of its type. */
static int find_only(const struct pic_ebpf_facts *facts, const struct pic_ebpf_attach *attach,
		     const struct pic_ebpf_program **out, struct pic_error *err)
{
	uint32_t type = type_of_hook(attach->hook);
	const struct pic_ebpf_program *found = NULL;
	char text[PIC_EBPF_ATTACH_TEXT];

	pic_ebpf_attach_text(attach, text, sizeof(text));
	for (uint32_t i = 0; i < facts->program_count; i++) {
		if (type && facts->programs[i].type != type)
			continue;
		if (found)
			return pic_error_set(err, -EINVAL,
					     "hook %s fits several programs, %s and %s: write "
					     "PROGRAM=%s",
					     text, found->name, facts->programs[i].name, text);
		found = &facts->programs[i];
	}
	if (!found)
		return pic_error_set(err, -EINVAL, "hook %s: the object has no program of type %s",
				     text, pic_ebpf_program_type_text(type));
	*out = found;
	return 0;
}

static int choose(const struct pic_ebpf_facts *facts, const struct pic_ebpf_terms *terms,
		  const struct pic_ebpf_attach *attach, const struct pic_ebpf_program **out,
		  struct pic_error *err)
{
	const char *name = attach->program[0] ? attach->program : terms->program;

	if (attach->program[0] && terms->program[0] && strcmp(name, terms->program) != 0)
		return pic_error_set(err, -EINVAL,
				     "ebpf.attach names program %s, ebpf.name another one, %s",
				     name, terms->program);
	if (!name[0])
		return find_only(facts, attach, out, err);
	*out = find(facts, name);
	return *out ? 0 : no_program(facts, name, err);
}

/* The hook that the program's own section says. */
static int hook_of_section(const struct pic_ebpf_program *program, struct pic_ebpf_attach *out,
			   struct pic_error *err)
{
	switch (program->type) {
	case BPF_PROG_TYPE_XDP:
		out->hook = PIC_EBPF_XDP;
		break;
	case BPF_PROG_TYPE_SCHED_CLS:
		out->hook = PIC_EBPF_TCX;
		out->mode = program->attach_type == PIC_BPF_TCX_EGRESS ? PIC_EBPF_EGRESS
								       : PIC_EBPF_INGRESS;
		break;
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
		out->hook = program->type == BPF_PROG_TYPE_TRACEPOINT ? PIC_EBPF_TRACEPOINT
								      : PIC_EBPF_RAW_TRACEPOINT;
		snprintf(out->target, sizeof(out->target), "%s", program->target);
		break;
	default:
		break;
	}
	if (!pic_ebpf_attach_is_valid(out))
		return pic_error_set(err, -EINVAL,
				     "program %s: its section \"%s\" names no event; name it with "
				     "ebpf.attach",
				     program->name, program->section);
	return 0;
}

static int check_type(const struct pic_ebpf_program *program, const struct pic_ebpf_attach *attach,
		      struct pic_error *err)
{
	uint32_t type = type_of_hook(attach->hook);
	char text[PIC_EBPF_ATTACH_TEXT];

	if (program->type == BPF_PROG_TYPE_UNSPEC)
		return pic_error_set(err, -EINVAL,
				     "program %s: its section \"%s\" names no type of program",
				     program->name, program->section);
	if (!can_hook(program))
		return pic_error_set(
			err, -EINVAL,
			"program %s is of type %s (section \"%s\"), which this version "
			"cannot attach; it can attach xdp, tc, tracepoint, "
			"raw-tracepoint",
			program->name, pic_ebpf_program_type_text(program->type), program->section);
	pic_ebpf_attach_text(attach, text, sizeof(text));
	if (type && program->type != type)
		return pic_error_set(err, -EINVAL, "hook %s: program %s is of type %s", text,
				     program->name, pic_ebpf_program_type_text(program->type));
	return 0;
}

static int resolve(const struct pic_ebpf_program *program, const struct pic_ebpf_attach *attach,
		   struct pic_ebpf_attach *out, struct pic_error *err)
{
	int r = check_type(program, attach, err);

	if (r < 0)
		return r;
	*out = *attach;
	snprintf(out->program, sizeof(out->program), "%s", program->name);
	return attach->hook == PIC_EBPF_SECTION ? hook_of_section(program, out, err) : 0;
}

/* Every program, or the one that ebpf.name says, by its own section. */
static int resolve_sections(const struct pic_ebpf_facts *facts, const struct pic_ebpf_terms *terms,
			    struct pic_ebpf_attach *out, uint32_t *count, struct pic_error *err)
{
	static const struct pic_ebpf_attach by_section = { .hook = PIC_EBPF_SECTION };
	int r;

	for (uint32_t i = 0; i < facts->program_count; i++) {
		if (terms->program[0] && strcmp(terms->program, facts->programs[i].name) != 0)
			continue;
		r = resolve(&facts->programs[i], &by_section, &out[*count], err);
		if (r < 0)
			return r;
		++*count;
	}
	return *count > 0 ? 0 : no_program(facts, terms->program, err);
}

int pic_ebpf_terms_resolve(const struct pic_ebpf_facts *facts, const struct pic_ebpf_terms *terms,
			   struct pic_ebpf_attach out[PIC_EBPF_PROGRAMS_MAX], uint32_t *count,
			   struct pic_error *err)
{
	struct pic_ebpf_attach found[PIC_EBPF_PROGRAMS_MAX];
	uint32_t n = 0;
	int r = 0;

	memset(found, 0, sizeof(found));
	if (terms->attach_count == 0)
		r = resolve_sections(facts, terms, found, &n, err);
	for (; r == 0 && n < terms->attach_count && n < PIC_EBPF_ATTACH_MAX; n++) {
		const struct pic_ebpf_program *program;

		r = choose(facts, terms, &terms->attach[n], &program, err);
		if (r == 0)
			r = resolve(program, &terms->attach[n], &found[n], err);
	}
	if (r < 0)
		return r;
	memcpy(out, found, n * sizeof(found[0]));
	*count = n;
	return 0;
}

int pic_ebpf_terms_fit(const struct pic_ebpf_facts *facts, const struct pic_ebpf_terms *terms,
		       struct pic_error *err)
{
	struct pic_ebpf_attach found[PIC_EBPF_PROGRAMS_MAX];
	uint32_t count;

	return pic_ebpf_terms_resolve(facts, terms, found, &count, err);
}
