/*
 * What an eBPF object file is and wants, found by our own bounded reading of ELF and BTF before libbpf or
 * a person sees it; and whether policy allows it. Pure: bytes and facts in, facts and verdict out.
 * Sources: ELF specification (System V gABI), Documentation/bpf/btf.rst and bpf/libbpf/program_types.rst of
 * the Linux kernel.
 *
 * Every header, section, offset, string and type id is checked to lie inside of the file; depth and counts
 * are bounded; compressed sections, other machines and byte orders are refused. The facts name everything
 * an approver needs. They are what the hub shows and what the device checks again.
 */
#ifndef PIC_ADMISSION_EBPF_H
#define PIC_ADMISSION_EBPF_H

#include "admission/ebpf_terms.h"
#include "base/error.h"
#include "protocol/policy.h"

#define PIC_EBPF_OBJECT_MAX (4 * 1024 * 1024)
#define PIC_EBPF_PROGRAMS_MAX 32
#define PIC_EBPF_MAPS_MAX 32
#define PIC_EBPF_INSTRUCTIONS_MAX 65536 /* of one program */
#define PIC_EBPF_HELPERS_MAX 256	/* ids below this */

/* Types as the kernel numbers them (enum bpf_prog_type), so that an unknown one can be named too. */
struct pic_ebpf_program {
	char name[PIC_EBPF_PROGRAM_NAME_MAX + 1]; /* the function's */
	char section[96];
	uint32_t type;	      /* enum bpf_prog_type by its section; 0: unknown section */
	uint32_t attach_type; /* enum bpf_attach_type */
	char target[PIC_EBPF_TARGET_MAX + 1]; /* what the section says after the slash */
	uint32_t instructions;
	bool sleepable;
};

struct pic_ebpf_map_shape {
	uint32_t type, key_size, value_size, max_entries, flags, extra;
};

struct pic_ebpf_map {
	char name[PIC_EBPF_PROGRAM_NAME_MAX + 1];
	uint32_t type, key_size, value_size, max_entries, flags, extra;
	struct pic_ebpf_map_shape inner; /* of the maps in it; type 0: none */
	bool pinned;			 /* asks to be pinned by name */
	uint64_t kernel_bytes;		 /* estimate */
};

struct pic_ebpf_facts {
	char license[32];
	struct pic_ebpf_program programs[PIC_EBPF_PROGRAMS_MAX];
	uint32_t program_count;
	struct pic_ebpf_map maps[PIC_EBPF_MAPS_MAX];
	uint32_t map_count;
	uint32_t helpers[PIC_EBPF_HELPERS_MAX / 32]; /* bit set of helper ids called anywhere */
	uint32_t kfunc_count;
	char kfunc[PIC_EBPF_PROGRAM_NAME_MAX + 1]; /* the first one's name */
	uint32_t grants;			   /* bits of enum pic_grant it needs */
	uint64_t kernel_bytes;			   /* of all maps */
	bool has_btf;
	bool has_core;	       /* CO-RE relocations */
	uint32_t format_count; /* literal heads of its bpf_printk formats; see pic_ebpf_formats */
};

/* -EINVAL with the sentence. `cpus` is for per-CPU maps. */
int pic_ebpf_facts_read(const unsigned char *bytes, size_t size, unsigned cpus,
			struct pic_ebpf_facts *out, struct pic_error *err);
/* Whether these facts with these terms may be loaded under this policy with these grants (of the ticket, or
 * of root at the keyboard). -EPERM with the sentence that names program, helper or map and the rule. */
int pic_ebpf_admit(const struct pic_ebpf_facts *facts, const struct pic_ebpf_terms *terms,
		   const struct pic_policy *policy, uint32_t grants, struct pic_error *err);
/* Whether policy lets a program sit on an interface of that name; for "" the device resolves the default
 * route's first and asks again. -EPERM with the sentence. */
int pic_ebpf_admit_interface(const struct pic_policy *policy, const char *interface,
			     struct pic_error *err);
/* What hooks in where, one entry for each hook: every entry has a program's name, a hook that is not
 * PIC_EBPF_SECTION and a mode; the target of a network hook may be "" (the default route's interface). At
 * most PIC_EBPF_PROGRAMS_MAX. Programs that no entry names need not be loaded. -EINVAL with the sentence. */
int pic_ebpf_terms_resolve(const struct pic_ebpf_facts *facts, const struct pic_ebpf_terms *terms,
			   struct pic_ebpf_attach out[PIC_EBPF_PROGRAMS_MAX], uint32_t *count,
			   struct pic_error *err);
/* Whether the terms name programs and hooks that the object has: -EINVAL with the sentence. */
int pic_ebpf_terms_fit(const struct pic_ebpf_facts *facts, const struct pic_ebpf_terms *terms,
		       struct pic_error *err);
const char *pic_ebpf_program_type_text(uint32_t type); /* "xdp", or "type 77" words */
const char *pic_ebpf_map_type_text(uint32_t type);
const char *pic_ebpf_helper_text(uint32_t id); /* "trace_printk"; NULL: unknown */

/* The literal heads of the object's format strings (up to the first %), for the trace filter. Calls `fn`
 * for each, at most 64; text is lent. */
typedef void pic_ebpf_format_fn(void *data, const char *text, size_t size);
void pic_ebpf_formats(const unsigned char *bytes, size_t size, pic_ebpf_format_fn *fn, void *data);

#endif
