/*
 * The nearest known word to a mistyped one, for "did you mean". Pure.
 */
#ifndef PIC_BASE_SPELLING_H
#define PIC_BASE_SPELLING_H

#include <stddef.h>

/* Number of single-letter changes (insert, delete, replace, swap of neighbours) between two words; at
 * most 64 bytes of each are looked at. */
size_t pic_spelling_distance(const char *a, const char *b);

/* Keeps the nearest candidate it was shown. Start with {wanted, NULL, 0}. */
struct pic_spelling {
	const char *wanted;
	const char *nearest; /* NULL: nothing is near enough */
	size_t distance;
};
void pic_spelling_offer(struct pic_spelling *spelling, const char *candidate);

#endif
