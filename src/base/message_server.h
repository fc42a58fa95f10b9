/*
 * A server on a Unix SOCK_SEQPACKET socket, in the event loop: who may connect, messages in, messages out.
 *
 * It never waits for a peer: one that does not read what it is sent, or that `receive` turns down, loses its
 * connection and can come again. Connections are known by serial numbers that are never used twice, so
 * that an answer that comes late finds its asker or nobody.
 */
#ifndef PIC_BASE_MESSAGE_SERVER_H
#define PIC_BASE_MESSAGE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/message.h"

struct pic_message_server;

struct pic_message_server_settings {
	const char *folder, *name; /* of the socket; one that is there is replaced */
	gid_t group;
	mode_t mode;
	unsigned connections_max;
	unsigned root_reserve; /* so many of them are for user 0 alone */
	size_t message_max;    /* longer ones end the connection */
	/* whether that user (the kernel's word) may connect */
	bool (*admits)(void *data, uid_t user);
	/* The message is lent, its descriptors too unless taken out; false ends the connection. */
	bool (*receive)(void *data, uint64_t connection, uid_t user, struct pic_message *message);
	void *data;
};

int pic_message_server_new(struct pic_message_server **out, struct pic_loop *loop,
			   const struct pic_message_server_settings *settings,
			   struct pic_error *err);
void pic_message_server_free(struct pic_message_server *server);
/* NULL is fine for the server, and so is a connection that is gone. */
void pic_message_server_send(struct pic_message_server *server, uint64_t connection,
			     const struct pic_message *message);
/* Broadcasts go to connections that were marked. */
void pic_message_server_mark(struct pic_message_server *server, uint64_t connection);
void pic_message_server_broadcast(struct pic_message_server *server,
				  const struct pic_message *message);
/* In a child that goes on without it: frees the socket's name for others. */
void pic_message_server_let_go(struct pic_message_server *server);

/* The address of folder/name; -ENAMETOOLONG. */
int pic_unix_address(const char *folder, const char *name, struct sockaddr_un *out,
		     struct pic_error *err);

#endif
