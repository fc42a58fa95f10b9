#include "admission/btf.h"

#include <errno.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_OF_TYPE (1u << 30)

static int bad(struct pic_error *err, const char *what)
{
	return pic_error_set(err, -EINVAL, "the object's type information (.BTF) is damaged: %s",
			     what);
}

static uint32_t u32_at(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static const char *name_at(const struct pic_btf *btf, uint32_t offset)
{
	return btf->strings + offset;
}

/* Whether the type refers to another one where others have a size. */
static bool has_reference(uint32_t kind)
{
	switch (kind) {
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FUNC_PROTO:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
	case BTF_KIND_TYPE_TAG:
		return true;
	default:
		return false;
	}
}

/* Kinds that a reader passes through on the way to what the type really is. */
static bool is_passed(uint32_t kind)
{
	return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_CONST ||
	       kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG;
}

void pic_btf_type_at(const struct pic_btf *btf, uint32_t id, struct pic_btf_type *out)
{
	static const unsigned char nothing[12];
	const unsigned char *at = id == 0 ? nothing : btf->types + btf->offsets[id];
	uint32_t info = u32_at(at + 4), last = u32_at(at + 8), kind = BTF_INFO_KIND(info);

	*out = (struct pic_btf_type){
		.id = id,
		.kind = kind,
		.name = name_at(btf, u32_at(at)),
		.flag = BTF_INFO_KFLAG(info),
		.vlen = BTF_INFO_VLEN(info),
		.size = has_reference(kind) ? 0 : last,
		.type = has_reference(kind) ? last : 0,
		.trailer = at + 12,
	};
}

void pic_btf_real_type(const struct pic_btf *btf, uint32_t id, struct pic_btf_type *out)
{
	pic_btf_type_at(btf, id, out);
	for (unsigned i = 0; i < PIC_BTF_DEPTH && is_passed(out->kind); i++)
		pic_btf_type_at(btf, out->type, out);
}

void pic_btf_member_at(const struct pic_btf *btf, const struct pic_btf_type *type, uint32_t index,
		       struct pic_btf_member *out)
{
	const unsigned char *at = type->trailer + (size_t)index * 12;
	uint32_t offset = u32_at(at + 8);

	*out = (struct pic_btf_member){
		.name = name_at(btf, u32_at(at)),
		.type = u32_at(at + 4),
		.bit_offset = type->flag ? BTF_MEMBER_BIT_OFFSET(offset) : offset,
		.bit_size = type->flag ? BTF_MEMBER_BITFIELD_SIZE(offset) : 0,
	};
}

const char *pic_btf_enumerator_at(const struct pic_btf *btf, const struct pic_btf_type *type,
				  uint32_t index, uint64_t *value)
{
	bool wide = type->kind == BTF_KIND_ENUM64;
	const unsigned char *at = type->trailer + (size_t)index * (wide ? 12 : 8);
	uint32_t low = u32_at(at + 4);

	if (wide)
		*value = low | (uint64_t)u32_at(at + 8) << 32;
	else
		*value = type->flag ? (uint64_t)(int64_t)(int32_t)low : low;
	return name_at(btf, u32_at(at));
}

void pic_btf_variable_at(const struct pic_btf_type *type, uint32_t index,
			 struct pic_btf_variable *out)
{
	const unsigned char *at = type->trailer + (size_t)index * 12;

	*out = (struct pic_btf_variable){ u32_at(at), u32_at(at + 4), u32_at(at + 8) };
}

void pic_btf_array(const struct pic_btf_type *type, uint32_t *element, uint32_t *count)
{
	*element = u32_at(type->trailer);
	*count = u32_at(type->trailer + 8);
}

void pic_btf_int(const struct pic_btf_type *type, uint32_t *encoding, uint32_t *offset,
		 uint32_t *bits)
{
	uint32_t word = u32_at(type->trailer);

	*encoding = BTF_INT_ENCODING(word);
	*offset = BTF_INT_OFFSET(word);
	*bits = BTF_INT_BITS(word);
}

int32_t pic_btf_tag_component(const struct pic_btf_type *type)
{
	return (int32_t)u32_at(type->trailer);
}

bool pic_btf_size(const struct pic_btf *btf, uint32_t id, uint32_t *out)
{
	uint64_t times = 1, size;

	for (unsigned depth = 0; depth < PIC_BTF_DEPTH; depth++) {
		struct pic_btf_type type;
		uint32_t count;

		pic_btf_real_type(btf, id, &type);
		switch (type.kind) {
		case BTF_KIND_ARRAY:
			pic_btf_array(&type, &id, &count);
			times *= count;
			if (times > SIZE_MAX_OF_TYPE)
				return false;
			continue;
		case BTF_KIND_PTR:
			size = 8;
			break;
		case BTF_KIND_INT:
		case BTF_KIND_FLOAT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			size = type.size;
			break;
		default:
			return false;
		}
		if (size * times > SIZE_MAX_OF_TYPE)
			return false;
		*out = (uint32_t)(size * times);
		return true;
	}
	return false;
}

uint32_t pic_btf_section(const struct pic_btf *btf, const char *name)
{
	for (uint32_t id = 1; id < btf->count; id++) {
		struct pic_btf_type type;

		pic_btf_type_at(btf, id, &type);
		if (type.kind == BTF_KIND_DATASEC && strcmp(type.name, name) == 0)
			return id;
	}
	return 0;
}

/* -- the walk ----------------------------------------------------------------------------------- */

/* Bytes behind the three words of a type; -1: no such kind. */
static int64_t trailer_size(uint32_t kind, uint32_t vlen)
{
	switch (kind) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return 12;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return 12 * (int64_t)vlen;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return 8 * (int64_t)vlen;
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

static int read_header(struct pic_btf *btf, const unsigned char *bytes, size_t size,
		       struct pic_error *err)
{
	struct btf_header header;
	size_t rest;

	if (size < sizeof(header))
		return bad(err, "it is too short");
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != BTF_MAGIC || header.version != BTF_VERSION || header.flags != 0)
		return bad(err, "its header is not one");
	if (header.hdr_len < sizeof(header) || header.hdr_len > size || header.hdr_len % 4)
		return bad(err, "its header has a wrong length");
	rest = size - header.hdr_len;
	if (header.type_off > rest || header.type_len > rest - header.type_off ||
	    header.str_off > rest || header.str_len > rest - header.str_off ||
	    header.type_off % 4 || header.type_len % 4)
		return bad(err, "types or names lie outside of it");
	bytes += header.hdr_len;
	btf->types = bytes + header.type_off;
	btf->type_size = header.type_len;
	btf->strings = (const char *)bytes + header.str_off;
	btf->string_size = header.str_len;
	if (btf->string_size == 0 || btf->strings[0] || btf->strings[btf->string_size - 1])
		return bad(err, "its names do not begin and end with a zero");
	return 0;
}

/* Where each type begins. One more pass of the same loop counts them. */
static int index_types(struct pic_btf *btf, uint32_t *offsets, uint32_t *count,
		       struct pic_error *err)
{
	uint32_t at = 0, id = 1;

	for (; at < btf->type_size; id++) {
		int64_t behind;
		uint32_t info;

		if (btf->type_size - at < 12)
			return bad(err, "a type is cut off");
		info = u32_at(btf->types + at + 4);
		behind = trailer_size(BTF_INFO_KIND(info), BTF_INFO_VLEN(info));
		if (behind < 0)
			return pic_error_set(err, -EINVAL,
					     "the object's type information (.BTF) has a kind of "
					     "type, %u, that is not known",
					     BTF_INFO_KIND(info));
		if (btf->type_size - at - 12 < behind)
			return bad(err, "a type is cut off");
		if (offsets)
			offsets[id] = at;
		at += 12 + (uint32_t)behind;
	}
	*count = id;
	return 0;
}

static bool name_is_inside(const struct pic_btf *btf, uint32_t offset)
{
	return offset < btf->string_size;
}

/* The two first words of every entry behind a struct, union or function are a name and a type. */
static bool entries_are_good(const struct pic_btf *btf, const unsigned char *at, uint32_t count,
			     size_t step, bool with_type)
{
	for (uint32_t i = 0; i < count; i++, at += step)
		if (!name_is_inside(btf, u32_at(at)) || (with_type && u32_at(at + 4) >= btf->count))
			return false;
	return true;
}

static bool section_is_good(const struct pic_btf *btf, const unsigned char *at, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++, at += 12) {
		uint32_t id = u32_at(at), kind;

		if (id == 0 || id >= btf->count)
			return false;
		kind = BTF_INFO_KIND(u32_at(btf->types + btf->offsets[id] + 4));
		if (kind != BTF_KIND_VAR && kind != BTF_KIND_FUNC)
			return false;
	}
	return true;
}

static bool tag_is_good(const struct pic_btf *btf, uint32_t target, int32_t component)
{
	uint32_t info;

	if (target == 0 || component < -1)
		return false;
	info = u32_at(btf->types + btf->offsets[target] + 4);
	if (BTF_INFO_KIND(info) == BTF_KIND_STRUCT || BTF_INFO_KIND(info) == BTF_KIND_UNION)
		return component < (int32_t)BTF_INFO_VLEN(info);
	return true; /* of a function's parameters: nobody here looks at them */
}

static bool number_is_good(uint32_t size, uint32_t word)
{
	return size > 0 && size <= 16 && (size & (size - 1)) == 0 &&
	       BTF_INT_OFFSET(word) + BTF_INT_BITS(word) <= size * 8 && BTF_INT_BITS(word) > 0;
}

static bool trailer_is_good(const struct pic_btf *btf, uint32_t kind, uint32_t vlen, uint32_t last,
			    const unsigned char *at)
{
	switch (kind) {
	case BTF_KIND_INT:
		return number_is_good(last, u32_at(at));
	case BTF_KIND_ARRAY:
		return u32_at(at) < btf->count && u32_at(at + 4) < btf->count;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return entries_are_good(btf, at, vlen, 12, true);
	case BTF_KIND_FUNC_PROTO:
		return entries_are_good(btf, at, vlen, 8, true);
	case BTF_KIND_ENUM:
		return last > 0 && last <= 8 && entries_are_good(btf, at, vlen, 8, false);
	case BTF_KIND_ENUM64:
		return last > 0 && last <= 8 && entries_are_good(btf, at, vlen, 12, false);
	case BTF_KIND_DATASEC:
		return section_is_good(btf, at, vlen);
	case BTF_KIND_DECL_TAG:
		return tag_is_good(btf, last, (int32_t)u32_at(at));
	default:
		return true;
	}
}

static bool chain_ends(const struct pic_btf *btf, uint32_t id)
{
	for (unsigned i = 0; i < PIC_BTF_DEPTH; i++) {
		const unsigned char *at = btf->types + btf->offsets[id];
		uint32_t kind;

		if (id == 0)
			return true;
		kind = BTF_INFO_KIND(u32_at(at + 4));
		if (kind == BTF_KIND_ARRAY)
			id = u32_at(at + 12);
		else if (is_passed(kind))
			id = u32_at(at + 8);
		else
			return true;
	}
	return false;
}

static int check_types(const struct pic_btf *btf, struct pic_error *err)
{
	for (uint32_t id = 1; id < btf->count; id++) {
		const unsigned char *at = btf->types + btf->offsets[id];
		uint32_t info = u32_at(at + 4), last = u32_at(at + 8), kind = BTF_INFO_KIND(info);

		if (!name_is_inside(btf, u32_at(at)))
			return bad(err, "a name lies outside of it");
		if (has_reference(kind) && last >= btf->count)
			return bad(err, "a type refers to one that is not there");
		if (!trailer_is_good(btf, kind, BTF_INFO_VLEN(info), last, at + 12))
			return bad(err, "a type's parts cannot be");
	}
	for (uint32_t id = 1; id < btf->count; id++)
		if (!chain_ends(btf, id))
			return bad(err, "types refer to each other in a circle");
	return 0;
}

int pic_btf_read(const unsigned char *bytes, size_t size, struct pic_btf *out,
		 struct pic_error *err)
{
	PIC_BTF struct pic_btf btf = { 0 };
	int r = read_header(&btf, bytes, size, err);

	if (r == 0)
		r = index_types(&btf, NULL, &btf.count, err);
	if (r < 0)
		return r;
	btf.offsets = calloc(btf.count, sizeof(btf.offsets[0]));
	if (!btf.offsets)
		return pic_error_set(err, -ENOMEM, "no memory for the object's types");
	r = index_types(&btf, btf.offsets, &btf.count, err);
	if (r == 0)
		r = check_types(&btf, err);
	if (r < 0)
		return r;
	*out = btf;
	btf.offsets = NULL;
	return 0;
}

void pic_btf_free(struct pic_btf *btf)
{
	free(btf->offsets);
	*btf = (struct pic_btf){ 0 };
}
