/* Where a client with deny_link_local does not open a socket to. */
#include "base/check.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "net/client_request.h"

static bool opens(int family, const char *address)
{
	struct curl_sockaddr peer = { .family = family, .socktype = SOCK_STREAM };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	/* the library lends a struct that is longer than it says */
	union {
		struct curl_sockaddr head;
		char room[sizeof(struct curl_sockaddr) + sizeof(struct sockaddr_in6)];
	} lent = { .head = peer };

	if (family == AF_INET) {
		assert_int_equal(inet_pton(AF_INET, address, &v4.sin_addr), 1);
		memcpy(&lent.head.addr, &v4, sizeof(v4));
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
		memcpy(lent.room + offsetof(struct curl_sockaddr, addr), &v6, sizeof(v6));
	}
	curl_socket_t fd = pic_client_open_allowed(NULL, CURLSOCKTYPE_IPCXN, &lent.head);

	if (fd == CURL_SOCKET_BAD)
		return false;
	close(fd);
	return true;
}

static void link_local_is_out_of_reach(void **state)
{
	(void)state;
	assert_true(opens(AF_INET, "127.0.0.1"));
	assert_true(opens(AF_INET, "169.253.255.255"));
	assert_true(opens(AF_INET, "10.0.0.1"));
	assert_false(opens(AF_INET, "169.254.169.254"));
	assert_false(opens(AF_INET, "169.254.0.1"));
	assert_false(opens(AF_INET6, "fe80::1"));
	assert_false(opens(AF_INET6, "febf::1"));
	assert_false(opens(AF_INET6, "::ffff:169.254.169.254"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_local_is_out_of_reach),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
