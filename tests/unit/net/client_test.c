#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "net/fixture.h"

/* Handlers. */

static void echo(struct fixture *f, struct pic_exchange *exchange)
{
	const char *type = pic_exchange_header(exchange, "Content-Type");
	const char *agent = pic_exchange_header(exchange, "User-Agent");
	const char *expect = pic_exchange_header(exchange, "Expect");
	struct pic_view body = pic_exchange_body(exchange);
	char text[1024];

	snprintf(f->seen, sizeof(f->seen), "%s", pic_exchange_peer(exchange));
	snprintf(text, sizeof(text), "%s %s type=%s agent=%s expect=%s size=%zu body=%.*s",
		 pic_exchange_method(exchange), pic_exchange_path(exchange), type ? type : "none",
		 agent ? agent : "none", expect ? expect : "none", body.size,
		 (int)(body.size > 32 ? 32 : body.size), body.data);
	pic_reply_header(exchange, "ETag", "\"v1\"");
	pic_reply_header(exchange, "Retry-After", "7");
	pic_reply(exchange, 200, "text/plain", text, strlen(text));
}

static void keep(struct fixture *f, struct pic_exchange *exchange)
{
	(void)f;
	(void)exchange;
}

/* /size/N: N bytes; /missing: a large error page; /redirect/N: N times, then /size/5 */
static void serve_sizes(struct fixture *f, struct pic_exchange *exchange)
{
	const char *path = pic_exchange_path(exchange);
	static char bytes[300000];
	char where[64];
	int n;

	(void)f;
	memset(bytes, 'a', sizeof(bytes));
	if (sscanf(path, "/size/%d", &n) == 1) {
		pic_reply(exchange, 200, "application/octet-stream", bytes, (size_t)n);
	} else if (sscanf(path, "/redirect/%d", &n) == 1) {
		snprintf(where, sizeof(where), n > 1 ? "/redirect/%d" : "/size/5", n - 1);
		pic_reply_header(exchange, "Location", where);
		pic_reply_header(exchange, "ETag", "\"of-redirect\"");
		pic_reply(exchange, 307, "text/plain", "moved", 5);
	} else if (strcmp(path, "/to-file") == 0) {
		pic_reply_header(exchange, "Location", "file:///etc/passwd");
		pic_reply(exchange, 302, NULL, NULL, 0);
	} else {
		pic_reply(exchange, 404, "text/plain", bytes, sizeof(bytes));
	}
}

static void start_stream(struct fixture *f, struct pic_exchange *exchange)
{
	(void)f;
	pic_stream_start(exchange, 200, "text/plain", 1 << 20);
}

/* Asking. */

static void asks_with_every_method(void **state)
{
	struct fixture *f = *state;
	static const char *const methods[] = { "POST", "PUT", "PATCH", "DELETE", "GET" };
	struct pic_client *client;
	struct pic_client_request request;
	char wanted[256];

	fixture_serve(f, echo);
	client = fixture_client(f, NULL);
	for (size_t i = 0; i < PIC_COUNT(methods); i++) {
		request = fixture_request(f, fixture_url(f, "/p"));
		request.method = methods[i];
		request.body = "{\"a\":1}";
		request.body_size = 7;
		fixture_ask(f, client, &request);
		snprintf(wanted, sizeof(wanted),
			 "%s /p type=none agent=test expect=none size=7 body={\"a\":1}",
			 methods[i]);
		assert_string_equal(f->body, wanted);
	}
	request = fixture_request(f, fixture_url(f, "/p"));
	fixture_ask(f, client, &request);
	assert_string_equal(f->body, "GET /p type=none agent=test expect=none size=0 body=");
	request.method = "POST";
	request.headers = (const char *[]){ "content-type: application/json", NULL };
	fixture_ask(f, client, &request);
	assert_string_equal(f->body,
			    "POST /p type=application/json agent=test expect=none size=0 body=");
	request.method = "HEAD";
	fixture_ask(f, client, &request);
	assert_int_equal(f->status, 200);
	assert_int_equal(f->body_size, 0);
	pic_client_free(client);
}

static void hands_out_the_headers(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;

	fixture_serve(f, echo);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/"));
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_OK);
	assert_string_equal(f->etag, "\"v1\"");
	assert_string_equal(f->type, "text/plain");
	assert_string_equal(f->location, "");
	assert_true(f->retry_after_ms == 7000);
	f->handle = serve_sizes;
	request.url = fixture_url(f, "/redirect/1");
	fixture_ask(f, client, &request);
	assert_int_equal(f->status, 307);
	assert_string_equal(f->location, "/size/5");
	assert_true(f->retry_after_ms == -1);
	pic_client_free(client);
}

static void keeps_its_connection(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;
	char first[64];

	fixture_serve(f, echo);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/"));
	fixture_ask(f, client, &request);
	snprintf(first, sizeof(first), "%s", f->seen);
	for (int i = 0; i < 5; i++) {
		fixture_ask(f, client, &request);
		assert_string_equal(f->seen, first);
	}
	pic_client_free(client);
}

static void many_at_once(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;

	fixture_serve(f, echo);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/"));
	for (int i = 0; i < 60; i++)
		assert_int_equal(pic_client_send(client, &request, NULL, NULL), 0);
	UNTIL(f, f->answers == 60);
	assert_int_equal(f->handled, 60);
	pic_client_free(client);
}

static void sends_a_large_body(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;
	char *body = malloc(8 << 20);

	memset(body, 'u', 8 << 20);
	f->settings.body_max = 8 << 20;
	fixture_serve(f, echo);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/"));
	request.method = "PUT";
	request.body = body;
	request.body_size = 8 << 20;
	fixture_ask(f, client, &request);
	assert_contains(f->body, "size=8388608 body=uuuu");
	pic_client_free(client);
	free(body);
}

/* Where the body goes. */

static void a_body_may_go_to_a_file(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;
	FILE *file = tmpfile();

	fixture_serve(f, serve_sizes);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/size/250000"));
	request.answer_fd = fileno(file);
	request.answer_max = 250000;
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_OK);
	assert_true(f->received == 250000);
	assert_int_equal(f->body_size, 0);
	assert_int_equal(lseek(fileno(file), 0, SEEK_END), 250000);
	/* an error page does not, and is cut */
	request.url = fixture_url(f, "/missing");
	request.answer_max = 1 << 20;
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_OK);
	assert_int_equal(f->status, 404);
	assert_int_equal(f->body_size, 64 << 10);
	assert_true(f->received == 0);
	assert_int_equal(lseek(fileno(file), 0, SEEK_END), 250000);
	fclose(file);
	pic_client_free(client);
}

static void an_answer_has_a_limit(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;

	fixture_serve(f, serve_sizes);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/size/1000"));
	request.answer_max = 1000;
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_OK);
	request.answer_max = 999;
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_TOO_LARGE);
	assert_int_equal(f->code, -EFBIG);
	assert_contains(f->error, " is larger than 999 bytes");
	request.answer_fd = open("/dev/null", O_WRONLY);
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_TOO_LARGE);
	close(request.answer_fd);
	request.answer_fd = open("/dev/full", O_WRONLY);
	request.answer_max = 0;
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_LOCAL);
	assert_int_equal(f->code, -ENOSPC);
	assert_contains(f->error, "cannot store the answer of http://127.0.0.1:");
	close(request.answer_fd);
	pic_client_free(client);
}

/* Callbacks that do everything. */

struct piecewise {
	struct fixture *f;
	struct pic_client *client;
	struct pic_request_handle *handle, *other;
	int started, pieces, progress, end_after;
	size_t bytes;
	enum { NOTHING, CANCEL_SELF, CANCEL_OTHER, FREE_CLIENT, SEND_MORE } deed;
};

static void on_started(void *data, int status)
{
	struct piecewise *p = data;

	assert_int_equal(p->pieces, 0);
	p->started = status;
}

static void do_deed(struct piecewise *p)
{
	struct pic_client_request request;

	switch (p->deed) {
	case CANCEL_SELF:
		pic_client_cancel(p->handle);
		break;
	case CANCEL_OTHER:
		pic_client_cancel(p->other);
		break;
	case FREE_CLIENT:
		pic_client_free(p->client);
		break;
	case SEND_MORE:
		request = fixture_request(p->f, fixture_url(p->f, "/size/5"));
		assert_int_equal(pic_client_send(p->client, &request, NULL, NULL), 0);
		break;
	case NOTHING:
		return;
	}
	p->deed = NOTHING;
}

static int on_piece(void *data, const void *bytes, size_t size)
{
	struct piecewise *p = data;

	assert_int_equal(((const char *)bytes)[0], 'a');
	p->pieces++;
	p->bytes += size;
	do_deed(p);
	return p->end_after > 0 && p->pieces >= p->end_after;
}

static int on_progress(void *data, size_t so_far, long long expected)
{
	struct piecewise *p = data;

	assert_int_equal(expected, 250000);
	assert_true(so_far <= 250000);
	p->progress++;
	return 0;
}

static void on_done(void *data, const struct pic_client_answer *answer)
{
	struct piecewise *p = data;

	fixture_done(p->f, answer);
	do_deed(p);
}

static struct pic_client_request piecewise_request(struct piecewise *p)
{
	struct pic_client_request request =
		fixture_request(p->f, fixture_url(p->f, "/size/250000"));

	request.answer_max = 0;
	request.receive = on_piece;
	request.started = on_started;
	request.progress = on_progress;
	request.done = on_done;
	request.data = p;
	return request;
}

static void a_body_may_come_in_pieces(void **state)
{
	struct fixture *f = *state;
	struct piecewise p = { .f = f };
	struct pic_client_request request;

	fixture_serve(f, serve_sizes);
	p.client = fixture_client(f, NULL);
	request = piecewise_request(&p);
	fixture_ask(f, p.client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_OK);
	assert_int_equal(p.started, 200);
	assert_int_equal(p.bytes, 250000);
	assert_int_equal(f->body_size, 0);
	assert_true(p.progress > 1);
	/* ended by its receiver */
	p.pieces = 0;
	p.end_after = 2;
	fixture_ask(f, p.client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_BROKEN);
	assert_int_equal(f->code, -ECANCELED);
	assert_int_equal(p.pieces, 2);
	/* not what was asked for: no piece of it */
	p.pieces = p.started = p.end_after = 0;
	request.url = fixture_url(f, "/missing");
	request.progress = NULL;
	fixture_ask(f, p.client, &request);
	assert_int_equal(f->status, 404);
	assert_int_equal(p.pieces, 0);
	assert_int_equal(f->body_size, 64 << 10);
	pic_client_free(p.client);
}

static void a_receiver_may_do_anything(void **state)
{
	struct fixture *f = *state;
	struct piecewise p = { .f = f };
	struct pic_client_request request, other;
	int answers;

	fixture_serve(f, serve_sizes);
	p.client = fixture_client(f, NULL);
	request = piecewise_request(&p);
	p.deed = SEND_MORE;
	assert_int_equal(pic_client_send(p.client, &request, &p.handle, NULL), 0);
	UNTIL(f, f->answers == 2);

	p.deed = CANCEL_SELF;
	p.pieces = 0;
	assert_int_equal(pic_client_send(p.client, &request, &p.handle, NULL), 0);
	UNTIL(f, p.deed == NOTHING);
	answers = f->answers;
	for (int i = 0; i < 3; i++)
		fixture_turn(f);
	assert_int_equal(f->answers, answers); /* `done` was not called */
	assert_int_equal(p.pieces, 1);

	p.deed = CANCEL_OTHER;
	p.pieces = 0;
	other = fixture_request(f, fixture_url(f, "/size/250000"));
	other.answer_max = 1 << 20;
	assert_int_equal(pic_client_send(p.client, &request, &p.handle, NULL), 0);
	assert_int_equal(pic_client_send(p.client, &other, &p.other, NULL), 0);
	UNTIL(f, f->answers > answers);
	for (int i = 0; i < 3; i++)
		fixture_turn(f);
	assert_true(f->answers - answers <= 2);

	p.deed = FREE_CLIENT;
	p.pieces = 0;
	answers = f->answers;
	assert_int_equal(pic_client_send(p.client, &other, &p.other, NULL), 0);
	assert_int_equal(pic_client_send(p.client, &request, &p.handle, NULL), 0);
	UNTIL(f, p.deed == NOTHING);
	for (int i = 0; i < 3; i++)
		fixture_turn(f);
	assert_true(f->answers - answers <= 1);
}

static void done_may_do_anything(void **state)
{
	struct fixture *f = *state;
	struct piecewise p = { .f = f };
	struct pic_client_request request, slow;

	fixture_serve(f, serve_sizes);
	p.client = fixture_client(f, NULL);
	request = piecewise_request(&p);
	request.receive = NULL;
	request.answer_max = 1 << 20;
	request.progress = NULL;
	p.deed = SEND_MORE;
	assert_int_equal(pic_client_send(p.client, &request, &p.handle, NULL), 0);
	UNTIL(f, f->answers == 2);
	p.deed = CANCEL_SELF; /* too late, and harmless */
	assert_int_equal(pic_client_send(p.client, &request, &p.handle, NULL), 0);
	UNTIL(f, f->answers == 3);
	f->handle = keep;
	slow = fixture_request(f, fixture_url(f, "/"));
	assert_int_equal(pic_client_send(p.client, &slow, &p.other, NULL), 0);
	UNTIL(f, f->handled == 4);
	f->handle = serve_sizes;
	p.deed = CANCEL_OTHER;
	assert_int_equal(pic_client_send(p.client, &request, &p.handle, NULL), 0);
	UNTIL(f, f->answers == 4 && f->gone == 1);
	p.deed = FREE_CLIENT;
	assert_int_equal(pic_client_send(p.client, &request, &p.handle, NULL), 0);
	UNTIL(f, f->answers == 5);
}

static void cancelling_and_freeing_are_silent(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_request_handle *handle;
	struct pic_client_request request;

	fixture_serve(f, keep);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/"));
	assert_int_equal(pic_client_send(client, &request, &handle, NULL), 0);
	UNTIL(f, f->handled == 1);
	pic_client_cancel(handle);
	UNTIL(f, f->gone == 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pic_client_send(client, &request, &handle, NULL), 0);
	UNTIL(f, f->handled == 4);
	pic_client_cancel(handle);
	pic_client_free(client);
	UNTIL(f, f->gone == 4);
	assert_int_equal(f->answers, 0);
	pic_client_cancel(NULL);
	pic_client_free(NULL);
}

/* Failures. */

static void nobody_there(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client = fixture_client(f, NULL);
	struct pic_client_request request = fixture_request(f, "http://127.0.0.1:1/");

	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_UNREACHABLE);
	assert_int_equal(f->code, -EHOSTUNREACH);
	assert_int_equal(f->status, 0);
	assert_contains(f->error, "cannot reach http://127.0.0.1:1: ");
	request.url = "http://no-such-host.invalid/";
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_UNREACHABLE);
	assert_contains(f->error, "no-such-host.invalid");
	pic_client_free(client);
}

static void bad_urls_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = { "",
					   "host/path",
					   "ftp://h/",
					   "file:///etc/passwd",
					   "http://",
					   "javascript:1",
					   "http://h:99999/",
					   "http://u:secret@h/",
					   "https://u@h/" };
	struct pic_client *client = fixture_client(f, NULL);

	for (size_t i = 0; i < PIC_COUNT(bad); i++) {
		struct pic_client_request request = fixture_request(f, bad[i]);
		struct pic_error err = PIC_ERROR_INIT;

		if (pic_client_send(client, &request, NULL, &err) != -EINVAL)
			fail_msg("%s", bad[i]);
		assert_null(strstr(err.text, "secret"));
	}
	pic_client_free(client);
	assert_int_equal(f->answers, 0);
}

static void bad_headers_are_refused(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client = fixture_client(f, NULL);
	struct pic_client_request request = fixture_request(f, "http://127.0.0.1:1/");

	request.headers = (const char *[]){ "X: a\r\nY: b", NULL };
	assert_int_equal(pic_client_send(client, &request, NULL, NULL), -EINVAL);
	request.headers = (const char *[]){ "no colon", NULL };
	assert_int_equal(pic_client_send(client, &request, NULL, NULL), -EINVAL);
	pic_client_free(client);
}

static void redirects_have_a_limit(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;

	fixture_serve(f, serve_sizes);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/redirect/3"));
	request.redirects_max = 3;
	fixture_ask(f, client, &request);
	assert_int_equal(f->status, 200);
	assert_string_equal(f->body, "aaaaa");
	assert_string_equal(f->etag, ""); /* not the redirect's */
	request.redirects_max = 2;
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_BROKEN);
	request.url = fixture_url(f, "/to-file");
	fixture_ask(f, client, &request);
	assert_int_not_equal(f->failure, PIC_CLIENT_OK);
	assert_int_equal(f->body_size, 0);
	pic_client_free(client);
}

static void a_late_answer_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;
	int64_t before = pic_clock_boot_ms();

	fixture_serve(f, keep);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/"));
	request.timeout_ms = 300;
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_UNREACHABLE);
	assert_in_range(pic_clock_boot_ms() - before, 280, 3000);
	request.timeout_ms = 10000;
	request.stall_ms = 300;
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_UNREACHABLE);
	assert_contains(f->error, "nothing arrived for too long");
	UNTIL(f, f->gone == 2);
	pic_client_free(client);
}

/* Bytes now and then keep it alive; when they stop, it is broken. */
static void a_stalled_answer_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;
	int64_t begin = pic_clock_boot_ms();

	fixture_serve(f, start_stream);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/"));
	request.stall_ms = 400;
	assert_int_equal(pic_client_send(client, &request, NULL, NULL), 0);
	UNTIL(f, f->handled == 1);
	for (int i = 0; i < 5; i++) {
		int64_t next = pic_clock_boot_ms() + 200;

		while (pic_clock_boot_ms() < next)
			fixture_turn(f);
		assert_true(pic_stream_write(f->kept[0], "x", 1));
	}
	assert_int_equal(f->answers, 0);
	assert_true(pic_clock_boot_ms() - begin > 900);
	UNTIL(f, f->answers == 1);
	assert_true(pic_clock_boot_ms() - begin < 6000);
	assert_int_equal(f->failure, PIC_CLIENT_BROKEN);
	assert_int_equal(f->status, 200);
	pic_client_free(client);
}

static void an_answer_that_breaks_off(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;

	fixture_serve(f, start_stream);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/"));
	assert_int_equal(pic_client_send(client, &request, NULL, NULL), 0);
	UNTIL(f, f->handled == 1);
	pic_stream_write(f->kept[0], "half", 4);
	fixture_turn(f);
	pic_server_free(f->server);
	f->server = NULL;
	UNTIL(f, f->answers == 1);
	assert_int_equal(f->failure, PIC_CLIENT_BROKEN);
	assert_int_equal(f->code, -ECONNRESET);
	pic_client_free(client);
}

/* A long poll that waits wakes nobody, not even once a second. */
static void a_waiting_poll_sleeps(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;
	int64_t end;
	int turns = 0;

	fixture_serve(f, keep);
	client = fixture_client(f, NULL);
	request = fixture_request(f, fixture_url(f, "/"));
	request.timeout_ms = request.stall_ms = 600000;
	assert_int_equal(pic_client_send(client, &request, NULL, NULL), 0);
	UNTIL(f, f->handled == 1);
	for (int i = 0; i < 3; i++)
		fixture_turn(f);
	for (end = pic_clock_boot_ms() + 2500; pic_clock_boot_ms() < end; turns++)
		fixture_turn(f); /* ends by the tick of 100 ms, if nothing else wakes it */
	assert_in_range(turns, 20, 27);
	pic_reply(f->kept[0], 200, NULL, "news", 4);
	UNTIL(f, f->answers == 1);
	assert_string_equal(f->body, "news");
	pic_client_free(client);
}

/* A name server that never answers: a socket that nobody reads, in a child with a resolv.conf of its own. */
static bool hide_name_server(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(53) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	FILE *conf = fopen("/tmp/pic-resolv.conf", "w");
	bool hidden;

	fputs("nameserver 127.0.0.77\noptions timeout:5 attempts:2\n", conf);
	fclose(conf);
	address.sin_addr.s_addr = inet_addr("127.0.0.77");
	hidden = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		 unshare(CLONE_NEWNS) == 0 &&
		 mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		 mount("/tmp/pic-resolv.conf", "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;
	unlink("/tmp/pic-resolv.conf");
	return hidden;
}

static void with_dead_name_server(struct fixture *f)
{
	struct pic_client *client;
	struct pic_client_request request = fixture_request(f, "http://hub.example/");
	int64_t begin;

	if (!hide_name_server())
		_exit(77);
	client = fixture_client(f, NULL);
	request.timeout_ms = 700;
	begin = pic_clock_boot_ms();
	fixture_ask(f, client, &request);
	if (pic_clock_boot_ms() - begin < 600)
		_exit(4); /* it was answered, or not asked */
	if (pic_clock_boot_ms() - begin > 2000)
		_exit(1);
	begin = pic_clock_boot_ms();
	pic_client_free(client);
	if (pic_clock_boot_ms() - begin > 500)
		_exit(2);
	_exit(f->failure == PIC_CLIENT_UNREACHABLE ? 0 : 3);
}

static void a_dead_name_server_holds_nobody(void **state)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		with_dead_name_server(*state);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* Command lines. The server has a process of its own. */
static pid_t serve_apart(struct fixture *f)
{
	pid_t child;

	fixture_serve(f, echo);
	child = fork();
	if (child == 0)
		for (;;)
			fixture_turn(f);
	return child;
}

static void performs_and_waits(void **state)
{
	struct fixture *f = *state;
	struct pic_client_settings settings = { .user_agent = "cli" };
	struct pic_client_request request;
	struct pic_client_answer answer;
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(1000), small = PIC_BUF_INIT(10);
	struct pic_error err = PIC_ERROR_INIT;
	pid_t server = serve_apart(f);

	request = fixture_request(f, fixture_url(f, "/x"));
	assert_int_equal(pic_client_perform(&settings, &request, &body, &answer, &err), 0);
	assert_int_equal(answer.status, 200);
	assert_contains(body.data, "GET /x type=none agent=cli");
	assert_int_equal(pic_client_perform(&settings, &request, NULL, &answer, &err), 0);
	assert_int_equal(pic_client_perform(&settings, &request, &small, &answer, &err), -ENOBUFS);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	request.url = "http://127.0.0.1:1/";
	assert_int_equal(pic_client_perform(&settings, &request, &body, &answer, &err),
			 -EHOSTUNREACH);
	assert_int_equal(answer.failure, PIC_CLIENT_UNREACHABLE);
	assert_contains(err.text, "cannot reach http://127.0.0.1:1");
	request.url = "nonsense";
	assert_int_equal(pic_client_perform(&settings, &request, &body, &answer, &err), -EINVAL);
	settings.server_pin = "sha256:short";
	assert_int_equal(pic_client_perform(&settings, &request, &body, &answer, &err), -EINVAL);
}

#define NET_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(asks_with_every_method),
		NET_TEST(hands_out_the_headers),
		NET_TEST(keeps_its_connection),
		NET_TEST(many_at_once),
		NET_TEST(sends_a_large_body),
		NET_TEST(a_body_may_go_to_a_file),
		NET_TEST(an_answer_has_a_limit),
		NET_TEST(a_body_may_come_in_pieces),
		NET_TEST(a_receiver_may_do_anything),
		NET_TEST(done_may_do_anything),
		NET_TEST(cancelling_and_freeing_are_silent),
		NET_TEST(nobody_there),
		NET_TEST(bad_urls_are_refused),
		NET_TEST(bad_headers_are_refused),
		NET_TEST(redirects_have_a_limit),
		NET_TEST(a_late_answer_is_given_up),
		NET_TEST(a_stalled_answer_is_given_up),
		NET_TEST(an_answer_that_breaks_off),
		NET_TEST(a_waiting_poll_sleeps),
		NET_TEST(a_dead_name_server_holds_nobody),
		NET_TEST(performs_and_waits),
	};

	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("HTTPS_PROXY");
	unsetenv("ALL_PROXY");
	unsetenv("all_proxy");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
