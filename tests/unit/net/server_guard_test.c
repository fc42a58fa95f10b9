/* A peer that is slow on purpose, or comes a hundred times, keeps nothing that others need. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/fixture.h"
#include "net/server_guard.h"

#define HEAD_MS 400
#define GET "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

static void say_hello(struct fixture *f, struct pic_exchange *exchange)
{
	(void)f;
	pic_reply(exchange, 200, "text/plain", "hello", 5);
}

static void keep(struct fixture *f, struct pic_exchange *exchange)
{
	pic_exchange_set_data(exchange, f);
}

static void stream(struct fixture *f, struct pic_exchange *exchange)
{
	f->kept[0] = exchange;
	pic_stream_start(exchange, 200, "text/plain", 4096);
}

static int setup(void **state)
{
	struct fixture *f;

	if (fixture_setup(state) < 0)
		return -1;
	f = *state;
	f->settings.head_timeout_ms = HEAD_MS;
	f->settings.idle_timeout_s = 1;
	return 0;
}

/* A byte now and then until the server has had enough; how long that took. */
static int64_t dribble(struct fixture *f, struct raw *raw, const char *text)
{
	int64_t began = pic_clock_boot_ms(), next = began;

	while (!raw->closed) {
		if (pic_clock_boot_ms() >= next && *text) {
			(void)!send(raw->fd, text++, 1, MSG_NOSIGNAL);
			next += 50;
		}
		if (pic_clock_boot_ms() - began > 10000)
			fail_msg("it goes on for ten seconds");
		fixture_turn(f);
	}
	return pic_clock_boot_ms() - began;
}

static char *long_head(void)
{
	static char text[4096];

	snprintf(text, sizeof(text), "GET /x HTTP/1.1\r\nHost: h\r\nX-Slow: ");
	memset(text + strlen(text), 'a', sizeof(text) - 1 - strlen(text));
	return text;
}

static void a_head_has_an_end(void **state)
{
	struct fixture *f = *state;
	static struct raw slow, other;
	int64_t took;

	fixture_serve(f, say_hello);
	raw_open(f, &slow);
	took = dribble(f, &slow, long_head());
	assert_in_range(took, HEAD_MS - 50, HEAD_MS + 2000);
	assert_int_equal(f->handled, 0);
	raw_open(f, &other);
	raw_send(&other, GET);
	UNTIL(f, strstr(other.text, "hello"));
	raw_close(&slow);
	raw_close(&other);
}

static void silence_from_the_beginning_has_an_end(void **state)
{
	struct fixture *f = *state;
	static struct raw slow;

	f->settings.idle_timeout_s = 60;
	fixture_serve(f, say_hello);
	raw_open(f, &slow);
	assert_in_range(dribble(f, &slow, ""), HEAD_MS - 50, HEAD_MS + 2000);
	raw_close(&slow);
}

/* A ClientHello that announces 512 bytes and never gets there. */
static void a_handshake_has_an_end(void **state)
{
	struct fixture *f = *state;
	static struct raw slow;
	char rest[200] = "";

	memset(rest, 1, sizeof(rest) - 1);
	f->settings.certificate_pem = certificates()->server;
	f->settings.key_pem = certificates()->server_key;
	f->settings.idle_timeout_s = 60;
	fixture_serve(f, say_hello);
	raw_open(f, &slow);
	assert_int_equal(write(slow.fd, "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 11), 11);
	assert_in_range(dribble(f, &slow, rest), HEAD_MS - 50, HEAD_MS + 2000);
	raw_close(&slow);
}

static void a_further_head_has_an_end(void **state)
{
	struct fixture *f = *state;
	static struct raw slow;

	fixture_serve(f, say_hello);
	raw_open(f, &slow);
	raw_send(&slow, GET);
	UNTIL(f, strstr(slow.text, "hello"));
	assert_in_range(dribble(f, &slow, long_head()), HEAD_MS, 1000 + HEAD_MS + 2000);
	assert_int_equal(f->handled, 1);
	raw_close(&slow);
}

static void a_body_has_an_end(void **state)
{
	static const char *const heads[] = {
		"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n",
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n",
	};
	struct fixture *f = *state;
	static struct raw slow;

	f->settings.body_max = 2000;
	fixture_serve(f, say_hello);
	for (size_t i = 0; i < PIC_COUNT(heads); i++) {
		raw_open(f, &slow);
		raw_send(&slow, heads[i]);
		assert_in_range(dribble(f, &slow, long_head()), HEAD_MS - 50, HEAD_MS + 2000);
		raw_close(&slow);
	}
	assert_int_equal(f->handled, 0);
}

/* As long as what may come needs over a slow line. */
static void a_large_body_has_longer(void **state)
{
	struct fixture *f = *state;
	static struct raw slow;

	f->settings.body_max = 1 << 16;
	f->settings.idle_timeout_s = 60;
	fixture_serve(f, say_hello);
	raw_open(f, &slow);
	raw_send(&slow, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 16384\r\n\r\n");
	assert_in_range(dribble(f, &slow, long_head()), 2000, 2000 + HEAD_MS + 2000);
	raw_close(&slow);
}

static void who_is_being_answered_has_no_end(void **state)
{
	struct fixture *f = *state;
	static struct raw poll, watch;
	int64_t began = pic_clock_boot_ms();

	fixture_serve(f, keep);
	raw_open(f, &poll);
	raw_send(&poll, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
	UNTIL(f, f->handled == 1);
	f->handle = stream;
	raw_open(f, &watch);
	raw_send(&watch, GET);
	UNTIL(f, strstr(watch.text, "200 OK"));
	UNTIL(f, pic_clock_boot_ms() - began > 1000 + 2 * HEAD_MS);
	assert_false(poll.closed || watch.closed || f->gone);
	assert_true(pic_stream_write(f->kept[0], "news", 4));
	UNTIL(f, strstr(watch.text, "news"));
	raw_close(&poll);
	raw_close(&watch);
	UNTIL(f, f->gone == 2);
}

/* How many of one address. */

#define MANY 40
#define FEW 5

/* A connection from an address of loopback's, that asks nothing yet. */
static int come_from(struct fixture *f, const char *from)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, from, &address.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	address.sin_port = htons((uint16_t)atoi(strrchr(pic_server_address(f->server), ':') + 1));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static bool is_closed(int fd)
{
	char room[4096];
	ssize_t n = recv(fd, room, sizeof(room), MSG_PEEK);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static int open_ones(const int *fds, int count)
{
	int open = 0;

	for (int i = 0; i < count; i++)
		open += !is_closed(fds[i]);
	return open;
}

static void ask(struct fixture *f, int fd)
{
	int before = f->handled;

	assert_int_equal(write(fd, GET, strlen(GET)), strlen(GET));
	UNTIL(f, f->handled > before || is_closed(fd));
}

static void belong(struct fixture *f, struct pic_exchange *exchange)
{
	bool may = pic_exchange_belongs(exchange, f->seen, 3);

	pic_reply(exchange, may ? 200 : 429, "text/plain", may ? "yes" : "no", may ? 3 : 2);
}

static void one_address_cannot_take_all(void **state)
{
	struct fixture *f = *state;
	int fds[MANY], other;

	f->settings.head_timeout_ms = 60000;
	f->settings.strangers_max = FEW;
	fixture_serve(f, say_hello);
	for (int i = 0; i < MANY; i++)
		fds[i] = come_from(f, "127.0.0.2");
	UNTIL(f, open_ones(fds, MANY) == FEW);
	other = come_from(f, "127.0.0.3");
	ask(f, other);
	assert_int_equal(f->handled, 1);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	close(other);
	/* and gets them back when it lets them go */
	UNTIL(f, (other = come_from(f, "127.0.0.2"), ask(f, other), !is_closed(other)));
	close(other);
}

static void who_is_known_counts_for_himself(void **state)
{
	struct fixture *f = *state;
	int known[3], fds[MANY], fourth;

	f->settings.head_timeout_ms = 60000;
	f->settings.strangers_max = FEW;
	fixture_serve(f, belong);
	snprintf(f->seen, sizeof(f->seen), "device/a");
	for (int i = 0; i < 3; i++) {
		known[i] = come_from(f, "127.0.0.2");
		ask(f, known[i]);
		ask(f, known[i]); /* twice is once */
	}
	for (int i = 0; i < MANY; i++)
		fds[i] = come_from(f, "127.0.0.2");
	UNTIL(f, open_ones(fds, MANY) == FEW);
	assert_int_equal(open_ones(known, 3), 3);
	/* but has only so many, too */
	fourth = come_from(f, "127.0.0.3");
	ask(f, fourth);
	UNTIL(f, read(fourth, f->body, sizeof(f->body) - 1) > 0);
	assert_contains(f->body, "429");
	close(known[0]);
	UNTIL(f, (ask(f, fourth),
		  read(fourth, f->body, sizeof(f->body) - 1) > 0 && strstr(f->body, "200 OK")));
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	close(known[1]);
	close(known[2]);
	close(fourth);
}

static const char *name_of(const char *text)
{
	static char names[2][PIC_OWNER_TEXT];
	static unsigned next;
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = (in_port_t)next };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = (in_port_t)next };
	char *name = names[next++ % 2];

	if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
		pic_guard_name((struct sockaddr *)&six, name);
	else if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		pic_guard_name((struct sockaddr *)&four, name);
	return name;
}

static void a_network_of_one_host_is_one(void **state)
{
	char none[PIC_OWNER_TEXT];

	(void)state;
	assert_string_equal(name_of("192.0.2.1"), name_of("192.0.2.1"));
	assert_string_not_equal(name_of("192.0.2.1"), name_of("192.0.2.2"));
	assert_string_equal(name_of("2001:db8::1"), name_of("2001:db8::2:3:4:5"));
	assert_string_not_equal(name_of("2001:db8::1"), name_of("2001:db8:0:1::1"));
	/* IPv4 on a listener of both families */
	assert_string_not_equal(name_of("::ffff:192.0.2.1"), name_of("::ffff:192.0.2.2"));
	pic_guard_name(NULL, none);
	assert_string_equal(none, "unknown");
}

int main(void)
{
#define GUARDED(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		GUARDED(a_head_has_an_end),
		GUARDED(silence_from_the_beginning_has_an_end),
		GUARDED(a_handshake_has_an_end),
		GUARDED(a_further_head_has_an_end),
		GUARDED(a_body_has_an_end),
		GUARDED(a_large_body_has_longer),
		GUARDED(who_is_being_answered_has_no_end),
		GUARDED(one_address_cannot_take_all),
		GUARDED(who_is_known_counts_for_himself),
		cmocka_unit_test(a_network_of_one_host_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
