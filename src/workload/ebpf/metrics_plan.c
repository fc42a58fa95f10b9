/* An object's maps and globals to a plan of metrics. */
#include <elf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission/elf.h"
#include "base/text.h"
#include "workload/ebpf/metrics_builder.h"

#define DEPTH_MAX 4
#define MEMBERS_MAX 256
#define MAPS_LOOKED_AT 64
#define BUDGET 8192
#define KEY_MAX 4096

/* What a map or variable says about all metrics that it gives. */
struct source {
	struct pic_plan_builder *builder;
	uint32_t map; /* in the plan */
	uint32_t kind;
	struct pic_tag tag;
	uint32_t labels_first, labels_count;
	char name[128];
};

/* "a_bytes" + unit "bytes" stays; else the unit is put behind. */
static void add_suffix(char name[160], const char *suffix)
{
	char ending[128];
	size_t size = strlen(name);

	snprintf(ending, sizeof(ending), "_%.100s", suffix);
	if (suffix[0] && !pic_text_ends(name, ending))
		snprintf(name + size, 160 - size, "%s", ending);
}

static void cut_suffix(char *name, const char *suffix)
{
	if (pic_text_ends(name, suffix))
		name[strlen(name) - strlen(suffix)] = '\0';
}

/* Unit and _total where they belong; a name of our own programs is never taken. */
static void full_name(const char *base, const char *unit, uint32_t kind, char out[160])
{
	char clean[128], clean_unit[128];

	pic_plan_clean_name(base, clean);
	snprintf(out, 160, "%s%.120s", pic_text_starts(clean, "piccolo_") ? "ebpf_" : "", clean);
	if (kind == PIC_EBPF_COUNTER)
		cut_suffix(out, "_total");
	if (unit[0]) {
		pic_plan_clean_name(unit, clean_unit);
		clean_unit[32] = '\0';
		add_suffix(out, clean_unit);
	}
	if (kind == PIC_EBPF_COUNTER)
		add_suffix(out, "total");
}

static bool name_is_taken(const struct pic_ebpf_plan *plan, const char *name)
{
	for (uint32_t i = 0; i < plan->metric_count; i++)
		if (strcmp(plan->text + plan->metrics[i].name, name) == 0)
			return true;
	return false;
}

static double scale_of(const struct pic_tag *tag)
{
	char word[PIC_TAG_VALUE_MAX], *end;
	double scale;

	if (!pic_tag_get(tag, "scale", word))
		return 1;
	scale = strtod(word, &end);
	return *word && !*end && isfinite(scale) && scale > 0 ? scale : 1;
}

static uint32_t series_max(const struct pic_tag *tag)
{
	char word[PIC_TAG_VALUE_MAX];
	long long number;

	if (!pic_tag_get(tag, "max", word) ||
	    pic_integer_parse(word, 1, PIC_EBPF_SERIES_MAX, &number) < 0)
		return PIC_EBPF_SERIES_MAX;
	return (uint32_t)number;
}

static bool is_per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/* The tag's key cpu asks for a label of that name, which the key may have already. */
static bool wants_cpu(const struct source *source, uint32_t kind)
{
	const struct pic_ebpf_plan *plan = source->builder->plan;
	char word[PIC_TAG_VALUE_MAX];

	if (kind == PIC_EBPF_HISTOGRAM || !is_per_cpu(plan->maps[source->map].type) ||
	    !pic_tag_get(&source->tag, "cpu", word))
		return false;
	for (uint32_t i = 0; i < source->labels_count; i++)
		if (strcmp(plan->text + plan->labels[source->labels_first + i].name, "cpu") == 0)
			return false;
	return true;
}

/* `tag` is the member's when it has one; help falls back to the map's. */
static void add_metric(const struct source *source, const char *base, const struct pic_tag *tag,
		       struct pic_ebpf_plan_metric metric)
{
	struct pic_ebpf_plan *plan = source->builder->plan;
	char name[160], help[PIC_TAG_VALUE_MAX] = "", unit[PIC_TAG_VALUE_MAX] = "";

	if (!pic_tag_get(tag, "unit", unit))
		unit[0] = '\0';
	if (!pic_tag_get(tag, "help", help) && !pic_tag_get(&source->tag, "help", help))
		help[0] = '\0';
	pic_plan_clean_text(help);
	full_name(base, unit, metric.kind, name);
	metric.scale = scale_of(tag->kind != PIC_TAG_NONE ? tag : &source->tag);
	metric.series_max = series_max(&source->tag);
	metric.map = source->map;
	metric.labels_first = source->labels_first;
	metric.labels_count = source->labels_count;
	metric.by_cpu = wants_cpu(source, metric.kind);
	if (plan->metric_count == PIC_EBPF_PLAN_METRICS || name_is_taken(plan, name) ||
	    !pic_plan_keep(plan, name, &metric.name) || !pic_plan_keep(plan, help, &metric.help)) {
		plan->skipped++;
		return;
	}
	plan->metrics[plan->metric_count++] = metric;
}

/* -- values ------------------------------------------------------------------------------------- */

static uint32_t kind_of_tag(enum pic_tag_kind tag, uint32_t fallback)
{
	if (tag == PIC_TAG_COUNTER)
		return PIC_EBPF_COUNTER;
	return tag == PIC_TAG_GAUGE ? PIC_EBPF_GAUGE : fallback;
}

static bool is_slots(const struct pic_btf *btf, uint32_t id, uint32_t bit_offset,
		     struct pic_ebpf_plan_metric *out)
{
	struct pic_btf_type type;
	uint32_t element, count;

	pic_btf_real_type(btf, id, &type);
	if (type.kind != BTF_KIND_ARRAY)
		return false;
	pic_btf_array(&type, &element, &count);
	if (count < 2 || count > PIC_EBPF_SLOTS_MAX ||
	    !pic_plan_number(btf, element, bit_offset, 0, &out->value) ||
	    (out->value.bits != 32 && out->value.bits != 64))
		return false;
	out->value.is_signed = 0;
	out->slots = count;
	return true;
}

/* A struct with an array of slots and perhaps a sum, or such an array alone. */
static bool read_histogram(const struct pic_btf *btf, uint32_t id, struct pic_ebpf_plan_metric *out)
{
	struct pic_btf_type type;
	bool found = false;

	pic_btf_real_type(btf, id, &type);
	if (type.kind != BTF_KIND_STRUCT)
		return is_slots(btf, id, 0, out);
	for (uint32_t i = 0; i < type.vlen && i < MEMBERS_MAX; i++) {
		struct pic_btf_member member;

		pic_btf_member_at(btf, &type, i, &member);
		if (!found && is_slots(btf, member.type, member.bit_offset, out))
			found = true;
		else if (strcmp(member.name, "sum") == 0)
			out->has_sum = pic_plan_number(btf, member.type, member.bit_offset,
						       member.bit_size, &out->sum);
	}
	return found;
}

static void add_histogram(const struct source *source, uint32_t value_type)
{
	struct pic_ebpf_plan_metric metric = { .kind = PIC_EBPF_HISTOGRAM };
	char word[PIC_TAG_VALUE_MAX];

	if (!read_histogram(&source->builder->btf, value_type, &metric)) {
		source->builder->plan->skipped++;
		return;
	}
	metric.slots_ceil = pic_tag_get(&source->tag, "log2", word) && strcmp(word, "ceil") == 0;
	add_metric(source, source->name, &source->tag, metric);
}

/* One metric for each number in the struct. */
static void add_value_members(const struct source *source, const struct pic_btf_type *type,
			      const char *prefix, uint32_t base, unsigned depth)
{
	const struct pic_btf *btf = &source->builder->btf;

	for (uint32_t i = 0;
	     depth < DEPTH_MAX && i < type->vlen && i < MEMBERS_MAX && source->builder->budget > 0;
	     i++) {
		struct pic_tag tag = pic_tag_find(&source->builder->tags, type->id, (int32_t)i);
		struct pic_ebpf_plan_metric metric = { .kind = kind_of_tag(tag.kind,
									   source->kind) };
		struct pic_btf_member member;
		struct pic_btf_type inner;
		char word[PIC_TAG_VALUE_MAX], name[160];

		source->builder->budget--;
		pic_btf_member_at(btf, type, i, &member);
		if (tag.kind == PIC_TAG_IGNORE || tag.kind == PIC_TAG_LABEL ||
		    (pic_plan_is_padding(member.name) && !tag.kind))
			continue;
		if (!pic_tag_get(&tag, "name", word))
			snprintf(word, sizeof(word), "%.60s", member.name);
		snprintf(name, sizeof(name), "%.90s_%.60s", prefix, word);
		pic_btf_real_type(btf, member.type, &inner);
		if (inner.kind == BTF_KIND_STRUCT)
			add_value_members(source, &inner, name, base + member.bit_offset,
					  depth + 1);
		else if (pic_plan_number(btf, member.type, base + member.bit_offset,
					 member.bit_size, &metric.value))
			add_metric(source, name, &tag, metric);
		else
			source->builder->plan->skipped++;
	}
}

static void add_values(const struct source *source, uint32_t value_type)
{
	struct pic_ebpf_plan_metric metric = { .kind = source->kind };
	struct pic_btf_type type;

	pic_btf_real_type(&source->builder->btf, value_type, &type);
	if (type.kind == BTF_KIND_STRUCT) {
		char prefix[128];

		snprintf(prefix, sizeof(prefix), "%s", source->name);
		cut_suffix(prefix, "_total");
		add_value_members(source, &type, prefix, 0, 0);
	} else if (pic_plan_number(&source->builder->btf, value_type, 0, 0, &metric.value)) {
		add_metric(source, source->name, &source->tag, metric);
	} else {
		source->builder->plan->skipped++;
	}
}

/* -- maps --------------------------------------------------------------------------------------- */

static bool is_readable(uint32_t type)
{
	return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_HASH || is_per_cpu(type);
}

/* Whether the value looks like a log2 histogram without being called one. */
static bool has_slots(const struct pic_btf *btf, uint32_t value_type)
{
	struct pic_btf_type type;

	pic_btf_real_type(btf, value_type, &type);
	for (uint32_t i = 0; type.kind == BTF_KIND_STRUCT && i < type.vlen; i++) {
		struct pic_ebpf_plan_metric ignored;
		struct pic_btf_member member;

		pic_btf_member_at(btf, &type, i, &member);
		if ((strcmp(member.name, "slots") == 0 || strcmp(member.name, "buckets") == 0) &&
		    is_slots(btf, member.type, member.bit_offset, &ignored))
			return true;
	}
	return false;
}

/* By tag, else by name, else by shape. False: the map is nobody's business. */
static bool choose_kind(struct source *source, const struct pic_btf_map *map)
{
	const char *name = map->name;

	switch (source->tag.kind) {
	case PIC_TAG_COUNTER:
		source->kind = PIC_EBPF_COUNTER;
		return true;
	case PIC_TAG_GAUGE:
		source->kind = PIC_EBPF_GAUGE;
		return true;
	case PIC_TAG_HISTOGRAM:
		source->kind = PIC_EBPF_HISTOGRAM;
		return true;
	case PIC_TAG_IGNORE:
	case PIC_TAG_OTHER:
	case PIC_TAG_LABEL:
		return false;
	case PIC_TAG_NONE:
	case PIC_TAG_PLAIN:
		break;
	}
	if (has_slots(&source->builder->btf, map->value_type))
		source->kind = PIC_EBPF_HISTOGRAM;
	else if (pic_text_ends(name, "_total") || pic_text_starts(name, "counter_"))
		source->kind = PIC_EBPF_COUNTER;
	else if (pic_text_starts(name, "gauge_"))
		source->kind = PIC_EBPF_GAUGE;
	else
		return false;
	return true;
}

static bool keep_map(struct pic_ebpf_plan *plan, const char *name, uint32_t type, uint32_t key_size,
		     uint32_t value_size, uint32_t max_entries)
{
	struct pic_ebpf_plan_map *map = &plan->maps[plan->map_count];

	if (plan->map_count == PIC_EBPF_PLAN_MAPS || strlen(name) >= sizeof(map->name))
		return false;
	snprintf(map->name, sizeof(map->name), "%s", name);
	map->type = type;
	map->key_size = key_size;
	map->value_size = value_size;
	map->max_entries = max_entries;
	plan->map_count++;
	return true;
}

static void add_map(struct pic_plan_builder *builder, const struct pic_btf_map *map)
{
	struct pic_ebpf_plan *plan = builder->plan;
	struct source source = {
		.builder = builder,
		.map = plan->map_count,
		.tag = pic_tag_find(&builder->tags, map->variable, -1),
	};
	char word[PIC_TAG_VALUE_MAX];
	bool one = map->max_entries == 1 &&
		   (map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY);

	if (!choose_kind(&source, map))
		return;
	if (!is_readable(map->type) || !map->key_type || !map->value_type ||
	    map->key_size > KEY_MAX ||
	    !keep_map(plan, map->name, map->type, map->key_size, map->value_size,
		      map->max_entries)) {
		plan->skipped++;
		return;
	}
	if (!one &&
	    !pic_plan_labels(builder, map->key_type, &source.labels_first, &source.labels_count)) {
		plan->map_count--;
		plan->skipped++;
		return;
	}
	snprintf(source.name, sizeof(source.name), "%.100s",
		 pic_tag_get(&source.tag, "name", word) && word[0] ? word : map->name);
	if (source.kind == PIC_EBPF_HISTOGRAM)
		add_histogram(&source, map->value_type);
	else
		add_values(&source, map->value_type);
}

static void add_maps(struct pic_plan_builder *builder)
{
	uint32_t id = pic_btf_section(&builder->btf, ".maps");
	struct pic_btf_type section;

	if (id == 0)
		return;
	pic_btf_type_at(&builder->btf, id, &section);
	for (uint32_t i = 0; i < section.vlen && i < MAPS_LOOKED_AT; i++) {
		struct pic_btf_variable variable;
		struct pic_btf_map map;

		pic_btf_variable_at(&section, i, &variable);
		if (pic_btf_map_read(&builder->btf, variable.type, &map, NULL) == 0)
			add_map(builder, &map);
		else
			builder->plan->skipped++;
	}
}

/* -- global variables --------------------------------------------------------------------------- */

/* clang leaves the places of variables to the symbols. */
static bool place_of(const struct pic_elf *elf, uint32_t section, const char *name, uint64_t *out)
{
	for (uint32_t i = 0; i < elf->symbol_count; i++) {
		struct pic_elf_symbol symbol;

		pic_elf_symbol_at(elf, i, &symbol);
		if (symbol.type == STT_OBJECT && symbol.section == section &&
		    strcmp(symbol.name, name) == 0) {
			*out = symbol.value;
			return true;
		}
	}
	return false;
}

/* The section as a map of the plan; the variables of one section come one after the other. */
static bool map_of_section(struct pic_ebpf_plan *plan, const struct pic_elf_section *section,
			   uint32_t *out)
{
	if (plan->map_count == 0 ||
	    strcmp(plan->maps[plan->map_count - 1].name, section->name) != 0) {
		if (!keep_map(plan, section->name, BPF_MAP_TYPE_ARRAY, 4, (uint32_t)section->size,
			      1))
			return false;
	}
	*out = plan->map_count - 1;
	return true;
}

static void add_global(struct pic_plan_builder *builder, const struct pic_elf *elf,
		       const struct pic_elf_section *section, uint32_t id)
{
	struct source source = { .builder = builder, .tag = pic_tag_find(&builder->tags, id, -1) };
	struct pic_ebpf_plan_metric metric = { 0 };
	struct pic_btf_type variable;
	char word[PIC_TAG_VALUE_MAX];
	uint64_t place;

	if (source.tag.kind != PIC_TAG_COUNTER && source.tag.kind != PIC_TAG_GAUGE)
		return;
	metric.kind = kind_of_tag(source.tag.kind, PIC_EBPF_GAUGE);
	pic_btf_type_at(&builder->btf, id, &variable);
	if (variable.kind != BTF_KIND_VAR ||
	    !place_of(elf, section->index, variable.name, &place) ||
	    !pic_plan_number(&builder->btf, variable.type, (uint32_t)place * 8, 0, &metric.value) ||
	    place + metric.value.bits / 8 > section->size ||
	    !map_of_section(builder->plan, section, &source.map)) {
		builder->plan->skipped++;
		return;
	}
	snprintf(source.name, sizeof(source.name), "%.100s",
		 pic_tag_get(&source.tag, "name", word) && word[0] ? word : variable.name);
	add_metric(&source, source.name, &source.tag, metric);
}

static void add_globals(struct pic_plan_builder *builder, const struct pic_elf *elf,
			const char *name)
{
	uint32_t id = pic_btf_section(&builder->btf, name);
	struct pic_elf_section section;
	struct pic_btf_type type;

	if (id == 0 || !pic_elf_find(elf, name, &section) || section.size > 1 << 20)
		return;
	pic_btf_type_at(&builder->btf, id, &type);
	for (uint32_t i = 0; i < type.vlen; i++) {
		struct pic_btf_variable variable;

		pic_btf_variable_at(&type, i, &variable);
		add_global(builder, elf, &section, variable.type);
	}
}

/* By name: what the compiler wrote first is of no interest to those who read the text. */
static void sort_metrics(struct pic_ebpf_plan *plan)
{
	for (uint32_t i = 1; i < plan->metric_count; i++) {
		struct pic_ebpf_plan_metric metric = plan->metrics[i];
		uint32_t at = i;

		for (; at > 0 && strcmp(plan->text + plan->metrics[at - 1].name,
					plan->text + metric.name) > 0;
		     at--)
			plan->metrics[at] = plan->metrics[at - 1];
		plan->metrics[at] = metric;
	}
}

int pic_ebpf_metrics_plan(const unsigned char *object, size_t size, struct pic_ebpf_plan *out,
			  struct pic_error *err)
{
	struct pic_plan_builder builder = { .plan = out, .budget = BUDGET };
	struct pic_elf_section section;
	struct pic_elf elf;
	int r = pic_elf_open(object, size, &elf, err);

	if (r < 0)
		return r;
	if (pic_elf_find(&elf, ".BTF", &section) && section.data) {
		r = pic_btf_read(section.data, section.size, &builder.btf, err);
		if (r < 0)
			return r;
	}
	memset(out, 0, sizeof(*out));
	out->text_size = 1; /* offset 0 is "" */
	if (builder.btf.count > 0) {
		pic_tags_read(&builder.btf, &builder.tags);
		add_maps(&builder);
		add_globals(&builder, &elf, ".bss");
		add_globals(&builder, &elf, ".data");
		sort_metrics(out);
	}
	pic_btf_free(&builder.btf);
	return 0;
}
