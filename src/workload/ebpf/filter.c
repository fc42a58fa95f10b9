#include "workload/ebpf/filter.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "base/cleanup.h"

#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)
#define ANSWER_MAX 32768
#define WAIT_S 2

/* A request about traffic control with its attributes. */
struct request {
	struct nlmsghdr head;
	struct tcmsg tc;
	char attributes[512];
};

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

static void request_init(struct request *request, uint16_t type, uint16_t flags)
{
	memset(request, 0, sizeof(*request));
	request->head.nlmsg_len = NLMSG_LENGTH(sizeof(struct tcmsg));
	request->head.nlmsg_type = type;
	request->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	request->tc.tcm_family = AF_UNSPEC;
}

/* Ours are a few short ones; the room is there. */
static struct rtattr *put(struct request *request, uint16_t type, const void *data, size_t size)
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

typedef void answer_fn(void *data, const struct nlmsghdr *message);

/* Messages of one datagram. 1: more to come, 0: done, else the kernel's negative errno. */
static int take(const char *bytes, ssize_t size, uint32_t sequence, answer_fn *fn, void *data)
{
	int left = (int)size;

	for (const struct nlmsghdr *m = (const void *)bytes; NLMSG_OK(m, (unsigned)left);
	     m = NLMSG_NEXT(m, left)) {
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

/* Sends, and hears all of the answer: 0 or a negative errno. */
static int ask(int fd, struct request *request, answer_fn *fn, void *data)
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

int pic_ebpf_qdisc_make(int netlink_fd, uint32_t interface, bool *made, struct pic_error *err)
{
	struct request request;
	int r;

	request_init(&request, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	request.tc.tcm_ifindex = (int)interface;
	request.tc.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	request.tc.tcm_parent = TC_H_CLSACT;
	put(&request, TCA_KIND, "clsact", sizeof("clsact"));
	r = ask(netlink_fd, &request, NULL, NULL);
	if (r < 0 && r != -EEXIST)
		return pic_error_errno(err, -r, "a clsact queue cannot be made");
	*made = r == 0;
	return 0;
}

/* The filter as the kernel made it, from its echo. */
static void on_echo(void *data, const struct nlmsghdr *message)
{
	struct pic_ebpf_filter *filter = data;
	const struct tcmsg *tc = NLMSG_DATA(message);

	if (message->nlmsg_type != RTM_NEWTFILTER || message->nlmsg_len < NLMSG_LENGTH(sizeof(*tc)))
		return;
	filter->info = tc->tcm_info;
	filter->handle = tc->tcm_handle;
}

int pic_ebpf_filter_add(int netlink_fd, uint32_t interface, bool egress, int program_fd,
			const char *mark, struct pic_ebpf_filter *out, struct pic_error *err)
{
	const uint32_t flags = TCA_BPF_FLAG_ACT_DIRECT;
	struct pic_ebpf_filter filter = { .interface = interface,
					  .parent = egress ? EGRESS : INGRESS,
					  .made_qdisc = out->made_qdisc };
	struct request request;
	struct rtattr *options;
	int r;

	request_init(&request, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_ECHO | NLM_F_CREATE | NLM_F_EXCL);
	request.tc.tcm_ifindex = (int)interface;
	request.tc.tcm_parent = filter.parent;
	request.tc.tcm_info = TC_H_MAKE(0, __builtin_bswap16(ETH_P_ALL));
	put(&request, TCA_KIND, "bpf", sizeof("bpf"));
	options = put(&request, TCA_OPTIONS, NULL, 0);
	put(&request, TCA_BPF_FD, &program_fd, sizeof(program_fd));
	put(&request, TCA_BPF_NAME, mark, strlen(mark) + 1);
	put(&request, TCA_BPF_FLAGS, &flags, sizeof(flags));
	options->rta_len = (uint16_t)((char *)&request + request.head.nlmsg_len - (char *)options);
	r = ask(netlink_fd, &request, on_echo, &filter);
	if (r < 0)
		return pic_error_errno(err, -r, "a clsact filter cannot be made");
	*out = filter;
	return 0;
}

struct each {
	uint32_t interface, parent;
	pic_ebpf_filter_fn *fn;
	void *data;
};

/* The attribute of that type inside of a run of attributes. */
static const struct rtattr *find(const struct rtattr *first, int size, uint16_t type)
{
	for (const struct rtattr *a = first; RTA_OK(a, size); a = RTA_NEXT(a, size))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

static void on_filter(void *data, const struct nlmsghdr *message)
{
	const struct each *each = data;
	const struct tcmsg *tc = NLMSG_DATA(message);
	int size = (int)message->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*tc));
	const struct rtattr *options, *name;
	struct pic_ebpf_filter filter;

	if (message->nlmsg_type != RTM_NEWTFILTER || size < 0 || !tc->tcm_handle)
		return; /* a chain without a filter has no handle */
	options = find((const void *)((const char *)tc + NLMSG_ALIGN(sizeof(*tc))), size,
		       TCA_OPTIONS);
	name = options ? find(RTA_DATA(options), (int)RTA_PAYLOAD(options), TCA_BPF_NAME) : NULL;
	filter = (struct pic_ebpf_filter){ .interface = each->interface,
					   .parent = each->parent,
					   .info = tc->tcm_info,
					   .handle = tc->tcm_handle };
	if (!name || memchr(RTA_DATA(name), '\0', RTA_PAYLOAD(name)))
		each->fn(each->data, &filter, name ? RTA_DATA(name) : "");
}

int pic_ebpf_filters_each(int netlink_fd, uint32_t interface, pic_ebpf_filter_fn *fn, void *data,
			  struct pic_error *err)
{
	const uint32_t parents[] = { INGRESS, EGRESS };

	for (size_t i = 0; i < PIC_COUNT(parents); i++) {
		struct each each = { interface, parents[i], fn, data };
		struct request request;
		int r;

		request_init(&request, RTM_GETTFILTER, NLM_F_DUMP);
		request.tc.tcm_ifindex = (int)interface;
		request.tc.tcm_parent = parents[i];
		r = ask(netlink_fd, &request, on_filter, &each);
		/* no such queue, or the interface has gone: there is none */
		if (r < 0 && r != -ENOENT && r != -ENODEV && r != -EINVAL)
			return pic_error_errno(err, -r, "filters cannot be listed");
	}
	return 0;
}

static void on_any(void *data, const struct pic_ebpf_filter *filter, const char *name)
{
	(void)filter;
	(void)name;
	*(bool *)data = true;
}

static int qdisc_remove(int netlink_fd, uint32_t interface, struct pic_error *err)
{
	struct request request;
	bool used = false;
	int r = pic_ebpf_filters_each(netlink_fd, interface, on_any, &used, err);

	if (r < 0 || used)
		return r;
	request_init(&request, RTM_DELQDISC, NLM_F_ACK);
	request.tc.tcm_ifindex = (int)interface;
	request.tc.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	request.tc.tcm_parent = TC_H_CLSACT;
	r = ask(netlink_fd, &request, NULL, NULL);
	return r < 0 && r != -ENOENT && r != -ENODEV && r != -EINVAL
		       ? pic_error_errno(err, -r, "a clsact queue cannot be removed")
		       : 0;
}

int pic_ebpf_filter_remove(int netlink_fd, const struct pic_ebpf_filter *filter,
			   struct pic_error *err)
{
	struct request request;
	int r;

	request_init(&request, RTM_DELTFILTER, NLM_F_ACK);
	request.tc.tcm_ifindex = (int)filter->interface;
	request.tc.tcm_parent = filter->parent;
	request.tc.tcm_info = filter->info;
	request.tc.tcm_handle = filter->handle;
	put(&request, TCA_KIND, "bpf", sizeof("bpf"));
	r = ask(netlink_fd, &request, NULL, NULL);
	if (r < 0 && r != -ENOENT && r != -ENODEV && r != -EINVAL)
		return pic_error_errno(err, -r, "a clsact filter cannot be removed");
	return filter->made_qdisc ? qdisc_remove(netlink_fd, filter->interface, err) : 0;
}
