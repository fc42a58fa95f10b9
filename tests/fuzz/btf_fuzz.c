/* Any bytes as BTF: once it is accepted, every question about every type can be asked. The input may hold a
 * .BTF.ext behind it: the first two bytes say where it begins. */
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>

#include "admission/btf.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static volatile size_t sink;

static void ask_parts(const struct pic_btf *btf, const struct pic_btf_type *type)
{
	uint32_t a = 0, b = 0, c;
	uint64_t value;

	for (uint32_t i = 0; i < type->vlen; i++) {
		struct pic_btf_variable variable;
		struct pic_btf_member member;
		struct pic_btf_map map;

		if (type->kind == BTF_KIND_STRUCT || type->kind == BTF_KIND_UNION) {
			pic_btf_member_at(btf, type, i, &member);
			sink += strlen(member.name) + pic_btf_size(btf, member.type, &a);
		} else if (type->kind == BTF_KIND_ENUM || type->kind == BTF_KIND_ENUM64) {
			sink += strlen(pic_btf_enumerator_at(btf, type, i, &value));
		} else if (type->kind == BTF_KIND_DATASEC) {
			pic_btf_variable_at(type, i, &variable);
			sink += pic_btf_map_read(btf, variable.type, &map, NULL) == 0;
		}
	}
	if (type->kind == BTF_KIND_ARRAY)
		pic_btf_array(type, &a, &b);
	if (type->kind == BTF_KIND_INT)
		pic_btf_int(type, &a, &b, &c);
	if (type->kind == BTF_KIND_DECL_TAG)
		sink += (size_t)pic_btf_tag_component(type);
	sink += a + b;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	PIC_BTF struct pic_btf btf = { 0 };
	struct pic_error err = PIC_ERROR_INIT;
	size_t split;
	bool core;

	if (size < 2)
		return 0;
	split = (size_t)(data[0] | data[1] << 8);
	data += 2;
	size -= 2;
	if (split > size)
		split = size;
	if (pic_btf_read(data, split, &btf, &err) < 0) {
		if (!err.text[0])
			abort();
		return 0;
	}
	for (uint32_t id = 0; id < btf.count; id++) {
		struct pic_btf_type type;
		uint32_t bytes;

		pic_btf_real_type(&btf, id, &type);
		if (type.kind == BTF_KIND_TYPEDEF || type.kind == BTF_KIND_CONST)
			abort();
		pic_btf_type_at(&btf, id, &type);
		sink += strlen(type.name) + pic_btf_size(&btf, id, &bytes);
		ask_parts(&btf, &type);
	}
	sink += pic_btf_section(&btf, ".maps");
	(void)pic_btf_ext_check(&btf, data + split, size - split, &core, &err);
	return 0;
}
