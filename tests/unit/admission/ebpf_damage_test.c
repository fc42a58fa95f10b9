/* Damaged objects: thousands of copies of each, cut, overwritten or with swapped words. Each gives facts that
 * hold or one sentence; none crashes, hangs or leaks (the asan build proves the last). And hand-made damage with
 * the sentence it must give. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admission/btf.h"
#include "admission/elf.h"
#include "admission/objects.h"

#define COPIES 2000

static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void ignore(void *data, const char *text, size_t size)
{
	(void)text;
	*(size_t *)data += size;
}

/* Facts that came out of damage are still within their bounds. */
static void check_facts(const struct pic_ebpf_facts *facts)
{
	uint64_t bytes = 0;

	assert_in_range(facts->program_count, 1, PIC_EBPF_PROGRAMS_MAX);
	assert_in_range(facts->map_count, 0, PIC_EBPF_MAPS_MAX);
	for (uint32_t i = 0; i < facts->program_count; i++) {
		assert_true(strlen(facts->programs[i].name) <= PIC_EBPF_PROGRAM_NAME_MAX);
		assert_true(strlen(facts->programs[i].name) > 0);
		assert_in_range(facts->programs[i].instructions, 1, PIC_EBPF_INSTRUCTIONS_MAX);
	}
	for (uint32_t i = 0; i < facts->map_count; i++)
		bytes = bytes + facts->maps[i].kernel_bytes < bytes
				? UINT64_MAX
				: bytes + facts->maps[i].kernel_bytes;
	assert_int_equal(bytes, facts->kernel_bytes);
}

static void damage(unsigned char *bytes, size_t size, uint32_t *seed)
{
	uint32_t changes = 1 + next(seed) % 4;

	for (uint32_t i = 0; i < changes; i++) {
		size_t at = next(seed) % size;

		switch (next(seed) % 4) {
		case 0:
			bytes[at] = (unsigned char)next(seed);
			break;
		case 1:
			bytes[at] ^= (unsigned char)(1u << next(seed) % 8);
			break;
		case 2:
			bytes[at] = 0xff;
			break;
		default:
			memset(bytes + at, (int)next(seed), size - at < 8 ? size - at : 8);
			break;
		}
	}
}

static void damaged_copies_do_no_harm(void **state)
{
	static const char *const objects[] = { "hello", "count", "many", "bad-kfunc", "bad-pin" };
	struct pic_ebpf_terms terms = object_terms("ebpf.attach", "xdp:eth0", NULL);
	uint32_t seed = 20261124, read = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		PIC_BUF struct pic_buf object = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX);

		object_read(objects[i], &object);
		for (int copy = 0; copy < COPIES; copy++) {
			size_t size = copy % 4 == 0 ? next(&seed) % object.size : object.size;
			/* exactly as large as the object, so that a step beyond is seen */
			PIC_FREE unsigned char *bytes = malloc(size ? size : 1);
			struct pic_error err = PIC_ERROR_INIT;
			struct pic_ebpf_facts facts;
			size_t heads = 0;

			assert_non_null(bytes);
			memcpy(bytes, object.data, size);
			if (size == object.size)
				damage(bytes, size, &seed);
			pic_ebpf_formats(bytes, size, ignore, &heads);
			if (pic_ebpf_facts_read(bytes, size, 2, &facts, &err) < 0) {
				assert_true(err.code < 0 && err.text[0]);
				refused++;
				continue;
			}
			check_facts(&facts);
			(void)pic_ebpf_terms_fit(&facts, &terms, &err);
			read++;
		}
	}
	printf("%u copies read, %u refused\n", read, refused);
	assert_true(read > 100 && refused > 2000);
}

/* -- hand-made damage --------------------------------------------------------------------------- */

static size_t header_of(const unsigned char *bytes, const char *name)
{
	Elf64_Ehdr header;
	Elf64_Shdr names;

	memcpy(&header, bytes, sizeof(header));
	memcpy(&names, bytes + header.e_shoff + header.e_shstrndx * sizeof(names), sizeof(names));
	for (unsigned i = 1; i < header.e_shnum; i++) {
		size_t at = header.e_shoff + i * sizeof(Elf64_Shdr);
		Elf64_Shdr section;

		memcpy(&section, bytes + at, sizeof(section));
		if (strcmp((const char *)bytes + names.sh_offset + section.sh_name, name) == 0)
			return at;
	}
	fail_msg("no section %s", name);
	return 0;
}

static size_t place_of(const unsigned char *bytes, const char *name)
{
	Elf64_Shdr section;

	memcpy(&section, bytes + header_of(bytes, name), sizeof(section));
	return section.sh_offset;
}

static void put(unsigned char *at, uint64_t value, size_t size)
{
	memcpy(at, &value,
	       size); /* little endian and big endian alike: values repeat their bytes */
}

static void each_damage_has_its_sentence(void **state)
{
#define SECTION(field) offsetof(Elf64_Shdr, field)
	static const struct {
		const char *section; /* NULL: the file's header */
		bool header;	     /* of the section, or its bytes */
		size_t at;
		uint64_t value;
		size_t size;
		const char *says;
	} cases[] = {
		{ NULL, true, 0, 0, 1, "not an ELF object" },
		{ NULL, true, EI_CLASS, ELFCLASS32, 1, "not of 64 bits" },
		{ NULL, true, EI_DATA, 7, 1, "other byte order" },
		{ NULL, true, offsetof(Elf64_Ehdr, e_machine), 0x3e3e, 2, "another machine" },
		{ NULL, true, offsetof(Elf64_Ehdr, e_type), 0x0202, 2, "not an object file" },
		{ NULL, true, offsetof(Elf64_Ehdr, e_shnum), 0, 2, "has 0 sections" },
		{ NULL, true, offsetof(Elf64_Ehdr, e_shnum), 0xffff, 2, "65535 sections" },
		{ NULL, true, offsetof(Elf64_Ehdr, e_shoff), UINT64_MAX, 8, "table of sections" },
		{ NULL, true, offsetof(Elf64_Ehdr, e_shstrndx), 0, 2, "section names" },
		{ NULL, true, offsetof(Elf64_Ehdr, e_shstrndx), 0xffff, 2, "section names" },
		{ "xdp", true, SECTION(sh_offset), UINT64_MAX, 8, "a section lies outside" },
		{ "xdp", true, SECTION(sh_size), UINT64_MAX, 8, "a section lies outside" },
		{ "xdp", true, SECTION(sh_name), UINT32_MAX, 4, "a section's name" },
		{ "xdp", true, SECTION(sh_flags), UINT64_MAX, 8, "compressed" },
		{ ".symtab", true, SECTION(sh_entsize), 0, 8, "table of symbols" },
		{ ".symtab", true, SECTION(sh_link), UINT32_MAX, 4, "table of symbols" },
		{ ".symtab", false, 24, UINT32_MAX, 4, "a symbol's name" },
		{ ".symtab", false, 24 + 8, UINT64_MAX, 8, "a symbol lies outside" },
		{ ".relxdp", true, SECTION(sh_info), UINT32_MAX, 4, "relocations is not one" },
		{ ".relxdp", false, 0, UINT64_MAX, 8, "a relocation points outside" },
		{ ".relxdp", false, 8, UINT64_MAX, 8, "a relocation points outside" },
		{ ".BTF", false, 0, 0, 2, "(.BTF) is damaged: its header" },
		{ ".BTF", false, 4, UINT32_MAX, 4, "(.BTF) is damaged: its header has a wrong" },
		{ ".BTF", false, 12, UINT32_MAX, 4, "types or names lie outside" },
		{ ".BTF", false, 20, 0, 4, "begin and end with a zero" },
		{ ".BTF", false, 24, UINT32_MAX, 4, "a name lies outside" },
		{ ".BTF", false, 28, UINT32_MAX, 4, "a kind of type, 31" },
		{ ".BTF", false, 32, UINT32_MAX, 4, "refers to one that is not there" },
		{ ".BTF.ext", false, 0, 0, 2, "(.BTF.ext) is damaged: its header" },
		{ ".BTF.ext", false, 12, UINT32_MAX, 4, "a part lies outside" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PIC_BUF struct pic_buf object = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX);
		struct pic_error err = PIC_ERROR_INIT;
		struct pic_ebpf_facts facts;
		unsigned char *bytes;
		size_t at = cases[i].at;

		object_read("hello", &object);
		bytes = (unsigned char *)object.data;
		if (cases[i].section)
			at += cases[i].header ? header_of(bytes, cases[i].section)
					      : place_of(bytes, cases[i].section);
		put(bytes + at, cases[i].value, cases[i].size);
		memset(&facts, 0x5a, sizeof(facts));
		assert_int_equal(pic_ebpf_facts_read(bytes, object.size, 2, &facts, &err), -EINVAL);
		if (!strstr(err.text, cases[i].says))
			fail_msg("case %zu: %s", i, err.text);
		assert_int_equal(facts.program_count, 0x5a5a5a5a);
	}
}

static void other_files_are_refused(void **state)
{
	PIC_BUF struct pic_buf object = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX);
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ebpf_facts facts;
	static unsigned char large[PIC_EBPF_OBJECT_MAX + 1];

	(void)state;
	object_read("hello", &object);
	for (size_t size = 0; size < object.size; size++)
		assert_int_equal(pic_ebpf_facts_read((unsigned char *)object.data, size, 2, &facts,
						     &err),
				 -EINVAL);
	assert_int_equal(pic_ebpf_facts_read(large, sizeof(large), 2, &facts, &err), -EINVAL);
	assert_non_null(strstr(err.text, "larger than 4 MiB"));
}

/* -- types that refer to each other ------------------------------------------------------------- */

/* A .BTF of `types` (three words each and what follows) and no names but the empty one. */
static int read_types(const uint32_t *words, size_t count, struct pic_error *err)
{
	PIC_BTF struct pic_btf btf = { 0 };
	unsigned char bytes[2048] = { 0 };
	uint32_t header[6] = { 0, 24, 0, (uint32_t)(4 * count), (uint32_t)(4 * count), 1 };
	uint16_t magic = 0xeb9f;

	memcpy(bytes, header, sizeof(header));
	memcpy(bytes, &magic, 2);
	bytes[2] = 1;
	memcpy(bytes + 24, words, 4 * count);
	*err = (struct pic_error)PIC_ERROR_INIT;
	return pic_btf_read(bytes, 24 + 4 * count + 1, &btf, err);
}

#define KIND(kind, vlen) ((uint32_t)(kind) << 24 | (vlen))
#define READ(...) \
	read_types((const uint32_t[]){ __VA_ARGS__ }, \
		   sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4, &err)

static void circles_of_types_are_refused(void **state)
{
	struct pic_error err;
	uint32_t chain[3 * 40];

	(void)state;
	/* typedef of itself; const of a typedef of it; an array of itself */
	assert_int_equal(READ(0, KIND(8, 0), 1), -EINVAL);
	assert_non_null(strstr(err.text, "circle"));
	assert_int_equal(READ(0, KIND(10, 0), 2, 0, KIND(8, 0), 1), -EINVAL);
	assert_int_equal(READ(0, KIND(3, 0), 0, 1, 1, 4), -EINVAL);
	/* a pointer to itself is legal C, and so is a struct that points to itself */
	assert_int_equal(READ(0, KIND(2, 0), 1), 0);
	assert_int_equal(READ(0, KIND(4, 1), 8, 0, 2, 0, 0, KIND(2, 0), 1), 0);
	/* a chain of typedefs may be long, not endless */
	for (uint32_t i = 0; i < 40; i++) {
		chain[3 * i] = 0;
		chain[3 * i + 1] = KIND(8, 0);
		chain[3 * i + 2] = i; /* each of the one before; the first of void */
	}
	assert_int_equal(read_types(chain, 3 * 20, &err), 0);
	assert_int_equal(read_types(chain, 3 * 40, &err), -EINVAL);
}

static void parts_of_types_must_be_there(void **state)
{
	struct pic_error err;

	(void)state;
	assert_int_equal(READ(0, KIND(1, 0), 4, 32), 0);
	assert_int_equal(READ(0, KIND(1, 0), 4), -EINVAL);	     /* no trailer */
	assert_int_equal(READ(0, KIND(1, 0), 3, 24), -EINVAL);	     /* a number of 3 bytes */
	assert_int_equal(READ(0, KIND(1, 0), 4, 33), -EINVAL);	     /* 33 bits of 32 */
	assert_int_equal(READ(0, KIND(4, 1), 4, 0, 9, 0), -EINVAL);  /* member of no type */
	assert_int_equal(READ(0, KIND(4, 1), 4, 9, 0, 0), -EINVAL);  /* member's name */
	assert_int_equal(READ(0, KIND(4, 2), 4, 0, 0, 0), -EINVAL);  /* one of two members */
	assert_int_equal(READ(0, KIND(15, 1), 4, 1, 0, 4), -EINVAL); /* section of a section */
	assert_int_equal(READ(0, KIND(17, 0), 0, 0), -EINVAL);	     /* a tag of nothing */
	assert_int_equal(READ(0, KIND(4, 0), 0, 0, KIND(17, 0), 1, 0), -EINVAL); /* no member 0 */
	assert_int_equal(READ(0, KIND(6, 1), 16, 0, 0), -EINVAL); /* an enum of 16 bytes */
	assert_int_equal(READ(0, KIND(20, 0), 0), -EINVAL);	  /* no such kind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_copies_do_no_harm),
		cmocka_unit_test(each_damage_has_its_sentence),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(circles_of_types_are_refused),
		cmocka_unit_test(parts_of_types_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
