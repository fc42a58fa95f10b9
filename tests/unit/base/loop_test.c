#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/loop.h"

struct fixture {
	struct pic_loop *loop;
	int pipe[2][2];
	struct pic_watch *watch[2];
	struct pic_timer *timer[4];
	int calls[4];
	int order[16], ordered;
	struct pic_timer *guard;
};

static void too_long(void *data)
{
	(void)data;
	fprintf(stderr, "the loop did not end\n");
	abort();
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (pic_loop_new(&f->loop, NULL) < 0 || pipe(f->pipe[0]) < 0 || pipe(f->pipe[1]) < 0)
		return -1;
	if (pic_loop_timer(f->loop, too_long, NULL, &f->guard, NULL) < 0)
		return -1;
	pic_timer_set(f->guard, 20000);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pic_loop_free(f->loop);
	for (int i = 0; i < 2; i++) {
		close(f->pipe[i][0]);
		close(f->pipe[i][1]);
	}
	free(f);
	return 0;
}

static void run(struct fixture *f)
{
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_loop_run(f->loop, &err) < 0)
		fail_msg("%s", err.text);
}

static void drain(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), 1);
}

static void on_read(void *data, int fd, uint32_t events)
{
	struct fixture *f = data;

	assert_true(events & EPOLLIN);
	drain(fd);
	f->calls[0]++;
	pic_loop_stop(f->loop);
}

static void wakes_for_a_descriptor(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		pic_loop_watch(f->loop, f->pipe[0][0], EPOLLIN, on_read, f, &f->watch[0], NULL), 0);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(write(f->pipe[0][1], "x", 1), 1);
		run(f);
		assert_int_equal(f->calls[0], i);
	}
}

static void refuses_a_bad_descriptor(void **state)
{
	struct fixture *f = *state;
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(pic_loop_watch(f->loop, 9999, EPOLLIN, on_read, f, &f->watch[0], &err),
			 -EBADF);
	assert_string_equal(err.text, "cannot watch descriptor 9999: Bad file descriptor");
	assert_null(f->watch[0]);
}

/* Both pipes are readable at once; whoever is called first frees both watches. */
static void on_read_free_both(void *data, int fd, uint32_t events)
{
	struct fixture *f = data;

	(void)fd;
	(void)events;
	f->calls[0]++;
	pic_watch_free(f->watch[0]);
	pic_watch_free(f->watch[1]);
	pic_loop_stop(f->loop);
}

static void a_callback_may_free_itself_and_others(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		pic_loop_watch(f->loop, f->pipe[i][0], EPOLLIN, on_read_free_both, f, &f->watch[i],
			       NULL);
		assert_int_equal(write(f->pipe[i][1], "x", 1), 1);
	}
	run(f);
	assert_int_equal(f->calls[0], 1);
}

/* The first frees the second and watches the same descriptor anew: the old event must not reach it. */
static void on_unexpected(void *data, int fd, uint32_t events)
{
	(void)data;
	(void)fd;
	(void)events;
	fail();
}

static void on_read_replace(void *data, int fd, uint32_t events)
{
	struct fixture *f = data;
	int other = fd == f->pipe[0][0];
	struct pic_watch *fresh;

	(void)events;
	drain(f->pipe[!other][0]);
	drain(f->pipe[other][0]);
	pic_watch_free(f->watch[other]);
	pic_loop_watch(f->loop, f->pipe[other][0], EPOLLIN, on_unexpected, f, &fresh, NULL);
	pic_timer_set(f->timer[0], 0);
}

static void on_timer_stop(void *data)
{
	struct fixture *f = data;

	f->calls[1]++;
	pic_loop_stop(f->loop);
}

static void a_stale_event_reaches_nobody(void **state)
{
	struct fixture *f = *state;

	pic_loop_timer(f->loop, on_timer_stop, f, &f->timer[0], NULL);
	for (int i = 0; i < 2; i++) {
		pic_loop_watch(f->loop, f->pipe[i][0], EPOLLIN, on_read_replace, f, &f->watch[i],
			       NULL);
		assert_int_equal(write(f->pipe[i][1], "x", 1), 1);
	}
	run(f);
	assert_int_equal(f->calls[1], 1);
}

static void a_sleeping_watch_wakes_nobody(void **state)
{
	struct fixture *f = *state;

	pic_loop_timer(f->loop, on_timer_stop, f, &f->timer[0], NULL);
	pic_loop_watch(f->loop, f->pipe[0][0], EPOLLIN, on_unexpected, f, &f->watch[0], NULL);
	assert_int_equal(pic_watch_change(f->watch[0], 0), 0);
	close(f->pipe[0][1]); /* would be EPOLLHUP for ever */
	f->pipe[0][1] = dup(0);
	pic_timer_set(f->timer[0], 5);
	run(f);
	assert_int_equal(f->calls[1], 1);
	assert_int_equal(pic_watch_change(f->watch[0], EPOLLIN), 0);
	pic_watch_free(f->watch[0]);
}

struct numbered {
	struct fixture *f;
	int number;
};

static void on_numbered(void *data)
{
	struct numbered *n = data;

	n->f->order[n->f->ordered++] = n->number;
	if (n->f->ordered == 5)
		pic_loop_stop(n->f->loop);
}

static void timers_come_in_order(void **state)
{
	struct fixture *f = *state;
	static const int ends[] = { 30, 10, 20, 10, 1 };
	struct numbered n[5];
	int64_t now = pic_clock_boot_ms();

	for (int i = 0; i < 5; i++) {
		struct pic_timer *timer;

		n[i] = (struct numbered){ f, i };
		pic_loop_timer(f->loop, on_numbered, &n[i], &timer, NULL);
		pic_timer_set_at(timer, now + ends[i]);
	}
	run(f);
	assert_true(pic_clock_boot_ms() >= now + 30);
	assert_memory_equal(f->order, ((int[]){ 4, 1, 3, 2, 0 }), 5 * sizeof(int));
}

static void on_timer_again(void *data)
{
	struct fixture *f = data;

	f->calls[0]++;
	pic_timer_set(f->timer[0], 0);
}

/* A timer that is always due starves neither descriptors nor other timers. */
static void a_busy_timer_starves_nobody(void **state)
{
	struct fixture *f = *state;

	pic_loop_timer(f->loop, on_timer_again, f, &f->timer[0], NULL);
	pic_timer_set(f->timer[0], 0);
	pic_loop_watch(f->loop, f->pipe[0][0], EPOLLIN, on_read, f, &f->watch[0], NULL);
	assert_int_equal(write(f->pipe[0][1], "x", 1), 1);
	run(f);
	assert_true(f->calls[0] >= 1);
}

static void on_timer_cancel_others(void *data)
{
	struct fixture *f = data;

	f->calls[0]++;
	pic_timer_free(f->timer[0]);
	pic_timer_cancel(f->timer[1]);
	pic_timer_free(f->timer[2]);
	pic_timer_set(f->timer[3], 1);
}

static void on_timer_unexpected(void *data)
{
	(void)data;
	fail();
}

/* All four are due in one batch. */
static void a_timer_may_free_and_cancel_others(void **state)
{
	struct fixture *f = *state;

	pic_loop_timer(f->loop, on_timer_cancel_others, f, &f->timer[0], NULL);
	pic_loop_timer(f->loop, on_timer_unexpected, f, &f->timer[1], NULL);
	pic_loop_timer(f->loop, on_timer_unexpected, f, &f->timer[2], NULL);
	pic_loop_timer(f->loop, on_timer_stop, f, &f->timer[3], NULL);
	for (int i = 0; i < 4; i++)
		pic_timer_set_at(f->timer[i], 0);
	run(f);
	assert_int_equal(f->calls[0], 1);
	assert_int_equal(f->calls[1], 1);
}

static void on_stop_at_once(void *data)
{
	struct fixture *f = data;

	f->calls[0]++;
	pic_loop_stop(f->loop);
}

static void what_a_stop_leaves_over_comes_later(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		pic_loop_timer(f->loop, on_stop_at_once, f, &f->timer[i], NULL);
		pic_timer_set_at(f->timer[i], 1);
	}
	for (int i = 1; i <= 3; i++) {
		run(f);
		assert_int_equal(f->calls[0], i);
	}
}

/* Thousands of timers, set, moved, cancelled and freed at random: each fires once, never early. */
struct random_timer {
	struct pic_timer *timer;
	struct pic_loop *loop;
	int64_t at;
	int *left;
	bool fired;
};

static void on_random(void *data)
{
	struct random_timer *t = data;

	assert_false(t->fired);
	assert_true(pic_clock_boot_ms() >= t->at);
	t->fired = true;
	if (--*t->left == 0)
		pic_loop_stop(t->loop);
}

static void many_timers(void **state)
{
	struct fixture *f = *state;
	static struct random_timer timers[3000];
	int64_t now = pic_clock_boot_ms();
	uint64_t seed = 3;
	int left = 0;

	memset(timers, 0, sizeof(timers));
	for (size_t i = 0; i < 3000; i++) {
		timers[i].loop = f->loop;
		timers[i].left = &left;
		pic_loop_timer(f->loop, on_random, &timers[i], &timers[i].timer, NULL);
	}
	for (int i = 0; i < 20000; i++) {
		struct random_timer *t = &timers[check_random(&seed) % 3000];

		t->at = now + check_random(&seed) % 60;
		pic_timer_set_at(t->timer, t->at);
		if (check_random(&seed) % 4 == 0) {
			pic_timer_cancel(t->timer);
			t->at = 0;
		}
	}
	for (size_t i = 0; i < 3000; i += 10) {
		pic_timer_free(timers[i].timer);
		timers[i].at = 0;
	}
	for (size_t i = 0; i < 3000; i++)
		left += timers[i].at > 0;
	assert_true(left > 1000);
	run(f);
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(timers[i].fired, timers[i].at > 0);
}

static void on_signal(void *data, int signo)
{
	struct fixture *f = data;

	f->calls[signo == SIGUSR1 ? 0 : 1]++;
	if (f->calls[0] && f->calls[1])
		pic_loop_stop(f->loop);
}

static void signals_arrive_in_the_loop(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pic_loop_signal(f->loop, SIGUSR1, on_signal, f, NULL), 0);
	assert_int_equal(pic_loop_signal(f->loop, SIGUSR2, on_signal, f, NULL), 0);
	raise(SIGUSR1);
	raise(SIGUSR2);
	assert_int_equal(f->calls[0], 0);
	run(f);
	assert_int_equal(f->calls[0], 1);
	assert_int_equal(f->calls[1], 1);
}

static int64_t on_prepare(void *data)
{
	struct fixture *f = data;

	if (++f->calls[2] == 3)
		pic_loop_stop(f->loop);
	return 1;
}

static int64_t on_prepare_remove(void *data)
{
	struct fixture *f = data;

	f->calls[3]++;
	pic_loop_prepare_remove(f->loop, on_prepare_remove, f);
	return 10000;
}

static void prepares_in_turn_and_waits_the_least(void **state)
{
	struct fixture *f = *state;
	int64_t before = pic_clock_boot_ms();

	assert_int_equal(pic_loop_prepare(f->loop, on_prepare_remove, f, NULL), 0);
	assert_int_equal(pic_loop_prepare(f->loop, on_prepare, f, NULL), 0);
	run(f);
	assert_int_equal(f->calls[2], 3);
	assert_int_equal(f->calls[3], 1);
	assert_true(pic_clock_boot_ms() - before < 5000);
	pic_loop_prepare_remove(f->loop, on_prepare, f);
}

static int64_t count_turns(void *data)
{
	((struct fixture *)data)->calls[2]++;
	return -1;
}

/* Half a second with watches, signals and a far timer: one wake-up, the one that ends it. */
static void sleeps_when_nothing_happens(void **state)
{
	struct fixture *f = *state;
	struct rusage usage;
	long before;

	pic_loop_watch(f->loop, f->pipe[0][0], EPOLLIN, on_unexpected, f, &f->watch[0], NULL);
	pic_loop_signal(f->loop, SIGUSR1, on_signal, f, NULL);
	pic_loop_prepare(f->loop, count_turns, f, NULL);
	pic_loop_timer(f->loop, on_timer_stop, f, &f->timer[0], NULL);
	pic_timer_set(f->timer[0], 500);
	getrusage(RUSAGE_THREAD, &usage);
	before = usage.ru_nvcsw;
	run(f);
	getrusage(RUSAGE_THREAD, &usage);
	assert_int_equal(f->calls[2], 1);
	assert_true(usage.ru_nvcsw - before <= 2);
}

static void a_stop_before_the_run_counts(void **state)
{
	struct fixture *f = *state;

	pic_loop_stop(f->loop);
	run(f);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOP_TEST(wakes_for_a_descriptor),
		LOOP_TEST(refuses_a_bad_descriptor),
		LOOP_TEST(a_callback_may_free_itself_and_others),
		LOOP_TEST(a_stale_event_reaches_nobody),
		LOOP_TEST(a_sleeping_watch_wakes_nobody),
		LOOP_TEST(timers_come_in_order),
		LOOP_TEST(a_busy_timer_starves_nobody),
		LOOP_TEST(a_timer_may_free_and_cancel_others),
		LOOP_TEST(what_a_stop_leaves_over_comes_later),
		LOOP_TEST(many_timers),
		LOOP_TEST(signals_arrive_in_the_loop),
		LOOP_TEST(prepares_in_turn_and_waits_the_least),
		LOOP_TEST(sleeps_when_nothing_happens),
		LOOP_TEST(a_stop_before_the_run_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
