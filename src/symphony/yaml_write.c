/* JSON to YAML, block style, as `kubectl get -o yaml` shows it. */
#include <errno.h>
#include <string.h>

#include "symphony/yaml.h"
#include "symphony/yaml_scalar.h"

static void write_value(const struct pic_json *value, int indent, bool in_list,
			struct pic_buf *out);

static void spaces(int count, struct pic_buf *out)
{
	while (count-- > 0)
		pic_buf_char(out, ' ');
}

/* May `text` stand without quotes and still be this text when it is read again? */
static bool is_plain(const char *text)
{
	struct pic_json *other;

	if (!*text || strchr("-?:,[]{}#&*!|>'\"%@` \t=<", *text))
		return false;
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
		if (*c == ':' && (!c[1] || c[1] == ' '))
			return false;
		if (*c == '#' && c[-1] == ' ')
			return false;
	}
	if (text[strlen(text) - 1] == ' ' || pic_yaml_is_not_json(text))
		return false;
	other = pic_yaml_plain(text);
	pic_json_unref(other);
	return !other;
}

/* A JSON text is a YAML double-quoted scalar. */
static void write_text(const char *text, struct pic_buf *out)
{
	PIC_JSON struct pic_json *quoted = NULL;

	if (is_plain(text)) {
		pic_buf_text_add(out, text);
		return;
	}
	quoted = pic_json_new_text(text);
	if (pic_json_write(quoted, PIC_JSON_COMPACT, out) < 0)
		out->failed = true;
}

static void write_object(const struct pic_json *object, int indent, bool in_list,
			 struct pic_buf *out)
{
	bool first = true;

	pic_json_each(object, i) {
		const struct pic_json *value = pic_json_value(i);
		const bool nested = pic_json_count(value) > 0;

		/* the first key stands behind the "- " of its list */
		if (!(first && in_list))
			spaces(indent, out);
		first = false;
		write_text(pic_json_key(i), out);
		pic_buf_char(out, ':');
		pic_buf_char(out, nested ? '\n' : ' ');
		/* a list under a key is not indented further */
		write_value(value, indent + (pic_json_type(value) == PIC_JSON_ARRAY ? 0 : 2), false,
			    out);
	}
}

static void write_array(const struct pic_json *array, int indent, struct pic_buf *out)
{
	for (size_t i = 0; i < pic_json_count(array); i++) {
		spaces(indent, out);
		pic_buf_text_add(out, "- ");
		if (pic_json_type(pic_json_at(array, i)) == PIC_JSON_ARRAY &&
		    pic_json_count(pic_json_at(array, i)) > 0) {
			out->data[out->size - 1] = '\n';
			write_value(pic_json_at(array, i), indent + 2, false, out);
		} else {
			write_value(pic_json_at(array, i), indent + 2, true, out);
		}
	}
}

/* Depth is bounded by what base/json can hold. */
static void write_value(const struct pic_json *value, int indent, bool in_list, struct pic_buf *out)
{
	const enum pic_json_type type = pic_json_type(value);

	if (out->failed || indent > 2 * PIC_JSON_DEPTH_MAX) {
		out->failed = true;
		return;
	}
	if (type == PIC_JSON_OBJECT && pic_json_count(value) > 0) {
		write_object(value, indent, in_list, out);
		return;
	}
	if (type == PIC_JSON_ARRAY && pic_json_count(value) > 0) {
		write_array(value, indent, out);
		return;
	}
	if (type == PIC_JSON_TEXT)
		write_text(pic_json_text(value), out);
	else if (pic_json_write(value, PIC_JSON_COMPACT, out) < 0)
		out->failed = true;
	pic_buf_char(out, '\n');
}

int pic_yaml_write(const struct pic_json *value, struct pic_buf *out)
{
	write_value(value, 0, false, out);
	return out->failed ? -ENOBUFS : 0;
}
