/* Messages with descriptors: all or nothing, and nothing leaks. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/message.h"

static int ends[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
}

static int tear_down(void **state)
{
	(void)state;
	close(ends[0]);
	return close(ends[1]);
}

static int open_count(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void bytes_and_descriptors_arrive(void **state)
{
	char sent[] = "hello", room[16];
	struct pic_message out = {
		.data = sent, .size = sizeof(sent), .fds = { 0, 0, 0, 0 }, .fd_count = 4
	};
	struct pic_message in = { .data = room, .size = sizeof(room) };
	int before = open_count();

	(void)state;
	assert_int_equal(pic_message_receive(ends[1], &in), -EAGAIN);
	assert_int_equal(pic_message_send(ends[0], &out), 0);
	in.size = sizeof(room);
	assert_int_equal(pic_message_receive(ends[1], &in), 1);
	assert_int_equal(in.size, sizeof(sent));
	assert_string_equal(room, "hello");
	assert_int_equal(in.fd_count, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_true(fcntl(in.fds[i], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(in.pid, 0); /* nobody asked for it */
	pic_message_close(&in);
	assert_int_equal(open_count(), before);
}

/* Up to twelve fit the room that is kept for credentials. */
static void too_many_descriptors_are_none(void **state)
{
	int before = open_count();

	(void)state;
	for (int count = 5; count <= 64; count++) {
		char byte = 'x', room[16];
		union {
			char bytes[CMSG_SPACE(64 * sizeof(int))];
			struct cmsghdr align;
		} control = { 0 };
		struct iovec part = { &byte, 1 };
		struct msghdr header = { .msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = &control,
					 .msg_controllen =
						 CMSG_SPACE((size_t)count * sizeof(int)) };
		struct pic_message in = { .data = room, .size = sizeof(room) };

		*CMSG_FIRSTHDR(&header) =
			(struct cmsghdr){ .cmsg_len = CMSG_LEN((size_t)count * sizeof(int)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS };
		assert_int_equal(sendmsg(ends[0], &header, 0), 1);
		assert_int_equal(pic_message_receive(ends[1], &in), -EMSGSIZE);
		assert_int_equal(in.fd_count, 0);
		assert_int_equal(open_count(), before);
	}
}

static void what_does_not_fit_is_told(void **state)
{
	char sent[32] = "", room[16];
	struct pic_message out = { .data = sent, .size = sizeof(sent), .fd_count = 1 };
	struct pic_message in = { .data = room, .size = sizeof(room) };
	int before = open_count();

	(void)state;
	assert_int_equal(pic_message_send(ends[0], &out), 0);
	assert_int_equal(pic_message_receive(ends[1], &in), -EMSGSIZE);
	assert_int_equal(open_count(), before);
}

static void the_end_and_the_sender_are_known(void **state)
{
	char room[16], sent[] = "x";
	struct pic_message out = { .data = sent, .size = 1 };
	struct pic_message in = { .data = room, .size = sizeof(room) };
	const int on = 1;

	(void)state;
	assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	assert_int_equal(pic_message_send(ends[0], &out), 0);
	assert_int_equal(pic_message_receive(ends[1], &in), 1);
	assert_int_equal(in.pid, getpid());
	assert_int_equal(in.user, getuid());
	shutdown(ends[0], SHUT_RDWR);
	in.size = sizeof(room);
	assert_int_equal(pic_message_receive(ends[1], &in), 0);
	assert_int_equal(pic_message_send(ends[1], &out), -EPIPE); /* and no signal */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_and_descriptors_arrive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_descriptors_are_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_end_and_the_sender_are_known, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
