/*
 * The timers of one loop: a binary heap by end, then by order of setting. Internal to base/loop*.c.
 *
 * What is due is first taken out of the heap as one batch: a timer that its own callback sets again
 * waits for the next round, so that nobody starves the descriptors.
 */
#ifndef PIC_BASE_LOOP_TIMERS_H
#define PIC_BASE_LOOP_TIMERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"

struct pic_timer {
	struct pic_timers *owner;
	pic_timer_fn *fn;
	void *data;
	int64_t at_ms;
	uint64_t order;
	size_t slot;			   /* place in the heap from 1; 0: not set */
	bool due;			   /* in the batch that is being run */
	struct pic_timer *previous, *next; /* all timers of the loop */
	struct pic_timer *next_due;
};

struct pic_timers {
	struct pic_timer **heap; /* heap[1..count] */
	size_t count, capacity;
	uint64_t orders;
	struct pic_timer *all;
	size_t timer_count;
	struct pic_timer *batch; /* the rest of the batch */
};

int pic_timers_new(struct pic_timers *timers, pic_timer_fn *fn, void *data, struct pic_timer **out);
void pic_timers_free(struct pic_timers *timers);
/* The first end, or INT64_MAX. */
int64_t pic_timers_first(const struct pic_timers *timers);
/* Runs what is due at `now_ms`, until *stop. */
void pic_timers_run(struct pic_timers *timers, int64_t now_ms, const bool *stop);

#endif
