/* A listening socket for "127.0.0.1:8443", "[::1]:0" or ":8443". */
#include "net/server_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"

static int parse_address(const char *text, struct sockaddr_storage *out, socklen_t *size,
			 struct pic_error *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	const char *colon = strrchr(text, ':');
	const size_t host_size = colon ? (size_t)(colon - text) : 0;
	char host[64];
	long long port;

	if (!colon || host_size >= sizeof(host) || pic_integer_parse(colon + 1, 0, 65535, &port) < 0)
		return pic_error_set(err, -EINVAL, "'%s' is no ADDRESS:PORT", text);
	memcpy(host, text, host_size);
	host[host_size] = 0;
	memset(out, 0, sizeof(*out));
	if (host_size > 2 && host[0] == '[' && host[host_size - 1] == ']') {
		host[host_size - 1] = 0;
		if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1) {
			v6->sin6_family = AF_INET6;
			v6->sin6_port = htons((uint16_t)port);
			*size = sizeof(*v6);
			return 0;
		}
	} else if (host_size == 0) {
		v6->sin6_family = AF_INET6; /* all addresses of both families */
		v6->sin6_port = htons((uint16_t)port);
		*size = sizeof(*v6);
		return 0;
	} else if (inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		*size = sizeof(*v4);
		return 0;
	}
	return pic_error_set(err, -EINVAL, "'%s': the address must be an IP literal, as in 127.0.0.1:8443",
			     text);
}

void pic_address_text(const void *address, char *out, size_t size)
{
	const struct sockaddr *any = address;
	char host[INET6_ADDRSTRLEN] = "?";

	if (any && any->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = address;

		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(out, size, "%s:%u", host, ntohs(v4->sin_port));
	} else if (any && any->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = address;

		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(out, size, "[%s]:%u", host, ntohs(v6->sin6_port));
	} else {
		snprintf(out, size, "unknown");
	}
}

int pic_server_listen(const char *text, int *fd_out, char *bound, size_t bound_size,
		      struct pic_error *err)
{
	struct sockaddr_storage address;
	socklen_t size;
	PIC_FD int fd = -1;
	const int on = 1, off = 0;
	int r = parse_address(text, &address, &size, err);

	if (r < 0)
		return r;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return pic_error_errno(err, errno, "cannot listen on %s", text);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, *text == ':' ? &off : &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, size) < 0)
		return pic_error_errno(err, errno, "cannot listen on %s", text);
	if (listen(fd, 512) < 0)
		return pic_error_errno(err, errno, "cannot listen on %s", text);
	size = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return pic_error_errno(err, errno, "cannot listen on %s", text);
	pic_address_text(&address, bound, bound_size);
	*fd_out = PIC_STEAL_FD(fd);
	return 0;
}
