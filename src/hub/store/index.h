/*
 * The objects of one kind in memory, ordered by (space, name) in byte order.
 *
 * The index holds one reference on each object. Room never shrinks, so that undoing a change (which
 * walks the same sizes backwards) cannot fail.
 */
#ifndef PIC_HUB_STORE_INDEX_H
#define PIC_HUB_STORE_INDEX_H

#include "symphony/object.h"

struct pic_index {
	struct pic_object **items;
	size_t count;
	size_t capacity;
};

void pic_index_free(struct pic_index *index);
/* Steals the reference; *previous gets the one that was replaced, or NULL. -ENOMEM leaves all as it was. */
int pic_index_put(struct pic_index *index, struct pic_object *object, struct pic_object **previous);
/* The index's reference on what was taken out; NULL when there was none. */
struct pic_object *pic_index_take(struct pic_index *index, const char *space, const char *name);
struct pic_object *pic_index_get(const struct pic_index *index, const char *space,
				 const char *name);
/* The first object behind `after` (NULL: the first of all); space NULL: of every space. */
struct pic_object *pic_index_next(const struct pic_index *index, const char *space,
				  const struct pic_object *after);

#endif
