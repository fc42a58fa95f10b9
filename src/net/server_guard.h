/*
 * Inside net/server*.c: so that no peer can hold what others need.
 *
 * Two guards. A connection has an absolute end whenever the peer is the one to speak (handshake, head, body), so
 * that a byte now and then keeps nothing alive; while it is being answered, or sleeps, it has none. And it
 * counts for somebody, who may have only so many: first for the address it comes from, then, when the
 * handler knows whose it is, for that owner.
 */
#ifndef PIC_NET_SERVER_GUARD_H
#define PIC_NET_SERVER_GUARD_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

#define PIC_OWNER_TEXT 96
#define PIC_OWNER_BUCKETS 1024

struct pic_owner; /* who has connections here, and how many */
struct pic_server;

struct pic_guard {
	struct pic_owner *buckets[PIC_OWNER_BUCKETS];
	uint64_t seed; /* strangers choose addresses: they shall not choose buckets */
	int64_t told_boot_ms;
	unsigned refused; /* since it was told */
};

/* What is kept of each connection besides the library's own. */
struct pic_connection {
	struct pic_server *server;
	struct pic_owner *owner;
	struct pic_timer *end;
	int fd;
};

void pic_guard_open(struct pic_guard *guard);

/* Called by the library: may another one come from there? It has come; it is gone. */
enum MHD_Result pic_guard_admits(void *data, const struct sockaddr *address, socklen_t size);
void pic_guard_on_connection(void *data, struct MHD_Connection *connection, void **context,
			     enum MHD_ConnectionNotificationCode what);

/* Who an address is: all of an IPv6 network of 64 bits, which one host can have to itself, are one. */
void pic_guard_name(const struct sockaddr *address, char out[PIC_OWNER_TEXT]);
/* Counts for `owner` from now on; false, and nothing changes, when that has `maximum` already. */
bool pic_connection_give(struct pic_connection *connection, const char *owner, unsigned maximum);

/* That of a connection: a request comes only on one that has it. */
struct pic_connection *pic_guarded(struct MHD_Connection *connection);

/* The peer is to speak: from now on it has so long. `size` is what may come. */
void pic_connection_expect_head(struct pic_connection *connection);
void pic_connection_expect_body(struct pic_connection *connection, uint64_t size);
void pic_connection_expect_nothing(struct pic_connection *connection);

#endif
