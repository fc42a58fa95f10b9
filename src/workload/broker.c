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

/* One answer and the descriptor that came with it, if one did. */
static ssize_t receive(int broker_fd, struct pic_broker_answer *answer, int *fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { answer, sizeof(*answer) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t size = recvmsg(broker_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *head = size < 0 ? NULL : CMSG_FIRSTHDR(&message);

	*fd = -1;
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(head), sizeof(*fd));
	return size;
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
		size = receive(broker_fd, &answer, &fd);
		if (size < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		/* An answer to a question that was given up is closed and forgotten. */
		if (size == (ssize_t)sizeof(answer) && answer.sequence == request->sequence)
			return judge(&answer, &fd);
	}
}
