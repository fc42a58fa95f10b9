#include "admission/elf.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#ifndef EM_BPF
#define EM_BPF 247
#endif

static int bad(struct pic_error *err, const char *what)
{
	return pic_error_set(err, -EINVAL, "the object file is damaged: %s", what);
}

static bool lies_inside(uint64_t offset, uint64_t size, uint64_t whole)
{
	return offset <= whole && size <= whole - offset;
}

static Elf64_Shdr header_at(const struct pic_elf *elf, uint32_t index)
{
	Elf64_Shdr header;

	memcpy(&header, elf->bytes + elf->headers + (size_t)index * sizeof(header), sizeof(header));
	return header;
}

/* The text at `offset` of a string table, or NULL when it starts or ends outside. */
static const char *text_at(const struct pic_elf *elf, uint32_t table, uint64_t offset)
{
	Elf64_Shdr header = header_at(elf, table);
	const char *text;

	if (offset >= header.sh_size)
		return NULL;
	text = (const char *)elf->bytes + header.sh_offset + offset;
	return memchr(text, '\0', header.sh_size - offset) ? text : NULL;
}

void pic_elf_section_at(const struct pic_elf *elf, uint32_t index, struct pic_elf_section *out)
{
	Elf64_Shdr header = header_at(elf, index);

	*out = (struct pic_elf_section){
		.index = index,
		.name = text_at(elf, elf->names, header.sh_name),
		.type = header.sh_type,
		.flags = header.sh_flags,
		.data = header.sh_type == SHT_NOBITS || header.sh_type == SHT_NULL
				? NULL
				: elf->bytes + header.sh_offset,
		.size = header.sh_size,
		.link = header.sh_link,
		.info = header.sh_info,
	};
}

bool pic_elf_find(const struct pic_elf *elf, const char *name, struct pic_elf_section *out)
{
	for (uint32_t i = 1; i < elf->section_count; i++) {
		struct pic_elf_section section;

		pic_elf_section_at(elf, i, &section);
		if (strcmp(section.name, name) == 0) {
			*out = section;
			return true;
		}
	}
	return false;
}

bool pic_elf_is_code(const struct pic_elf_section *section)
{
	return section->type == SHT_PROGBITS && section->flags & SHF_EXECINSTR;
}

void pic_elf_symbol_at(const struct pic_elf *elf, uint32_t index, struct pic_elf_symbol *out)
{
	Elf64_Shdr header = header_at(elf, elf->symbols);
	Elf64_Sym symbol;

	memcpy(&symbol, elf->bytes + header.sh_offset + (size_t)index * sizeof(symbol),
	       sizeof(symbol));
	*out = (struct pic_elf_symbol){
		.name = text_at(elf, header.sh_link, symbol.st_name),
		.type = ELF64_ST_TYPE(symbol.st_info),
		.binding = ELF64_ST_BIND(symbol.st_info),
		.section = symbol.st_shndx,
		.value = symbol.st_value,
		.size = symbol.st_size,
	};
}

uint32_t pic_elf_relocation_count(const struct pic_elf_section *section)
{
	return (uint32_t)(section->size / sizeof(Elf64_Rel));
}

void pic_elf_relocation_at(const struct pic_elf_section *section, uint32_t index,
			   struct pic_elf_relocation *out)
{
	Elf64_Rel relocation;

	memcpy(&relocation, section->data + (size_t)index * sizeof(relocation), sizeof(relocation));
	*out = (struct pic_elf_relocation){
		.offset = relocation.r_offset,
		.symbol = (uint32_t)ELF64_R_SYM(relocation.r_info),
		.type = (uint32_t)ELF64_R_TYPE(relocation.r_info),
	};
}

/* -- the checks of pic_elf_open ---------------------------------------------------------------- */

static int check_machine(const Elf64_Ehdr *header, struct pic_error *err)
{
	static const unsigned char order = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB
									   : ELFDATA2MSB;

	if (header->e_ident[EI_CLASS] != ELFCLASS64)
		return pic_error_set(err, -EINVAL,
				     "the file is ELF, but not of 64 bits as BPF objects are");
	if (header->e_ident[EI_DATA] != order)
		return pic_error_set(
			err, -EINVAL,
			"the object is for machines of the other byte order: compile it "
			"with -target %s",
			order == ELFDATA2LSB ? "bpfel" : "bpfeb");
	if (header->e_machine != EM_BPF)
		return pic_error_set(
			err, -EINVAL,
			"the file is for another machine (ELF number %u), not for BPF: "
			"compile it with clang -target bpf -g -O2 -c",
			header->e_machine);
	if (header->e_type != ET_REL || header->e_version != EV_CURRENT ||
	    header->e_ident[EI_VERSION] != EV_CURRENT)
		return pic_error_set(err, -EINVAL,
				     "the file is not an object file (compile with -c)");
	return 0;
}

static int read_header(struct pic_elf *elf, struct pic_error *err)
{
	Elf64_Ehdr header;
	int r;

	if (elf->size < SELFMAG || memcmp(elf->bytes, ELFMAG, SELFMAG) != 0)
		return pic_error_set(err, -EINVAL, "the file is not an ELF object");
	if (elf->size < sizeof(header))
		return bad(err, "it ends in its header");
	memcpy(&header, elf->bytes, sizeof(header));
	r = check_machine(&header, err);
	if (r < 0)
		return r;
	if (header.e_shnum < 2 || header.e_shnum > PIC_ELF_SECTIONS_MAX)
		return pic_error_set(err, -EINVAL, "the object has %u sections, not 2 to %d",
				     header.e_shnum, PIC_ELF_SECTIONS_MAX);
	if (header.e_ehsize != sizeof(header) || header.e_shentsize != sizeof(Elf64_Shdr) ||
	    !lies_inside(header.e_shoff, (uint64_t)header.e_shnum * sizeof(Elf64_Shdr), elf->size))
		return bad(err, "its table of sections lies outside of the file");
	elf->headers = header.e_shoff;
	elf->section_count = header.e_shnum;
	elf->names = header.e_shstrndx;
	if (elf->names == 0 || elf->names >= elf->section_count ||
	    header_at(elf, elf->names).sh_type != SHT_STRTAB)
		return bad(err, "it has no table of section names");
	return 0;
}

static int check_section(struct pic_elf *elf, uint32_t index, struct pic_error *err)
{
	Elf64_Shdr header = header_at(elf, index);

	if (header.sh_size > UINT32_MAX ||
	    (header.sh_type != SHT_NOBITS &&
	     !lies_inside(header.sh_offset, header.sh_size, elf->size)))
		return bad(err, "a section lies outside of the file");
	if (header.sh_flags & SHF_COMPRESSED)
		return pic_error_set(err, -EINVAL,
				     "the object has compressed sections: strip its "
				     "debug sections (llvm-strip -g)");
	if (header.sh_type == SHT_RELA)
		return bad(err, "it has relocations of a kind that BPF does not use");
	if (header.sh_type != SHT_SYMTAB)
		return 0;
	if (elf->symbols)
		return bad(err, "it has two tables of symbols");
	if (header.sh_entsize != sizeof(Elf64_Sym) || header.sh_size % sizeof(Elf64_Sym) ||
	    header.sh_size / sizeof(Elf64_Sym) > PIC_ELF_SYMBOLS_MAX || header.sh_link == 0 ||
	    header.sh_link >= elf->section_count ||
	    header_at(elf, header.sh_link).sh_type != SHT_STRTAB)
		return bad(err, "its table of symbols is not one");
	elf->symbols = index;
	elf->symbol_count = (uint32_t)(header.sh_size / sizeof(Elf64_Sym));
	return 0;
}

/* libbpf and we must look at the same bytes, so what is looked up by name may be there once only. */
static int check_names(const struct pic_elf *elf, struct pic_error *err)
{
	static const char *const single[] = { ".BTF",	 ".BTF.ext", ".maps", "maps",
					      "license", "version",  ".text", ".kconfig",
					      ".data",	 ".rodata",  ".bss",  ".struct_ops" };
	uint32_t seen = 0;

	for (uint32_t i = 0; i < elf->section_count; i++)
		if (!text_at(elf, elf->names, header_at(elf, i).sh_name))
			return bad(err, "a section's name lies outside of the file");
	for (uint32_t i = 1; i < elf->section_count; i++)
		for (size_t j = 0; j < PIC_COUNT(single); j++) {
			const char *name = text_at(elf, elf->names, header_at(elf, i).sh_name);

			if (strcmp(name, single[j]) != 0)
				continue;
			if (seen & (1u << j))
				return pic_error_set(err, -EINVAL, "the object has two sections %s",
						     name);
			seen |= 1u << j;
		}
	return 0;
}

static int check_symbols(const struct pic_elf *elf, struct pic_error *err)
{
	for (uint32_t i = 0; i < elf->symbol_count; i++) {
		struct pic_elf_symbol symbol;

		pic_elf_symbol_at(elf, i, &symbol);
		if (!symbol.name)
			return bad(err, "a symbol's name lies outside of the file");
		if (symbol.section == SHN_UNDEF || symbol.section >= SHN_LORESERVE)
			continue;
		if (symbol.section >= elf->section_count ||
		    !lies_inside(symbol.value, symbol.size, header_at(elf, symbol.section).sh_size))
			return bad(err, "a symbol lies outside of its section");
	}
	return 0;
}

static int check_relocations(const struct pic_elf *elf, uint32_t index, struct pic_error *err)
{
	Elf64_Shdr header = header_at(elf, index), target;
	struct pic_elf_section section;

	if (header.sh_type != SHT_REL)
		return 0;
	if (header.sh_entsize != sizeof(Elf64_Rel) || header.sh_size % sizeof(Elf64_Rel) ||
	    header.sh_link != elf->symbols || header.sh_info == 0 ||
	    header.sh_info >= elf->section_count)
		return bad(err, "a table of relocations is not one");
	target = header_at(elf, header.sh_info);
	pic_elf_section_at(elf, index, &section);
	for (uint32_t i = 0; i < pic_elf_relocation_count(&section); i++) {
		struct pic_elf_relocation relocation;

		pic_elf_relocation_at(&section, i, &relocation);
		if (relocation.symbol >= elf->symbol_count ||
		    !lies_inside(relocation.offset, 4, target.sh_size))
			return bad(err, "a relocation points outside of its section");
	}
	return 0;
}

int pic_elf_open(const unsigned char *bytes, size_t size, struct pic_elf *out,
		 struct pic_error *err)
{
	struct pic_elf elf = { .bytes = bytes, .size = size };
	int r = read_header(&elf, err);

	for (uint32_t i = 1; r == 0 && i < elf.section_count; i++)
		r = check_section(&elf, i, err);
	if (r == 0)
		r = check_names(&elf, err);
	if (r == 0)
		r = check_symbols(&elf, err);
	for (uint32_t i = 1; r == 0 && i < elf.section_count; i++)
		r = check_relocations(&elf, i, err);
	if (r == 0)
		*out = elf;
	return r;
}
