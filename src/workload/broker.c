#include "workload/broker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define WAIT_MS 2000

ssize_t pic_broker_receive(int broker_fd, void *message_bytes, size_t room, int *fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { message_bytes, room };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t size = recvmsg(broker_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);
	const struct cmsghdr *head = size < 0 ? NULL : CMSG_FIRSTHDR(&message);

	*fd = -1;
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(head), sizeof(*fd));
	return size;
}

int pic_broker_order_take(int broker_fd, struct pic_broker_order *order, int *fd)
{
	union {
		struct pic_broker_answer answer;
		struct pic_broker_order order;
	} in = { .order = { 0 } };
	int PIC_FD come = -1;
	ssize_t size = pic_broker_receive(broker_fd, &in, sizeof(in), &come);

	if (size < 0)
		return -errno;
	if (size != (ssize_t)sizeof(in.order) || in.order.kind != PIC_BROKER_SCRAPE || come < 0)
		return -EPROTO;
	*order = in.order;
	*fd = PIC_STEAL_FD(come);
	return 0;
}

static int judge(const struct pic_broker_answer *answer, int *fd)
{
	if (answer->status < 0)
		return answer->status < -4095 ? -EPROTO : answer->status;
	if (answer->status > 0 || *fd < 0)
		return -EPROTO;
	return PIC_STEAL_FD(*fd);
}

int pic_broker_ask(int broker_fd, struct pic_broker_request *request)
{
	int64_t end = pic_clock_boot_ms() + WAIT_MS;

	if (broker_fd < 0)
		return -EACCES;
	if (send(broker_fd, request, sizeof(*request), MSG_NOSIGNAL) != (ssize_t)sizeof(*request))
		return errno == ECONNREFUSED || errno == ENOTCONN ? -EAGAIN : -errno;
	for (;;) {
		struct pic_broker_answer answer = { 0 };
		struct pollfd one = { .fd = broker_fd, .events = POLLIN };
		int64_t left = end - pic_clock_boot_ms();
		struct timespec timeout = { left / 1000, left % 1000 * 1000000 };
		int PIC_FD fd = -1;
		ssize_t size;

		if (left <= 0)
			return -ETIMEDOUT;
		if (ppoll(&one, 1, &timeout, NULL) < 0 && errno != EINTR)
			return -errno;
		size = pic_broker_receive(broker_fd, &answer, sizeof(answer), &fd);
		if (size < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		/* An answer to a question that was given up is closed and forgotten, an order in between too:
		 * whoever gave it sees its pipe end. */
		if (size == (ssize_t)sizeof(answer) && answer.sequence == request->sequence)
			return judge(&answer, &fd);
	}
}
