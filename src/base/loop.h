/*
 * One event loop: epoll, one timerfd, signalfd, pidfds. One thread; callbacks run inside
 * pic_loop_run and may add, change and remove anything, themselves included.
 * No wake-up happens that no descriptor, signal or timer asked for.
 */
#ifndef PIC_BASE_LOOP_H
#define PIC_BASE_LOOP_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct pic_loop;
struct pic_watch;
struct pic_timer;

int pic_loop_new(struct pic_loop **out, struct pic_error *err);
void pic_loop_free(struct pic_loop *loop); /* frees watches and timers too; closes no watched fd */
int pic_loop_run(struct pic_loop *loop, struct pic_error *err); /* until pic_loop_stop */
void pic_loop_stop(struct pic_loop *loop);

/* `events` are EPOLLIN, EPOLLOUT, EPOLLRDHUP...; level-triggered. The fd stays the caller's. A watch for
 * 0 sleeps: not even an error wakes it. */
typedef void pic_watch_fn(void *data, int fd, uint32_t events);
int pic_loop_watch(struct pic_loop *loop, int fd, uint32_t events, pic_watch_fn *fn, void *data,
		   struct pic_watch **out, struct pic_error *err);
int pic_watch_change(struct pic_watch *watch, uint32_t events);
void pic_watch_free(struct pic_watch *watch); /* NULL is fine; call before closing the fd */

/* Timers on CLOCK_BOOTTIME. A timer fires once per pic_timer_set. */
typedef void pic_timer_fn(void *data);
int pic_loop_timer(struct pic_loop *loop, pic_timer_fn *fn, void *data, struct pic_timer **out,
		   struct pic_error *err);
void pic_timer_set(struct pic_timer *timer, int64_t after_ms); /* from now; replaces the old end */
void pic_timer_set_at(struct pic_timer *timer, int64_t boot_ms);
void pic_timer_cancel(struct pic_timer *timer); /* NULL: nothing to do */
void pic_timer_free(struct pic_timer *timer);

/* Signals are blocked for the process and delivered here. */
typedef void pic_signal_fn(void *data, int signo);
int pic_loop_signal(struct pic_loop *loop, int signo, pic_signal_fn *fn, void *data,
		    struct pic_error *err);

/* Called before the loop sleeps: libraries that keep their own queue do their work here and answer
 * the number of ms they can wait, -1 for any length. */
typedef int64_t pic_prepare_fn(void *data);
int pic_loop_prepare(struct pic_loop *loop, pic_prepare_fn *fn, void *data, struct pic_error *err);
void pic_loop_prepare_remove(struct pic_loop *loop, pic_prepare_fn *fn, void *data);

#endif
