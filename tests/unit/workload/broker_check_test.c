/* The broker's pure half: which requests make sense, and what they ask policy for. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admission/policy.h"
#include "workload/broker_check.h"

static void only_what_fits_makes_sense(void **state)
{
	(void)state;
	for (uint32_t operation = 0; operation < 8; operation++)
		for (unsigned transport = 0; transport < 20; transport++)
			for (unsigned family = 0; family < 12; family++) {
				struct pic_broker_request request = {
					.operation = operation,
					.transport = (uint8_t)transport,
					.family = (uint8_t)family,
					.port = 80,
				};
				struct pic_policy_ports wanted;
				bool tcp = transport == PIC_TCP, udp = transport == PIC_UDP;
				bool good = (family == 4 || family == 6) &&
					    ((operation == PIC_BROKER_LISTEN && tcp) ||
					     (operation == PIC_BROKER_BIND && udp) ||
					     (operation == PIC_BROKER_CONNECT && (tcp || udp)));

				assert_int_equal(pic_broker_request_check(&request, &wanted, NULL),
						 good ? 0 : -EINVAL);
			}
}

static void the_wish_is_one_port_at_one_address(void **state)
{
	struct pic_broker_request request = { .operation = PIC_BROKER_LISTEN,
					      .transport = PIC_TCP,
					      .family = 4,
					      .port = 8085,
					      .address = { 127, 0, 0, 1, 9, 9 } };
	struct pic_policy_ports wanted;
	struct sockaddr_storage address;
	char text[96];

	(void)state;
	assert_int_equal(pic_broker_request_check(&request, &wanted, NULL), 0);
	pic_ports_text(&wanted, text);
	assert_string_equal(text, "tcp:127.0.0.1:8085");
	assert_int_equal(wanted.network.address[4],
			 0); /* what lies behind the address is not taken along */
	assert_int_equal(pic_broker_address(&request, &address), sizeof(struct sockaddr_in));
	assert_int_equal(ntohs(((struct sockaddr_in *)&address)->sin_port), 8085);
	request.family = 6;
	inet_pton(AF_INET6, "fe80::1", request.address);
	assert_int_equal(pic_broker_request_check(&request, &wanted, NULL), 0);
	pic_ports_text(&wanted, text);
	assert_string_equal(text, "tcp:[fe80::1]:8085");
	assert_int_equal(pic_broker_address(&request, &address), sizeof(struct sockaddr_in6));
}

static void a_failure_names_the_port(void **state)
{
	struct pic_broker_request request = {
		.operation = PIC_BROKER_LISTEN, .transport = PIC_TCP, .family = 4, .port = 8085
	};
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(pic_broker_failure(&request, EADDRINUSE, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "tcp:0.0.0.0:8085 is in use"));
	request.operation = PIC_BROKER_CONNECT;
	assert_int_equal(pic_broker_failure(&request, ECONNREFUSED, &err), -ECONNREFUSED);
	assert_non_null(strstr(err.text, "connected to"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_fits_makes_sense),
		cmocka_unit_test(the_wish_is_one_port_at_one_address),
		cmocka_unit_test(a_failure_names_the_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
