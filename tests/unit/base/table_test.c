#include <stdio.h>
#include <stdlib.h>

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

static void cuts_the_widest(void **state)
{
	struct pic_table *table = pic_table_new(3, (const char *[]){ "NAME", "WHY", "X" });
	char why[301];
	PIC_FREE char *text = NULL;

	(void)state;
	for (size_t i = 0; i < 300; i += 3)
		memcpy(why + i, "\xe2\x82\xac", 4);
	pic_table_row(table, (const char *[]){ "short", why, "end" });
	text = printed(table);
	/* 80 characters: 5 + 2 + 68 + 2 + 3 */
	assert_contains(text, "short  \xe2\x82\xac");
	assert_contains(text, "\xe2\x82\xac...  end\n");
	assert_int_equal(strlen(strchr(text, '\n') + 1), 5 + 2 + 65 * 3 + 3 + 2 + 3 + 1);
}

static void a_row_of_81_is_cut_and_one_of_80_is_not(void **state)
{
	char cell[61];

	(void)state;
	for (size_t size = 59; size <= 60; size++) {
		struct pic_table *table =
			pic_table_new(2, (const char *[]){ "NAME", "NINETEEN-CHARACTERS" });
		PIC_FREE char *text = NULL;

		memset(cell, 'c', size);
		cell[size] = '\0';
		pic_table_row(table, (const char *[]){ cell, "end" });
		text = printed(table);
		assert_int_equal(strcspn(text, "\n"), 80);
		assert_int_equal(strstr(text, "...") != NULL, size == 60);
	}
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
	text = printed(table);
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
		cmocka_unit_test(cuts_the_widest),
		cmocka_unit_test(a_row_of_81_is_cut_and_one_of_80_is_not),
		cmocka_unit_test(gives_up_below_the_narrowest),
		cmocka_unit_test(escapes_cells),
		cmocka_unit_test(takes_many_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
