/*
 * One message over a Unix socket (SOCK_DGRAM or SOCK_SEQPACKET), with descriptors beside its bytes.
 *
 * Nothing here keeps anything: received descriptors are close-on-exec and the caller's to close,
 * sent ones stay the caller's.
 */
#ifndef PIC_BASE_MESSAGE_H
#define PIC_BASE_MESSAGE_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#define PIC_MESSAGE_FDS_MAX 4

struct pic_message {
	void *data;
	size_t size; /* receive: first the room in `data`, then what has come */
	int fds[PIC_MESSAGE_FDS_MAX];
	unsigned fd_count;
	struct sockaddr_un address; /* of the other side, when the socket is not connected */
	socklen_t address_size;	    /* 0: the socket is connected */
	/* receive, when SO_PASSCRED is set: who sent it, as the kernel knows; pid 0: unknown */
	pid_t pid;
	uid_t user;
};

/* Never waits, raises no signal. 0 or negative errno. */
int pic_message_send(int socket_fd, const struct pic_message *message);
/* 1: a message; 0: the peer has closed; -EAGAIN: none is there (a blocking socket waits for one);
 * -EMSGSIZE: it did not fit and is gone; other negative errno. */
int pic_message_receive(int socket_fd, struct pic_message *message);
void pic_message_close(struct pic_message *message); /* the descriptors that are still in it */

#endif
