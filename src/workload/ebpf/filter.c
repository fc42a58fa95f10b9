#include "workload/ebpf/filter.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>

#include "base/cleanup.h"
#include "workload/ebpf/mark.h"

#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

static void request_init(struct pic_ebpf_request *request, uint16_t type, uint16_t flags)
{
	pic_ebpf_netlink_init(request, type, flags, sizeof(request->tc));
	request->tc.tcm_family = AF_UNSPEC;
}

static int qdisc_make(int netlink_fd, uint32_t interface, bool *made, struct pic_error *err)
{
	struct pic_ebpf_request request;
	int r;

	request_init(&request, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	request.tc.tcm_ifindex = (int)interface;
	request.tc.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	request.tc.tcm_parent = TC_H_CLSACT;
	pic_ebpf_netlink_put(&request, TCA_KIND, "clsact", sizeof("clsact"));
	r = pic_ebpf_netlink_ask(netlink_fd, &request, NULL, NULL);
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

/* Behind all filters that are there already. */
static int filter_add(int netlink_fd, int program_fd, const char *mark,
		      struct pic_ebpf_filter *filter, struct pic_error *err)
{
	const uint32_t flags = TCA_BPF_FLAG_ACT_DIRECT;
	struct pic_ebpf_request request;
	struct rtattr *options;
	int r;

	request_init(&request, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_ECHO | NLM_F_CREATE | NLM_F_EXCL);
	request.tc.tcm_ifindex = (int)filter->interface;
	request.tc.tcm_parent = filter->parent;
	request.tc.tcm_info = TC_H_MAKE(0, __builtin_bswap16(ETH_P_ALL));
	pic_ebpf_netlink_put(&request, TCA_KIND, "bpf", sizeof("bpf"));
	options = pic_ebpf_netlink_put(&request, TCA_OPTIONS, NULL, 0);
	pic_ebpf_netlink_put(&request, TCA_BPF_FD, &program_fd, sizeof(program_fd));
	pic_ebpf_netlink_put(&request, TCA_BPF_NAME, mark, strlen(mark) + 1);
	pic_ebpf_netlink_put(&request, TCA_BPF_FLAGS, &flags, sizeof(flags));
	options->rta_len = (uint16_t)((char *)&request + request.head.nlmsg_len - (char *)options);
	r = pic_ebpf_netlink_ask(netlink_fd, &request, on_echo, filter);
	return r < 0 ? pic_error_errno(err, -r, "a clsact filter cannot be made") : 0;
}

struct each {
	uint32_t interface, parent;
	pic_ebpf_filter_fn *fn;
	void *data;
};

static void on_filter(void *data, const struct nlmsghdr *message)
{
	const struct each *each = data;
	const struct tcmsg *tc = NLMSG_DATA(message);
	int size = (int)message->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*tc));
	const struct rtattr *options, *name;
	struct pic_ebpf_filter filter;

	if (message->nlmsg_type != RTM_NEWTFILTER || size < 0 || !tc->tcm_handle)
		return; /* a chain without a filter has no handle */
	options = pic_ebpf_netlink_find((const void *)((const char *)tc + NLMSG_ALIGN(sizeof(*tc))),
					size, TCA_OPTIONS);
	name = options ? pic_ebpf_netlink_find(RTA_DATA(options), (int)RTA_PAYLOAD(options),
					       TCA_BPF_NAME)
		       : NULL;
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
		struct pic_ebpf_request request;
		int r;

		request_init(&request, RTM_GETTFILTER, NLM_F_DUMP);
		request.tc.tcm_ifindex = (int)interface;
		request.tc.tcm_parent = parents[i];
		r = pic_ebpf_netlink_ask(netlink_fd, &request, on_filter, &each);
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
	struct pic_ebpf_request request;
	bool used = false;
	int r = pic_ebpf_filters_each(netlink_fd, interface, on_any, &used, err);

	if (r < 0 || used)
		return r;
	request_init(&request, RTM_DELQDISC, NLM_F_ACK);
	request.tc.tcm_ifindex = (int)interface;
	request.tc.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	request.tc.tcm_parent = TC_H_CLSACT;
	r = pic_ebpf_netlink_ask(netlink_fd, &request, NULL, NULL);
	return r < 0 && r != -ENOENT && r != -ENODEV && r != -EINVAL
		       ? pic_error_errno(err, -r, "a clsact queue cannot be removed")
		       : 0;
}

int pic_ebpf_filter_remove(int netlink_fd, const struct pic_ebpf_filter *filter,
			   struct pic_error *err)
{
	struct pic_ebpf_request request;
	int r;

	request_init(&request, RTM_DELTFILTER, NLM_F_ACK);
	request.tc.tcm_ifindex = (int)filter->interface;
	request.tc.tcm_parent = filter->parent;
	request.tc.tcm_info = filter->info;
	request.tc.tcm_handle = filter->handle;
	pic_ebpf_netlink_put(&request, TCA_KIND, "bpf", sizeof("bpf"));
	r = pic_ebpf_netlink_ask(netlink_fd, &request, NULL, NULL);
	if (r < 0 && r != -ENOENT && r != -ENODEV && r != -EINVAL)
		return pic_error_errno(err, -r, "a clsact filter cannot be removed");
	return filter->made_qdisc ? qdisc_remove(netlink_fd, filter->interface, err) : 0;
}

static void on_made(void *data, const struct pic_ebpf_filter *filter, const char *name)
{
	struct pic_ebpf_mark mark;

	(void)filter;
	if (pic_ebpf_mark_read(name, &mark) && mark.made_qdisc)
		*(bool *)data = true;
}

int pic_ebpf_filter_make(int netlink_fd, uint32_t interface, bool egress, int program_fd,
			 const struct pic_ebpf_mark *owner, struct pic_ebpf_filter *out,
			 struct pic_error *err)
{
	struct pic_ebpf_filter filter = { .interface = interface,
					  .parent = egress ? EGRESS : INGRESS };
	struct pic_ebpf_mark mark = *owner;
	char text[PIC_EBPF_MARK_TEXT];
	bool made = false;
	int r = qdisc_make(netlink_fd, interface, &made, err);

	/* it is ours when we made it, now or for another program: whoever is the last takes it away */
	mark.made_qdisc = made;
	if (r == 0 && !made)
		r = pic_ebpf_filters_each(netlink_fd, interface, on_made, &mark.made_qdisc, err);
	if (r < 0)
		return r;
	pic_ebpf_mark_write(&mark, text);
	filter.made_qdisc = mark.made_qdisc;
	r = filter_add(netlink_fd, program_fd, text, &filter, err);
	if (r == 0)
		*out = filter;
	else if (made)
		qdisc_remove(netlink_fd, interface, NULL);
	return r;
}

struct claim {
	const struct pic_ebpf_filter *filter;
	const struct pic_workload_name *name;
	int64_t end_boot_ms;
	bool right;
};

static void on_claimed(void *data, const struct pic_ebpf_filter *filter, const char *name)
{
	struct claim *claim = data;
	struct pic_ebpf_mark mark;

	if (filter->parent == claim->filter->parent && filter->info == claim->filter->info &&
	    filter->handle == claim->filter->handle && pic_ebpf_mark_read(name, &mark) &&
	    pic_workload_name_compare(&mark.name, claim->name) == 0 &&
	    mark.end_boot_ms == claim->end_boot_ms)
		claim->right = mark.made_qdisc == claim->filter->made_qdisc;
}

bool pic_ebpf_filter_belongs(int netlink_fd, const struct pic_ebpf_filter *filter,
			     const struct pic_workload_name *name, int64_t end_boot_ms)
{
	struct claim claim = { filter, name, end_boot_ms, false };

	return pic_ebpf_filters_each(netlink_fd, filter->interface, on_claimed, &claim, NULL) ==
		       0 &&
	       claim.right;
}
