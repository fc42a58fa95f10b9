/* Answers on a netlink socket that no kernel should give: nothing beyond what came is read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "workload/ebpf/netlink.h"

struct stage {
	int ours, kernels;
	uint32_t sequence; /* of the next question */
};

/* A question that nobody answers tells where the numbers stand. */
static void begin(struct stage *stage)
{
	const struct timeval soon = { .tv_usec = 10000 };
	struct pic_ebpf_request request;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	stage->ours = pair[0];
	stage->kernels = pair[1];
	setsockopt(stage->ours, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	pic_ebpf_netlink_init(&request, RTM_GETLINK, 0, sizeof(request.link));
	assert_int_equal(pic_ebpf_netlink_ask(stage->ours, &request, NULL, NULL), -EAGAIN);
	assert_true(recv(stage->kernels, &request, sizeof(request), 0) > 0);
	stage->sequence = request.head.nlmsg_seq + 1;
}

static void on_message(void *data, const struct nlmsghdr *message)
{
	(void)message;
	++*(unsigned *)data;
}

static int ask(struct stage *stage, unsigned *count)
{
	struct pic_ebpf_request request;
	int r;

	*count = 0;
	pic_ebpf_netlink_init(&request, RTM_GETLINK, 0, sizeof(request.link));
	r = pic_ebpf_netlink_ask(stage->ours, &request, on_message, count);
	close(stage->ours);
	close(stage->kernels);
	return r;
}

static struct nlmsghdr head(const struct stage *stage, uint16_t type, uint32_t size)
{
	return (struct nlmsghdr){ .nlmsg_len = size,
				  .nlmsg_type = type,
				  .nlmsg_seq = stage->sequence };
}

static void answer(const struct stage *stage, const void *bytes, size_t size)
{
	assert_int_equal(send(stage->kernels, bytes, size, 0), (ssize_t)size);
}

static void done(const struct stage *stage)
{
	const struct nlmsghdr end = head(stage, NLMSG_DONE, NLMSG_LENGTH(0));

	answer(stage, &end, sizeof(end));
}

/* Behind a message whose padding is missing lies what an earlier one left in the buffer. */
static void an_unpadded_end_is_the_end(void **state)
{
	struct {
		struct nlmsghdr outer;
		uint32_t body; /* the short one's last byte, and where its padding would be */
		struct nlmsghdr inner;
		int error;
	} whole;
	struct stage stage;
	struct {
		struct nlmsghdr head;
		char byte;
	} shortened;
	unsigned count;

	(void)state;
	begin(&stage);
	memset(&whole, 0, sizeof(whole));
	whole.outer = head(&stage, RTM_NEWLINK, sizeof(whole));
	whole.inner = head(&stage, NLMSG_ERROR, NLMSG_LENGTH(sizeof(int)));
	whole.error = -EPERM;
	memset(&shortened, 0, sizeof(shortened));
	shortened.head = head(&stage, RTM_NEWLINK, NLMSG_LENGTH(1));
	answer(&stage, &whole, sizeof(whole));
	answer(&stage, &shortened, NLMSG_LENGTH(1));
	done(&stage);
	assert_int_equal(ask(&stage, &count), 0);
	assert_int_equal(count, 2);
}

static void lengths_that_lie(void **state)
{
	static const uint32_t sizes[] = {
		0, 1, NLMSG_LENGTH(0) - 1, NLMSG_LENGTH(1), 0x7fffffff, UINT32_MAX
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(sizes); i++) {
		struct stage stage;
		struct nlmsghdr wrong;
		unsigned count;

		begin(&stage);
		wrong = head(&stage, RTM_NEWLINK, sizes[i]);
		answer(&stage, &wrong, sizeof(wrong));
		answer(&stage, &wrong, 3);
		done(&stage);
		assert_int_equal(ask(&stage, &count), 0);
		assert_int_equal(count, 0);
	}
}

static void an_error_without_its_number(void **state)
{
	struct nlmsghdr error;
	struct stage stage;
	unsigned count;

	(void)state;
	begin(&stage);
	error = head(&stage, NLMSG_ERROR, NLMSG_LENGTH(0));
	answer(&stage, &error, sizeof(error));
	assert_int_equal(ask(&stage, &count), -EPROTO);
}

/* The answer to a question that was given up comes late. */
static void another_questions_answer(void **state)
{
	struct {
		struct nlmsghdr head;
		int error;
	} late;
	struct stage stage;
	unsigned count;

	(void)state;
	begin(&stage);
	late.head = head(&stage, NLMSG_ERROR, sizeof(late));
	late.head.nlmsg_seq--;
	late.error = -EPERM;
	answer(&stage, &late, sizeof(late));
	done(&stage);
	assert_int_equal(ask(&stage, &count), 0);
	assert_int_equal(count, 0);
}

static void attributes_that_lie(void **state)
{
	struct {
		struct rtattr head;
		uint32_t value;
	} one = { { sizeof(one), 7 }, 1 };

	(void)state;
	assert_ptr_equal(pic_ebpf_netlink_find(&one.head, sizeof(one), 7), &one.head);
	assert_null(pic_ebpf_netlink_find(&one.head, sizeof(one), 8));
	assert_null(pic_ebpf_netlink_find(&one.head, sizeof(one) - 1, 7));
	assert_null(pic_ebpf_netlink_find(&one.head, 0, 7));
	for (uint16_t size = 0; size < sizeof(struct rtattr); size++) {
		one.head.rta_len = size;
		assert_null(pic_ebpf_netlink_find(&one.head, sizeof(one), 7));
	}
	one.head.rta_len = UINT16_MAX;
	assert_null(pic_ebpf_netlink_find(&one.head, sizeof(one), 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unpadded_end_is_the_end),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(an_error_without_its_number),
		cmocka_unit_test(another_questions_answer),
		cmocka_unit_test(attributes_that_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
