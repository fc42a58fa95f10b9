#include "hub/engine/dirty.h"

#include <stdlib.h>
#include <string.h>

static int compare(const struct pic_dirty *item, enum pic_dirty_kind kind, const char *space,
		   const char *name)
{
	if (item->kind != kind)
		return item->kind < kind ? -1 : 1;
	int order = strcmp(item->space, space);

	return order ? order : strcmp(item->name, name);
}

static bool make_room(struct pic_dirty_set *set)
{
	if (set->count < set->capacity)
		return true;
	size_t capacity = set->capacity ? 2 * set->capacity : 32;
	struct pic_dirty *items = reallocarray(set->items, capacity, sizeof(*items));

	if (!items)
		return false;
	set->items = items;
	set->capacity = capacity;
	return true;
}

void pic_dirty_add(struct pic_dirty_set *set, enum pic_dirty_kind kind, const char *space,
		   const char *name)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(&set->items[middle], kind, space, name);

		if (order == 0)
			return;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	struct pic_dirty item = { kind, strdup(space), strdup(name) };

	if (!item.space || !item.name || !make_room(set)) {
		free(item.space);
		free(item.name);
		set->lost = true;
		return;
	}
	memmove(&set->items[low + 1], &set->items[low], (set->count - low) * sizeof(*set->items));
	set->items[low] = item;
	set->count++;
}

void pic_dirty_take(struct pic_dirty_set *set, struct pic_dirty_set *out)
{
	*out = *set;
	*set = (struct pic_dirty_set){ .items = NULL };
}

void pic_dirty_free(struct pic_dirty_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->items[i].space);
		free(set->items[i].name);
	}
	free(set->items);
	*set = (struct pic_dirty_set){ .items = NULL };
}
