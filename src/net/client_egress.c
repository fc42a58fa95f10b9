/*
 * Where a client that serves strangers' URLs must not go: link-local addresses, whatever name leads
 * there. Clouds keep their machines' secrets on 169.254.169.254.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "net/client_request.h"

static bool is_link_local_v4(const unsigned char address[4])
{
	return address[0] == 169 && address[1] == 254;
}

static bool is_link_local(const struct curl_sockaddr *peer)
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	unsigned char bytes[16];

	if (peer->family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, &peer->addr, sizeof(v4));
		memcpy(bytes, &v4.sin_addr, 4);
		return is_link_local_v4(bytes);
	}
	if (peer->family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, &peer->addr, sizeof(v6));
		memcpy(bytes, &v6.sin6_addr, 16);
		if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
			return is_link_local_v4(bytes + 12);
		return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
	}
	return true; /* no HTTP lives there */
}

curl_socket_t pic_client_open_allowed(void *context, curlsocktype purpose,
				      struct curl_sockaddr *peer)
{
	(void)context;
	(void)purpose;
	if (is_link_local(peer))
		return CURL_SOCKET_BAD;
	return socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}
