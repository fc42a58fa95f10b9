#include "workload/broker_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "workload/broker_check.h"

#define BACKLOG_MAX 1024u

static int set_up(int fd, const struct pic_broker_request *request)
{
	struct sockaddr_storage address;
	socklen_t size = pic_broker_address(request, &address);
	unsigned backlog = request->backlog < BACKLOG_MAX ? request->backlog : BACKLOG_MAX;
	const int on = 1;

	/* one address family a socket: policy has seen just this one */
	if (request->family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (request->operation == PIC_BROKER_CONNECT)
		return connect(fd, (struct sockaddr *)&address, size) < 0 && errno != EINPROGRESS
			       ? -errno
			       : 0;
	/* The next run must not wait until the last one's connections have timed out. */
	if (request->operation == PIC_BROKER_LISTEN &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, size) < 0 ||
	    (request->operation == PIC_BROKER_LISTEN && listen(fd, backlog ? (int)backlog : 1) < 0))
		return -errno;
	return 0;
}

int pic_broker_socket(const struct pic_broker_request *request)
{
	int type = request->transport == PIC_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int PIC_FD fd = socket(request->family == 4 ? AF_INET : AF_INET6,
			       type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : set_up(fd, request);

	return r < 0 ? r : PIC_STEAL_FD(fd);
}

int pic_broker_reply(int socket_fd, uint32_t sequence, int status, int fd)
{
	struct pic_broker_answer answer = { sequence, status };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec part = { &answer, sizeof(answer) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *head;

		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_len = CMSG_LEN(sizeof(int));
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	}
	return sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
