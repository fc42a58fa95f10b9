#include "hub/store/index.h"

#include <errno.h>
#include <string.h>

#define FIRST_CAPACITY 16

void pic_index_free(struct pic_index *index)
{
	for (size_t i = 0; i < index->count; i++)
		pic_object_unref(index->items[i]);
	free(index->items);
	*index = (struct pic_index){ NULL, 0, 0 };
}

static int compare(const struct pic_object *object, const char *space, const char *name)
{
	int order = strcmp(object->space, space);

	return order ? order : strcmp(object->name, name);
}

/* The place of the first object that is not before (space, name). */
static size_t place_of(const struct pic_index *index, const char *space, const char *name,
		       bool *found)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(index->items[middle], space, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = low < index->count && compare(index->items[low], space, name) == 0;
	return low;
}

static int make_room(struct pic_index *index)
{
	if (index->count < index->capacity)
		return 0;
	size_t capacity = index->capacity ? index->capacity * 2 : FIRST_CAPACITY;
	struct pic_object **items = reallocarray(index->items, capacity, sizeof(*items));

	if (!items)
		return -ENOMEM;
	index->items = items;
	index->capacity = capacity;
	return 0;
}

int pic_index_put(struct pic_index *index, struct pic_object *object, struct pic_object **previous)
{
	bool found;
	size_t at = place_of(index, object->space, object->name, &found);

	if (found) {
		*previous = index->items[at];
		index->items[at] = object;
		return 0;
	}
	if (make_room(index) < 0)
		return -ENOMEM;
	memmove(&index->items[at + 1], &index->items[at],
		(index->count - at) * sizeof(*index->items));
	index->items[at] = object;
	index->count++;
	*previous = NULL;
	return 0;
}

struct pic_object *pic_index_take(struct pic_index *index, const char *space, const char *name)
{
	bool found;
	size_t at = place_of(index, space, name, &found);

	if (!found)
		return NULL;
	struct pic_object *object = index->items[at];
	index->count--;
	memmove(&index->items[at], &index->items[at + 1],
		(index->count - at) * sizeof(*index->items));
	return object;
}

struct pic_object *pic_index_get(const struct pic_index *index, const char *space, const char *name)
{
	bool found;
	size_t at = place_of(index, space, name, &found);

	return found ? index->items[at] : NULL;
}

struct pic_object *pic_index_next(const struct pic_index *index, const char *space,
				  const struct pic_object *after)
{
	bool found = false;
	size_t at = 0;

	if (after)
		at = place_of(index, after->space, after->name, &found);
	else if (space)
		at = place_of(index, space, "", &found);
	if (after && found)
		at++;
	if (at >= index->count)
		return NULL;
	if (space && strcmp(index->items[at]->space, space) != 0)
		return NULL;
	return index->items[at];
}
