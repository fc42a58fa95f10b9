#include "hub/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "hub/host.h"

#define HOST_MAX 256

/* ":8443", "0.0.0.0:8443", "[::]:8443" */
static bool is_all(const char *address)
{
	char host[HOST_MAX];

	if (*address == ':')
		return true;
	return pic_host_of(address, host, sizeof(host)) &&
	       (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0);
}

static bool is_loopback_host(const char *host)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool pic_address_is_loopback(const char *address)
{
	char host[HOST_MAX];

	return !is_all(address) && pic_host_of(address, host, sizeof(host)) &&
	       is_loopback_host(host);
}

static int add(struct pic_address_names *names, const char *name)
{
	if (!*name || names->count == PIC_ADDRESS_NAMES_MAX)
		return 0;
	for (size_t i = 0; i < names->count; i++) {
		if (strcasecmp(names->items[i], name) == 0)
			return 0;
	}
	names->items[names->count] = strdup(name);
	if (!names->items[names->count])
		return -ENOMEM;
	names->count++;
	return 0;
}

/* Link-local addresses need a zone and are no use in a certificate. */
static bool address_text(const struct sockaddr *address, char *out)
{
	if (address && address->sa_family == AF_INET)
		return inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, out,
				 HOST_MAX);
	if (address && address->sa_family == AF_INET6) {
		const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;

		return !IN6_IS_ADDR_LINKLOCAL(v6) && inet_ntop(AF_INET6, v6, out, HOST_MAX);
	}
	return false;
}

static int add_all_interfaces(struct pic_address_names *names)
{
	struct ifaddrs *list = NULL;
	char text[HOST_MAX];
	int r = 0;

	if (getifaddrs(&list) < 0)
		return -errno;
	for (struct ifaddrs *one = list; one && r == 0; one = one->ifa_next) {
		if ((one->ifa_flags & IFF_UP) && address_text(one->ifa_addr, text))
			r = add(names, text);
	}
	freeifaddrs(list);
	return r;
}

static int add_listeners(struct pic_address_names *names, const char *const *listen)
{
	char host[HOST_MAX];
	int r = 0;

	for (; r == 0 && *listen; listen++) {
		if (is_all(*listen))
			r = add_all_interfaces(names);
		else if (pic_host_of(*listen, host, sizeof(host)))
			r = add(names, host);
	}
	return r;
}

int pic_address_names(const char *const *listen, const char *public_url,
		      struct pic_address_names *out, struct pic_error *err)
{
	char host[HOST_MAX] = "";
	int r;

	*out = (struct pic_address_names){ .count = 0 };
	/* What a person named comes first, so that it is never left out. */
	r = public_url && pic_host_of(public_url, host, sizeof(host)) ? add(out, host) : 0;
	if (r == 0)
		r = add_listeners(out, listen);
	if (r == 0)
		r = add(out, "localhost");
	if (r == 0)
		r = add(out, "127.0.0.1");
	if (r == 0)
		r = add(out, "::1");
	if (r == 0 && gethostname(host, sizeof(host) - 1) == 0)
		r = add(out, host);
	if (r < 0) {
		pic_address_names_free(out);
		return pic_error_errno(
			err, -r,
			"cannot list the names and addresses of this machine for the "
			"certificate; name one address in --listen");
	}
	return 0;
}

void pic_address_names_free(struct pic_address_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	*names = (struct pic_address_names){ .count = 0 };
}

static bool is_usable_elsewhere(const char *name)
{
	struct in_addr v4;

	return inet_pton(AF_INET, name, &v4) == 1 && !is_loopback_host(name);
}

void pic_address_url(const char *bound, const struct pic_address_names *names, char *out,
		     size_t size)
{
	const char *port = strrchr(bound, ':');
	char host[HOST_MAX] = "127.0.0.1";

	if (!is_all(bound)) {
		snprintf(out, size, "https://%s", bound);
		return;
	}
	for (size_t i = 0; i < names->count; i++) {
		if (is_usable_elsewhere(names->items[i])) {
			snprintf(host, sizeof(host), "%s", names->items[i]);
			break;
		}
	}
	snprintf(out, size, "https://%s%s", host, port ? port : "");
}
