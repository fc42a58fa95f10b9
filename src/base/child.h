/*
 * A job for a child process: fork without exec, one result through a pipe, a time limit. The child dies
 * with its parent.
 *
 * Ownership: the child object frees itself after `done`, or by pic_child_cancel.
 */
#ifndef PIC_BASE_CHILD_H
#define PIC_BASE_CHILD_H

#include "base/loop.h"

struct pic_child;

#define PIC_CHILD_RESULT_MAX 4096 /* one write into a pipe, whole or not at all */

struct pic_child_order {
	/* In the child: writes its result to result_fd. Signals are blocked as in the parent. */
	void (*work)(void *data, int result_fd);
	/* In the parent, from the loop, when the child has ended; size 0: it was cut short. */
	void (*done)(void *data, const void *result, size_t size);
	void *data;
	int64_t limit_ms; /* then it is killed */
};

int pic_child_start(struct pic_child **out, struct pic_loop *loop,
		    const struct pic_child_order *order, struct pic_error *err);
void pic_child_cancel(struct pic_child *child); /* kills and reaps it; `done` is not called */

/* For a start-up that cannot go on without it: waits, at most limit_ms. Exactly `size` bytes (what a pipe takes
 * at once: 64 KB) make a result; 0, or -ETIMEDOUT when none came. */
int pic_child_wait(void (*work)(void *data, int result_fd), void *data, int64_t limit_ms,
		   void *result, size_t size, struct pic_error *err);

#endif
