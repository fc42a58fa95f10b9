/* Contents of maps to text: one family after the other, equal sets of labels added up, limits kept. */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workload/ebpf/metrics_decode.h"

#define TABLE_SIZE 2048 /* power of two, twice the most series */

/* One set of labels of the family that is being written. */
struct series {
	uint32_t hash;
	uint32_t text, text_size; /* of the labels, in `texts` */
};

struct writer {
	const struct pic_ebpf_plan *plan;
	const struct pic_ebpf_metric_names *names;
	const struct pic_ebpf_plan_metric *metric;
	const struct pic_ebpf_plan_map *map;
	struct pic_buf texts;
	struct series *series; /* PIC_EBPF_SERIES_MAX of them */
	uint64_t *values;      /* `width` of each series */
	uint16_t *table;       /* hash to index + 1 */
	uint32_t count, width;
	uint32_t dropped;
};

static uint32_t hash_of(const char *text, size_t size)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash;
}

/* The series of the labels at the end of `texts`, a new one when there is room; NULL: there is none. */
static uint64_t *find_series(struct writer *writer, uint32_t text)
{
	uint32_t size = (uint32_t)writer->texts.size - text;
	const char *labels = size ? writer->texts.data + text : "";
	uint32_t hash = hash_of(labels, size), at = hash % TABLE_SIZE;

	if (writer->texts.failed) { /* these labels may be cut: whose they are is not known */
		writer->dropped++;
		return NULL;
	}
	for (; writer->table[at]; at = (at + 1) % TABLE_SIZE) {
		const struct series *old = &writer->series[writer->table[at] - 1];

		if (old->hash == hash && old->text_size == size &&
		    (size == 0 || memcmp(writer->texts.data + old->text, labels, size) == 0)) {
			writer->texts.size = text;
			return writer->values + (size_t)(writer->table[at] - 1) * writer->width;
		}
	}
	if (writer->count == writer->metric->series_max) {
		writer->texts.size = text;
		writer->dropped++;
		return NULL;
	}
	writer->series[writer->count] = (struct series){ hash, text, size };
	writer->table[at] = (uint16_t)++writer->count;
	return writer->values + (size_t)(writer->count - 1) * writer->width;
}

/* -- reading ------------------------------------------------------------------------------------ */

static void add_labels(struct writer *writer, const unsigned char *key, uint32_t copy)
{
	const struct pic_ebpf_plan_metric *metric = writer->metric;

	for (uint32_t i = 0; i < metric->labels_count; i++) {
		if (i > 0)
			pic_buf_char(&writer->texts, ',');
		pic_metric_label(writer->plan, &writer->plan->labels[metric->labels_first + i], key,
				 writer->names, &writer->texts);
	}
	if (metric->by_cpu)
		pic_buf_format(&writer->texts, "%scpu=\"%" PRIu32 "\"",
			       metric->labels_count ? "," : "", copy);
}

static void add_slots(const struct pic_ebpf_plan_metric *metric, const unsigned char *value,
		      uint64_t *into)
{
	struct pic_ebpf_plan_field slot = metric->value;

	for (uint32_t i = 0; i < metric->slots; i++, slot.bit_offset += slot.bits)
		into[i] += pic_metric_number(value, &slot);
	if (metric->has_sum)
		into[metric->slots] += pic_metric_number(value, &metric->sum);
}

static bool is_zero(const struct pic_ebpf_plan_metric *metric, const unsigned char *values,
		    uint32_t copies, size_t stride)
{
	uint64_t sums[PIC_EBPF_SLOTS_MAX + 1] = { 0 };
	uint64_t any = 0;

	for (uint32_t i = 0; i < copies; i++)
		if (metric->kind == PIC_EBPF_HISTOGRAM)
			add_slots(metric, values + i * stride, sums);
		else
			any |= pic_metric_number(values + i * stride, &metric->value);
	for (uint32_t i = 0; i <= metric->slots && i <= PIC_EBPF_SLOTS_MAX; i++)
		any |= sums[i];
	return any == 0;
}

/* One entry of the map: its copies are added up, or each has a series of its own. */
static void add_entry(struct writer *writer, const unsigned char *key, const unsigned char *values,
		      uint32_t copies, size_t stride)
{
	const struct pic_ebpf_plan_metric *metric = writer->metric;
	uint64_t *into = NULL;

	for (uint32_t i = 0; i < copies; i++) {
		if (i == 0 || metric->by_cpu) {
			uint32_t text = (uint32_t)writer->texts.size;

			add_labels(writer, key, i);
			into = find_series(writer, text);
		}
		if (!into)
			continue;
		if (metric->kind == PIC_EBPF_HISTOGRAM)
			add_slots(metric, values + i * stride, into);
		else
			*into += pic_metric_number(values + i * stride, &metric->value);
	}
}

/* An element of an array that nobody counted in is not a series: arrays exist whole from the beginning. */
static void read_map(struct writer *writer, const struct pic_ebpf_content *content)
{
	const struct pic_ebpf_plan_map *map = writer->map;
	bool sparse = writer->metric->labels_count > 0 && map->key_size == 4 &&
		      map->max_entries == content->count && writer->metric->kind != PIC_EBPF_GAUGE;

	for (uint32_t i = 0; i < content->count; i++) {
		const unsigned char *values =
			content->values + (size_t)i * content->copies * content->stride;

		if (sparse && is_zero(writer->metric, values, content->copies, content->stride))
			continue;
		add_entry(writer, content->keys + (size_t)i * map->key_size, values,
			  content->copies, content->stride);
	}
}

/* -- writing ------------------------------------------------------------------------------------ */

static void write_help(const char *text, struct pic_buf *out)
{
	for (; *text; text++) {
		if (*text == '\\')
			pic_buf_char(out, '\\');
		if (*text == '\n')
			pic_buf_text_add(out, "\\n");
		else
			pic_buf_char(out, *text);
	}
}

static void write_head(const struct writer *writer, struct pic_buf *out)
{
	static const char *const kinds[] = {
		[PIC_EBPF_COUNTER] = "counter",
		[PIC_EBPF_GAUGE] = "gauge",
		[PIC_EBPF_HISTOGRAM] = "histogram",
	};
	const char *name = writer->plan->text + writer->metric->name;
	const char *help = writer->plan->text + writer->metric->help;

	pic_buf_format(out, "# HELP %s ", name);
	write_help(help[0] ? help : "From the program's map", out);
	pic_buf_format(out, "\n# TYPE %s %s\n", name, kinds[writer->metric->kind]);
}

/* Whole numbers in full; a scale makes a floating number of them. */
static void write_number(const struct pic_ebpf_plan_metric *metric,
			 const struct pic_ebpf_plan_field *field, uint64_t value,
			 struct pic_buf *out)
{
	if (metric->scale != 1)
		pic_buf_format(out, "%.17g",
			       metric->scale *
				       (field->is_signed ? (double)(int64_t)value : (double)value));
	else if (field->is_signed)
		pic_buf_format(out, "%" PRId64, (int64_t)value);
	else
		pic_buf_format(out, "%" PRIu64, value);
}

static void write_series_name(const struct writer *writer, const struct series *series,
			      const char *suffix, const char *le, struct pic_buf *out)
{
	bool braces = series->text_size > 0 || le;

	pic_buf_text_add(out, writer->plan->text + writer->metric->name);
	pic_buf_text_add(out, suffix);
	if (braces)
		pic_buf_char(out, '{');
	if (series->text_size > 0)
		pic_buf_add(out, writer->texts.data + series->text, series->text_size);
	if (le)
		pic_buf_format(out, "%sle=\"%s\"", series->text_size > 0 ? "," : "", le);
	if (braces)
		pic_buf_char(out, '}');
	pic_buf_char(out, ' ');
}

/* The upper bound of slot i: 2^i where slots were rounded up, else 2^(i+1)-1. */
static void bound_text(const struct pic_ebpf_plan_metric *metric, uint32_t slot, char out[32])
{
	double bound = metric->slots_ceil ? (double)(1ull << slot)
					  : (double)((1ull << (slot + 1)) - 1);

	bound *= metric->scale;
	if (bound < 1e15 && bound == (double)(long long)bound)
		snprintf(out, 32, "%.1f", bound);
	else
		snprintf(out, 32, "%.17g", bound);
}

/* The last slot also took what was too large for it, so its bound is infinite. */
static void write_histogram(const struct writer *writer, const struct series *series,
			    const uint64_t *values, struct pic_buf *out)
{
	const struct pic_ebpf_plan_metric *metric = writer->metric;
	uint64_t count = 0;
	char le[32];

	for (uint32_t i = 0; i < metric->slots; i++) {
		count += values[i];
		if (i + 1 < metric->slots)
			bound_text(metric, i, le);
		else
			snprintf(le, sizeof(le), "+Inf");
		write_series_name(writer, series, "_bucket", le, out);
		pic_buf_format(out, "%" PRIu64 "\n", count);
	}
	if (metric->has_sum) {
		write_series_name(writer, series, "_sum", NULL, out);
		write_number(metric, &metric->sum, values[metric->slots], out);
		pic_buf_char(out, '\n');
	}
	write_series_name(writer, series, "_count", NULL, out);
	pic_buf_format(out, "%" PRIu64 "\n", count);
}

static void write_family(const struct writer *writer, struct pic_buf *out)
{
	if (writer->count == 0)
		return;
	write_head(writer, out);
	for (uint32_t i = 0; i < writer->count; i++) {
		const uint64_t *values = writer->values + (size_t)i * writer->width;

		if (writer->metric->kind == PIC_EBPF_HISTOGRAM) {
			write_histogram(writer, &writer->series[i], values, out);
			continue;
		}
		write_series_name(writer, &writer->series[i], "", NULL, out);
		write_number(writer->metric, &writer->metric->value, *values, out);
		pic_buf_char(out, '\n');
	}
}

/* -- all of it ---------------------------------------------------------------------------------- */

static int one_metric(struct writer *writer, const struct pic_ebpf_plan_metric *metric,
		      const struct pic_ebpf_content *content, struct pic_buf *out,
		      struct pic_error *err)
{
	writer->metric = metric;
	writer->map = &writer->plan->maps[metric->map];
	writer->width = metric->kind == PIC_EBPF_HISTOGRAM ? metric->slots + 1 : 1;
	writer->count = 0;
	pic_buf_clear(&writer->texts);
	memset(writer->table, 0, TABLE_SIZE * sizeof(writer->table[0]));
	free(writer->values);
	writer->values = calloc((size_t)metric->series_max * writer->width, sizeof(uint64_t));
	if (!writer->values)
		return pic_error_set(err, -ENOMEM, "no memory for metrics");
	read_map(writer, content);
	if (writer->texts.starved)
		return pic_error_set(err, -ENOMEM, "no memory for metrics");
	write_family(writer, out);
	return 0;
}

/* Contents that the kernel cannot have given. */
static bool content_is_good(const struct pic_ebpf_plan_map *map,
			    const struct pic_ebpf_content *content)
{
	return content->count > 0 && content->copies > 0 &&
	       content->copies <= PIC_EBPF_COPIES_MAX && content->stride >= map->value_size &&
	       content->keys && content->values;
}

int pic_ebpf_metrics_write(const struct pic_ebpf_plan *plan,
			   const struct pic_ebpf_content *contents,
			   const struct pic_ebpf_metric_names *names, struct pic_buf *out,
			   uint32_t *dropped, struct pic_error *err)
{
	struct writer writer = { .plan = plan,
				 .names = names,
				 .texts = PIC_BUF_INIT(PIC_EBPF_SCRAPE_MAX) };
	int r = 0;

	writer.series = calloc(PIC_EBPF_SERIES_MAX, sizeof(writer.series[0]));
	writer.table = calloc(TABLE_SIZE, sizeof(writer.table[0]));
	if (!writer.series || !writer.table)
		r = pic_error_set(err, -ENOMEM, "no memory for metrics");
	for (uint32_t i = 0; r == 0 && i < plan->metric_count; i++) {
		const struct pic_ebpf_plan_metric *metric = &plan->metrics[i];

		if (content_is_good(&plan->maps[metric->map], &contents[metric->map]))
			r = one_metric(&writer, metric, &contents[metric->map], out, err);
	}
	if (r == 0)
		r = pic_buf_check(out, "the program's metrics", err);
	if (r == 0)
		*dropped = writer.dropped;
	free(writer.series);
	free(writer.table);
	free(writer.values);
	pic_buf_free(&writer.texts);
	return r;
}
