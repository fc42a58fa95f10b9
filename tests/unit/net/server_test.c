#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "net/fixture.h"

#define GET "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

/* Handlers. */

static void say_hello(struct fixture *f, struct pic_exchange *exchange)
{
	(void)f;
	pic_reply(exchange, 200, "text/plain", "hello", 5);
}

static void keep(struct fixture *f, struct pic_exchange *exchange)
{
	pic_exchange_set_data(exchange, f);
}

static void describe(struct fixture *f, struct pic_exchange *exchange)
{
	const char *q = pic_exchange_query(exchange, "q"),
		   *none = pic_exchange_query(exchange, "none");
	const char *header = pic_exchange_header(exchange, "x-TEST");
	struct pic_view body = pic_exchange_body(exchange);

	snprintf(f->seen, sizeof(f->seen), "%s %s q=%s none=%s header=%s body=%.*s",
		 pic_exchange_method(exchange), pic_exchange_path(exchange), q ? q : "(null)",
		 none ? none : "(null)", header ? header : "(null)",
		 (int)(body.size > 64 ? 64 : body.size), body.data);
	pic_reply_header(exchange, "X-Good", "yes");
	pic_reply_header(exchange, "X-Bad", "a\r\nX-Forged: 1");
	pic_reply_header(exchange, "X-Bad\r\nX-Forged", "1");
	pic_reply(exchange, 200, "text/plain", "ok", 2);
}

static void start_stream(struct fixture *f, struct pic_exchange *exchange)
{
	(void)f;
	pic_stream_start(exchange, 200, "application/json", 1 << 20);
}

/* Requests. */

static void sees_the_request(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, describe);
	raw_open(f, &raw);
	raw_send(
		&raw,
		"PATCH /a%2Fb/c?q=1+2%263&none HTTP/1.1\r\nHost: h\r\nX-Test: v\r\nContent-Length: 4\r\n\r\nbody");
	UNTIL(f, strstr(raw.text, "ok"));
	assert_string_equal(f->seen, "PATCH /a%2Fb/c q=1 2&3 none= header=v body=body");
	assert_contains(raw.text, "HTTP/1.1 200 OK\r\n");
	assert_contains(raw.text, "X-Good: yes\r\n");
	assert_contains(raw.text, "Content-Type: text/plain\r\n");
	assert_null(strstr(raw.text, "Forged"));
	raw_close(&raw);
}

static void keeps_the_connection(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, describe);
	raw_open(f, &raw);
	for (int i = 1; i <= 3; i++) {
		raw_send(&raw, "DELETE /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}");
		UNTIL(f, f->handled == i && pic_text_ends(raw.text, "ok"));
		raw.size = 0;
		assert_string_equal(f->seen,
				    "DELETE /x q=(null) none=(null) header=(null) body={}");
	}
	assert_false(raw.closed);
	raw_close(&raw);
}

/* Both requests in one piece, as a client that does not wait sends them. */
static void answers_pipelined_requests_in_turn(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;
	int count = 0;

	fixture_serve(f, say_hello);
	raw_open(f, &raw);
	raw_send(&raw, GET GET GET);
	UNTIL(f, f->handled == 3 && pic_text_ends(raw.text, "hello"));
	for (const char *c = raw.text; (c = strstr(c, "hello")); c++)
		count++;
	assert_int_equal(count, 3);
	raw_close(&raw);
}

static void takes_a_request_byte_by_byte(void **state)
{
	struct fixture *f = *state;
	static const char text[] =
		"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
	static struct raw raw;

	fixture_serve(f, describe);
	raw_open(f, &raw);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char one[2] = { text[i], '\0' };

		raw_send(&raw, one);
		fixture_turn(f);
	}
	UNTIL(f, strstr(raw.text, "ok"));
	assert_contains(f->seen, "body=abcde");
	raw_close(&raw);
}

static void answers_head_as_get(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, describe);
	raw_open(f, &raw);
	raw_send(&raw, "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
	UNTIL(f, strstr(raw.text, "\r\n\r\n"));
	fixture_turn(f);
	assert_contains(f->seen, "GET /x");
	assert_contains(raw.text, "Content-Length: 2\r\n");
	assert_true(pic_text_ends(raw.text, "\r\n\r\n"));
	raw_close(&raw);
}

static void refuses_a_request_without_path(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, describe);
	raw_open(f, &raw);
	raw_send(&raw, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
	UNTIL(f, strstr(raw.text, "the request names no path"));
	assert_contains(raw.text, "HTTP/1.1 400");
	assert_int_equal(f->handled, 0);
	raw_close(&raw);
}

static void survives_rubbish(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;
	uint64_t seed = 11;

	fixture_serve(f, say_hello);
	for (int i = 0; i < 100; i++) {
		char bytes[600];
		size_t size = check_random(&seed) % sizeof(bytes);
		size_t good = check_random(&seed) % (sizeof(GET) - 1);

		memcpy(bytes, GET, sizeof(GET) - 1);
		for (size_t k = good; k < size; k++)
			bytes[k] = (char)check_random(&seed);
		raw_open(f, &raw);
		assert_true(write(raw.fd, bytes, size > good ? size : good) >= 0);
		fixture_turn(f);
		raw_close(&raw);
	}
	raw_open(f, &raw);
	raw_send(&raw, GET);
	UNTIL(f, strstr(raw.text, "hello"));
	raw_close(&raw);
}

static void a_large_head_is_refused(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;
	static char large[40000];

	fixture_serve(f, describe);
	/* kubectl's are below 4 KB, with a long token */
	memset(large, 'a', 6000);
	raw_open(f, &raw);
	raw_send(&raw, "GET /x HTTP/1.1\r\nHost: h\r\nX-Test: short\r\nAuthorization: Bearer ");
	raw_send(&raw, large);
	raw_send(&raw, "\r\n\r\n");
	UNTIL(f, strstr(raw.text, "ok"));
	raw_close(&raw);

	memset(large, 'a', sizeof(large) - 1);
	raw_open(f, &raw);
	raw_send(&raw, "GET /x HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ");
	raw_send(&raw, large);
	UNTIL(f, strstr(raw.text, "\r\n\r\n") || raw.closed);
	assert_contains(raw.text, "HTTP/1.1 4");
	assert_int_equal(f->handled, 1);
	raw_close(&raw);
}

/* Bodies. */

static void say_refusal(void *data, struct pic_exchange *exchange, int status, const char *why)
{
	char text[256];

	(void)data;
	snprintf(text, sizeof(text), "{\"code\":%d,\"message\":\"%s\"}", status, why);
	pic_reply(exchange, status, "application/json", text, strlen(text));
}

static void a_body_has_a_limit(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;
	static char body[1025];

	f->settings.body_max = 1024;
	f->settings.refuse = say_refusal;
	fixture_serve(f, describe);
	memset(body, 'b', 1024);
	raw_open(f, &raw);
	raw_send(&raw, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1024\r\n\r\n");
	raw_send(&raw, body);
	UNTIL(f, strstr(raw.text, "ok"));
	raw_close(&raw);
	/* announced: refused before a byte of it came */
	raw_open(f, &raw);
	raw_send(&raw, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1025\r\n\r\n");
	UNTIL(f, strstr(raw.text,
			"{\"code\":413,\"message\":\"the body of the request is too large\"}"));
	assert_contains(raw.text, "Content-Type: application/json\r\n");
	raw_close(&raw);
	/* in chunks: nobody knows before */
	raw_open(f, &raw);
	raw_send(&raw, "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 3; i++) {
		raw_send(&raw, "400\r\n");
		raw_send(&raw, body);
		raw_send(&raw, "\r\n");
	}
	raw_send(&raw, "0\r\n\r\n");
	UNTIL(f, strstr(raw.text, "{\"code\":413"));
	assert_int_equal(f->handled, 1);
	raw_close(&raw);
}

/* curl asks before it sends a large body. */
static void says_whether_a_body_is_welcome(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, describe);
	raw_open(f, &raw);
	raw_send(&raw,
		 "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
	UNTIL(f, strstr(raw.text, "HTTP/1.1 100 Continue\r\n\r\n"));
	raw_send(&raw, "body");
	UNTIL(f, strstr(raw.text, "ok"));
	assert_contains(f->seen, "body=body");
	raw_close(&raw);
	raw_open(f, &raw);
	raw_send(&raw, "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
		       "Content-Length: 99999999\r\n\r\n");
	UNTIL(f, strstr(raw.text, "HTTP/1.1 413"));
	assert_null(strstr(raw.text, "100 Continue"));
	raw_close(&raw);
}

/* HTTP/1.0 has no chunks: the end of the connection is the end of the stream. */
static void an_old_client_gets_a_stream_too(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, start_stream);
	raw_open(f, &raw);
	raw_send(&raw, "GET /x HTTP/1.0\r\n\r\n");
	UNTIL(f, strstr(raw.text, "\r\n\r\n"));
	assert_true(pic_stream_write(f->kept[0], "line", 4));
	UNTIL(f, pic_text_ends(raw.text, "\r\n\r\nline"));
	pic_stream_end(f->kept[0]);
	UNTIL(f, raw.closed);
	raw_close(&raw);
}

/* A sender that never ends is cut off. */
static void an_endless_body_ends(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;
	static char chunk[0x4000 + 9];
	size_t sent = 0;

	f->settings.body_max = 1024;
	fixture_serve(f, describe);
	memset(chunk, 'b', sizeof(chunk));
	memcpy(chunk, "4000\r\n", 6);
	memcpy(chunk + 6 + 0x4000, "\r\n", 2);
	raw_open(f, &raw);
	raw_send(&raw, "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	while (!raw.closed && sent < 64 << 20) {
		ssize_t now = send(raw.fd, chunk + sent % (0x4000 + 8),
				   0x4000 + 8 - sent % (0x4000 + 8), MSG_DONTWAIT);

		if (now > 0)
			sent += (size_t)now;
		else if (errno != EAGAIN)
			break;
		fixture_turn(f);
	}
	UNTIL(f, raw.closed);
	assert_true(sent < 32 << 20);
	assert_int_equal(f->handled, 0);
	raw_close(&raw);
}

static size_t limit_by_path(void *data, const struct pic_exchange *exchange)
{
	(void)data;
	return strcmp(pic_exchange_path(exchange), "/large") == 0 ? 1 << 20 : 10;
}

static void a_request_may_have_its_own_limit(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;
	static char body[1 << 16];

	f->settings.body_limit = limit_by_path;
	fixture_serve(f, describe);
	memset(body, 'b', sizeof(body) - 1);
	raw_open(f, &raw);
	raw_send(&raw, "POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 65535\r\n\r\n");
	raw_send(&raw, body);
	UNTIL(f, strstr(raw.text, "ok"));
	raw.size = 0;
	raw_send(&raw, "POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n01234567890");
	UNTIL(f, strstr(raw.text, "HTTP/1.1 413"));
	raw_close(&raw);
	/* the limit never passes body_max */
	raw_open(f, &raw);
	raw_send(&raw, "POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n");
	UNTIL(f, strstr(raw.text, "HTTP/1.1 413"));
	raw_close(&raw);
}

/* Late replies. */

static void answers_later(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, keep);
	raw_open(f, &raw);
	for (int i = 1; i <= 2; i++) {
		raw_send(&raw, GET);
		UNTIL(f, f->handled == i);
		fixture_turn(f);
		assert_int_equal(raw.size, 0);
		assert_string_equal(pic_exchange_path(f->kept[i - 1]), "/x");
		assert_contains(pic_exchange_peer(f->kept[i - 1]), "127.0.0.1:");
		pic_reply(f->kept[i - 1], 200, "text/plain", "late", 4);
		UNTIL(f, strstr(raw.text, "late"));
		raw.size = 0;
		memset(raw.text, 0, sizeof(raw.text));
	}
	raw_close(&raw);
	fixture_turn(f);
	assert_int_equal(f->gone, 0);
}

static void a_kept_exchange_hears_of_the_end(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, keep);
	for (int i = 1; i <= 4; i++) {
		raw_open(f, &raw);
		raw_send(&raw, GET);
		UNTIL(f, f->handled == i);
		if (i % 2)
			raw_close(&raw);
		else
			raw_reset(&raw);
		UNTIL(f, f->gone == i);
		assert_ptr_equal(f->last_gone, f->kept[i - 1]);
	}
	for (int i = 0; i < 5; i++)
		fixture_turn(f);
	assert_int_equal(f->gone, 4);
}

static void nobody_hears_of_answered_ones(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, say_hello);
	raw_open(f, &raw);
	raw_send(&raw, GET);
	raw_close(&raw);
	UNTIL(f, f->handled == 1);
	for (int i = 0; i < 3; i++)
		fixture_turn(f);
	assert_int_equal(f->gone, 0);
}

static void freeing_the_server_tells_all(void **state)
{
	struct fixture *f = *state;
	static struct raw raw[20];

	fixture_serve(f, keep);
	for (int i = 0; i < 20; i++) {
		raw_open(f, &raw[i]);
		raw_send(&raw[i],
			 i % 4 == 3 ? "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhal"
				    : GET);
	}
	UNTIL(f, f->handled == 15);
	f->handle = start_stream;
	raw_send(&raw[3], "fx");
	raw_send(&raw[7], "fx");
	UNTIL(f, raw[3].size > 0 && raw[7].size > 0);
	pic_reply(f->kept[0], 200, NULL, "bye", 3); /* on its way when the server goes */
	pic_server_free(f->server);
	f->server = NULL;
	assert_int_equal(f->gone, 16); /* 14 kept, 2 streams */
	for (int i = 0; i < 20; i++) {
		UNTIL(f, raw[i].closed);
		raw_close(&raw[i]);
	}
}

/* Peers come, wait, are answered, leave or break at random; every kept one ends exactly once. */
static void many_peers_of_all_manners(void **state)
{
	struct fixture *f = *state;
	static struct raw raw[64];
	static int exchange_of[64];
	uint64_t seed = 77;
	int open_count = 0, answered = 0, left = 0;

	fixture_serve(f, keep);
	for (int i = 0; i < 64; i++)
		exchange_of[i] = -1;
	for (int round = 0; round < 900; round++) {
		int i = (int)(check_random(&seed) % 64), handled = f->handled;

		if (exchange_of[i] < 0) {
			raw_open(f, &raw[i]);
			raw_send(&raw[i], GET);
			UNTIL(f, f->handled == handled + 1);
			exchange_of[i] = handled;
			open_count++;
			continue;
		}
		switch (check_random(&seed) % 3) {
		case 0:
			pic_reply(f->kept[exchange_of[i]], 200, NULL, "done", 4);
			answered++;
			UNTIL(f, pic_text_ends(raw[i].text, "done"));
			raw_close(&raw[i]);
			break;
		case 1:
			raw_close(&raw[i]);
			left++;
			UNTIL(f, f->gone == left);
			break;
		default:
			raw_reset(&raw[i]);
			left++;
			UNTIL(f, f->gone == left);
		}
		exchange_of[i] = -1;
	}
	assert_true(answered > 50 && left > 100);
	assert_int_equal(f->gone, left);
	for (int i = 0; i < 64; i++)
		if (exchange_of[i] >= 0)
			raw_close(&raw[i]);
	UNTIL(f, f->gone == open_count - answered);
}

/* A thousand sleeping connections: the loop sleeps too. */
static void sleeping_connections_cost_no_turns(void **state)
{
	struct fixture *f = *state;
	struct raw *raw = calloc(300, sizeof(*raw));
	int64_t end;
	int turns;

	fixture_serve(f, keep);
	for (int i = 0; i < 300; i++) {
		raw_open(f, &raw[i]);
		raw_send(&raw[i], GET);
		UNTIL(f, f->handled == i + 1);
	}
	fixture_turn(f);
	turns = 0;
	for (end = pic_clock_boot_ms() + 500; pic_clock_boot_ms() < end; turns++)
		fixture_turn(f); /* ends by the tick of 100 ms, if nothing else wakes it */
	assert_true(turns <= 7);
	for (int i = 0; i < 300; i++)
		raw_close(&raw[i]);
	UNTIL(f, f->gone == 300);
	free(raw);
}

/* Streams. */

static void a_stream_begins_at_once_and_flows(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, start_stream);
	raw_open(f, &raw);
	raw_send(&raw, GET);
	UNTIL(f, strstr(raw.text, "\r\n\r\n")); /* the head, before anything was written */
	assert_contains(raw.text, "Transfer-Encoding: chunked\r\n");
	for (int i = 0; i < 20; i++) {
		char line[32];
		int64_t before = pic_clock_boot_ms();

		snprintf(line, sizeof(line), "{\"n\":%d}\n", i);
		assert_true(pic_stream_write(f->kept[0], line, strlen(line)));
		UNTIL(f, strstr(raw.text, line));
		assert_true(pic_clock_boot_ms() - before < 100); /* not held back */
	}
	pic_stream_end(f->kept[0]);
	UNTIL(f, pic_text_ends(raw.text, "0\r\n\r\n"));
	raw.size = 0;
	memset(raw.text, 0, sizeof(raw.text));
	f->handle = say_hello;
	raw_send(&raw, GET); /* the connection is good for more */
	UNTIL(f, strstr(raw.text, "hello"));
	assert_int_equal(f->gone, 0);
	raw_close(&raw);
}

static void write_and_end(struct fixture *f, struct pic_exchange *exchange)
{
	(void)f;
	pic_stream_start(exchange, 200, "text/plain", 100);
	assert_true(pic_stream_write(exchange, "all of it", 9));
	pic_stream_end(exchange);
	assert_false(pic_stream_write(exchange, "more", 4));
}

static void a_stream_may_end_in_the_handler(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, write_and_end);
	raw_open(f, &raw);
	raw_send(&raw, GET);
	UNTIL(f, pic_text_ends(raw.text, "9\r\nall of it\r\n0\r\n\r\n"));
	raw_close(&raw);
	fixture_turn(f);
	assert_int_equal(f->gone, 0);
}

static void a_stream_may_begin_late(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, keep);
	raw_open(f, &raw);
	raw_send(&raw, GET);
	UNTIL(f, f->handled == 1);
	pic_stream_start(f->kept[0], 200, "text/plain", 1000);
	UNTIL(f, strstr(raw.text, "\r\n\r\n"));
	assert_true(pic_stream_write(f->kept[0], "x", 1));
	UNTIL(f, pic_text_ends(raw.text, "1\r\nx\r\n"));
	raw_close(&raw);
	UNTIL(f, f->gone == 1);
}

static void a_stream_hears_of_the_end(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, start_stream);
	for (int i = 1; i <= 4; i++) {
		raw_open(f, &raw);
		raw_send(&raw, GET);
		UNTIL(f, strstr(raw.text, "\r\n\r\n"));
		if (i % 2)
			assert_true(pic_stream_write(f->kept[i - 1], "x", 1));
		if (i > 2)
			raw_close(&raw);
		else
			raw_reset(&raw);
		UNTIL(f, f->gone == i);
	}
	for (int i = 0; i < 3; i++)
		fixture_turn(f);
	assert_int_equal(f->gone, 4);
}

/* A peer that does not read: writes are refused at the maximum; when it reads, all arrives in order. */
static void a_slow_peer_holds_no_more_than_the_maximum(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;
	static char block[65536];
	size_t accepted = 0, arrived = 0;
	char *end;

	fixture_serve(f, start_stream);
	raw_open(f, &raw);
	raw_send(&raw, GET);
	UNTIL(f, strstr(raw.text, "\r\n\r\n"));
	assert_int_equal(pic_watch_change(raw.watch, 0), 0);
	memset(block, 'z', sizeof(block));
	for (int refused = 0; refused < 3;) {
		if (pic_stream_write(f->kept[0], block, sizeof(block))) {
			accepted += sizeof(block);
			refused = 0;
		} else {
			refused++;
			fixture_turn(f);
		}
		assert_true(accepted < 64 << 20);
	}
	assert_true(accepted >= 1 << 20);
	pic_stream_end(f->kept[0]);
	pic_watch_change(raw.watch, 1 /* EPOLLIN */);
	while (!(end = strstr(raw.text, "\r\n0\r\n\r\n"))) {
		for (size_t i = 0; i < raw.size; i++)
			arrived += raw.text[i] == 'z';
		/* what could be the beginning of the end stays */
		if (raw.size > 16) {
			for (size_t i = raw.size - 16; i < raw.size; i++)
				arrived -= raw.text[i] == 'z';
			memmove(raw.text, raw.text + raw.size - 16, 17);
			raw.size = 16;
		} else {
			for (size_t i = 0; i < raw.size; i++)
				arrived -= raw.text[i] == 'z';
		}
		fixture_turn(f);
		assert_false(raw.closed);
	}
	for (const char *c = raw.text; c < end; c++)
		arrived += *c == 'z';
	assert_int_equal(arrived, accepted);
	raw_close(&raw);
}

static void start_small_stream(struct fixture *f, struct pic_exchange *exchange)
{
	(void)f;
	pic_stream_start(exchange, 200, "text/plain", 10);
	assert_true(pic_stream_write(exchange, "12345678", 8));
	assert_false(pic_stream_write(exchange, "too much", 8));
	assert_true(pic_stream_write(exchange, "90", 2)); /* what was refused took no place */
	assert_false(pic_stream_write(exchange, "x", 1));
}

static void a_refused_write_takes_no_place(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;

	fixture_serve(f, start_small_stream);
	raw_open(f, &raw);
	raw_send(&raw, GET);
	UNTIL(f, pic_text_ends(raw.text, "\r\n1234567890\r\n"));
	raw_close(&raw);
	UNTIL(f, f->gone == 1);
}

/* Files. */

static void reply_part(struct fixture *f, struct pic_exchange *exchange)
{
	int fd = open("/tmp/pic-net-file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	unlink("/tmp/pic-net-file");
	assert_int_equal(write(fd, "0123456789", 10), 10);
	assert_int_equal(ftruncate(fd, 100000), 0);
	(void)f;
	pic_reply_header(exchange, "Content-Range", "bytes 3-99999/100000");
	pic_reply_fd(exchange, 206, "application/wasm", fd, 3, 99997);
}

static void replies_with_a_part_of_a_file(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;
	const char *body;

	fixture_serve(f, reply_part);
	raw_open(f, &raw);
	raw_send(&raw, GET);
	UNTIL(f, raw.size > 99997);
	body = strstr(raw.text, "\r\n\r\n") + 4;
	UNTIL(f, raw.size - (size_t)(body - raw.text) == 99997);
	assert_contains(raw.text, "HTTP/1.1 206");
	assert_contains(raw.text, "Content-Length: 99997\r\n");
	assert_contains(raw.text, "Content-Range: bytes 3-99999/100000\r\n");
	assert_memory_equal(body, "3456789\0", 8);
	raw_close(&raw);
}

/* Listening. */

static void listens_where_it_is_told(void **state)
{
	struct fixture *f = *state;
	static const char *const good[] = { "127.0.0.1:0", "localhost:0", "[::1]:0", ":0",
					    "0.0.0.0:0" };
	struct pic_server *server;
	struct pic_error err = PIC_ERROR_INIT;
	char address[64];

	for (size_t i = 0; i < PIC_COUNT(good); i++) {
		f->settings.address = good[i];
		if (pic_server_new(&server, f->loop, &f->settings, &err) < 0)
			fail_msg("%s: %s", good[i], err.text);
		assert_false(pic_text_ends(pic_server_address(server), ":0"));
		pic_server_free(server);
	}
	f->settings.address = "127.0.0.1:0";
	fixture_serve(f, say_hello);
	snprintf(address, sizeof(address), "%s", pic_server_address(f->server));
	f->settings.address = address;
	assert_int_equal(pic_server_new(&server, f->loop, &f->settings, &err), -EADDRINUSE);
	assert_contains(err.text, "cannot listen on 127.0.0.1:");
}

static void refuses_bad_addresses(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
		"",	      "8080",	 "host.example:80", "127.0.0.1:70000",
		"127.0.0.1:", "[::1:80", "1.2.3:4",	    ":80x"
	};
	struct pic_server *server = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	for (size_t i = 0; i < PIC_COUNT(bad); i++) {
		f->settings.address = bad[i];
		assert_int_equal(pic_server_new(&server, f->loop, &f->settings, &err), -EINVAL);
	}
	assert_null(server);
	f->settings.address = "127.0.0.1:0";
	f->settings.certificate_pem = f->settings.key_pem = "rubbish";
	assert_int_equal(pic_server_new(&server, f->loop, &f->settings, &err), -EINVAL);
	assert_contains(err.text, "cannot serve on 127.0.0.1:");
	f->settings.certificate_pem = f->settings.key_pem = NULL;
}

static void an_idle_connection_is_closed(void **state)
{
	struct fixture *f = *state;
	static struct raw idle, half;
	int64_t before = pic_clock_boot_ms();

	f->settings.idle_timeout_s = 1;
	fixture_serve(f, say_hello);
	raw_open(f, &idle);
	raw_open(f, &half);
	raw_send(&idle, GET);
	raw_send(&half, "GET /x HTTP/1.1\r\nHo");
	UNTIL(f, idle.closed && half.closed);
	assert_in_range(pic_clock_boot_ms() - before, 900, 5000);
	raw_close(&idle);
	raw_close(&half);
	assert_int_equal(f->handled, 1);
}

/* But not a sleeping one. */
static void a_kept_connection_is_not_idle(void **state)
{
	struct fixture *f = *state;
	static struct raw raw;
	int64_t end = pic_clock_boot_ms() + 2500;

	f->settings.idle_timeout_s = 1;
	fixture_serve(f, keep);
	raw_open(f, &raw);
	raw_send(&raw, GET);
	while (pic_clock_boot_ms() < end)
		fixture_turn(f);
	assert_false(raw.closed);
	pic_reply(f->kept[0], 200, NULL, "late", 4);
	UNTIL(f, strstr(raw.text, "late"));
	raw_close(&raw);
}

#define NET_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(sees_the_request),
		NET_TEST(keeps_the_connection),
		NET_TEST(answers_pipelined_requests_in_turn),
		NET_TEST(takes_a_request_byte_by_byte),
		NET_TEST(answers_head_as_get),
		NET_TEST(refuses_a_request_without_path),
		NET_TEST(survives_rubbish),
		NET_TEST(a_large_head_is_refused),
		NET_TEST(a_body_has_a_limit),
		NET_TEST(says_whether_a_body_is_welcome),
		NET_TEST(an_old_client_gets_a_stream_too),
		NET_TEST(an_endless_body_ends),
		NET_TEST(a_request_may_have_its_own_limit),
		NET_TEST(answers_later),
		NET_TEST(a_kept_exchange_hears_of_the_end),
		NET_TEST(nobody_hears_of_answered_ones),
		NET_TEST(freeing_the_server_tells_all),
		NET_TEST(many_peers_of_all_manners),
		NET_TEST(sleeping_connections_cost_no_turns),
		NET_TEST(a_stream_begins_at_once_and_flows),
		NET_TEST(a_stream_may_end_in_the_handler),
		NET_TEST(a_stream_may_begin_late),
		NET_TEST(a_stream_hears_of_the_end),
		NET_TEST(a_slow_peer_holds_no_more_than_the_maximum),
		NET_TEST(a_refused_write_takes_no_place),
		NET_TEST(replies_with_a_part_of_a_file),
		NET_TEST(listens_where_it_is_told),
		NET_TEST(refuses_bad_addresses),
		NET_TEST(an_idle_connection_is_closed),
		NET_TEST(a_kept_connection_is_not_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
