#include "ignition/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_texts(const struct pic_ignition_entry *a, const char *text, size_t size)
{
	const size_t both = a->size < size ? a->size : size;
	const int order = both ? memcmp(a->text, text, both) : 0;

	return order != 0 ? order : (a->size > size) - (a->size < size);
}

static int compare(const void *a, const void *b)
{
	const struct pic_ignition_entry *left = a, *right = b;
	const int order = compare_texts(left, right->text, right->size);

	return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

int pic_ignition_index_init(struct pic_ignition_index *index, size_t count)
{
	index->count = 0;
	index->items = calloc(count ? count : 1, sizeof(*index->items));
	return index->items ? 0 : -ENOMEM;
}

void pic_ignition_index_add(struct pic_ignition_index *index, const char *text, size_t at)
{
	if (*text)
		index->items[index->count++] =
			(struct pic_ignition_entry){ text, strlen(text), at };
}

void pic_ignition_index_sort(struct pic_ignition_index *index)
{
	qsort(index->items, index->count, sizeof(*index->items), compare);
}

void pic_ignition_index_free(struct pic_ignition_index *index)
{
	free(index->items);
	*index = (struct pic_ignition_index){ NULL, 0 };
}

/* The first entry that is not smaller. */
static size_t lower(const struct pic_ignition_index *index, const char *text, size_t size)
{
	size_t from = 0, to = index->count;

	while (from < to) {
		const size_t middle = from + (to - from) / 2;

		if (compare_texts(&index->items[middle], text, size) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

const struct pic_ignition_entry *pic_ignition_index_find(const struct pic_ignition_index *index,
							 const char *text, size_t size)
{
	const size_t at = lower(index, text, size);

	return at < index->count && compare_texts(&index->items[at], text, size) == 0
		       ? &index->items[at]
		       : NULL;
}

bool pic_ignition_index_begins(const struct pic_ignition_index *index, const char *text)
{
	const size_t size = strlen(text), at = lower(index, text, size);

	return at < index->count && index->items[at].size >= size &&
	       memcmp(index->items[at].text, text, size) == 0;
}
