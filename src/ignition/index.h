/*
 * Looking names up in a list of any length: sorted once, so that the long list of a stranger costs no square. Texts
 * are borrowed.
 */
#ifndef PIC_IGNITION_INDEX_H
#define PIC_IGNITION_INDEX_H

#include <stdbool.h>
#include <stddef.h>

struct pic_ignition_entry {
	const char *text;
	size_t size;
	size_t index; /* in the list */
};

struct pic_ignition_index {
	struct pic_ignition_entry *items;
	size_t count;
};

/* Room for `count` entries. -ENOMEM. */
int pic_ignition_index_init(struct pic_ignition_index *index, size_t count);
/* At most as many as there is room for; an empty text is left out. */
void pic_ignition_index_add(struct pic_ignition_index *index, const char *text, size_t at);
void pic_ignition_index_sort(struct pic_ignition_index *index);
void pic_ignition_index_free(struct pic_ignition_index *index);

/* The entry of exactly those bytes that stands first in the list; NULL: none. */
const struct pic_ignition_entry *pic_ignition_index_find(const struct pic_ignition_index *index,
							 const char *text, size_t size);
/* Is there one that begins so? */
bool pic_ignition_index_begins(const struct pic_ignition_index *index, const char *text);

#endif
