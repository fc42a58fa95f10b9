/*
 * YAML to JSON: libyaml's events, a stack of open containers, no recursion.
 *
 * The path of every value is known while it is built, so its line is noted for error messages.
 */
#include "symphony/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "symphony/yaml_scalar.h"

#define NODES_MAX 100000 /* aliases counted as what they stand for */
#define ANCHORS_MAX 256
#define PATH_TEXT_MAX 1024
#define DEPTH_MAX (PIC_JSON_DEPTH_MAX - 2)

struct pic_yaml_line {
	char *path;
	int line;
};

struct frame {
	struct pic_json *container; /* owned until it is put into its parent */
	struct pic_json *merges;    /* values of "<<" keys */
	char *key;		    /* map: the key whose value comes next */
	char *anchor;
	size_t nodes;	  /* before this container */
	size_t path_size; /* of the container itself */
	bool is_map;
};

struct anchor {
	char *name;
	struct pic_json *value;
	size_t nodes;
};

struct builder {
	const char *file;
	yaml_parser_t parser;
	struct pic_yaml *out;
	struct frame frames[DEPTH_MAX];
	size_t depth;
	size_t nodes;
	struct anchor anchors[ANCHORS_MAX];
	size_t anchor_count;
	char path[PATH_TEXT_MAX];
	struct pic_json *root;
	struct pic_yaml_line *lines;
	size_t line_count, line_room;
	struct pic_error *err;
};

static int wrong(struct builder *b, const yaml_mark_t *mark, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int wrong(struct builder *b, const yaml_mark_t *mark, int code, const char *format, ...)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_ERROR_TEXT);
	va_list arguments;

	va_start(arguments, format);
	pic_buf_vformat(&text, format, arguments);
	va_end(arguments);
	return pic_error_set(b->err, code, "%s:%zu: %s", b->file, mark->line + 1,
			     pic_buf_text(&text));
}

/* ---- lines ---- */

static int note_line(struct builder *b, const yaml_mark_t *mark)
{
	struct pic_yaml_line *grown;

	if (b->line_count == b->line_room) {
		const size_t room = b->line_room ? 2 * b->line_room : 64;

		grown = reallocarray(b->lines, room, sizeof(*grown));
		if (!grown)
			return wrong(b, mark, -ENOMEM, "no memory");
		b->lines = grown;
		b->line_room = room;
	}
	b->lines[b->line_count].path = strdup(b->path);
	if (!b->lines[b->line_count].path)
		return wrong(b, mark, -ENOMEM, "no memory");
	b->lines[b->line_count++].line = (int)mark->line + 1;
	return 0;
}

static void free_lines(struct pic_yaml_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(lines[i].path);
	free(lines);
}

/* A key of a map is ".key" here and may be "[key]" in a finding. */
static bool is_path(const char *noted, const char *path, size_t size)
{
	bool in_key = false;

	for (size_t i = 0; i < size; i++) {
		if (path[i] == '[' && *noted == '.') {
			in_key = true;
			noted++;
		} else if (path[i] == ']' && in_key && *noted != ']') {
			in_key = false;
		} else if (*noted++ != path[i]) {
			return false;
		}
	}
	return !*noted;
}

static int find_line(const struct pic_yaml_document *document, const char *path, size_t size)
{
	for (size_t i = 0; i < document->line_count; i++)
		if (is_path(document->lines[i].path, path, size))
			return document->lines[i].line;
	return 0;
}

int pic_yaml_line(const struct pic_yaml_document *document, const char *path)
{
	size_t size = strlen(path);

	while (size > 0) {
		const int line = find_line(document, path, size);

		if (line)
			return line;
		do
			size--;
		while (size > 0 && path[size] != '.' && path[size] != '[');
	}
	return document->line_count ? document->lines[0].line : 0;
}

/* ---- building ---- */

/* A path too long for the buffer is cut: it then leads to a parent's line. */
static void append_key(struct builder *b, size_t from, const char *key)
{
	snprintf(b->path + from, PATH_TEXT_MAX - from, "%s%s", from ? "." : "", key);
}

/* Sets the path to the value that is about to be put into the innermost container. */
static int place(struct builder *b, const yaml_mark_t *mark)
{
	const struct frame *frame = b->depth ? &b->frames[b->depth - 1] : NULL;

	if (!frame) {
		b->path[0] = 0;
		return note_line(b, mark);
	}
	b->path[frame->path_size] = 0;
	if (frame->is_map) /* noted with the key, whose line a person looks for */
		append_key(b, frame->path_size, frame->key);
	else
		snprintf(b->path + frame->path_size, PATH_TEXT_MAX - frame->path_size, "[%zu]",
			 pic_json_count(frame->container));
	return frame->is_map ? 0 : note_line(b, mark);
}

static int remember_anchor(struct builder *b, const yaml_mark_t *mark, const char *name,
			   struct pic_json *value, size_t nodes)
{
	struct anchor *anchor = &b->anchors[b->anchor_count];

	if (b->anchor_count == ANCHORS_MAX)
		return wrong(b, mark, -E2BIG, "more than %d anchors", ANCHORS_MAX);
	anchor->name = strdup(name);
	if (!anchor->name)
		return wrong(b, mark, -ENOMEM, "no memory");
	anchor->value = pic_json_ref(value);
	anchor->nodes = nodes;
	b->anchor_count++;
	return 0;
}

/* Puts a finished value (stolen) where it belongs. */
static int put(struct builder *b, const yaml_mark_t *mark, struct pic_json *value)
{
	struct frame *frame = b->depth ? &b->frames[b->depth - 1] : NULL;
	int r;

	if (!value)
		return wrong(b, mark, -EINVAL, "the text is not UTF-8, or there is no memory");
	if (!frame) {
		b->root = value;
		return 0;
	}
	if (!frame->is_map)
		return pic_json_append(frame->container, value) < 0
			       ? wrong(b, mark, -ENOMEM, "no memory")
			       : 0;
	if (strcmp(frame->key, "<<") == 0) {
		if (!frame->merges)
			frame->merges = pic_json_new_array();
		r = pic_json_append(frame->merges, value);
	} else {
		r = pic_json_set(frame->container, frame->key, value);
	}
	free(frame->key);
	frame->key = NULL;
	return r < 0 ? wrong(b, mark, -ENOMEM, "no memory") : 0;
}

static int count_nodes(struct builder *b, const yaml_mark_t *mark, size_t nodes)
{
	b->nodes += nodes;
	return b->nodes > NODES_MAX ? wrong(b, mark, -E2BIG, "more than %d values", NODES_MAX) : 0;
}

static int take_key(struct builder *b, const yaml_event_t *event, struct frame *frame)
{
	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length)
		return wrong(b, &event->start_mark, -EINVAL, "a key holds a NUL");
	if (strcmp(text, "<<") != 0 && pic_json_get(frame->container, text))
		return wrong(b, &event->start_mark, -EEXIST, "'%.100s' stands here twice", text);
	frame->key = strdup(text);
	if (!frame->key)
		return wrong(b, &event->start_mark, -ENOMEM, "no memory");
	b->path[frame->path_size] = 0;
	append_key(b, frame->path_size, text);
	return note_line(b, &event->start_mark);
}

static bool waits_for_key(const struct builder *b)
{
	return b->depth && b->frames[b->depth - 1].is_map && !b->frames[b->depth - 1].key;
}

static int scalar(struct builder *b, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	const char *tag = (const char *)event->data.scalar.tag;
	const bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
			   !(tag && strcmp(tag, YAML_STR_TAG) == 0);
	struct pic_json *value = NULL;
	int r;

	if (waits_for_key(b))
		return take_key(b, event, &b->frames[b->depth - 1]);
	if (tag && strcmp(tag, "tag:yaml.org,2002:binary") == 0)
		return wrong(b, &event->start_mark, -EINVAL, "!!binary cannot be written as JSON");
	if (plain && pic_yaml_is_not_json(text))
		return wrong(b, &event->start_mark, -EINVAL, "%s cannot be written as JSON", text);
	r = place(b, &event->start_mark);
	if (r == 0)
		r = count_nodes(b, &event->start_mark, 1);
	if (r < 0)
		return r;
	if (plain && strlen(text) == event->data.scalar.length)
		value = pic_yaml_plain(text);
	if (!value)
		value = pic_json_new_text_sized(text, event->data.scalar.length);
	if (value && event->data.scalar.anchor) {
		r = remember_anchor(b, &event->start_mark, (const char *)event->data.scalar.anchor,
				    value, 1);
		if (r < 0) {
			pic_json_unref(value);
			return r;
		}
	}
	return put(b, &event->start_mark, value);
}

static int open_container(struct builder *b, const yaml_event_t *event, bool is_map,
			  const char *anchor)
{
	struct frame *frame;
	int r;

	if (waits_for_key(b))
		return wrong(b, &event->start_mark, -EINVAL, "a key must be a text");
	if (b->depth == DEPTH_MAX)
		return wrong(b, &event->start_mark, -E2BIG, "nested deeper than %d", DEPTH_MAX);
	r = place(b, &event->start_mark);
	if (r == 0)
		r = count_nodes(b, &event->start_mark, 1);
	if (r < 0)
		return r;
	frame = &b->frames[b->depth++];
	*frame = (struct frame){ .is_map = is_map,
				 .path_size = strlen(b->path),
				 .nodes = b->nodes - 1 };
	frame->container = is_map ? pic_json_new_object() : pic_json_new_array();
	frame->anchor = anchor ? strdup(anchor) : NULL;
	return frame->container ? 0 : wrong(b, &event->start_mark, -ENOMEM, "no memory");
}

/* "<<": keys that the map itself has not got. */
static int merge_into(struct builder *b, const yaml_mark_t *mark, struct pic_json *map,
		      const struct pic_json *from)
{
	if (pic_json_type(from) == PIC_JSON_ARRAY) {
		for (size_t i = 0; i < pic_json_count(from); i++) {
			if (pic_json_type(pic_json_at(from, i)) == PIC_JSON_ARRAY)
				return wrong(b, mark, -EINVAL, "'<<' wants maps");
			if (merge_into(b, mark, map, pic_json_at(from, i)) < 0)
				return -EINVAL;
		}
		return 0;
	}
	if (pic_json_type(from) != PIC_JSON_OBJECT)
		return wrong(b, mark, -EINVAL, "'<<' wants a map");
	pic_json_each(from, i) {
		if (!pic_json_get(map, pic_json_key(i)) &&
		    pic_json_set(map, pic_json_key(i), pic_json_copy(pic_json_value(i))) < 0)
			return wrong(b, mark, -ENOMEM, "no memory");
	}
	return 0;
}

static int close_container(struct builder *b, const yaml_event_t *event)
{
	struct frame frame = b->frames[--b->depth];
	int r = 0;

	for (size_t i = 0; r == 0 && i < pic_json_count(frame.merges); i++)
		r = merge_into(b, &event->start_mark, frame.container,
			       pic_json_at(frame.merges, i));
	if (r == 0 && frame.anchor)
		r = remember_anchor(b, &event->start_mark, frame.anchor, frame.container,
				    b->nodes - frame.nodes);
	pic_json_unref(frame.merges);
	free(frame.anchor);
	if (r < 0) {
		pic_json_unref(frame.container);
		return r;
	}
	return put(b, &event->start_mark, frame.container);
}

static int alias(struct builder *b, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	int r;

	if (waits_for_key(b))
		return wrong(b, &event->start_mark, -EINVAL, "a key must be a text");
	for (size_t i = b->anchor_count; i-- > 0;) {
		if (strcmp(b->anchors[i].name, name) != 0)
			continue;
		r = place(b, &event->start_mark);
		if (r == 0)
			r = count_nodes(b, &event->start_mark, b->anchors[i].nodes);
		return r < 0 ? r : put(b, &event->start_mark, pic_json_copy(b->anchors[i].value));
	}
	return wrong(b, &event->start_mark, -ENOENT, "nothing is anchored as '%.100s'", name);
}

static void forget_document(struct builder *b)
{
	while (b->depth) {
		struct frame *frame = &b->frames[--b->depth];

		pic_json_unref(frame->container);
		pic_json_unref(frame->merges);
		free(frame->key);
		free(frame->anchor);
	}
	while (b->anchor_count) {
		struct anchor *anchor = &b->anchors[--b->anchor_count];

		free(anchor->name);
		pic_json_unref(anchor->value);
	}
	pic_json_unref(b->root);
	b->root = NULL;
	free_lines(b->lines, b->line_count);
	b->lines = NULL;
	b->line_count = b->line_room = 0;
}

static int keep_document(struct builder *b, const yaml_mark_t *mark)
{
	struct pic_yaml_document *grown;
	const enum pic_json_type type = pic_json_type(b->root);

	if (type != PIC_JSON_NULL && type != PIC_JSON_ABSENT) {
		grown = reallocarray(b->out->documents, b->out->count + 1, sizeof(*grown));
		if (!grown)
			return wrong(b, mark, -ENOMEM, "no memory");
		b->out->documents = grown;
		grown[b->out->count++] =
			(struct pic_yaml_document){ b->root, b->lines, b->line_count };
		b->root = NULL;
		b->lines = NULL;
		b->line_count = b->line_room = 0;
	}
	forget_document(b);
	return 0;
}

static int take_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_container(b, event, false,
				      (const char *)event->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return open_container(b, event, true,
				      (const char *)event->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_container(b, event);
	case YAML_ALIAS_EVENT:
		return alias(b, event);
	case YAML_DOCUMENT_END_EVENT:
		return keep_document(b, &event->start_mark);
	default:
		return 0;
	}
}

static int parse_error(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;

	return pic_error_set(b->err, -EINVAL, "%s:%zu: %s%s%s", b->file, p->problem_mark.line + 1,
			     p->context ? p->context : "", p->context ? ", " : "",
			     p->problem ? p->problem : "no YAML");
}

static int parse(struct builder *b)
{
	for (;;) {
		yaml_event_t event;
		bool end;
		int r;

		if (!yaml_parser_parse(&b->parser, &event))
			return parse_error(b);
		end = event.type == YAML_STREAM_END_EVENT;
		r = take_event(b, &event);
		yaml_event_delete(&event);
		if (r < 0 || end)
			return r;
	}
}

int pic_yaml_parse(struct pic_yaml *out, const char *text, size_t size, const char *file_name,
		   struct pic_error *err)
{
	struct pic_yaml made = { 0 };
	struct builder *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return pic_error_set(err, -ENOMEM, "%s: no memory", file_name);
	b->file = file_name;
	b->out = &made;
	b->err = err;
	if (size > PIC_YAML_SIZE_MAX)
		r = pic_error_set(err, -EFBIG, "%s: larger than %d bytes", file_name,
				  PIC_YAML_SIZE_MAX);
	else if (!yaml_parser_initialize(&b->parser))
		r = pic_error_set(err, -ENOMEM, "%s: no memory", file_name);
	else {
		yaml_parser_set_input_string(&b->parser, (const unsigned char *)text, size);
		yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
		r = parse(b);
		yaml_parser_delete(&b->parser);
	}
	forget_document(b);
	free(b);
	if (r < 0) {
		pic_yaml_free(&made);
		return r;
	}
	*out = made;
	return 0;
}

void pic_yaml_free(struct pic_yaml *yaml)
{
	for (size_t i = 0; i < yaml->count; i++) {
		pic_json_unref(yaml->documents[i].value);
		free_lines(yaml->documents[i].lines, yaml->documents[i].line_count);
	}
	free(yaml->documents);
	*yaml = (struct pic_yaml){ 0 };
}
