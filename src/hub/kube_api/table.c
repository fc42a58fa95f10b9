/* Tables: columns of the kind table, one cell a column. */
#include "hub/kube_api/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hub/kube_api/selector.h"

enum cell {
	CELL_NAME,
	CELL_VALUE, /* what is at the path */
	CELL_AGE,   /* of the time at the path */
	CELL_INVOLVED,
};

struct column {
	const char *title, *type, *format, *path, *help;
	int priority;
	enum cell cell;
};

/* Events read best without their made-up names in front. */
static const struct column event_columns[] = {
	{ "Last Seen", "string", "", "lastTimestamp", "When it happened last.", 0, CELL_AGE },
	{ "Type", "string", "", "type", "Normal or Warning.", 0, CELL_VALUE },
	{ "Reason", "string", "", "reason", "What happened, in one word.", 0, CELL_VALUE },
	{ "Object", "string", "", "", "The object it happened to.", 0, CELL_INVOLVED },
	{ "Source", "string", "", "source.component", "Who says so.", 1, CELL_VALUE },
	{ "Message", "string", "", "message", "What happened, in one sentence.", 0, CELL_VALUE },
	{ "First Seen", "string", "", "firstTimestamp", "When it happened first.", 1, CELL_AGE },
	{ "Count", "string", "", "count", "How often it happened.", 1, CELL_VALUE },
	{ "Name", "string", "name", "metadata.name", "Name of the event.", 1, CELL_NAME },
};

static const struct column name_column = {
	"Name", "string", "name", "metadata.name", "Name, unique in its namespace.", 0, CELL_NAME,
};
static const struct column age_column = {
	"Age", "date", "", "metadata.creationTimestamp", "Time since it was created.", 0, CELL_AGE,
};

typedef void column_fn(void *data, const struct column *column);

static void each_column(const struct pic_kind_facts *facts, column_fn *fn, void *data)
{
	if (facts->kind == PIC_KIND_EVENT) {
		for (size_t i = 0; i < PIC_COUNT(event_columns); i++)
			fn(data, &event_columns[i]);
		return;
	}
	fn(data, &name_column);
	for (const struct pic_kind_column *is = facts->columns; is && is->title; is++) {
		struct column column = { is->title,	  "string",	"",	   is->path,
					 is->description, is->priority, CELL_VALUE };
		fn(data, &column);
	}
	fn(data, &age_column);
}

static void add_definition(void *data, const struct column *column)
{
	struct pic_json *definition = pic_json_new_object();

	pic_json_set_text(definition, "name", column->title);
	pic_json_set_text(definition, "type", column->type);
	pic_json_set_text(definition, "format", column->format);
	pic_json_set_text(definition, "description", column->help ? column->help : "");
	pic_json_set_integer(definition, "priority", column->priority);
	pic_json_append(data, definition);
}

struct pic_json *pic_kube_table_new(const struct pic_kind_facts *facts, int64_t revision)
{
	struct pic_json *table = pic_json_new_object();
	struct pic_json *definitions = pic_json_new_array();
	char text[24];

	pic_json_set_text(table, "kind", "Table");
	pic_json_set_text(table, "apiVersion", "meta.k8s.io/v1");
	struct pic_json *metadata = pic_json_ensure_object(table, "metadata");
	if (revision >= 0) {
		snprintf(text, sizeof(text), "%" PRId64, revision);
		pic_json_set_text(metadata, "resourceVersion", text);
	}
	each_column(facts, add_definition, definitions);
	pic_json_set(table, "columnDefinitions", definitions);
	pic_json_set(table, "rows", pic_json_new_array());
	return table;
}

void pic_kube_age(const struct pic_json *timestamp, int64_t now_ms, char out[PIC_TIME_TEXT])
{
	const char *text = pic_json_text(timestamp);
	int64_t then;

	if (!text || pic_time_parse(text, &then) < 0)
		snprintf(out, PIC_TIME_TEXT, "<unknown>");
	else
		pic_duration_age(now_ms > then ? now_ms - then : 0, out);
}

struct row {
	const struct pic_json *object;
	struct pic_json *cells;
	int64_t now_ms;
};

/* "instance/tiny-app" */
static void add_involved(const struct row *row)
{
	const struct pic_json *involved = pic_json_get(row->object, "involvedObject");
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1024);

	pic_buf_text_add(&text, pic_json_text_or(pic_json_get(involved, "kind"), ""));
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] >= 'A' && text.data[i] <= 'Z')
			text.data[i] += 'a' - 'A';
	pic_buf_format(&text, "/%s", pic_json_text_or(pic_json_get(involved, "name"), ""));
	pic_json_append_text(row->cells, pic_buf_text(&text));
}

static void add_cell(void *data, const struct column *column)
{
	const struct row *row = data;
	struct pic_json *value = pic_kube_at_path(row->object, column->path);
	char age[PIC_TIME_TEXT];

	switch (column->cell) {
	case CELL_NAME:
	case CELL_VALUE:
		pic_json_append(row->cells, value ? pic_json_ref(value) : pic_json_new_null());
		return;
	case CELL_AGE:
		/* newer writers of events have only the time with fractions */
		if (!value && strcmp(column->path, "lastTimestamp") == 0)
			value = pic_json_get(row->object, "eventTime");
		pic_kube_age(value, row->now_ms, age);
		pic_json_append_text(row->cells, age);
		return;
	case CELL_INVOLVED:
		add_involved(row);
		return;
	}
}

/* What kubectl needs to print namespaces, labels and to follow a row in a watch. */
static struct pic_json *row_object(const struct pic_json *object, enum pic_kube_include include)
{
	struct pic_json *partial;

	switch (include) {
	case PIC_KUBE_INCLUDE_NONE:
		return pic_json_new_null();
	case PIC_KUBE_INCLUDE_OBJECT:
		return pic_json_ref((struct pic_json *)object);
	case PIC_KUBE_INCLUDE_METADATA:
		break;
	}
	partial = pic_json_new_object();
	pic_json_set_text(partial, "kind", "PartialObjectMetadata");
	pic_json_set_text(partial, "apiVersion", "meta.k8s.io/v1");
	pic_json_set(partial, "metadata", pic_json_ref(pic_json_get(object, "metadata")));
	return partial;
}

void pic_kube_table_add(struct pic_json *table, const struct pic_kind_facts *facts,
			const struct pic_json *object, enum pic_kube_include include,
			int64_t now_ms)
{
	struct pic_json *rendered = pic_json_new_object();
	struct row row = { .object = object, .cells = pic_json_new_array(), .now_ms = now_ms };

	each_column(facts, add_cell, &row);
	pic_json_set(rendered, "cells", row.cells);
	pic_json_set(rendered, "object", row_object(object, include));
	pic_json_append(pic_json_get(table, "rows"), rendered);
}
