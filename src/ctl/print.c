/* What people see. Everything of a stranger's is escaped here or in base/table. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "symphony/yaml.h"

#define PRINT_MAX (32 * 1024 * 1024)
#define COLUMNS_MAX 24

void pic_ctl_print_text(const char *text)
{
	PIC_BUF struct pic_buf line = PIC_BUF_INIT(PRINT_MAX);

	pic_text_escape(text, strlen(text), false, &line);
	puts(pic_buf_text(&line));
}

static const char *name_of(const struct pic_json *value)
{
	const char *name = pic_json_text(pic_json_find(value, "metadata", "name", NULL));

	return name ? name : pic_json_text(pic_json_get(value, "name"));
}

static void print_name(const struct pic_json *value)
{
	const char *kind = pic_json_text_or(pic_json_get(value, "kind"), "");
	const char *version = pic_json_text_or(pic_json_get(value, "apiVersion"), "");
	const char *slash = strchr(version, '/');
	const char *name = name_of(value);
	const struct pic_kind_facts *facts;
	char group[128] = "";

	if (slash)
		snprintf(group, sizeof(group), "%.*s", (int)(slash - version), version);
	facts = pic_kind_by_name(group, kind);
	if (!*kind) /* of the hub's own routes, where the verb says the kind */
		puts(name);
	else if (facts && *group)
		printf("%s.%s/%s\n", facts->singular, group, name);
	else
		printf("%s/%s\n", facts ? facts->singular : kind, name);
}

/* The hub's own routes call their lists by what is in them: "devices", "approvals". */
static const struct pic_json *list_in(const struct pic_json *value)
{
	pic_json_each(value, i) {
		if (pic_json_type(pic_json_value(i)) == PIC_JSON_ARRAY)
			return pic_json_value(i);
	}
	return NULL;
}

static int print_names(const struct pic_json *value, struct pic_error *err)
{
	const struct pic_json *items = pic_json_get(value, "items");

	if (!items && !name_of(value))
		items = list_in(value);
	if (!items && !name_of(value))
		return pic_error_set(err, PIC_CTL_USAGE,
				     "there is no name to print here; take another form with -o");
	for (size_t i = 0; i < pic_json_count(items); i++) {
		if (!name_of(pic_json_at(items, i)))
			return pic_error_set(
				err, PIC_CTL_USAGE,
				"there is no name to print here; take another form with -o");
	}
	for (size_t i = 0; i < pic_json_count(items); i++)
		print_name(pic_json_at(items, i));
	if (!items)
		print_name(value);
	return 0;
}

int pic_ctl_print_value(const struct pic_json *value, const char *output, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PRINT_MAX);
	int r;

	if (strcmp(output, "name") == 0)
		return print_names(value, err);
	r = strcmp(output, "yaml") == 0 ? pic_yaml_write(value, &text)
					: pic_json_write(value, PIC_JSON_INDENT, &text);
	if (r < 0)
		return pic_error_set(err, r, "the answer is too long to print");
	fwrite(text.data, 1, text.size, stdout);
	if (text.size && text.data[text.size - 1] != '\n')
		putchar('\n');
	return 0;
}

/* A cell as text; `number` is room for numbers and other values. */
static const char *cell_text(const struct pic_json *cell, struct pic_buf *room)
{
	if (pic_json_text(cell))
		return pic_json_text(cell);
	if (pic_json_type(cell) == PIC_JSON_NULL || pic_json_type(cell) == PIC_JSON_ABSENT)
		return "";
	pic_buf_clear(room);
	pic_json_write(cell, PIC_JSON_COMPACT, room);
	return pic_buf_text(room);
}

/* Which columns are shown; returns their number. */
static size_t choose_columns(const struct pic_json *definitions, bool wide,
			     size_t chosen[COLUMNS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < pic_json_count(definitions) && count < COLUMNS_MAX - 1; i++) {
		long long priority = 0;

		pic_json_integer(pic_json_get(pic_json_at(definitions, i), "priority"), &priority);
		if (priority == 0 || wide)
			chosen[count++] = i;
	}
	return count;
}

static void print_row(struct pic_table *table, const struct pic_json *row, const size_t *chosen,
		      size_t count, bool spaces, const char *prefix)
{
	struct pic_buf rooms[COLUMNS_MAX];
	const char *cells[COLUMNS_MAX + 1];
	struct pic_json *values = pic_json_get(row, "cells");
	PIC_BUF struct pic_buf name = PIC_BUF_INIT(1024);
	size_t at = 0;

	if (spaces)
		cells[at++] = pic_json_text_or(
			pic_json_find(row, "object", "metadata", "namespace", NULL), "");
	for (size_t i = 0; i < count; i++) {
		rooms[i] = (struct pic_buf)PIC_BUF_INIT(4096);
		cells[at] = cell_text(pic_json_at(values, chosen[i]), &rooms[i]);
		if (i == 0 && prefix) {
			pic_buf_format(&name, "%s/%s", prefix, cells[at]);
			cells[at] = pic_buf_text(&name);
		}
		at++;
	}
	pic_table_row(table, cells);
	for (size_t i = 0; i < count; i++)
		pic_buf_free(&rooms[i]);
}

void pic_ctl_print_table(const struct pic_json *table, bool wide, bool spaces, const char *prefix)
{
	struct pic_json *definitions = pic_json_get(table, "columnDefinitions");
	struct pic_json *rows = pic_json_get(table, "rows");
	const char *titles[COLUMNS_MAX + 1];
	char upper[COLUMNS_MAX][48];
	size_t chosen[COLUMNS_MAX], at = 0;
	const size_t count = choose_columns(definitions, wide, chosen);
	struct pic_table *printed;

	if (spaces)
		titles[at++] = "NAMESPACE";
	for (size_t i = 0; i < count; i++) {
		snprintf(upper[i], sizeof(upper[i]), "%s",
			 pic_json_text_or(pic_json_get(pic_json_at(definitions, chosen[i]), "name"),
					  ""));
		for (char *c = upper[i]; *c; c++)
			if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 'a' + 'A');
		titles[at++] = upper[i];
	}
	printed = pic_table_new(at, titles);
	if (!printed)
		return;
	for (size_t i = 0; i < pic_json_count(rows); i++)
		print_row(printed, pic_json_at(rows, i), chosen, count, spaces, prefix);
	pic_table_print(printed, stdout);
	pic_table_free(printed);
}
