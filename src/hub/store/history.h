/*
 * Events: a growing list of them, and the bounded history of durable ones that watchers come back to.
 * Both hold references on the objects.
 */
#ifndef PIC_HUB_STORE_HISTORY_H
#define PIC_HUB_STORE_HISTORY_H

#include "symphony/object.h"

#define PIC_HISTORY_SIZE 1024

struct pic_event {
	enum pic_kind kind;
	struct pic_object *before, *after;
	int64_t revision;
};

void pic_event_drop(struct pic_event *event);

struct pic_event_list {
	struct pic_event *items;
	size_t count, capacity;
};

/* Takes references of its own; -ENOMEM. Room for `more` events can be made first. */
int pic_event_list_reserve(struct pic_event_list *list, size_t more);
int pic_event_list_add(struct pic_event_list *list, enum pic_kind kind, struct pic_object *before,
		       struct pic_object *after, int64_t revision);
void pic_event_list_free(struct pic_event_list *list);

struct pic_history {
	struct pic_event items[PIC_HISTORY_SIZE];
	size_t first, count;
	int64_t floor; /* every event with a higher revision is here */
};

void pic_history_add(struct pic_history *history, enum pic_kind kind, struct pic_object *before,
		     struct pic_object *after, int64_t revision);
struct pic_event *pic_history_at(struct pic_history *history, size_t index); /* 0: the oldest */
void pic_history_free(struct pic_history *history);

#endif
