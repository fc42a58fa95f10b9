/*
 * poll_oneoff: waits for descriptors and clocks.
 *
 * The host's poll array has one entry for each subscription, at the same index, and stays allocated: a
 * server calls this once for every request. Guests' libraries take an event with an error for a broken
 * poll, so a healthy descriptor never gets one; a peer that is gone is a flag (hang-up).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "workload/wasm/wasi.h"

#define NS_PER_SECOND 1000000000ull
#define FOR_EVER UINT64_MAX
/* A wall clock that somebody sets must not keep a sleeper for ever. */
#define WALL_CLOCK_STEP (60 * NS_PER_SECOND)
/* After this long without anything to do, memory goes back; once for each such time. */
#define IDLE_AFTER (NS_PER_SECOND / 4)
/* Marks in `events` of an entry without a host descriptor. */
#define NEVER 0
#define AT_ONCE 1

struct subscription {
	uint64_t userdata;
	uint8_t type;
	uint32_t fd; /* or the clock's id */
	uint64_t timeout;
	bool absolute;
};

struct poll_call {
	struct pic_wasi *wasi;
	const unsigned char *in;
	unsigned char *out;
	uint32_t count;
	uint32_t events;
	uint64_t start; /* monotonic, only when a clock is among them */
};

static uint64_t now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_SECOND + (uint64_t)t.tv_nsec;
}

static void read_subscription(const unsigned char *at, struct subscription *out)
{
	out->userdata = pic_wasi_load64(at);
	out->type = at[8];
	out->fd = pic_wasi_load32(at + 16);
	out->timeout = pic_wasi_load64(at + 24);
	out->absolute = pic_wasi_load16(at + 40) & PIC_WASI_CLOCK_ABSOLUTE;
}

static void put_event(struct poll_call *call, const struct subscription *subscription,
		      uint32_t error, uint64_t bytes, bool hangup)
{
	unsigned char *at = call->out + (size_t)call->events * PIC_WASI_EVENT_SIZE;

	memset(at, 0, PIC_WASI_EVENT_SIZE);
	pic_wasi_store64(at, subscription->userdata);
	pic_wasi_store16(at + 8, (uint16_t)error);
	at[10] = subscription->type;
	pic_wasi_store64(at + 16, bytes);
	pic_wasi_store16(at + 24, hangup ? PIC_WASI_EVENT_HANGUP : 0);
	call->events++;
}

static bool clock_is_served(const struct subscription *subscription)
{
	return subscription->fd == PIC_WASI_CLOCK_REALTIME ||
	       subscription->fd == PIC_WASI_CLOCK_MONOTONIC;
}

/* Nanoseconds until it fires. */
static uint64_t clock_left(const struct poll_call *call, const struct subscription *subscription)
{
	bool wall = subscription->fd == PIC_WASI_CLOCK_REALTIME && subscription->absolute;
	uint64_t at = now(wall ? CLOCK_REALTIME : CLOCK_MONOTONIC);

	if (!subscription->absolute)
		at -= call->start;
	return subscription->timeout > at ? subscription->timeout - at : 0;
}

/* What the host has to poll for one subscription. */
static void prepare_fd(struct poll_call *call, const struct subscription *subscription,
		       struct pollfd *entry)
{
	const struct pic_wasi_file *file = pic_wasi_file(call->wasi, subscription->fd);

	entry->fd = -1;
	entry->events = AT_ONCE;
	if (!file)
		return;
	switch ((enum pic_wasi_kind)file->kind) {
	case PIC_KIND_UNMADE:
		entry->events = NEVER;
		break;
	case PIC_KIND_PIPE:
	case PIC_KIND_LISTENER:
	case PIC_KIND_STREAM:
	case PIC_KIND_DATAGRAM:
		entry->fd = file->fd;
		entry->events = subscription->type == PIC_WASI_EVENT_READ ? POLLIN : POLLOUT;
		break;
	case PIC_KIND_FREE:
	case PIC_KIND_STDIN:
	case PIC_KIND_STDOUT:
	case PIC_KIND_STDERR:
	case PIC_KIND_FOLDER:
	case PIC_KIND_FILE:
		break;
	}
}

static bool make_room(struct pic_wasi *wasi, uint32_t count)
{
	struct pollfd *polls;

	if (count <= wasi->poll_capacity)
		return true;
	polls = realloc(wasi->polls, count * sizeof(*polls));
	if (!polls)
		return false;
	wasi->polls = polls;
	wasi->poll_capacity = count;
	return true;
}

/* Fills the host's array; *wait gets the time until something is due without any descriptor. */
static uint32_t prepare(struct poll_call *call, uint64_t *wait)
{
	struct pic_wasi *wasi = call->wasi;

	*wait = FOR_EVER;
	for (uint32_t i = 0; i < call->count; i++) {
		struct subscription subscription;
		uint64_t left = FOR_EVER;

		read_subscription(call->in + (size_t)i * PIC_WASI_SUBSCRIPTION_SIZE, &subscription);
		wasi->polls[i] = (struct pollfd){ .fd = -1, .events = AT_ONCE };
		if (subscription.type > PIC_WASI_EVENT_WRITE)
			return PIC_WASI_INVAL;
		if (subscription.type != PIC_WASI_EVENT_CLOCK) {
			prepare_fd(call, &subscription, &wasi->polls[i]);
			if (wasi->polls[i].fd < 0 && wasi->polls[i].events == AT_ONCE)
				left = 0;
		} else if (clock_is_served(&subscription)) {
			if (call->start == 0)
				call->start = now(CLOCK_MONOTONIC);
			left = clock_left(call, &subscription);
			if (subscription.absolute && subscription.fd == PIC_WASI_CLOCK_REALTIME &&
			    left > WALL_CLOCK_STEP)
				left = WALL_CLOCK_STEP;
		} else {
			left = 0;
		}
		if (left < *wait)
			*wait = left;
	}
	return PIC_WASI_SUCCESS;
}

static uint64_t file_bytes(const struct pic_wasi_file *file)
{
	struct stat st;
	off_t at = lseek(file->fd, 0, SEEK_CUR);

	if (at < 0 || fstat(file->fd, &st) < 0 || st.st_size <= at)
		return 0;
	return (uint64_t)(st.st_size - at);
}

static uint64_t bytes_to_read(const struct pic_wasi_file *file)
{
	int bytes = 0;

	switch ((enum pic_wasi_kind)file->kind) {
	case PIC_KIND_LISTENER:
		return 1;
	case PIC_KIND_FILE:
		return file_bytes(file);
	case PIC_KIND_PIPE:
	case PIC_KIND_STREAM:
	case PIC_KIND_DATAGRAM:
		return ioctl(file->fd, FIONREAD, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
	default:
		return 0;
	}
}

static void collect_fd(struct poll_call *call, const struct subscription *subscription,
		       const struct pollfd *entry)
{
	const struct pic_wasi_file *file = pic_wasi_file(call->wasi, subscription->fd);
	bool read = subscription->type == PIC_WASI_EVENT_READ, hangup;
	short revents = entry->revents;

	if (!file) {
		put_event(call, subscription, PIC_WASI_BADF, 0, false);
		return;
	}
	if (entry->fd < 0) {
		if (entry->events == NEVER)
			return;
		revents = POLLIN | POLLOUT;
		hangup = file->kind == PIC_KIND_STDIN;
	} else {
		hangup = revents & (POLLHUP | POLLERR);
	}
	if (!(revents & (POLLHUP | POLLERR | (read ? POLLIN : POLLOUT))))
		return;
	put_event(call, subscription, PIC_WASI_SUCCESS, read ? bytes_to_read(file) : 4096, hangup);
}

static void collect(struct poll_call *call)
{
	for (uint32_t i = 0; i < call->count; i++) {
		const struct pollfd *entry = &call->wasi->polls[i];
		struct subscription subscription;

		/* Most descriptors of a busy server are quiet. */
		if (entry->fd >= 0 && entry->revents == 0)
			continue;
		read_subscription(call->in + (size_t)i * PIC_WASI_SUBSCRIPTION_SIZE, &subscription);
		if (subscription.type != PIC_WASI_EVENT_CLOCK)
			collect_fd(call, &subscription, entry);
		else if (!clock_is_served(&subscription))
			put_event(call, &subscription, PIC_WASI_NOTSUP, 0, false);
		else if (clock_left(call, &subscription) == 0)
			put_event(call, &subscription, PIC_WASI_SUCCESS, 0, false);
	}
}

/* Waits; 0 when nothing came in time. */
static int host_poll(struct poll_call *call, uint64_t wait)
{
	struct timespec timeout = {
		.tv_sec = (time_t)(wait / NS_PER_SECOND),
		.tv_nsec = (long)(wait % NS_PER_SECOND),
	};

	return ppoll(call->wasi->polls, call->count, wait == FOR_EVER ? NULL : &timeout, NULL);
}

static uint32_t wait_and_collect(struct poll_call *call)
{
	bool idle = !call->wasi->on_idle;

	while (call->events == 0) {
		uint64_t wait;
		bool early;
		uint32_t r = prepare(call, &wait);
		int ready;

		if (r != PIC_WASI_SUCCESS)
			return r;
		early = !idle && wait > IDLE_AFTER;
		ready = host_poll(call, early ? IDLE_AFTER : wait);
		if (ready < 0 && errno != EINTR)
			return pic_wasi_errno(errno);
		if (ready == 0 && early) {
			call->wasi->on_idle();
			idle = true;
		} else if (ready >= 0) {
			collect(call);
		}
	}
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_poll_oneoff(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct poll_call call = { .wasi = wasi, .count = pic_wasi_u32(cells, 2) };
	uint32_t r;

	if (call.count == 0 || call.count > PIC_WASI_SUBSCRIPTIONS_MAX)
		return PIC_WASI_INVAL;
	call.in = pic_wasi_memory(wasi, pic_wasi_u32(cells, 0),
				  (uint64_t)call.count * PIC_WASI_SUBSCRIPTION_SIZE);
	call.out = pic_wasi_memory(wasi, pic_wasi_u32(cells, 1),
				   (uint64_t)call.count * PIC_WASI_EVENT_SIZE);
	if (!call.in || !call.out || !pic_wasi_memory(wasi, pic_wasi_u32(cells, 3), 4))
		return PIC_WASI_FAULT;
	if (!make_room(wasi, call.count))
		return PIC_WASI_NOMEM;
	r = wait_and_collect(&call);
	if (r == PIC_WASI_SUCCESS)
		pic_wasi_put32(wasi, pic_wasi_u32(cells, 3), call.events);
	return r;
}
