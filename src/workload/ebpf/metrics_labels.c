/* The key of a map: which labels it gives, and how each is read. */
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "workload/ebpf/metrics_builder.h"

#define DEPTH_MAX 4
#define MEMBERS_MAX 256

bool pic_plan_keep(struct pic_ebpf_plan *plan, const char *text, uint32_t *offset)
{
	size_t size = strlen(text) + 1;

	for (uint32_t at = 0; at < plan->text_size; at += (uint32_t)strlen(plan->text + at) + 1)
		if (strcmp(plan->text + at, text) == 0) {
			*offset = at;
			return true;
		}
	if (size > sizeof(plan->text) - plan->text_size)
		return false;
	memcpy(plan->text + plan->text_size, text, size);
	*offset = plan->text_size;
	plan->text_size += (uint32_t)size;
	return true;
}

void pic_plan_clean_text(char *text)
{
	size_t size = strlen(text);

	for (size_t at = 0; at < size;) {
		uint32_t point;
		size_t step = pic_utf8_next(text + at, size - at, &point);

		if (step == 0 || pic_utf8_is_control(point)) {
			text[at] = '?';
			step = 1;
		}
		at += step;
	}
}

void pic_plan_clean_name(const char *name, char out[128])
{
	size_t size = 0;

	while (name[0] == '_' && name[1] == '_') /* reserved */
		name++;
	if (*name >= '0' && *name <= '9')
		out[size++] = '_';
	for (; *name && size < 127; name++) {
		bool good = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
			    (*name >= '0' && *name <= '9') || *name == '_';

		out[size++] = good ? *name : '_';
	}
	if (size == 0)
		out[size++] = '_';
	out[size] = '\0';
}

bool pic_plan_is_padding(const char *name)
{
	return name[0] == '\0' || strncmp(name, "__", 2) == 0 || strncmp(name, "pad", 3) == 0 ||
	       strncmp(name, "_pad", 4) == 0;
}

bool pic_plan_number(const struct pic_btf *btf, uint32_t id, uint32_t bit_offset, uint32_t bit_size,
		     struct pic_ebpf_plan_field *out)
{
	uint32_t encoding = 0, offset = 0, bits;
	struct pic_btf_type type;

	pic_btf_real_type(btf, id, &type);
	if (type.kind == BTF_KIND_INT)
		pic_btf_int(&type, &encoding, &offset, &bits);
	else if (type.kind == BTF_KIND_ENUM || type.kind == BTF_KIND_ENUM64)
		bits = type.size * 8;
	else
		return false;
	if (bits > 64 || bit_size > bits || offset != 0)
		return false;
	*out = (struct pic_ebpf_plan_field){
		.bit_offset = bit_offset,
		.bits = bit_size ? bit_size : bits,
		.decoder = encoding & BTF_INT_BOOL ? PIC_EBPF_BOOL : PIC_EBPF_DECIMAL,
		.is_signed =
			encoding & BTF_INT_SIGNED ||
			((type.kind == BTF_KIND_ENUM || type.kind == BTF_KIND_ENUM64) && type.flag),
	};
	return true;
}

/* -- one label ---------------------------------------------------------------------------------- */

struct key {
	struct pic_plan_builder *builder;
	uint32_t first; /* label of this key */
	unsigned depth;
};

/* The typedefs that say what lies in a number, on the way to the real type. */
static const char *typedef_of(const struct pic_btf *btf, uint32_t id)
{
	for (unsigned i = 0; i < PIC_BTF_DEPTH; i++) {
		struct pic_btf_type type;

		pic_btf_type_at(btf, id, &type);
		if (type.kind == BTF_KIND_TYPEDEF)
			return type.name;
		if (type.kind != BTF_KIND_CONST && type.kind != BTF_KIND_VOLATILE &&
		    type.kind != BTF_KIND_TYPE_TAG)
			break;
		id = type.type;
	}
	return "";
}

/* A typedef that is another spelling of a plain number. */
static bool is_plain_alias(const char *name)
{
	static const char *const names[] = {
		"__u8",	   "__u16",   "__u32",	 "__u64",    "__s8",	 "__s16",    "__s32",
		"__s64",   "u8",      "u16",	 "u32",	     "u64",	 "s8",	     "s16",
		"s32",	   "s64",     "uint8_t", "uint16_t", "uint32_t", "uint64_t", "int8_t",
		"int16_t", "int32_t", "int64_t", "__be16",   "__be32",	 "__be64",   "size_t",
	};

	for (size_t i = 0; i < PIC_COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return name[0] == '\0';
}

static uint32_t decoder_of_typedef(const char *name, uint32_t bits, uint32_t fallback)
{
	if (strcmp(name, "__be32") == 0 && bits == 32)
		return PIC_EBPF_IP;
	if (strcmp(name, "__be16") == 0 && bits == 16)
		return PIC_EBPF_BIG_ENDIAN;
	return fallback;
}

static bool decoder_of_word(const char *word, const struct pic_ebpf_plan_field *field,
			    uint32_t *decoder)
{
	static const struct {
		const char *word;
		uint32_t decoder;
		uint32_t bits; /* 0: any */
	} words[] = {
		{ "dec", PIC_EBPF_DECIMAL, 0 },	     { "hex", PIC_EBPF_HEX, 0 },
		{ "str", PIC_EBPF_TEXT, 0 },	     { "ipv4", PIC_EBPF_IP, 32 },
		{ "ipv6", PIC_EBPF_IP, 128 },	     { "ip", PIC_EBPF_IP, 32 },
		{ "ip", PIC_EBPF_IP, 128 },	     { "mac", PIC_EBPF_MAC, 48 },
		{ "be16", PIC_EBPF_BIG_ENDIAN, 16 }, { "be32", PIC_EBPF_BIG_ENDIAN, 32 },
		{ "be64", PIC_EBPF_BIG_ENDIAN, 64 }, { "ifname", PIC_EBPF_INTERFACE, 32 },
		{ "bool", PIC_EBPF_BOOL, 0 },
	};

	for (size_t i = 0; i < PIC_COUNT(words); i++) {
		if (strcmp(words[i].word, word) != 0 ||
		    (words[i].bits && words[i].bits != field->bits))
			continue;
		if (field->bits > 64 &&
		    (words[i].decoder == PIC_EBPF_DECIMAL || words[i].decoder == PIC_EBPF_BOOL))
			continue;
		*decoder = words[i].decoder;
		return true;
	}
	return false;
}

/* Names of an enum's values; an enum with more than there is room for shows numbers. */
static void add_words(struct pic_plan_builder *builder, uint32_t id,
		      struct pic_ebpf_plan_field *field)
{
	struct pic_ebpf_plan *plan = builder->plan;
	uint32_t first = plan->word_count;
	struct pic_btf_type type;

	pic_btf_real_type(&builder->btf, id, &type);
	if ((type.kind != BTF_KIND_ENUM && type.kind != BTF_KIND_ENUM64) ||
	    type.vlen > PIC_EBPF_PLAN_WORDS - first)
		return;
	for (uint32_t i = 0; i < type.vlen; i++) {
		struct pic_ebpf_plan_word *word = &plan->words[first + i];
		const char *name = pic_btf_enumerator_at(&builder->btf, &type, i, &word->value);
		char clean[PIC_EBPF_LABEL_VALUE_MAX + 1];

		snprintf(clean, sizeof(clean), "%s", name);
		pic_plan_clean_text(clean);
		if (!pic_plan_keep(plan, clean, &word->name))
			return;
	}
	plan->word_count += type.vlen;
	field->decoder = PIC_EBPF_WORD;
	field->words_first = first;
	field->words_count = type.vlen;
}

/* Bytes in a row: a text when they are chars, else hexadecimal digits. */
static bool bytes_field(const struct pic_btf *btf, uint32_t id, const char *name,
			uint32_t bit_offset, struct pic_ebpf_plan_field *out)
{
	struct pic_ebpf_plan_field each;
	struct pic_btf_type type;
	uint32_t element, count;
	bool is_char;

	pic_btf_real_type(btf, id, &type);
	if (type.kind != BTF_KIND_ARRAY)
		return false;
	pic_btf_array(&type, &element, &count);
	if (!pic_plan_number(btf, element, 0, 0, &each) || each.bits != 8 || count == 0 ||
	    count > PIC_EBPF_LABEL_VALUE_MAX * 4)
		return false;
	pic_btf_real_type(btf, element, &type);
	is_char = strcmp(type.name, "char") == 0 || strcmp(name, "comm") == 0 ||
		  strcmp(name, "name") == 0;
	*out = (struct pic_ebpf_plan_field){ .bit_offset = bit_offset,
					     .bits = count * 8,
					     .decoder = is_char ? PIC_EBPF_TEXT : PIC_EBPF_HEX };
	return true;
}

static bool is_reserved(const char *name)
{
	static const char *const names[] = { "le",	  "quantile", "instance",
					     "component", "job",      "device" };

	for (size_t i = 0; i < PIC_COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* A label's name that no other of this key has and that no scraper uses itself. */
static bool keep_label_name(const struct key *key, const char *wanted, uint32_t *offset)
{
	struct pic_ebpf_plan *plan = key->builder->plan;
	char clean[128], name[144];

	pic_plan_clean_name(wanted, clean);
	snprintf(name, sizeof(name), "%s%s", is_reserved(clean) ? "key_" : "", clean);
	for (unsigned n = 2;; n++) {
		bool taken = false;

		for (uint32_t i = key->first; i < plan->label_count; i++)
			taken = taken || strcmp(plan->text + plan->labels[i].name, name) == 0;
		if (!taken)
			return pic_plan_keep(plan, name, offset);
		snprintf(name, sizeof(name), "%.120s_%u", clean, n);
	}
}

static bool add_label(const struct key *key, const char *name, struct pic_ebpf_plan_field field)
{
	struct pic_ebpf_plan *plan = key->builder->plan;
	struct pic_ebpf_plan_label *label = &plan->labels[plan->label_count];

	if (plan->label_count == PIC_EBPF_PLAN_LABELS ||
	    plan->label_count - key->first == PIC_EBPF_LABELS_MAX)
		return false;
	if (!keep_label_name(key, name, &label->name))
		return false;
	label->field = field;
	plan->label_count++;
	return true;
}

/* The field of a scalar or of bytes, with its enum's words and the tag's decoder. */
static bool read_field(const struct key *key, uint32_t type, const char *name, uint32_t bit_offset,
		       uint32_t bit_size, const struct pic_tag *tag,
		       struct pic_ebpf_plan_field *out)
{
	const struct pic_btf *btf = &key->builder->btf;
	char word[PIC_TAG_VALUE_MAX];

	if (pic_plan_number(btf, type, bit_offset, bit_size, out)) {
		out->decoder = decoder_of_typedef(typedef_of(btf, type), out->bits, out->decoder);
		add_words(key->builder, type, out);
	} else if (!bytes_field(btf, type, name, bit_offset, out)) {
		return false;
	}
	if (pic_tag_get(tag, "dec", word) && !decoder_of_word(word, out, &out->decoder))
		key->builder->plan->skipped++;
	return true;
}

static bool add_members(struct key key, const struct pic_btf_type *type, const char *prefix,
			uint32_t base);

static bool add_member(const struct key *key, uint32_t struct_id, uint32_t index,
		       const struct pic_btf_member *member, const char *prefix, uint32_t base)
{
	struct pic_tag tag = pic_tag_find(&key->builder->tags, struct_id, (int32_t)index);
	const struct pic_btf *btf = &key->builder->btf;
	char word[PIC_TAG_VALUE_MAX], name[256];
	struct pic_ebpf_plan_field field;
	struct pic_btf_type type;

	if (tag.kind == PIC_TAG_IGNORE || (pic_plan_is_padding(member->name) && !tag.kind))
		return true;
	if (!pic_tag_get(&tag, "name", word))
		snprintf(word, sizeof(word), "%.120s", member->name);
	snprintf(name, sizeof(name), "%.120s%s%.120s", prefix, prefix[0] ? "_" : "", word);
	pic_btf_real_type(btf, member->type, &type);
	if (type.kind == BTF_KIND_STRUCT) {
		struct key inner = { key->builder, key->first, key->depth + 1 };

		return add_members(inner, &type, name, base + member->bit_offset);
	}
	if (!read_field(key, member->type, member->name, base + member->bit_offset,
			member->bit_size, &tag, &field)) {
		key->builder->plan->skipped++; /* unions, pointers, arrays of wider numbers */
		return true;
	}
	return add_label(key, name, field);
}

static bool add_members(struct key key, const struct pic_btf_type *type, const char *prefix,
			uint32_t base)
{
	if (key.depth >= DEPTH_MAX || type->vlen > MEMBERS_MAX)
		return false;
	for (uint32_t i = 0; i < type->vlen; i++) {
		struct pic_btf_member member;

		if (key.builder->budget == 0)
			return false;
		key.builder->budget--;
		pic_btf_member_at(&key.builder->btf, type, i, &member);
		if (!add_member(&key, type->id, i, &member, prefix, base))
			return false;
	}
	return true;
}

bool pic_plan_labels(struct pic_plan_builder *builder, uint32_t key_type, uint32_t *first,
		     uint32_t *count)
{
	const char *name = typedef_of(&builder->btf, key_type);
	struct key key = { builder, builder->plan->label_count, 0 };
	struct pic_tag none = { PIC_TAG_NONE, "" };
	struct pic_ebpf_plan_field field;
	struct pic_btf_type type;
	bool good;

	pic_btf_real_type(&builder->btf, key_type, &type);
	if (type.kind == BTF_KIND_STRUCT)
		good = add_members(key, &type, "", 0);
	else
		good = read_field(&key, key_type, "key", 0, 0, &none, &field) &&
		       add_label(&key, is_plain_alias(name) ? "key" : name, field);
	if (!good) {
		builder->plan->label_count = key.first;
		return false;
	}
	*first = key.first;
	*count = builder->plan->label_count - key.first;
	return true;
}
