#include "net/server_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"

#define BACKLOG 512
/* A silent death (a cut cable, a forgotten NAT entry) is noticed within five minutes. */
#define KEEP_ALIVE_IDLE_S 120
#define KEEP_ALIVE_INTERVAL_S 45
#define KEEP_ALIVE_PROBES 4

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct place {
	union address address;
	socklen_t size;
	bool both_families; /* ":8443" */
};

static bool set_host(struct place *place, char *host, in_port_t port)
{
	size_t size = strlen(host);

	if (size > 2 && host[0] == '[' && host[size - 1] == ']') {
		host[size - 1] = '\0';
		place->address.v6.sin6_family = AF_INET6;
		place->address.v6.sin6_port = port;
		place->size = sizeof(place->address.v6);
		return inet_pton(AF_INET6, host + 1, &place->address.v6.sin6_addr) == 1;
	}
	place->address.v4.sin_family = AF_INET;
	place->address.v4.sin_port = port;
	place->size = sizeof(place->address.v4);
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	return inet_pton(AF_INET, host, &place->address.v4.sin_addr) == 1;
}

static void set_all(struct place *place, in_port_t port)
{
	place->address.v6.sin6_family = AF_INET6;
	place->address.v6.sin6_port = port;
	place->address.v6.sin6_addr = in6addr_any;
	place->size = sizeof(place->address.v6);
	place->both_families = true;
}

/* A machine without IPv6 listens on all of IPv4. */
static void set_all_of_v4(struct place *place)
{
	in_port_t port = place->address.v6.sin6_port;

	memset(place, 0, sizeof(*place));
	place->address.v4.sin_family = AF_INET;
	place->address.v4.sin_port = port;
	place->size = sizeof(place->address.v4);
}

static int parse_place(const char *text, struct place *out, struct pic_error *err)
{
	const char *colon = text ? strrchr(text, ':') : NULL;
	size_t size = colon ? (size_t)(colon - text) : 0;
	char host[64];
	long long port;

	memset(out, 0, sizeof(*out));
	if (!colon || size >= sizeof(host) || pic_integer_parse(colon + 1, 0, 65535, &port) < 0)
		return pic_error_set(err, -EINVAL, "\"%s\" is not ADDRESS:PORT", text ? text : "");
	memcpy(host, text, size);
	host[size] = '\0';
	if (size == 0)
		set_all(out, htons((uint16_t)port));
	else if (!set_host(out, host, htons((uint16_t)port)))
		return pic_error_set(err, -EINVAL,
				     "\"%s\" must begin with an IP address, as in 127.0.0.1:8443",
				     text);
	return 0;
}

void pic_address_host(const void *address, char *out, size_t size)
{
	const union address *any = address;
	const void *host = NULL;

	if (any && any->any.sa_family == AF_INET)
		host = &any->v4.sin_addr;
	else if (any && any->any.sa_family == AF_INET6)
		host = &any->v6.sin6_addr;
	if (!host || !inet_ntop(any->any.sa_family, host, out, (socklen_t)size))
		snprintf(out, size, "unknown");
}

void pic_address_text(const void *address, char *out, size_t size)
{
	const union address *any = address;
	char host[INET6_ADDRSTRLEN];

	pic_address_host(address, host, sizeof(host));
	if (any && any->any.sa_family == AF_INET)
		snprintf(out, size, "%s:%u", host, ntohs(any->v4.sin_port));
	else if (any && any->any.sa_family == AF_INET6)
		snprintf(out, size, "[%s]:%u", host, ntohs(any->v6.sin6_port));
	else
		snprintf(out, size, "%s", host);
}

static void set(int fd, int level, int option, int value)
{
	/* each is a refinement; a kernel that has it not still serves */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* Accepted sockets inherit these. */
static void set_options(int fd, const struct place *place)
{
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_IDLE_S);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL_S);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_ALIVE_PROBES);
	if (place->address.any.sa_family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !place->both_families);
}

static int open_socket(struct place *place)
{
	int fd =
		socket(place->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 || errno != EAFNOSUPPORT || !place->both_families)
		return fd;
	set_all_of_v4(place);
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int pic_server_listen(const char *text, int *fd_out, char *bound, size_t bound_size,
		      struct pic_error *err)
{
	struct place place;
	PIC_FD int fd = -1;
	int r = parse_place(text, &place, err);

	if (r < 0)
		return r;
	fd = open_socket(&place);
	if (fd >= 0)
		set_options(fd, &place);
	if (fd < 0 || bind(fd, &place.address.any, place.size) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, &place.address.any, &place.size) < 0)
		return pic_error_errno(err, errno, "cannot listen on %s", text);
	pic_address_text(&place.address, bound, bound_size);
	*fd_out = PIC_STEAL_FD(fd);
	return 0;
}
