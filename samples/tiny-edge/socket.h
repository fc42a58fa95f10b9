/*
 * The few socket and poll calls of the sample server, so that one source runs in a WebAssembly module
 * (the WasmEdge socket functions, preview1's poll_oneoff) and, for comparison, natively.
 */
#ifndef TINY_EDGE_SOCKET_H
#define TINY_EDGE_SOCKET_H

#include <stddef.h>

enum {
	TINY_AGAIN = -1, /* nothing now; wait */
	TINY_GONE = -2,	 /* the other side, or an error: close it */
};

/* A listener on every IPv4 address, or -1. */
int tiny_listen(unsigned port);
/* A descriptor, TINY_AGAIN or TINY_GONE. */
int tiny_accept(int listener);
/* Bytes, 0 at the end, TINY_AGAIN or TINY_GONE. */
long tiny_receive(int fd, void *data, size_t size);
long tiny_send(int fd, const void *data, size_t size);
void tiny_close(int fd);

/* What to wait for: one entry for each descriptor, kept between waits. Slots are the caller's numbers. */
#define TINY_SLOTS 129u
void tiny_wait_set(unsigned slot, int fd, int for_writing);
void tiny_wait_clear(unsigned slot);
/* Waits; puts the slots that are ready into ready[], answers how many, or -1. */
int tiny_wait(unsigned *ready);

#endif
