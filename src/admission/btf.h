/*
 * A bounded view of BPF type information (Documentation/bpf/btf.rst of the Linux kernel), as clang writes it
 * into .BTF, in this machine's byte order.
 *
 * pic_btf_read walks everything once: header lengths, every name, every type id, every trailer, and chains
 * of typedefs and modifiers (at most PIC_BTF_DEPTH). Afterwards the questions below cannot fail on any id
 * below `count`. The view keeps an index of its own (pic_btf_free) and lends names out of the caller's bytes.
 * Errors are -EINVAL with the sentence, -ENOMEM.
 */
#ifndef PIC_ADMISSION_BTF_H
#define PIC_ADMISSION_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define PIC_BTF_DEPTH 32

struct pic_btf {
	const unsigned char *types;
	uint32_t type_size;
	const char *strings;
	uint32_t string_size;
	uint32_t *offsets; /* of each type in `types`; that of id 0, void, is unused */
	uint32_t count;	   /* ids are below this */
};

struct pic_btf_type {
	uint32_t id;
	uint32_t kind; /* BTF_KIND_...; 0: void */
	const char *name;
	bool flag;     /* kind_flag */
	uint32_t vlen; /* entries behind it */
	uint32_t size; /* bytes, of kinds that have a size */
	uint32_t type; /* the type it refers to, of kinds that do */
	const unsigned char *trailer;
};

struct pic_btf_member {
	const char *name;
	uint32_t type;
	uint32_t bit_offset;
	uint32_t bit_size; /* 0: no bit field */
};

struct pic_btf_variable { /* one entry of a DATASEC */
	uint32_t type;	  /* a VAR or FUNC */
	uint32_t offset, size;
};

int pic_btf_read(const unsigned char *bytes, size_t size, struct pic_btf *out,
		 struct pic_error *err);
void pic_btf_free(struct pic_btf *btf);
#define PIC_BTF PIC_CLEANUP(pic_btf_free)

void pic_btf_type_at(const struct pic_btf *btf, uint32_t id, struct pic_btf_type *out);
/* The type behind typedefs and modifiers. */
void pic_btf_real_type(const struct pic_btf *btf, uint32_t id, struct pic_btf_type *out);
/* STRUCT, UNION */
void pic_btf_member_at(const struct pic_btf *btf, const struct pic_btf_type *type, uint32_t index,
		       struct pic_btf_member *out);
/* ENUM, ENUM64: name and value (sign-extended when the enum is signed). */
const char *pic_btf_enumerator_at(const struct pic_btf *btf, const struct pic_btf_type *type,
				  uint32_t index, uint64_t *value);
/* DATASEC */
void pic_btf_variable_at(const struct pic_btf_type *type, uint32_t index,
			 struct pic_btf_variable *out);
/* ARRAY */
void pic_btf_array(const struct pic_btf_type *type, uint32_t *element, uint32_t *count);
/* INT: encoding bits BTF_INT_..., offset in bits, number of bits. */
void pic_btf_int(const struct pic_btf_type *type, uint32_t *encoding, uint32_t *offset,
		 uint32_t *bits);
/* DECL_TAG: member or parameter it belongs to; -1: the thing itself. */
int32_t pic_btf_tag_component(const struct pic_btf_type *type);
/* Bytes of a value of that type; false when it has no size or more than 1 GiB. */
bool pic_btf_size(const struct pic_btf *btf, uint32_t id, uint32_t *out);
/* The DATASEC of that name; 0: none. */
uint32_t pic_btf_section(const struct pic_btf *btf, const char *name);

/* A map in the way of `struct { __uint(type, ...); __type(key, ...); ... } name SEC(".maps")`. */
struct pic_btf_map {
	const char *name;
	uint32_t variable; /* the VAR's id */
	uint32_t type, key_size, value_size, max_entries, flags, extra;
	uint32_t key_type, value_type; /* 0: only a size was said */
	uint32_t inside;	       /* struct that defines the maps in it; 0: none */
	bool pinned;
};
/* `id` is an entry of the DATASEC .maps. -EINVAL with the sentence that names the map. */
int pic_btf_map_read(const struct pic_btf *btf, uint32_t id, struct pic_btf_map *out,
		     struct pic_error *err);
/* The map that `map->inside` defines, which holds no maps itself; out->name is the outer one's. */
int pic_btf_map_inside(const struct pic_btf *btf, const struct pic_btf_map *map,
		       struct pic_btf_map *out, struct pic_error *err);

/* Walks .BTF.ext: record sizes, names, type ids. *has_core: it holds CO-RE relocations. */
int pic_btf_ext_check(const struct pic_btf *btf, const unsigned char *bytes, size_t size,
		      bool *has_core, struct pic_error *err);

#endif
