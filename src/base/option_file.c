/* The configuration file (`key = value`, one a line) and the environment. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/option_state.h"
#include "base/text.h"

#define FILE_MAX (256 * 1024)
#define NAME_SIZE 128

struct line {
	const char *path;
	unsigned number;
	struct pic_view key, value;
};

static struct pic_view trim(struct pic_view text)
{
	while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.size--;
	}
	while (text.size > 0 && strchr(" \t\r", text.data[text.size - 1]))
		text.size--;
	return text;
}

static bool is_printable(struct pic_view text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return false;
	return true;
}

/* Up to a '#' behind a blank, or what stands between quotes (nothing is escaped in them). False when
 * something follows the closing quote. */
static bool value_of(struct pic_view text, struct pic_view *out)
{
	const char *quote = text.size > 1 ? memchr(text.data + 1, '"', text.size - 1) : NULL;
	size_t size = 0;

	if (quote && text.data[0] == '"') {
		size = (size_t)(quote + 1 - text.data);
		*out = (struct pic_view){ text.data + 1, size - 2 };
		text = trim((struct pic_view){ quote + 1, text.size - size });
		return text.size == 0 || text.data[0] == '#';
	}
	while (size < text.size &&
	       (text.data[size] != '#' || (size > 0 && !strchr(" \t", text.data[size - 1]))))
		size++;
	*out = trim((struct pic_view){ text.data, size });
	return true;
}

/* 1: a setting, 0: nothing stands there, -EINVAL. */
static int parse_line(struct pic_view text, struct line *line, struct pic_error *err)
{
	const char *equals;

	text = trim(text);
	if (text.size == 0 || text.data[0] == '#')
		return 0;
	if (!is_printable(text))
		return pic_error_set(err, -EINVAL, "%s:%u: the line holds a control character",
				     line->path, line->number);
	equals = memchr(text.data, '=', text.size);
	if (!equals || equals == text.data)
		return pic_error_set(err, -EINVAL, "%s:%u: expected \"key = value\"", line->path,
				     line->number);
	line->key = trim((struct pic_view){ text.data, (size_t)(equals - text.data) });
	text = trim((struct pic_view){ equals + 1, text.size - (size_t)(equals + 1 - text.data) });
	if (!value_of(text, &line->value))
		return pic_error_set(err, -EINVAL, "%s:%u: something follows the closing quote",
				     line->path, line->number);
	return 1;
}

static bool is_named(const struct pic_option *row, struct pic_view key)
{
	return strlen(row->name) == key.size && memcmp(row->name, key.data, key.size) == 0;
}

static int unknown_key(const struct pic_option_state *state, const struct line *line,
		       struct pic_error *err)
{
	PIC_BUF struct pic_buf key = PIC_BUF_INIT(4 * NAME_SIZE);
	struct pic_option_nearest nearest = { NULL, NULL, 0 };

	pic_text_escape(line->key.data, line->key.size < NAME_SIZE ? line->key.size : NAME_SIZE,
			false, &key);
	nearest.wanted = pic_buf_text(&key);
	for (size_t i = 0; i < state->slot_count; i++) {
		const struct pic_option *row = state->slots[i].row;

		if (is_named(row, line->key))
			return pic_error_set(err, -EINVAL,
					     "%s:%u: \"%s\" can only be given as a flag",
					     line->path, line->number, row->name);
		if (!pic_option_is_flag_only(row))
			pic_option_offer(&nearest, row->name);
	}
	if (!nearest.nearest)
		return pic_error_set(err, -EINVAL, "%s:%u: unknown key \"%s\"", line->path,
				     line->number, nearest.wanted);
	return pic_error_set(err, -EINVAL, "%s:%u: unknown key \"%s\"; did you mean \"%s\"?",
			     line->path, line->number, nearest.wanted, nearest.nearest);
}

static int set_again(const struct pic_option_slot *slot, const struct line *line,
		     struct pic_error *err)
{
	return pic_error_set(err, -EINVAL, "%s:%u: \"%s\" is set again (first in line %u)",
			     line->path, line->number, slot->row->name, slot->line);
}

/* Rows of the same name belong to several commands; each gets the value. */
static int apply_line(struct pic_option_state *state, const struct line *line,
		      struct pic_error *err)
{
	char *value = pic_option_keep(state, line->value.data, line->value.size);
	bool known = false;

	if (!value)
		return pic_error_set(err, -ENOMEM, "no memory for %s", line->path);
	for (size_t i = 0; i < state->slot_count; i++) {
		struct pic_option_slot *slot = &state->slots[i];
		char where[NAME_SIZE + 256];
		int r;

		if (pic_option_is_flag_only(slot->row) || !is_named(slot->row, line->key))
			continue;
		if (slot->source == PIC_OPTION_FROM_FILE && slot->row->type != PIC_OPTION_LIST)
			return set_again(slot, line, err);
		snprintf(where, sizeof(where), "%s:%u: %s", line->path, line->number,
			 slot->row->name);
		r = pic_option_set(state, slot, value, PIC_OPTION_FROM_FILE, where, err);
		if (r < 0)
			return r;
		slot->line = line->number;
		known = true;
	}
	return known ? 0 : unknown_key(state, line, err);
}

int pic_option_file_text(struct pic_option_state *state, const char *path, const char *text,
			 size_t size, struct pic_error *err)
{
	struct line line = { .path = path };

	while (size > 0) {
		const char *newline = memchr(text, '\n', size);
		size_t length = newline ? (size_t)(newline - text) : size;
		int r;

		line.number++;
		r = parse_line((struct pic_view){ text, length }, &line, err);
		if (r > 0)
			r = apply_line(state, &line, err);
		if (r < 0)
			return r;
		length += newline != NULL;
		text += length;
		size -= length;
	}
	return 0;
}

int pic_option_file(struct pic_option_state *state, const char *path, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(FILE_MAX);
	int r = pic_file_read_path(path, &text, err);

	if (r < 0)
		return r;
	state->file = pic_option_keep(state, path, strlen(path));
	if (!state->file)
		return pic_error_set(err, -ENOMEM, "no memory for %s", path);
	return pic_option_file_text(state, path, pic_buf_text(&text), text.size, err);
}

void pic_option_environment_name(const struct pic_program *program, const struct pic_option *row,
				 char *out, size_t size)
{
	snprintf(out, size, "%s%s", program->environment_prefix ? program->environment_prefix : "",
		 row->name);
	for (; *out != '\0'; out++)
		*out = *out == '-' ? '_' : (char)toupper((unsigned char)*out);
}

static int set_list(struct pic_option_state *state, struct pic_option_slot *slot, const char *text,
		    const char *where, struct pic_error *err)
{
	char *copy = pic_option_keep(state, text, strlen(text)), *rest = NULL;

	if (!copy)
		return pic_error_set(err, -ENOMEM, "no memory for %s", where);
	for (char *item = strtok_r(copy, " ", &rest); item; item = strtok_r(NULL, " ", &rest)) {
		int r = pic_option_set(state, slot, item, PIC_OPTION_FROM_ENVIRONMENT, where, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int pic_option_environment(struct pic_option_state *state, struct pic_error *err)
{
	char name[NAME_SIZE];

	for (size_t i = 0; i < state->slot_count; i++) {
		struct pic_option_slot *slot = &state->slots[i];
		const char *text;
		int r;

		if (pic_option_is_flag_only(slot->row))
			continue;
		pic_option_environment_name(state->program, slot->row, name, sizeof(name));
		text = getenv(name);
		if (!text || *text == '\0')
			continue;
		if (slot->row->type == PIC_OPTION_LIST)
			r = set_list(state, slot, text, name, err);
		else
			r = pic_option_set(state, slot, text, PIC_OPTION_FROM_ENVIRONMENT, name,
					   err);
		if (r < 0)
			return r;
	}
	return 0;
}
