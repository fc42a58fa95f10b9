/*
 * Tables for people: columns as wide as their longest cell. On a terminal the widest ones are cut so that a
 * row fits; in a pipe or a file nothing is. Cells are escaped.
 */
#ifndef PIC_BASE_TABLE_H
#define PIC_BASE_TABLE_H

#include <stdio.h>

#include "base/error.h"

struct pic_table;

struct pic_table *pic_table_new(size_t columns, const char *const *titles);
void pic_table_row(struct pic_table *table, const char *const *cells); /* copied */
void pic_table_print(struct pic_table *table, FILE *out);
void pic_table_free(struct pic_table *table);

#endif
