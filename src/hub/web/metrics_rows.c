#include "hub/web/metrics_rows.h"

#include <ctype.h>
#include <string.h>

#define LABELS_MAX 4096

/* What is left of a line. */
struct cursor {
	const char *at, *end;
};

static bool take(struct cursor *cursor, char c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

static struct pic_view take_name(struct cursor *cursor)
{
	struct pic_view name = { cursor->at, 0 };

	while (cursor->at < cursor->end &&
	       (isalnum((unsigned char)*cursor->at) || *cursor->at == '_' || *cursor->at == ':'))
		cursor->at++;
	name.size = (size_t)(cursor->at - name.data);
	return name;
}

/* Between quotes, as it is written. */
static bool take_value(struct cursor *cursor, struct pic_view *out)
{
	if (!take(cursor, '"'))
		return false;
	out->data = cursor->at;
	for (; cursor->at < cursor->end && *cursor->at != '"'; cursor->at++) {
		if (*cursor->at == '\\' && cursor->at + 1 < cursor->end)
			cursor->at++;
	}
	out->size = (size_t)(cursor->at - out->data);
	return take(cursor, '"');
}

static bool is(struct pic_view view, const char *text)
{
	return view.size == strlen(text) && memcmp(view.data, text, view.size) == 0;
}

/* The labels behind "{": `rest` gets those that are not the workload's own. */
static bool take_labels(struct cursor *cursor, const struct pic_workload_name *name,
			struct pic_buf *rest, bool *is_its)
{
	bool has_instance = false, has_component = false;

	while (!take(cursor, '}')) {
		struct pic_view key = take_name(cursor), value;

		if (key.size == 0 || !take(cursor, '=') || !take_value(cursor, &value))
			return false;
		take(cursor, ',');
		if (is(key, "instance")) {
			has_instance = is(value, name->instance);
		} else if (is(key, "component")) {
			has_component = is(value, name->component);
		} else {
			pic_buf_text_add(rest, rest->size ? ", " : "");
			pic_buf_add(rest, key.data, key.size);
			pic_buf_char(rest, '=');
			pic_buf_add(rest, value.data, value.size);
		}
	}
	*is_its = has_instance && has_component;
	return true;
}

static bool read_line(struct cursor line, const struct pic_workload_name *name,
		      struct pic_buf *labels, struct pic_metrics_row *row)
{
	bool is_its = false;

	row->name = take_name(&line);
	if (row->name.size == 0 || !take(&line, '{') ||
	    !take_labels(&line, name, labels, &is_its) || !is_its || labels->failed)
		return false;
	while (take(&line, ' '))
		;
	row->value.data = line.at;
	while (line.at < line.end && *line.at != ' ' && *line.at != '\r')
		line.at++; /* a time may follow */
	row->value.size = (size_t)(line.at - row->value.data);
	row->labels = pic_buf_view(labels);
	return row->value.size > 0;
}

size_t pic_metrics_rows(struct pic_view text, const struct pic_workload_name *name,
			pic_metrics_row_fn *fn, void *data)
{
	PIC_BUF struct pic_buf labels = PIC_BUF_INIT(LABELS_MAX);
	const char *at = text.data, *end = text.size ? at + text.size : at;
	size_t rows = 0;

	while (at < end && rows < PIC_METRICS_ROWS_MAX) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const struct cursor line = { at, newline ? newline : end };
		struct pic_metrics_row row;

		pic_buf_clear(&labels);
		if (read_line(line, name, &labels, &row)) {
			fn(data, &row);
			rows++;
		}
		at = line.end + 1;
	}
	return rows;
}
