#include "hub/store/history.h"

#include <errno.h>

void pic_event_drop(struct pic_event *event)
{
	pic_object_unref(event->before);
	pic_object_unref(event->after);
	event->before = event->after = NULL;
}

static struct pic_event make(enum pic_kind kind, struct pic_object *before,
			     struct pic_object *after, int64_t revision)
{
	return (struct pic_event){ kind, pic_object_ref(before), pic_object_ref(after), revision };
}

int pic_event_list_reserve(struct pic_event_list *list, size_t more)
{
	size_t capacity = list->capacity ? list->capacity : 16;

	while (capacity - list->count < more)
		capacity *= 2;
	if (capacity == list->capacity)
		return 0;
	struct pic_event *items = reallocarray(list->items, capacity, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	list->capacity = capacity;
	return 0;
}

int pic_event_list_add(struct pic_event_list *list, enum pic_kind kind, struct pic_object *before,
		       struct pic_object *after, int64_t revision)
{
	int r = pic_event_list_reserve(list, 1);

	if (r == 0)
		list->items[list->count++] = make(kind, before, after, revision);
	return r;
}

void pic_event_list_free(struct pic_event_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		pic_event_drop(&list->items[i]);
	free(list->items);
	*list = (struct pic_event_list){ NULL, 0, 0 };
}

struct pic_event *pic_history_at(struct pic_history *history, size_t index)
{
	return &history->items[(history->first + index) % PIC_HISTORY_SIZE];
}

void pic_history_add(struct pic_history *history, enum pic_kind kind, struct pic_object *before,
		     struct pic_object *after, int64_t revision)
{
	if (history->count == PIC_HISTORY_SIZE) {
		struct pic_event *oldest = pic_history_at(history, 0);

		history->floor = oldest->revision;
		pic_event_drop(oldest);
		history->first = (history->first + 1) % PIC_HISTORY_SIZE;
		history->count--;
	}
	*pic_history_at(history, history->count) = make(kind, before, after, revision);
	history->count++;
}

void pic_history_free(struct pic_history *history)
{
	for (size_t i = 0; i < history->count; i++)
		pic_event_drop(pic_history_at(history, i));
	history->count = 0;
}
