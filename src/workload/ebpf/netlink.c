#include "workload/ebpf/netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ANSWER_MAX 32768
#define WAIT_S 2

int pic_ebpf_netlink_open(struct pic_error *err)
{
	const struct timeval wait = { .tv_sec = WAIT_S };
	const int on = 1;
	PIC_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	/* without the request in the answer: errors stay short */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) < 0)
		return pic_error_errno(err, errno, "no netlink socket");
	return PIC_STEAL_FD(fd);
}

void pic_ebpf_netlink_init(struct pic_ebpf_request *request, uint16_t type, uint16_t flags,
			   size_t body)
{
	memset(request, 0, sizeof(*request));
	request->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
	request->head.nlmsg_type = type;
	request->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
}

struct rtattr *pic_ebpf_netlink_put(struct pic_ebpf_request *request, uint16_t type,
				    const void *data, size_t size)
{
	struct rtattr *attribute =
		(struct rtattr *)((char *)request + NLMSG_ALIGN(request->head.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
	request->head.nlmsg_len =
		NLMSG_ALIGN(request->head.nlmsg_len) + (uint32_t)RTA_ALIGN(attribute->rta_len);
	return attribute;
}

/* Messages of one datagram. 1: more to come, 0: done, else the kernel's negative errno. */
static int take(const char *bytes, ssize_t size, uint32_t sequence, pic_ebpf_answer_fn *fn,
		void *data)
{
	int left = (int)size;

	/* what pads the last one may not be there, so that less than nothing is left */
	for (const struct nlmsghdr *m = (const void *)bytes;
	     left > 0 && NLMSG_OK(m, (unsigned)left); m = NLMSG_NEXT(m, left)) {
		if (m->nlmsg_seq != sequence)
			continue; /* of a request that was given up */
		if (m->nlmsg_type == NLMSG_DONE)
			return 0;
		if (m->nlmsg_type == NLMSG_ERROR)
			return m->nlmsg_len < NLMSG_LENGTH(sizeof(int))
				       ? -EPROTO
				       : *(const int *)NLMSG_DATA(m);
		if (fn)
			fn(data, m);
	}
	return 1;
}

int pic_ebpf_netlink_ask(int fd, struct pic_ebpf_request *request, pic_ebpf_answer_fn *fn,
			 void *data)
{
	static _Thread_local uint32_t sequence;
	char PIC_CLEANUP(pic_free_pointer) *bytes = malloc(ANSWER_MAX);
	int r = 1;

	if (!bytes)
		return -ENOMEM;
	request->head.nlmsg_seq = ++sequence;
	if (send(fd, request, request->head.nlmsg_len, 0) < 0)
		return -errno;
	while (r > 0) {
		ssize_t size = recv(fd, bytes, ANSWER_MAX, 0);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return -errno;
		r = take(bytes, size, sequence, fn, data);
	}
	return r;
}

const struct rtattr *pic_ebpf_netlink_find(const struct rtattr *first, int size, uint16_t type)
{
	for (const struct rtattr *a = first; RTA_OK(a, size); a = RTA_NEXT(a, size))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}
