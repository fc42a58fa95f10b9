#include "workload/ebpf/interface.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <linux/if_link.h>

#include "base/cleanup.h"
#include "workload/ebpf/netlink.h"

#define ROUTES_MAX 65536
#define ROUTE_UP 1 /* RTF_UP */

bool pic_ebpf_default_route(const char *text, char out[IF_NAMESIZE])
{
	unsigned best = 0;
	bool found = false;

	/* Iface Destination Gateway Flags RefCnt Use Metric Mask ...; the first line is the heading */
	for (const char *line = strchr(text, '\n'); line && line[1];
	     line = strchr(line + 1, '\n')) {
		char name[IF_NAMESIZE];
		unsigned to, flags, metric, mask;

		if (sscanf(line + 1, "%15s %x %*x %x %*d %*d %u %x", name, &to, &flags, &metric,
			   &mask) != 5 ||
		    to || mask || !(flags & ROUTE_UP) || (found && metric >= best))
			continue;
		found = true;
		best = metric;
		snprintf(out, IF_NAMESIZE, "%s", name);
	}
	return found;
}

static bool default_name(char out[IF_NAMESIZE])
{
	char PIC_FREE *text = malloc(ROUTES_MAX);
	PIC_FD int fd = open("/proc/net/route", O_RDONLY | O_CLOEXEC);
	size_t used = 0;

	while (text && fd >= 0 && used < ROUTES_MAX - 1) {
		ssize_t size = read(fd, text + used, ROUTES_MAX - 1 - used);

		if (size <= 0)
			break;
		used += (size_t)size;
	}
	if (!text)
		return false;
	text[used] = '\0';
	return pic_ebpf_default_route(text, out);
}

/* What one message of the kernel says about an interface. */
struct seen {
	struct pic_ebpf_interface interface;
	bool is_loopback;
};

static void read_xdp(const struct rtattr *xdp, struct pic_ebpf_interface *out)
{
	static const uint16_t numbers[] = { IFLA_XDP_PROG_ID, IFLA_XDP_DRV_PROG_ID,
					    IFLA_XDP_SKB_PROG_ID };
	const struct rtattr *inside = RTA_DATA(xdp);
	int size = (int)RTA_PAYLOAD(xdp);
	const struct rtattr *mode = pic_ebpf_netlink_find(inside, size, IFLA_XDP_ATTACHED);

	out->xdp_generic = mode && RTA_PAYLOAD(mode) &&
			   *(const uint8_t *)RTA_DATA(mode) == XDP_ATTACHED_SKB;
	for (size_t i = 0; i < PIC_COUNT(numbers) && !out->xdp_program; i++) {
		const struct rtattr *one = pic_ebpf_netlink_find(inside, size, numbers[i]);

		if (one && RTA_PAYLOAD(one) >= sizeof(uint32_t))
			memcpy(&out->xdp_program, RTA_DATA(one), sizeof(uint32_t));
	}
}

static bool read_link(const struct nlmsghdr *message, struct seen *out)
{
	const struct ifinfomsg *head = NLMSG_DATA(message);
	int size = (int)message->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*head));
	const struct rtattr *first =
		(const void *)((const char *)head + NLMSG_ALIGN(sizeof(*head)));
	const struct rtattr *name, *xdp;

	if (message->nlmsg_type != RTM_NEWLINK || size < 0)
		return false;
	name = pic_ebpf_netlink_find(first, size, IFLA_IFNAME);
	xdp = pic_ebpf_netlink_find(first, size, IFLA_XDP);
	if (!name || !memchr(RTA_DATA(name), '\0', RTA_PAYLOAD(name)))
		return false;
	*out = (struct seen){ .interface.number = (uint32_t)head->ifi_index,
			      .is_loopback = head->ifi_flags & IFF_LOOPBACK };
	snprintf(out->interface.name, sizeof(out->interface.name), "%s",
		 (const char *)RTA_DATA(name));
	if (xdp)
		read_xdp(xdp, &out->interface);
	return true;
}

static void on_asked(void *data, const struct nlmsghdr *message)
{
	struct seen seen;

	if (read_link(message, &seen))
		*(struct pic_ebpf_interface *)data = seen.interface;
}

/* By its number, or where that is 0 by its name. */
static int look(int netlink_fd, uint32_t number, const char *name, struct pic_ebpf_interface *out)
{
	struct pic_ebpf_interface found = { .number = 0 };
	struct pic_ebpf_request request;
	int r;

	pic_ebpf_netlink_init(&request, RTM_GETLINK, NLM_F_ACK, sizeof(request.link));
	request.link.ifi_index = (int)number;
	if (!number)
		pic_ebpf_netlink_put(&request, IFLA_IFNAME, name, strlen(name) + 1);
	r = pic_ebpf_netlink_ask(netlink_fd, &request, on_asked, &found);
	if (r == 0 && found.number)
		*out = found;
	return r < 0 ? r : found.number ? 0 : -ENODEV;
}

int pic_ebpf_interface_look(int netlink_fd, uint32_t number, struct pic_ebpf_interface *out)
{
	return look(netlink_fd, number, NULL, out);
}

/* All that are no loopback: their names, and the last one of them. */
struct others {
	struct pic_ebpf_interface one;
	unsigned count;
	char names[160];
};

static void on_other(void *data, const struct nlmsghdr *message)
{
	struct others *others = data;
	size_t used = strlen(others->names);
	struct seen seen;

	if (!read_link(message, &seen) || seen.is_loopback)
		return;
	others->one = seen.interface;
	others->count++;
	snprintf(others->names + used, sizeof(others->names) - used, "%s%s", used ? ", " : "",
		 seen.interface.name);
}

int pic_ebpf_interface_find(int netlink_fd, const char *name, struct pic_ebpf_interface *out,
			    struct pic_error *err)
{
	struct others others = { .names = "" };
	struct pic_ebpf_request request;
	char route[IF_NAMESIZE];
	int r;

	if (!*name)
		name = default_name(route) ? route : NULL;
	/* a longer name is nobody's; the kernel would call it a wrong question */
	r = name && strlen(name) < IF_NAMESIZE ? look(netlink_fd, 0, name, out) : -ENODEV;
	if (r != -ENODEV)
		return r < 0 ? pic_error_errno(err, -r, "network interface %s cannot be looked at",
					       name)
			     : 0;
	pic_ebpf_netlink_init(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(request.link));
	r = pic_ebpf_netlink_ask(netlink_fd, &request, on_other, &others);
	if (r < 0)
		return pic_error_errno(err, -r, "network interfaces cannot be listed");
	if (!name && others.count == 1) {
		*out = others.one;
		return 0;
	}
	if (others.count == 0)
		strcpy(others.names, "none");
	if (name)
		return pic_error_set(err, -ENODEV,
				     "there is no network interface %s; this device has: %s", name,
				     others.names);
	return pic_error_set(
		err, -ENODEV,
		"no default route says which network interface is meant: name one of %s "
		"in ebpf.attach",
		others.names);
}
