/* Maps as the macros of bpf_helpers.h describe them in BTF. */
#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "admission/btf.h"

/* __uint(name, N): a pointer to an array of N; __ulong(name, N): an enum with the one value N. */
static bool number(const struct pic_btf *btf, uint32_t id, uint32_t *out)
{
	struct pic_btf_type type;
	uint32_t element;
	uint64_t value;

	pic_btf_real_type(btf, id, &type);
	if ((type.kind == BTF_KIND_ENUM || type.kind == BTF_KIND_ENUM64) && type.vlen == 1) {
		pic_btf_enumerator_at(btf, &type, 0, &value);
		*out = (uint32_t)value;
		return value <= UINT32_MAX;
	}
	if (type.kind != BTF_KIND_PTR)
		return false;
	pic_btf_real_type(btf, type.type, &type);
	if (type.kind != BTF_KIND_ARRAY)
		return false;
	pic_btf_array(&type, &element, out);
	return true;
}

/* __type(name, T): a pointer to T. */
static bool pointed(const struct pic_btf *btf, uint32_t id, uint32_t *type_id, uint32_t *size)
{
	struct pic_btf_type type;
	uint32_t bytes;

	pic_btf_real_type(btf, id, &type);
	if (type.kind != BTF_KIND_PTR || !pic_btf_size(btf, type.type, &bytes))
		return false;
	if (*size && *size != bytes)
		return false;
	*type_id = type.type;
	*size = bytes;
	return true;
}

static bool take_size(const struct pic_btf *btf, uint32_t id, uint32_t *size)
{
	uint32_t bytes;

	if (!number(btf, id, &bytes) || (*size && *size != bytes))
		return false;
	*size = bytes;
	return true;
}

/* __array(values, T): an array of no pointers to T; maps as they are defined here, or programs. */
static bool take_values(const struct pic_btf *btf, uint32_t id, struct pic_btf_map *map)
{
	struct pic_btf_type type;
	uint32_t element, count;

	pic_btf_real_type(btf, id, &type);
	if (type.kind != BTF_KIND_ARRAY)
		return false;
	pic_btf_array(&type, &element, &count);
	pic_btf_real_type(btf, element, &type);
	if (count != 0 || type.kind != BTF_KIND_PTR)
		return false;
	element = type.type;
	pic_btf_real_type(btf, element, &type);
	map->inside = type.kind == BTF_KIND_STRUCT ? element : 0;
	if (map->value_size && map->value_size != 4)
		return false;
	map->value_size = 4; /* the number of a descriptor */
	return type.kind == BTF_KIND_STRUCT || type.kind == BTF_KIND_FUNC_PROTO;
}

static bool take_member(const struct pic_btf *btf, const struct pic_btf_member *member,
			struct pic_btf_map *map)
{
	static const char *const numbers[] = { "type", "max_entries", "map_flags", "map_extra" };
	uint32_t *const places[] = { &map->type, &map->max_entries, &map->flags, &map->extra };
	uint32_t ignored;

	for (size_t i = 0; i < PIC_COUNT(numbers); i++)
		if (strcmp(member->name, numbers[i]) == 0)
			return number(btf, member->type, places[i]);
	if (strcmp(member->name, "key") == 0)
		return pointed(btf, member->type, &map->key_type, &map->key_size);
	if (strcmp(member->name, "value") == 0)
		return pointed(btf, member->type, &map->value_type, &map->value_size);
	if (strcmp(member->name, "key_size") == 0)
		return take_size(btf, member->type, &map->key_size);
	if (strcmp(member->name, "value_size") == 0)
		return take_size(btf, member->type, &map->value_size);
	if (strcmp(member->name, "pinning") == 0) {
		if (!number(btf, member->type, &ignored))
			return false;
		map->pinned = ignored != 0;
		return true;
	}
	if (strcmp(member->name, "values") == 0)
		return take_values(btf, member->type, map);
	return strcmp(member->name, "numa_node") == 0 && number(btf, member->type, &ignored);
}

static int read_definition(const struct pic_btf *btf, uint32_t id, struct pic_btf_map *map,
			   struct pic_error *err)
{
	struct pic_btf_type type;

	pic_btf_real_type(btf, id, &type);
	if (type.kind != BTF_KIND_STRUCT)
		return pic_error_set(err, -EINVAL,
				     "map %.63s: its definition in .maps is not a struct",
				     map->name);
	for (uint32_t i = 0; i < type.vlen; i++) {
		struct pic_btf_member member;

		pic_btf_member_at(btf, &type, i, &member);
		if (!take_member(btf, &member, map))
			return pic_error_set(err, -EINVAL,
					     "map %.63s: its definition in .maps has a field "
					     "\"%.40s\" that cannot be understood",
					     map->name, member.name);
	}
	if (map->type == 0)
		return pic_error_set(err, -EINVAL, "map %.63s: its definition says no type",
				     map->name);
	return 0;
}

int pic_btf_map_read(const struct pic_btf *btf, uint32_t id, struct pic_btf_map *out,
		     struct pic_error *err)
{
	struct pic_btf_map map = { .variable = id };
	struct pic_btf_type type;
	int r;

	pic_btf_type_at(btf, id, &type);
	map.name = type.name;
	if (type.kind != BTF_KIND_VAR)
		return pic_error_set(err, -EINVAL, "%.63s in .maps is not a variable", map.name);
	r = read_definition(btf, type.type, &map, err);
	if (r == 0)
		*out = map;
	return r;
}

int pic_btf_map_inside(const struct pic_btf *btf, const struct pic_btf_map *map,
		       struct pic_btf_map *out, struct pic_error *err)
{
	struct pic_btf_map inner = { .variable = map->variable, .name = map->name };
	int r = read_definition(btf, map->inside, &inner, err);

	if (r < 0)
		return r;
	if (inner.inside || inner.pinned)
		return pic_error_set(err, -EINVAL,
				     "map %.63s: the maps in it are pinned or hold maps themselves",
				     map->name);
	*out = inner;
	return 0;
}
