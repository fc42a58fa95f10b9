#include "base/loop_timers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

static bool before(const struct pic_timer *a, const struct pic_timer *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void place(struct pic_timers *timers, size_t slot, struct pic_timer *timer)
{
	timers->heap[slot] = timer;
	timer->slot = slot;
}

static void rise(struct pic_timers *timers, size_t slot, struct pic_timer *timer)
{
	for (; slot > 1 && before(timer, timers->heap[slot / 2]); slot /= 2)
		place(timers, slot, timers->heap[slot / 2]);
	place(timers, slot, timer);
}

static void sink(struct pic_timers *timers, size_t slot, struct pic_timer *timer)
{
	for (size_t child = 2 * slot; child <= timers->count; child = 2 * slot) {
		if (child < timers->count && before(timers->heap[child + 1], timers->heap[child]))
			child++;
		if (!before(timers->heap[child], timer))
			break;
		place(timers, slot, timers->heap[child]);
		slot = child;
	}
	place(timers, slot, timer);
}

static void take_out(struct pic_timers *timers, struct pic_timer *timer)
{
	size_t slot = timer->slot;
	struct pic_timer *last = timers->heap[timers->count--];

	timer->slot = 0;
	if (last == timer)
		return;
	if (slot > 1 && before(last, timers->heap[slot / 2]))
		rise(timers, slot, last);
	else
		sink(timers, slot, last);
}

/* Room for every timer that exists, so that setting one can never fail. */
static int make_room(struct pic_timers *timers, size_t timer_count)
{
	size_t capacity = timers->capacity ? timers->capacity : 8;
	struct pic_timer **heap;

	while (capacity < timer_count + 1)
		capacity *= 2;
	if (capacity == timers->capacity)
		return 0;
	heap = realloc(timers->heap, capacity * sizeof(struct pic_timer *));
	if (!heap)
		return -ENOMEM;
	timers->heap = heap;
	timers->capacity = capacity;
	return 0;
}

int pic_timers_new(struct pic_timers *timers, pic_timer_fn *fn, void *data, struct pic_timer **out)
{
	struct pic_timer *timer = calloc(1, sizeof(*timer));

	if (!timer || make_room(timers, timers->timer_count + 1) < 0) {
		free(timer);
		return -ENOMEM;
	}
	timers->timer_count++;
	timer->owner = timers;
	timer->fn = fn;
	timer->data = data;
	timer->next = timers->all;
	if (timer->next)
		timer->next->previous = timer;
	timers->all = timer;
	*out = timer;
	return 0;
}

void pic_timers_free(struct pic_timers *timers)
{
	while (timers->all)
		pic_timer_free(timers->all);
	free(timers->heap);
	timers->heap = NULL;
}

int64_t pic_timers_first(const struct pic_timers *timers)
{
	return timers->count > 0 ? timers->heap[1]->at_ms : INT64_MAX;
}

static void collect(struct pic_timers *timers, int64_t now_ms)
{
	struct pic_timer **end = &timers->batch;

	while (pic_timers_first(timers) <= now_ms) {
		struct pic_timer *timer = timers->heap[1];

		take_out(timers, timer);
		timer->due = true;
		timer->next_due = NULL;
		*end = timer;
		end = &timer->next_due;
	}
}

/* What a stop leaves over is set again, for the case that the loop is run again. */
static void put_back(struct pic_timers *timers)
{
	while (timers->batch) {
		struct pic_timer *timer = timers->batch;

		timers->batch = timer->next_due;
		pic_timer_set_at(timer, timer->at_ms);
	}
}

void pic_timers_run(struct pic_timers *timers, int64_t now_ms, const bool *stop)
{
	collect(timers, now_ms);
	while (timers->batch && !*stop) {
		struct pic_timer *timer = timers->batch;

		timers->batch = timer->next_due;
		timer->due = false;
		timer->fn(timer->data);
	}
	put_back(timers);
}

static void leave_batch(struct pic_timer *timer)
{
	struct pic_timer **link = &timer->owner->batch;

	while (*link && *link != timer)
		link = &(*link)->next_due;
	if (*link)
		*link = timer->next_due;
	timer->due = false;
}

void pic_timer_cancel(struct pic_timer *timer)
{
	if (!timer)
		return;
	if (timer->due)
		leave_batch(timer);
	if (timer->slot > 0)
		take_out(timer->owner, timer);
}

void pic_timer_set_at(struct pic_timer *timer, int64_t boot_ms)
{
	struct pic_timers *timers = timer->owner;

	pic_timer_cancel(timer);
	timer->at_ms = boot_ms;
	timer->order = timers->orders++;
	timers->count++;
	rise(timers, timers->count, timer);
}

void pic_timer_set(struct pic_timer *timer, int64_t after_ms)
{
	int64_t at;

	if (after_ms < 0)
		after_ms = 0;
	if (__builtin_add_overflow(pic_clock_boot_ms(), after_ms, &at))
		at = INT64_MAX - 1;
	pic_timer_set_at(timer, at);
}

void pic_timer_free(struct pic_timer *timer)
{
	if (!timer)
		return;
	pic_timer_cancel(timer);
	if (timer->previous)
		timer->previous->next = timer->next;
	else
		timer->owner->all = timer->next;
	if (timer->next)
		timer->next->previous = timer->previous;
	timer->owner->timer_count--;
	free(timer);
}
