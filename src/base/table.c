#include "base/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/text.h"
#include "base/utf8.h"

#define GAP 2
#define NARROWEST 8
#define WIDTH_UNTOLD 80 /* of a terminal that does not say, a serial line for instance */
#define CELL_MAX 4096

struct pic_table {
	size_t columns;
	size_t *widths;
	char **cells; /* row by row, the titles first */
	size_t count, capacity;
	bool failed;
};

static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static bool add_cell(struct pic_table *table, const char *text)
{
	PIC_BUF struct pic_buf clean = PIC_BUF_INIT(4 * CELL_MAX + 1);
	size_t column = table->count % table->columns, width;
	char *cell;

	pic_text_escape(text ? text : "", text ? strnlen(text, CELL_MAX) : 0, false, &clean);
	cell = pic_buf_take(&clean);
	if (!cell)
		return false;
	width = width_of(cell);
	if (width > table->widths[column])
		table->widths[column] = width;
	table->cells[table->count++] = cell;
	return true;
}

static bool make_room(struct pic_table *table)
{
	size_t needed = table->count + table->columns;
	size_t capacity = table->capacity ? table->capacity : 8 * table->columns;
	char **cells;

	while (capacity < needed)
		capacity *= 2;
	if (capacity == table->capacity)
		return true;
	cells = realloc(table->cells, capacity * sizeof(char *));
	if (!cells)
		return false;
	table->cells = cells;
	table->capacity = capacity;
	return true;
}

/* A row is there as a whole or not at all. */
void pic_table_row(struct pic_table *table, const char *const *cells)
{
	size_t before = table ? table->count : 0;

	if (!table || table->failed)
		return;
	if (!make_room(table)) {
		table->failed = true;
		return;
	}
	for (size_t i = 0; i < table->columns && !table->failed; i++)
		table->failed = !add_cell(table, cells[i]);
	while (table->failed && table->count > before)
		free(table->cells[--table->count]);
}

struct pic_table *pic_table_new(size_t columns, const char *const *titles)
{
	struct pic_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->columns = columns;
	table->widths = calloc(columns, sizeof(*table->widths));
	if (columns == 0 || !table->widths) {
		pic_table_free(table);
		return NULL;
	}
	pic_table_row(table, titles);
	return table;
}

/* 0: not a terminal. */
static size_t terminal_width(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)))
		return 0;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return WIDTH_UNTOLD;
}

/* Takes from the widest column, down to the next widest, until a row fits. */
static void fit(size_t *widths, size_t columns, size_t limit)
{
	for (;;) {
		size_t total = GAP * (columns - 1), widest = 0, second = NARROWEST, excess;

		for (size_t i = 0; i < columns; i++) {
			total += widths[i];
			if (widths[i] > widths[widest])
				widest = i;
		}
		if (total <= limit || widths[widest] <= NARROWEST)
			return;
		for (size_t i = 0; i < columns; i++)
			if (widths[i] < widths[widest] && widths[i] > second)
				second = widths[i];
		excess = total - limit;
		if (excess > widths[widest] - second)
			excess = widths[widest] - second;
		widths[widest] -= excess;
	}
}

/* Bytes of the first `width` characters. */
static size_t bytes_of(const char *text, size_t width)
{
	size_t at = 0;

	while (text[at] != '\0') {
		if (((unsigned char)text[at] & 0xc0) != 0x80 && width-- == 0)
			break;
		at++;
	}
	return at;
}

static void print_cell(FILE *out, const char *cell, size_t width, bool last)
{
	size_t own = width_of(cell);

	if (own > width) {
		fwrite(cell, 1, bytes_of(cell, width - 3), out);
		fputs("...", out);
		own = width;
	} else {
		fputs(cell, out);
	}
	if (!last)
		fprintf(out, "%*s", (int)(width - own + GAP), "");
}

void pic_table_print(struct pic_table *table, FILE *out)
{
	size_t limit;

	if (!table)
		return;
	limit = terminal_width(out);
	if (limit > 0)
		fit(table->widths, table->columns, limit);
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->columns;
		bool last = column == table->columns - 1;

		print_cell(out, table->cells[i], table->widths[column], last);
		if (last)
			fputc('\n', out);
	}
}

void pic_table_free(struct pic_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->widths);
	free(table);
}
