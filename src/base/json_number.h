/*
 * Numbers as they are written. Internal to base/json*.c.
 */
#ifndef PIC_BASE_JSON_NUMBER_H
#define PIC_BASE_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Longest literal that is kept; longer ones are refused. */
#define PIC_JSON_NUMBER_MAX 1024

enum pic_json_number_kind {
	PIC_JSON_NUMBER_BAD,
	PIC_JSON_NUMBER_INTEGER, /* fits 64 bits and is written as a program would write it */
	PIC_JSON_NUMBER_LITERAL, /* good, but only its text is exact */
};

/* By the grammar of RFC 8259. *value is set for INTEGER. */
enum pic_json_number_kind pic_json_number_kind(const char *text, size_t size, long long *value);
/* Whether two good literals mean the same number, exactly: 1e3 and 1000.0 do. */
bool pic_json_number_equal(const char *a, const char *b);

#endif
