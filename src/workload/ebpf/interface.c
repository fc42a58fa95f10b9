#include "workload/ebpf/interface.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_packet.h>

#include "base/cleanup.h"

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

struct search {
	const char *name; /* NULL: any that is not a loopback */
	struct pic_ebpf_interface found;
	unsigned count;
	char others[160];
};

static void look_at(struct search *search, const struct ifaddrs *one)
{
	const struct sockaddr_ll *address = (const void *)one->ifa_addr;
	size_t used = strlen(search->others);

	if (!one->ifa_addr || one->ifa_addr->sa_family != AF_PACKET)
		return;
	if (!(one->ifa_flags & IFF_LOOPBACK))
		snprintf(search->others + used, sizeof(search->others) - used, "%s%s",
			 used ? ", " : "", one->ifa_name);
	if (search->name ? strcmp(search->name, one->ifa_name) != 0
			 : (one->ifa_flags & IFF_LOOPBACK) != 0)
		return;
	snprintf(search->found.name, sizeof(search->found.name), "%s", one->ifa_name);
	search->found.number = (uint32_t)address->sll_ifindex;
	search->count++;
}

int pic_ebpf_interface_find(const char *name, struct pic_ebpf_interface *out, struct pic_error *err)
{
	char route[IF_NAMESIZE];
	struct search search = { .name = name };
	struct ifaddrs *all;

	if (!*name)
		search.name = default_name(route) ? route : NULL;
	if (getifaddrs(&all) < 0)
		return pic_error_errno(err, errno, "network interfaces cannot be listed");
	for (const struct ifaddrs *one = all; one; one = one->ifa_next)
		look_at(&search, one);
	freeifaddrs(all);
	if (search.count == 1) {
		*out = search.found;
		return 0;
	}
	if (*search.others == '\0')
		strcpy(search.others, "none");
	if (search.name)
		return pic_error_set(err, -ENODEV,
				     "there is no network interface %s; this device has: %s",
				     search.name, search.others);
	return pic_error_set(
		err, -ENODEV,
		"no default route says which network interface is meant: name one of %s "
		"in ebpf.attach",
		search.others);
}
