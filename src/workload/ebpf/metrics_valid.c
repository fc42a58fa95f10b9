/* Whether a plan that came from the loader can be one: every offset, count, name and number within its bounds. */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "workload/ebpf/metrics.h"

#define VALUE_MAX (1u << 30)

/* The name that begins there; NULL: outside, or not the beginning of one. */
static const char *name_at(const struct pic_ebpf_plan *plan, uint32_t offset)
{
	if (offset >= plan->text_size || (offset > 0 && plan->text[offset - 1] != '\0'))
		return NULL;
	return plan->text + offset;
}

static bool is_name(const char *name)
{
	if (!name || !*name || strlen(name) > 200 || (*name >= '0' && *name <= '9'))
		return false;
	for (; *name; name++)
		if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
		      (*name >= '0' && *name <= '9') || *name == '_'))
			return false;
	return true;
}

static bool is_text(const char *text)
{
	size_t size = text ? strlen(text) : 0;

	for (size_t at = 0; at < size;) {
		uint32_t point;
		size_t step = pic_utf8_next(text + at, size - at, &point);

		if (step == 0 || pic_utf8_is_control(point))
			return false;
		at += step;
	}
	return text != NULL;
}

static bool field_is_inside(const struct pic_ebpf_plan *plan,
			    const struct pic_ebpf_plan_field *field, uint32_t size)
{
	return field->bits > 0 && field->bits <= size * 8ull &&
	       field->bit_offset <= size * 8ull - field->bits && field->decoder <= PIC_EBPF_WORD &&
	       field->is_signed <= 1 && field->words_first <= plan->word_count &&
	       field->words_count <= plan->word_count - field->words_first;
}

/* Wide fields are bytes, and only decoders of bytes may read them. */
static bool label_is_valid(const struct pic_ebpf_plan *plan,
			   const struct pic_ebpf_plan_label *label, uint32_t key_size)
{
	const struct pic_ebpf_plan_field *field = &label->field;
	const char *name = name_at(plan, label->name);
	bool bytes = field->bit_offset % 8 == 0 && field->bits % 8 == 0;

	if (!is_name(name) || strncmp(name, "__", 2) == 0 || strcmp(name, "le") == 0 ||
	    !field_is_inside(plan, field, key_size))
		return false;
	switch ((enum pic_ebpf_decoder)field->decoder) {
	case PIC_EBPF_IP:
		return bytes && (field->bits == 32 || field->bits == 128);
	case PIC_EBPF_MAC:
		return bytes && field->bits == 48;
	case PIC_EBPF_TEXT:
		return bytes;
	case PIC_EBPF_HEX:
		return bytes || field->bits <= 64;
	case PIC_EBPF_BIG_ENDIAN:
		return bytes && field->bits <= 64;
	case PIC_EBPF_DECIMAL:
	case PIC_EBPF_INTERFACE:
	case PIC_EBPF_BOOL:
	case PIC_EBPF_WORD:
		return field->bits <= 64;
	}
	return false;
}

static bool labels_are_valid(const struct pic_ebpf_plan *plan,
			     const struct pic_ebpf_plan_metric *metric, uint32_t key_size)
{
	if (metric->labels_count > PIC_EBPF_LABELS_MAX ||
	    metric->labels_first > plan->label_count ||
	    metric->labels_count > plan->label_count - metric->labels_first)
		return false;
	for (uint32_t i = 0; i < metric->labels_count; i++) {
		const struct pic_ebpf_plan_label *label = &plan->labels[metric->labels_first + i];

		if (!label_is_valid(plan, label, key_size))
			return false;
		if (metric->by_cpu && strcmp(plan->text + label->name, "cpu") == 0)
			return false;
		for (uint32_t j = 0; j < i; j++)
			if (strcmp(plan->text + plan->labels[metric->labels_first + j].name,
				   plan->text + label->name) == 0)
				return false;
	}
	return true;
}

static bool slots_are_valid(const struct pic_ebpf_plan *plan,
			    const struct pic_ebpf_plan_metric *metric, uint32_t value_size)
{
	uint64_t end = metric->value.bit_offset + (uint64_t)metric->slots * metric->value.bits;

	if (metric->kind != PIC_EBPF_HISTOGRAM)
		return true;
	return metric->slots >= 2 && metric->slots <= PIC_EBPF_SLOTS_MAX &&
	       metric->slots_ceil <= 1 && metric->value.bit_offset % 8 == 0 &&
	       (metric->value.bits == 32 || metric->value.bits == 64) && end <= value_size * 8ull &&
	       metric->has_sum <= 1 && !metric->by_cpu &&
	       (!metric->has_sum ||
		(field_is_inside(plan, &metric->sum, value_size) && metric->sum.bits <= 64));
}

static bool metric_is_valid(const struct pic_ebpf_plan *plan, uint32_t index)
{
	const struct pic_ebpf_plan_metric *metric = &plan->metrics[index];
	const struct pic_ebpf_plan_map *map = &plan->maps[metric->map];
	const char *name = name_at(plan, metric->name);

	if (metric->kind > PIC_EBPF_HISTOGRAM || !is_name(name) ||
	    strncmp(name, "piccolo_", 8) == 0 || !is_text(name_at(plan, metric->help)) ||
	    !field_is_inside(plan, &metric->value, map->value_size) || metric->value.bits > 64 ||
	    !labels_are_valid(plan, metric, map->key_size) ||
	    !slots_are_valid(plan, metric, map->value_size) || metric->by_cpu > 1 ||
	    metric->series_max == 0 || metric->series_max > PIC_EBPF_SERIES_MAX ||
	    !isfinite(metric->scale))
		return false;
	for (uint32_t i = 0; i < index; i++)
		if (strcmp(plan->text + plan->metrics[i].name, name) == 0)
			return false;
	return true;
}

bool pic_ebpf_plan_is_valid(const struct pic_ebpf_plan *plan)
{
	if (plan->map_count > PIC_EBPF_PLAN_MAPS || plan->metric_count > PIC_EBPF_PLAN_METRICS ||
	    plan->label_count > PIC_EBPF_PLAN_LABELS || plan->word_count > PIC_EBPF_PLAN_WORDS ||
	    plan->text_size == 0 || plan->text_size > PIC_EBPF_PLAN_TEXT || plan->text[0] ||
	    plan->text[plan->text_size - 1])
		return false;
	for (uint32_t i = 0; i < plan->map_count; i++)
		if (!memchr(plan->maps[i].name, '\0', sizeof(plan->maps[i].name)) ||
		    plan->maps[i].key_size > 4096 || plan->maps[i].value_size > VALUE_MAX)
			return false;
	for (uint32_t i = 0; i < plan->word_count; i++)
		if (!is_text(name_at(plan, plan->words[i].name)))
			return false;
	for (uint32_t i = 0; i < plan->metric_count; i++)
		if (plan->metrics[i].map >= plan->map_count || !metric_is_valid(plan, i))
			return false;
	return true;
}
