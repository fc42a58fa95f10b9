#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/table.h"

static char *printed(struct pic_table *table)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	pic_table_print(table, out);
	fclose(out);
	pic_table_free(table);
	return text;
}

/* What a terminal of that many columns shows (0: it does not say); the text is short enough for its buffer. */
static char *shown(struct pic_table *table, unsigned short columns)
{
	const struct winsize size = { .ws_row = 25, .ws_col = columns };
	int PIC_FD master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios plain;
	char *text = calloc(1, 4096);
	size_t used = 0;
	ssize_t got;
	FILE *out;

	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && text);
	out = fopen(ptsname(master), "we");
	assert_non_null(out);
	assert_int_equal(tcgetattr(fileno(out), &plain), 0);
	cfmakeraw(&plain);
	assert_int_equal(tcsetattr(fileno(out), TCSANOW, &plain), 0);
	assert_int_equal(ioctl(fileno(out), TIOCSWINSZ, &size), 0);
	pic_table_print(table, out);
	pic_table_free(table);
	assert_int_equal(fclose(out), 0);
	/* in pieces, as the kernel likes; the end is an error (EIO) */
	while ((got = read(master, text + used, 4095 - used)) > 0)
		used += (size_t)got;
	assert_true(used > 0);
	return text;
}

static void aligns_columns(void **state)
{
	struct pic_table *table = pic_table_new(3, (const char *[]){ "NAME", "READY", "AGE" });
	PIC_FREE char *text = NULL;

	(void)state;
	pic_table_row(table, (const char *[]){ "tiny-edge", "1/1", "5m" });
	pic_table_row(table, (const char *[]){ "\xc3\xa4rger", NULL, "10d" });
	text = printed(table);
	assert_string_equal(text, "NAME       READY  AGE\n"
				  "tiny-edge  1/1    5m\n"
				  "\xc3\xa4rger             10d\n");
}

static void cuts_the_widest_on_a_terminal(void **state)
{
	struct pic_table *table = pic_table_new(3, (const char *[]){ "NAME", "WHY", "X" });
	char why[301];
	PIC_FREE char *text = NULL;

	(void)state;
	for (size_t i = 0; i < 300; i += 3)
		memcpy(why + i, "\xe2\x82\xac", 4);
	pic_table_row(table, (const char *[]){ "short", why, "end" });
	text = shown(table, 80);
	/* 80 characters: 5 + 2 + 68 + 2 + 3 */
	assert_contains(text, "short  \xe2\x82\xac");
	assert_contains(text, "\xe2\x82\xac...  end\n");
	assert_int_equal(strlen(strchr(text, '\n') + 1), 5 + 2 + 65 * 3 + 3 + 2 + 3 + 1);
}

static struct pic_table *row_of(size_t size)
{
	struct pic_table *table = pic_table_new(2, (const char *[]){ "N", "NINETEEN-CHARACTERS" });
	char cell[201] = "";

	memset(cell, 'c', size);
	pic_table_row(table, (const char *[]){ cell, "end" });
	return table;
}

static void the_terminal_says_how_wide_it_is(void **state)
{
	static const unsigned short columns[] = { 40, 80, 132, 200 };

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(columns); i++) {
		const size_t fits = columns[i] - 2u - 19u;
		PIC_FREE char *whole = shown(row_of(fits), columns[i]);
		PIC_FREE char *cut = shown(row_of(fits + 1), columns[i]);

		assert_null(strstr(whole, "..."));
		assert_non_null(strstr(cut, "..."));
		assert_int_equal(strcspn(whole, "\n"), columns[i]);
		assert_int_equal(strcspn(cut, "\n"), columns[i]);
	}
}

static void a_terminal_that_does_not_say_has_80_columns(void **state)
{
	PIC_FREE char *text = shown(row_of(60), 0);

	(void)state;
	assert_int_equal(strcspn(text, "\n"), 80);
}

static void nothing_is_cut_where_no_terminal_is(void **state)
{
	PIC_FREE char *text = printed(row_of(200));

	(void)state;
	assert_null(strstr(text, "..."));
	assert_int_equal(strcspn(text, "\n"), 200 + 2 + 19);
}

static void gives_up_below_the_narrowest(void **state)
{
	const char *titles[20], *cells[20];
	struct pic_table *table;
	PIC_FREE char *text = NULL;

	(void)state;
	for (int i = 0; i < 20; i++) {
		titles[i] = "TITLE-OF-COLUMN";
		cells[i] = "x";
	}
	table = pic_table_new(20, titles);
	pic_table_row(table, cells);
	text = shown(table, 80);
	assert_contains(text, "TITLE...  TITLE...");
}

static void escapes_cells(void **state)
{
	struct pic_table *table = pic_table_new(1, (const char *[]){ "NAME" });
	PIC_FREE char *text = NULL;

	(void)state;
	pic_table_row(table, (const char *[]){ "\x1b[2Ja\nb" });
	text = printed(table);
	assert_string_equal(text, "NAME\n\\x1b[2Ja\\x0ab\n");
}

static void takes_many_rows(void **state)
{
	struct pic_table *table = pic_table_new(2, (const char *[]){ "A", "B" });
	PIC_FREE char *text = NULL;
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < 5000; i++)
		pic_table_row(table, (const char *[]){ "a", "b" });
	text = printed(table);
	for (const char *c = text; *c != '\0'; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 5001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aligns_columns),
		cmocka_unit_test(cuts_the_widest_on_a_terminal),
		cmocka_unit_test(the_terminal_says_how_wide_it_is),
		cmocka_unit_test(a_terminal_that_does_not_say_has_80_columns),
		cmocka_unit_test(nothing_is_cut_where_no_terminal_is),
		cmocka_unit_test(gives_up_below_the_narrowest),
		cmocka_unit_test(escapes_cells),
		cmocka_unit_test(takes_many_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
