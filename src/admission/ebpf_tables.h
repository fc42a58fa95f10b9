/*
 * What the kernel's numbers of eBPF mean: section names as libbpf 1.5 reads them, types, helpers. Constant
 * facts, no state.
 */
#ifndef PIC_ADMISSION_EBPF_TABLES_H
#define PIC_ADMISSION_EBPF_TABLES_H

#include <stdbool.h>
#include <stdint.h>

/* Program types and attach types that this machine's headers may not have yet. */
#define PIC_BPF_NETFILTER 32
#define PIC_BPF_TCX_INGRESS 46
#define PIC_BPF_TCX_EGRESS 47
#define PIC_BPF_CGRP_STORAGE 32
#define PIC_BPF_ARENA 33

#define PIC_EBPF_MAP_TYPES 34
#define PIC_EBPF_PROGRAM_TYPES 33

struct pic_ebpf_section {
	const char *name; /* "tp" */
	uint32_t type;	  /* enum bpf_prog_type */
	uint32_t attach_type;
	bool sleepable;
	bool has_target; /* more follows after a slash */
};

/* NULL for a name that libbpf does not know either. `target` is what follows the slash, or "". */
const struct pic_ebpf_section *pic_ebpf_section_find(const char *name, const char **target);
/* The number behind a name of pic_ebpf_program_type_text and its kin; -1: none. */
int pic_ebpf_program_type_number(const char *text);
int pic_ebpf_map_type_number(const char *text);
int pic_ebpf_helper_number(const char *text);
/* Grants (bits of enum pic_grant) that using the thing needs. */
uint32_t pic_ebpf_program_type_grants(uint32_t type);
uint32_t pic_ebpf_helper_grants(uint32_t id);
bool pic_ebpf_helper_is_gpl_only(uint32_t id);
bool pic_ebpf_license_is_gpl(const char *license);

#endif
