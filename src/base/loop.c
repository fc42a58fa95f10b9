#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/loop_timers.h"

#define EVENTS_AT_ONCE 64

struct pic_watch {
	struct pic_loop *loop;
	int fd;
	uint32_t events; /* 0: not in the kernel's list */
	bool dead;	 /* freed by a callback while its event may still lie in the batch */
	pic_watch_fn *fn;
	void *data;
	struct pic_watch *previous, *next;
};

struct signal_hook {
	int signo;
	pic_signal_fn *fn;
	void *data;
	struct signal_hook *next;
};

struct prepare_hook {
	pic_prepare_fn *fn; /* NULL: removed while the hooks ran */
	void *data;
	struct prepare_hook *next;
};

struct pic_loop {
	int epoll_fd, timer_fd, signal_fd;
	bool stop, dispatching, preparing;
	int64_t armed_ms; /* what timer_fd is set to; INT64_MAX: nothing */
	struct pic_timers timers;
	struct pic_watch *watches, *graveyard;
	struct pic_watch *timer_watch, *signal_watch;
	sigset_t signals;
	struct signal_hook *signal_hooks;
	struct prepare_hook *prepare_hooks;
};

/* Watches. */

static int kernel_list(struct pic_watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };
	int operation = EPOLL_CTL_MOD;

	if (watch->events == events)
		return 0;
	if (watch->events == 0)
		operation = EPOLL_CTL_ADD;
	else if (events == 0)
		operation = EPOLL_CTL_DEL;
	if (epoll_ctl(watch->loop->epoll_fd, operation, watch->fd, &event) < 0)
		return -errno;
	watch->events = events;
	return 0;
}

int pic_loop_watch(struct pic_loop *loop, int fd, uint32_t events, pic_watch_fn *fn, void *data,
		   struct pic_watch **out, struct pic_error *err)
{
	struct pic_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return pic_error_set(err, -ENOMEM, "no memory to watch a descriptor");
	*watch = (struct pic_watch){ .loop = loop, .fd = fd, .fn = fn, .data = data };
	r = kernel_list(watch, events);
	if (r < 0) {
		free(watch);
		return pic_error_errno(err, r, "cannot watch descriptor %d", fd);
	}
	watch->next = loop->watches;
	if (watch->next)
		watch->next->previous = watch;
	loop->watches = watch;
	*out = watch;
	return 0;
}

int pic_watch_change(struct pic_watch *watch, uint32_t events)
{
	return kernel_list(watch, events);
}

static void unlink_watch(struct pic_watch *watch)
{
	if (watch->previous)
		watch->previous->next = watch->next;
	else
		watch->loop->watches = watch->next;
	if (watch->next)
		watch->next->previous = watch->previous;
}

void pic_watch_free(struct pic_watch *watch)
{
	if (!watch || watch->dead)
		return;
	kernel_list(watch, 0);
	unlink_watch(watch);
	if (!watch->loop->dispatching) {
		free(watch);
		return;
	}
	watch->dead = true;
	watch->next = watch->loop->graveyard;
	watch->loop->graveyard = watch;
}

static void bury(struct pic_loop *loop)
{
	while (loop->graveyard) {
		struct pic_watch *watch = loop->graveyard;

		loop->graveyard = watch->next;
		free(watch);
	}
}

/* Timers. */

int pic_loop_timer(struct pic_loop *loop, pic_timer_fn *fn, void *data, struct pic_timer **out,
		   struct pic_error *err)
{
	int r = pic_timers_new(&loop->timers, fn, data, out);

	return r < 0 ? pic_error_set(err, r, "no memory for a timer") : 0;
}

static void timer_fired(void *data, int fd, uint32_t events)
{
	struct pic_loop *loop = data;
	uint64_t count;

	(void)events;
	if (read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
		loop->armed_ms = INT64_MAX;
}

/* The kernel is only told when the first end has changed. */
static int arm(struct pic_loop *loop)
{
	int64_t first = pic_timers_first(&loop->timers);
	struct itimerspec end = { .it_value = { 0, 0 } };

	if (first == loop->armed_ms)
		return 0;
	if (first != INT64_MAX) {
		end.it_value.tv_sec = first > 0 ? (time_t)(first / 1000) : 0;
		end.it_value.tv_nsec = first > 0 ? (long)(first % 1000) * 1000000 : 1;
	}
	if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &end, NULL) < 0)
		return -errno;
	loop->armed_ms = first;
	return 0;
}

/* Signals. */

static void signal_arrived(void *data, int fd, uint32_t events)
{
	struct pic_loop *loop = data;
	struct signalfd_siginfo info;

	(void)events;
	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	for (struct signal_hook *hook = loop->signal_hooks; hook; hook = hook->next)
		if (hook->signo == (int)info.ssi_signo)
			hook->fn(hook->data, hook->signo);
}

static int listen_to_signals(struct pic_loop *loop, struct pic_error *err)
{
	int fd = signalfd(loop->signal_fd, &loop->signals, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		return pic_error_errno(err, errno, "cannot receive signals");
	loop->signal_fd = fd;
	if (loop->signal_watch)
		return 0;
	return pic_loop_watch(loop, fd, EPOLLIN, signal_arrived, loop, &loop->signal_watch, err);
}

int pic_loop_signal(struct pic_loop *loop, int signo, pic_signal_fn *fn, void *data,
		    struct pic_error *err)
{
	struct signal_hook *hook = calloc(1, sizeof(*hook));
	int r;

	if (!hook)
		return pic_error_set(err, -ENOMEM, "no memory for a signal");
	sigaddset(&loop->signals, signo);
	sigprocmask(SIG_BLOCK, &loop->signals, NULL);
	r = listen_to_signals(loop, err);
	if (r < 0) {
		free(hook);
		return r;
	}
	*hook = (struct signal_hook){ signo, fn, data, loop->signal_hooks };
	loop->signal_hooks = hook;
	return 0;
}

/* Prepare. */

int pic_loop_prepare(struct pic_loop *loop, pic_prepare_fn *fn, void *data, struct pic_error *err)
{
	struct prepare_hook **end = &loop->prepare_hooks;
	struct prepare_hook *hook = calloc(1, sizeof(*hook));

	if (!hook)
		return pic_error_set(err, -ENOMEM, "no memory for the event loop");
	*hook = (struct prepare_hook){ fn, data, NULL };
	while (*end)
		end = &(*end)->next;
	*end = hook;
	return 0;
}

static void drop_removed_hooks(struct pic_loop *loop)
{
	struct prepare_hook **link = &loop->prepare_hooks;

	while (*link) {
		struct prepare_hook *hook = *link;

		if (hook->fn) {
			link = &hook->next;
		} else {
			*link = hook->next;
			free(hook);
		}
	}
}

void pic_loop_prepare_remove(struct pic_loop *loop, pic_prepare_fn *fn, void *data)
{
	for (struct prepare_hook *hook = loop->prepare_hooks; hook; hook = hook->next)
		if (hook->fn == fn && hook->data == data)
			hook->fn = NULL;
	if (!loop->preparing)
		drop_removed_hooks(loop);
}

/* The time that all who keep a queue of their own can wait; -1: any. */
static int prepare(struct pic_loop *loop)
{
	int64_t wait = -1;

	loop->preparing = true;
	for (struct prepare_hook *hook = loop->prepare_hooks; hook; hook = hook->next) {
		int64_t own = hook->fn ? hook->fn(hook->data) : -1;

		if (own >= 0 && (wait < 0 || own < wait))
			wait = own;
	}
	loop->preparing = false;
	drop_removed_hooks(loop);
	return wait > INT_MAX ? INT_MAX : (int)wait;
}

/* Running. */

static int loop_open(struct pic_loop *loop, struct pic_error *err)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return pic_error_errno(err, errno, "cannot make an event loop");
	loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->timer_fd < 0)
		return pic_error_errno(err, errno, "cannot make a timer");
	return pic_loop_watch(loop, loop->timer_fd, EPOLLIN, timer_fired, loop, &loop->timer_watch,
			      err);
}

int pic_loop_new(struct pic_loop **out, struct pic_error *err)
{
	struct pic_loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return pic_error_set(err, -ENOMEM, "no memory for the event loop");
	loop->epoll_fd = loop->timer_fd = loop->signal_fd = -1;
	loop->armed_ms = INT64_MAX;
	sigemptyset(&loop->signals);
	r = loop_open(loop, err);
	if (r < 0) {
		pic_loop_free(loop);
		return r;
	}
	*out = loop;
	return 0;
}

static void free_hooks(struct pic_loop *loop)
{
	while (loop->signal_hooks) {
		struct signal_hook *hook = loop->signal_hooks;

		loop->signal_hooks = hook->next;
		free(hook);
	}
	while (loop->prepare_hooks) {
		struct prepare_hook *hook = loop->prepare_hooks;

		loop->prepare_hooks = hook->next;
		free(hook);
	}
}

void pic_loop_free(struct pic_loop *loop)
{
	if (!loop)
		return;
	while (loop->watches)
		pic_watch_free(loop->watches);
	bury(loop);
	pic_timers_free(&loop->timers);
	free_hooks(loop);
	pic_close_fd(&loop->signal_fd);
	pic_close_fd(&loop->timer_fd);
	pic_close_fd(&loop->epoll_fd);
	free(loop);
}

static void dispatch(struct pic_loop *loop, const struct epoll_event *events, int count)
{
	loop->dispatching = true;
	for (int i = 0; i < count; i++) {
		struct pic_watch *watch = events[i].data.ptr;

		/* what an earlier callback of this batch freed or put to sleep is passed over */
		if (!watch->dead && watch->events != 0)
			watch->fn(watch->data, watch->fd, events[i].events);
	}
	pic_timers_run(&loop->timers, pic_clock_boot_ms(), &loop->stop);
	loop->dispatching = false;
	bury(loop);
}

static int turn(struct pic_loop *loop)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count, wait, r;

	wait = prepare(loop);
	r = arm(loop);
	if (r < 0 || loop->stop)
		return r;
	count = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, wait);
	if (count < 0 && errno != EINTR)
		return -errno;
	dispatch(loop, events, count < 0 ? 0 : count);
	return 0;
}

int pic_loop_run(struct pic_loop *loop, struct pic_error *err)
{
	int r = 0;

	while (!loop->stop && r == 0)
		r = turn(loop);
	loop->stop = false;
	return r < 0 ? pic_error_errno(err, r, "the event loop broke") : 0;
}

void pic_loop_stop(struct pic_loop *loop)
{
	loop->stop = true;
}
