#include "base/message.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

union control {
	char bytes[CMSG_SPACE(PIC_MESSAGE_FDS_MAX * sizeof(int)) +
		   CMSG_SPACE(sizeof(struct ucred))];
	struct cmsghdr align;
};

static void put_fds(const struct pic_message *message, union control *control,
		    struct msghdr *header)
{
	size_t size = message->fd_count * sizeof(int);
	struct cmsghdr *head;

	memset(control, 0, sizeof(*control));
	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(size);
	head = CMSG_FIRSTHDR(header);
	if (!head)
		return; /* cannot be: there is room */
	head->cmsg_len = CMSG_LEN(size);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(head), message->fds, size);
}

int pic_message_send(int socket_fd, const struct pic_message *message)
{
	union control control;
	struct iovec part = { message->data, message->size };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (message->address_size) {
		header.msg_name = (void *)&message->address;
		header.msg_namelen = message->address_size;
	}
	if (message->fd_count)
		put_fds(message, &control, &header);
	return sendmsg(socket_fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* More descriptors than a message may have can still fit the room for credentials: those are closed. */
static bool take_fds(const struct cmsghdr *c, struct pic_message *message)
{
	size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	bool all = true;

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
		if (message->fd_count < PIC_MESSAGE_FDS_MAX) {
			message->fds[message->fd_count++] = fd;
		} else {
			close(fd);
			all = false;
		}
	}
	return all;
}

static bool read_control(struct msghdr *header, struct pic_message *message)
{
	bool all = true;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		struct ucred sender;

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS) {
			all &= take_fds(c, message);
		} else if (c->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&sender, CMSG_DATA(c), sizeof(sender));
			message->pid = sender.pid;
			message->user = sender.uid;
		}
	}
	return all;
}

int pic_message_receive(int socket_fd, struct pic_message *message)
{
	union control control;
	struct iovec part = { message->data, message->size };
	struct msghdr header = {
		.msg_name = &message->address,
		.msg_namelen = sizeof(message->address),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t size;

	do
		size = recvmsg(socket_fd, &header, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return -errno;
	message->size = (size_t)size;
	message->fd_count = 0;
	message->pid = 0;
	message->address_size = header.msg_namelen;
	if (!read_control(&header, message) || header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		pic_message_close(message);
		return -EMSGSIZE;
	}
	return size > 0;
}

void pic_message_close(struct pic_message *message)
{
	while (message->fd_count)
		close(message->fds[--message->fd_count]);
}
