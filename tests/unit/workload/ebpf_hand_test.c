/* What loader, parent and runner say to each other: only what has the right form is taken, and no descriptor is lost. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "workload/ebpf/hand.h"

static int ends[2];

static unsigned open_count(void)
{
	DIR *list = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(list);
	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int tear_down(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void a_word_arrives_with_its_descriptor(void **state)
{
	struct pic_ebpf_word word = { .kind = PIC_EBPF_ASK_OWNER, .number = 7, .text = "text" };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(pic_ebpf_word_send(ends[0], &word, fd), 0);
	close(fd);
	memset(&word, 0, sizeof(word));
	assert_int_equal(pic_ebpf_word_receive(ends[1], &word, &fd), 0);
	assert_int_equal(word.number, 7);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void what_is_no_word_is_refused(void **state)
{
	struct pic_ebpf_word word = { .kind = PIC_EBPF_SAY_END };
	unsigned before = open_count();
	int fds[2] = { STDIN_FILENO, STDIN_FILENO };
	struct pic_ebpf_hand hand = { .link_count = 2, .processors = 1 };

	(void)state;
	memset(word.text, 'x', sizeof(word.text));
	pic_ebpf_word_send(ends[0], &word, -1);
	assert_int_equal(pic_ebpf_word_receive(ends[1], &word, NULL), -EPROTO);
	send(ends[0], &word, 10, 0);
	assert_int_equal(pic_ebpf_word_receive(ends[1], &word, NULL), -EPROTO);
	/* a descriptor that nobody asked for is closed */
	memset(word.text, 0, sizeof(word.text));
	pic_ebpf_word_send(ends[0], &word, STDIN_FILENO);
	assert_int_equal(pic_ebpf_word_receive(ends[1], &word, NULL), 0);
	/* a hand in the place of a word, with more than one */
	assert_int_equal(pic_ebpf_hand_send(ends[0], &hand, &(struct pic_ebpf_plan){ 0 }, fds, 2),
			 0);
	assert_int_equal(pic_ebpf_word_receive(ends[1], &word, NULL), -EPROTO);
	shutdown(ends[0], SHUT_RDWR);
	assert_int_equal(pic_ebpf_word_receive(ends[1], &word, NULL), -EPROTO); /* its plan */
	assert_int_equal(pic_ebpf_word_receive(ends[1], &word, NULL), -ECONNRESET);
	assert_int_equal(open_count(), before);
}

static int hand_over(struct pic_ebpf_hand *hand, uint32_t count)
{
	static struct pic_ebpf_plan plan;
	int fds[PIC_EBPF_HAND_FILES] = { 0 }, r;

	memset(&plan, 0, sizeof(plan));
	plan.text_size = 1;
	for (uint32_t i = 0; i < count; i++)
		fds[i] = STDIN_FILENO;
	assert_int_equal(pic_ebpf_hand_send(ends[0], hand, &plan, fds, count), 0);
	r = pic_ebpf_hand_receive(ends[1], hand, &plan, fds, NULL);
	for (uint32_t i = 0; r == 0 && i < count; i++)
		close(fds[i]);
	return r;
}

static void a_hand_must_make_sense(void **state)
{
	struct pic_ebpf_hand good = {
		.link_count = 1, .program_count = 1, .map_count = 2, .processors = 2
	};
	unsigned before = open_count();
	struct pic_ebpf_hand hand = good;

	(void)state;
	assert_int_equal(hand_over(&hand, 4), 0);
	hand = good;
	assert_int_equal(hand_over(&hand, 3), -EPROTO);
	hand = good;
	hand.processors = 0;
	assert_int_equal(hand_over(&hand, 4), -EPROTO);
	hand = good;
	hand.map_count = UINT32_MAX;
	hand.link_count = 3;
	assert_int_equal(hand_over(&hand, 3), -EPROTO);
	hand = good;
	hand.filter_count = PIC_EBPF_PROGRAMS_MAX + 1;
	assert_int_equal(hand_over(&hand, 4), -EPROTO);
	hand = good;
	memset(hand.maps[31], 'x', sizeof(hand.maps[31]));
	assert_int_equal(hand_over(&hand, 4), -EPROTO);
	hand = good;
	memset(hand.evidence, 'x', sizeof(hand.evidence));
	assert_int_equal(hand_over(&hand, 4), -EPROTO);
	assert_int_equal(open_count(), before);
}

static void nothing_there_is_an_error_at_once(void **state)
{
	struct pic_ebpf_hand hand;
	static struct pic_ebpf_plan plan;
	int fds[PIC_EBPF_HAND_FILES];

	(void)state;
	assert_int_equal(pic_ebpf_hand_receive(ends[1], &hand, &plan, fds, NULL), -EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_word_arrives_with_its_descriptor, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_word_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_hand_must_make_sense, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_there_is_an_error_at_once, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
