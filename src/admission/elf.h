/*
 * A bounded view of an ELF64 relocatable object for BPF in this machine's byte order (System V gABI).
 *
 * pic_elf_open checks every header, section, name, symbol and relocation once; afterwards the questions
 * below cannot fail. Nothing is copied: views, names and sections are the caller's bytes, which must outlive
 * them. Errors are -EINVAL with the sentence that says what is damaged.
 */
#ifndef PIC_ADMISSION_ELF_H
#define PIC_ADMISSION_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PIC_ELF_SECTIONS_MAX 512
#define PIC_ELF_SYMBOLS_MAX 65536

struct pic_elf {
	const unsigned char *bytes;
	size_t size;
	size_t headers; /* where the section headers lie */
	uint32_t section_count;
	uint32_t names;	  /* section of the sections' names */
	uint32_t symbols; /* section of the symbols; 0: none */
	uint32_t symbol_count;
};

struct pic_elf_section {
	uint32_t index;
	const char *name;
	uint32_t type; /* SHT_... */
	uint64_t flags;
	const unsigned char *data; /* NULL when it has no bytes in the file (.bss) */
	uint64_t size;
	uint32_t link, info;
};

struct pic_elf_symbol {
	const char *name;
	unsigned type, binding; /* STT_..., STB_... */
	uint32_t section;	/* SHN_UNDEF: defined elsewhere */
	uint64_t value, size;
};

struct pic_elf_relocation {
	uint64_t offset;
	uint32_t symbol, type;
};

int pic_elf_open(const unsigned char *bytes, size_t size, struct pic_elf *out,
		 struct pic_error *err);
/* Sections count from 1; section 0 is none. */
void pic_elf_section_at(const struct pic_elf *elf, uint32_t index, struct pic_elf_section *out);
bool pic_elf_find(const struct pic_elf *elf, const char *name, struct pic_elf_section *out);
bool pic_elf_is_code(const struct pic_elf_section *section);
void pic_elf_symbol_at(const struct pic_elf *elf, uint32_t index, struct pic_elf_symbol *out);
/* Relocations of a section of type SHT_REL: size / 16 of them. */
uint32_t pic_elf_relocation_count(const struct pic_elf_section *section);
void pic_elf_relocation_at(const struct pic_elf_section *section, uint32_t index,
			   struct pic_elf_relocation *out);

#endif
