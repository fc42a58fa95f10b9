/* socket.h on the functions that a WebAssembly host offers. */
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <wasi/api.h>

#include "socket.h"

#define IMPORT(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(name)))

IMPORT("sock_open") uint32_t sock_open(uint32_t family, uint32_t type, int *fd);
IMPORT("sock_bind") uint32_t sock_bind(int fd, const void *address, uint32_t port);
IMPORT("sock_listen") uint32_t sock_listen(int fd, uint32_t backlog);
IMPORT("sock_accept") uint32_t sock_accept(int fd, int *accepted);
IMPORT("sock_recv")
uint32_t sock_recv(int fd, const void *parts, uint32_t count, uint32_t flags, uint32_t *size,
		   uint16_t *out_flags);
IMPORT("sock_send")
uint32_t sock_send(int fd, const void *parts, uint32_t count, uint32_t flags, uint32_t *size);

#define FAMILY_INET4 1
#define TYPE_STREAM 2

static long failure(uint32_t error)
{
	return error == __WASI_ERRNO_AGAIN || error == __WASI_ERRNO_INTR ? TINY_AGAIN : TINY_GONE;
}

static uint32_t set_nonblocking(int fd)
{
	return __wasi_fd_fdstat_set_flags((__wasi_fd_t)fd, __WASI_FDFLAGS_NONBLOCK);
}

int tiny_listen(unsigned port)
{
	static const uint8_t any[4];
	const struct {
		const uint8_t *bytes;
		uint32_t size;
	} address = { any, sizeof(any) };
	int fd;

	if (sock_open(FAMILY_INET4, TYPE_STREAM, &fd) != 0)
		return -1;
	if (sock_bind(fd, &address, port) != 0 || sock_listen(fd, 128) != 0 ||
	    set_nonblocking(fd) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int tiny_accept(int listener)
{
	int fd;
	uint32_t error = sock_accept(listener, &fd);

	if (error != 0)
		return (int)failure(error);
	set_nonblocking(fd);
	return fd;
}

long tiny_receive(int fd, void *data, size_t size)
{
	const __wasi_iovec_t part = { data, size };
	uint32_t received;
	uint16_t flags;
	uint32_t error = sock_recv(fd, &part, 1, 0, &received, &flags);

	return error == 0 ? (long)received : failure(error);
}

long tiny_send(int fd, const void *data, size_t size)
{
	const __wasi_ciovec_t part = { data, size };
	uint32_t sent;
	uint32_t error = sock_send(fd, &part, 1, 0, &sent);

	return error == 0 ? (long)sent : failure(error);
}

void tiny_close(int fd)
{
	close(fd);
}

/* The subscriptions lie close together, so that the host is given only what is in use: slot_of and
 * place_of lead from one numbering to the other. */
static __wasi_subscription_t subscriptions[TINY_SLOTS];
static __wasi_event_t events[TINY_SLOTS];
static unsigned place_of[TINY_SLOTS], used;

/* place_of is one more than the place; 0: not waited for. */
void tiny_wait_set(unsigned slot, int fd, int for_writing)
{
	__wasi_subscription_t *subscription;

	if (place_of[slot] == 0)
		place_of[slot] = ++used;
	subscription = &subscriptions[place_of[slot] - 1];
	subscription->userdata = slot;
	subscription->u.tag = for_writing ? __WASI_EVENTTYPE_FD_WRITE : __WASI_EVENTTYPE_FD_READ;
	subscription->u.u.fd_read.file_descriptor = (__wasi_fd_t)fd;
}

void tiny_wait_clear(unsigned slot)
{
	unsigned place = place_of[slot];

	if (place == 0)
		return;
	place_of[slot] = 0;
	used--;
	if (place - 1 != used) {
		subscriptions[place - 1] = subscriptions[used];
		place_of[subscriptions[used].userdata] = place;
	}
}

int tiny_wait(unsigned *ready)
{
	__wasi_size_t count;

	if (__wasi_poll_oneoff(subscriptions, events, used, &count) != 0)
		return -1;
	for (unsigned i = 0; i < count; i++)
		ready[i] = (unsigned)events[i].userdata;
	return (int)count;
}
