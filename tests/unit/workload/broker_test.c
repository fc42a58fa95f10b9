/* The runner's side of the broker against a supervisor that answers well, late, wrongly or not at all. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "workload/broker_check.h"
#include "workload/broker_socket.h"

static void send_order(int socket_fd, const void *bytes, size_t size, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec part = { (void *)bytes, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		*CMSG_FIRSTHDR(&message) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
							     .cmsg_level = SOL_SOCKET,
							     .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(socket_fd, &message, 0), size);
}

static struct pic_broker_request listen_request(void)
{
	struct pic_broker_request request = {
		.operation = PIC_BROKER_LISTEN,
		.sequence = 7,
		.transport = PIC_TCP,
		.family = 4,
		.backlog = 4,
		.address = { 127, 0, 0, 1 },
	};

	return request;
}

static void makes_sockets(void **state)
{
	struct pic_broker_request request = listen_request();
	struct sockaddr_in name;
	socklen_t size = sizeof(name);
	int fd = pic_broker_socket(&request), on = 0, second;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	size = sizeof(on);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size), 0);
	assert_int_equal(on, 1);
	assert_int_equal(accept(fd, NULL, NULL), -1); /* non-blocking */
	assert_int_equal(errno, EAGAIN);
	request.port = ntohs(name.sin_port);
	assert_int_equal(pic_broker_socket(&request), -EADDRINUSE);
	request.operation = PIC_BROKER_CONNECT;
	second = pic_broker_socket(&request);
	assert_true(second >= 0);
	close(second);
	close(fd);
	request.operation = PIC_BROKER_BIND;
	request.transport = PIC_UDP;
	fd = pic_broker_socket(&request);
	assert_true(fd >= 0);
	close(fd);
	request.address[0] = 203; /* not an address of this machine */
	assert_int_equal(pic_broker_socket(&request), -EADDRNOTAVAIL);
}

static void takes_orders_that_come_unasked(void **state)
{
	const struct pic_broker_order scrape = { .kind = PIC_BROKER_SCRAPE }, other = { .kind = 9 };
	struct pic_broker_order order;
	int ends[2], fd = -1;
	char bytes[4096] = "";

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_int_equal(pic_broker_order_take(ends[1], &order, &fd), -EAGAIN);
	send_order(ends[0], &scrape, sizeof(scrape), 0);
	assert_int_equal(pic_broker_order_take(ends[1], &order, &fd), 0);
	assert_int_equal(order.kind, PIC_BROKER_SCRAPE);
	assert_true(fd >= 0);
	close(fd);
	fd = -1;
	/* without a descriptor, of an unknown kind, an answer, something long */
	send_order(ends[0], &scrape, sizeof(scrape), -1);
	send_order(ends[0], &other, sizeof(other), 0);
	send_order(ends[0], &scrape, sizeof(struct pic_broker_answer), 0);
	send_order(ends[0], bytes, sizeof(bytes), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pic_broker_order_take(ends[1], &order, &fd), -EPROTO);
	assert_int_equal(fd, -1);
	assert_int_equal(pic_broker_order_take(ends[1], &order, &fd), -EAGAIN);
	close(ends[0]);
	close(ends[1]);
}

static void knows_what_makes_sense(void **state)
{
	struct pic_broker_request request = listen_request();
	struct pic_policy_ports wanted;

	(void)state;
	request.port = 8085;
	assert_int_equal(pic_broker_request_check(&request, &wanted, NULL), 0);
	assert_int_equal(wanted.first, 8085);
	assert_int_equal(wanted.last, 8085);
	assert_int_equal(wanted.network.bits, 32);
	request.family = 5;
	assert_int_equal(pic_broker_request_check(&request, &wanted, NULL), -EINVAL);
	request.family = 6;
	request.operation = PIC_BROKER_BIND;
	assert_int_equal(pic_broker_request_check(&request, &wanted, NULL),
			 -EINVAL); /* TCP is listened on */
	request.transport = PIC_UDP;
	assert_int_equal(pic_broker_request_check(&request, &wanted, NULL), 0);
	request.operation = 9;
	assert_int_equal(pic_broker_request_check(&request, &wanted, NULL), -EINVAL);
}

enum behaviour { GOOD, LATE_THEN_GOOD, NO_FD, POSITIVE, REFUSED, SHORT, SILENT, GONE };

struct supervisor {
	int fd;
	enum behaviour behaviour;
};

static void *answer(void *data)
{
	struct supervisor *supervisor = data;
	struct pic_broker_request request;
	int fd = -1;

	if (recv(supervisor->fd, &request, sizeof(request), 0) != (ssize_t)sizeof(request))
		return NULL;
	switch (supervisor->behaviour) {
	case LATE_THEN_GOOD: /* what earlier questions would have got */
		pic_broker_reply(supervisor->fd, request.sequence - 2, -EACCES, -1);
		fd = pic_broker_socket(&request);
		pic_broker_reply(supervisor->fd, request.sequence - 1, 0, fd);
		pic_broker_reply(supervisor->fd, request.sequence, 0, fd);
		break;
	case GOOD:
		fd = pic_broker_socket(&request);
		pic_broker_reply(supervisor->fd, request.sequence, 0, fd);
		break;
	case NO_FD:
		pic_broker_reply(supervisor->fd, request.sequence, 0, -1);
		break;
	case POSITIVE:
		fd = dup(supervisor->fd);
		pic_broker_reply(supervisor->fd, request.sequence, 5, fd);
		break;
	case REFUSED:
		pic_broker_reply(supervisor->fd, request.sequence, -EACCES, -1);
		break;
	case SHORT:
		assert_int_equal(send(supervisor->fd, "xx", 2, 0), 2);
		pic_broker_reply(supervisor->fd, request.sequence, -EPERM, -1);
		break;
	case SILENT:
	case GONE:
		break;
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int ask(enum behaviour behaviour)
{
	struct pic_broker_request request = listen_request();
	struct supervisor supervisor = { .behaviour = behaviour };
	pthread_t thread;
	int pair[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	supervisor.fd = pair[0];
	if (behaviour == GONE) {
		close(pair[0]);
		r = pic_broker_ask(pair[1], &request);
		close(pair[1]);
		return r;
	}
	assert_int_equal(pthread_create(&thread, NULL, answer, &supervisor), 0);
	r = pic_broker_ask(pair[1], &request);
	pthread_join(thread, NULL);
	close(pair[0]);
	close(pair[1]);
	return r;
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
	return count;
}

static void takes_good_answers_only(void **state)
{
	unsigned before = open_descriptors();
	int fd = ask(GOOD);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	fd = ask(LATE_THEN_GOOD);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ask(NO_FD), -EPROTO);
	assert_int_equal(ask(POSITIVE), -EPROTO);
	assert_int_equal(ask(REFUSED), -EACCES);
	assert_int_equal(ask(SHORT), -EPERM);
	assert_int_equal(ask(GONE), -EAGAIN);
	assert_int_equal(pic_broker_ask(-1, &(struct pic_broker_request){ 0 }), -EACCES);
	assert_int_equal(open_descriptors(), before); /* nothing that came along was kept */
}

static void gives_up_after_two_seconds(void **state)
{
	int64_t start = pic_clock_boot_ms();

	(void)state;
	assert_int_equal(ask(SILENT), -ETIMEDOUT);
	assert_in_range(pic_clock_boot_ms() - start, 1900, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_sockets),
		cmocka_unit_test(takes_orders_that_come_unasked),
		cmocka_unit_test(knows_what_makes_sense),
		cmocka_unit_test(takes_good_answers_only),
		cmocka_unit_test(gives_up_after_two_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
