#include "workload/broker_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#define BACKLOG_MAX 4096u

static socklen_t address_of(const struct pic_broker_request *request, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (request->family == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(request->port);
		memcpy(&v4->sin_addr, request->address, sizeof(v4->sin_addr));
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(request->port);
	memcpy(&v6->sin6_addr, request->address, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

static int set_up(int fd, const struct pic_broker_request *request)
{
	struct sockaddr_storage address;
	socklen_t size = address_of(request, &address);
	unsigned backlog = request->backlog < BACKLOG_MAX ? request->backlog : BACKLOG_MAX;
	const int on = 1;

	if (request->operation == PIC_BROKER_CONNECT) {
		if (connect(fd, (struct sockaddr *)&address, size) < 0 && errno != EINPROGRESS)
			return -errno;
		return 0;
	}
	/* The next run must not wait until the last one's connections have timed out. */
	if (request->operation == PIC_BROKER_LISTEN &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (request->family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, size) < 0)
		return -errno;
	if (request->operation == PIC_BROKER_LISTEN && listen(fd, backlog ? (int)backlog : 1) < 0)
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

int pic_broker_wanted(const struct pic_broker_request *request, struct pic_policy_ports *out)
{
	bool tcp = request->transport == PIC_TCP, udp = request->transport == PIC_UDP;

	if ((request->family != 4 && request->family != 6) || (!tcp && !udp) ||
	    request->operation < PIC_BROKER_LISTEN || request->operation > PIC_BROKER_CONNECT ||
	    (request->operation == PIC_BROKER_LISTEN && !tcp) ||
	    (request->operation == PIC_BROKER_BIND && !udp))
		return -EINVAL;
	*out = (struct pic_policy_ports){
		.transport = request->transport,
		.first = request->port,
		.last = request->port,
		.network = { .family = request->family, .bits = request->family == 4 ? 32 : 128 },
	};
	memcpy(out->network.address, request->address, request->family == 4 ? 4 : 16);
	return 0;
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
