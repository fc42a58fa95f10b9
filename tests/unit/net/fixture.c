#include "net/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/certificate.h"

static void on_handle(void *data, struct pic_exchange *exchange)
{
	struct fixture *f = data;

	f->kept[f->handled++ % 1024] = exchange;
	f->handle(f, exchange);
}

static void on_gone(void *data, struct pic_exchange *exchange)
{
	struct fixture *f = data;

	f->gone++;
	f->last_gone = exchange;
}

static void on_tick(void *data)
{
	pic_timer_set(((struct fixture *)data)->tick, 100);
}

/* Two visits of the hook are one sleep. */
static int64_t count_turn(void *data)
{
	struct fixture *f = data;

	if (++f->turns % 2 == 0)
		pic_loop_stop(f->loop);
	return -1;
}

void fixture_turn(struct fixture *f)
{
	f->turns &= ~1;
	pic_timer_set(f->tick, 100);
	assert_int_equal(pic_loop_run(f->loop, NULL), 0);
}

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	signal(SIGPIPE, SIG_IGN);
	if (!f || pic_loop_new(&f->loop, NULL) < 0)
		return -1;
	if (pic_loop_timer(f->loop, on_tick, f, &f->tick, NULL) < 0)
		return -1;
	f->settings = (struct pic_server_settings){
		.address = "127.0.0.1:0",
		.body_max = 1 << 16,
		.connections_max = 1200,
		.strangers_max = 1200,
		.idle_timeout_s = 60,
		.handle = on_handle,
		.gone = on_gone,
		.data = f,
	};
	*state = f;
	return pic_loop_prepare(f->loop, count_turn, f, NULL);
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	pic_server_free(f->server);
	pic_loop_free(f->loop);
	free(f);
	return 0;
}

void fixture_serve(struct fixture *f, handler_fn *handle)
{
	struct pic_error err = PIC_ERROR_INIT;

	f->handle = handle;
	if (pic_server_new(&f->server, f->loop, &f->settings, &err) < 0)
		fail_msg("%s", err.text);
}

const char *fixture_url(struct fixture *f, const char *path)
{
	static char texts[4][512];
	static unsigned next;
	char *text = texts[next++ % 4];

	snprintf(text, sizeof(texts[0]), "%s://%s%s",
		 f->settings.certificate_pem ? "https" : "http", pic_server_address(f->server),
		 path);
	return text;
}

void fixture_done(void *data, const struct pic_client_answer *answer)
{
	struct fixture *f = data;

	f->answers++;
	f->failure = answer->failure;
	f->code = answer->error.code;
	f->status = answer->status;
	f->retry_after_ms = answer->retry_after_ms;
	f->received = answer->received;
	f->body_size = answer->body.size;
	snprintf(f->body, sizeof(f->body), "%s", answer->body.data);
	snprintf(f->error, sizeof(f->error), "%s", answer->error.text);
	snprintf(f->etag, sizeof(f->etag), "%s", answer->etag);
	snprintf(f->location, sizeof(f->location), "%s", answer->location);
	snprintf(f->type, sizeof(f->type), "%s", answer->content_type);
}

struct pic_client *fixture_client(struct fixture *f, const struct pic_client_settings *settings)
{
	struct pic_client *client = NULL;
	struct pic_client_settings none = { .user_agent = "test" };
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_client_new(&client, f->loop, settings ? settings : &none, &err) < 0)
		fail_msg("%s", err.text);
	return client;
}

struct pic_client_request fixture_request(struct fixture *f, const char *url)
{
	return (struct pic_client_request){
		.method = "GET",
		.url = url,
		.timeout_ms = 10000,
		.answer_max = 1 << 17,
		.answer_fd = -1,
		.done = fixture_done,
		.data = f,
	};
}

void fixture_ask(struct fixture *f, struct pic_client *client,
		 const struct pic_client_request *request)
{
	struct pic_error err = PIC_ERROR_INIT;
	int before = f->answers;

	if (pic_client_send(client, request, NULL, &err) < 0)
		fail_msg("%s", err.text);
	UNTIL(f, f->answers > before);
}

static void on_raw(void *data, int fd, uint32_t events)
{
	struct raw *raw = data;
	ssize_t got = read(fd, raw->text + raw->size, sizeof(raw->text) - 1 - raw->size);

	(void)events;
	if (got > 0) {
		raw->size += (size_t)got;
		raw->text[raw->size] = '\0';
		return;
	}
	raw->closed = true;
	pic_watch_free(raw->watch);
	raw->watch = NULL;
}

void raw_open(struct fixture *f, struct raw *raw)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	const char *text = pic_server_address(f->server);

	memset(raw, 0, sizeof(*raw));
	address.sin_port = htons((uint16_t)atoi(strrchr(text, ':') + 1));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	raw->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(raw->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(pic_loop_watch(f->loop, raw->fd, EPOLLIN, on_raw, raw, &raw->watch, NULL),
			 0);
}

void raw_send(struct raw *raw, const char *text)
{
	assert_int_equal(write(raw->fd, text, strlen(text)), strlen(text));
}

void raw_close(struct raw *raw)
{
	pic_watch_free(raw->watch);
	raw->watch = NULL;
	close(raw->fd);
}

void raw_reset(struct raw *raw)
{
	struct linger none = { 1, 0 };

	setsockopt(raw->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	raw_close(raw);
}

/* Certificates. */

static char *write_key(const struct pic_key *key)
{
	struct pic_buf pem = PIC_BUF_INIT(4096);

	assert_int_equal(pic_key_write(key, &pem, NULL), 0);
	return pic_buf_take(&pem);
}

struct signer {
	const struct pic_key *key;
	const char *pem;
};

static char *sign(struct pic_certificate_order order, const struct pic_key *key, struct signer by)
{
	struct pic_buf pem = PIC_BUF_INIT(65536);
	struct pic_error err = PIC_ERROR_INIT;
	int64_t now = pic_clock_wall_ms(), day = 86400000;

	if (order.not_after_ms == 0)
		order.not_after_ms = now + 10 * day;
	if (order.not_before_ms == 0)
		order.not_before_ms = now - 10 * day;
	if (pic_certificate_sign(&order, key, by.key, by.pem, &pem, &err) < 0)
		fail_msg("%s", err.text);
	return pic_buf_take(&pem);
}

static struct pic_key *generate(void)
{
	struct pic_key *key;

	assert_int_equal(pic_key_generate(&key, NULL), 0);
	return key;
}

static void make_pin(const struct pic_key *key, char out[80])
{
	struct pic_sha256 pin;

	pic_key_pin(key, &pin, NULL);
	memcpy(out, "sha256:", 7);
	pic_sha256_text(&pin, out + 7);
}

static void make(struct certificates *c)
{
	static const char *const here[] = { "127.0.0.1", "localhost", NULL };
	static const char *const elsewhere[] = { "hub.example", NULL };
	struct pic_key *authority = generate(), *other = generate(), *server = generate(),
		       *device = generate();
	struct pic_certificate_order order = { .use = PIC_CERTIFICATE_AUTHORITY,
					       .common_name = "Test CA" };
	struct signer by;

	c->authority = sign(order, authority, (struct signer){ authority, NULL });
	c->other_authority = sign(order, other, (struct signer){ other, NULL });
	by = (struct signer){ authority, c->authority };
	order = (struct pic_certificate_order){ .use = PIC_CERTIFICATE_SERVER,
						.common_name = "hub",
						.addresses = here };
	c->server = sign(order, server, by);
	order.not_after_ms = pic_clock_wall_ms() - 86400000;
	c->expired = sign(order, server, by);
	order.not_after_ms = pic_clock_wall_ms() + 20LL * 86400000;
	order.not_before_ms = pic_clock_wall_ms() + 10LL * 86400000;
	c->future = sign(order, server, by);
	order.not_after_ms = order.not_before_ms = 0;
	order.addresses = elsewhere;
	c->named = sign(order, server, by);
	order = (struct pic_certificate_order){ .use = PIC_CERTIFICATE_DEVICE,
						.common_name = "tiny-edge",
						.organization = "device" };
	c->device = sign(order, device, by);
	c->foreign = sign(order, device, (struct signer){ other, c->other_authority });
	c->server_key = write_key(server);
	c->device_key = write_key(device);
	c->authority_key = write_key(authority);
	make_pin(server, c->server_pin);
	pic_key_free(authority);
	pic_key_free(other);
	pic_key_free(server);
	pic_key_free(device);
}

static struct certificates made;

__attribute__((destructor)) static void forget(void)
{
	char *all[] = { made.authority,	 made.authority_key, made.other_authority, made.server,
			made.server_key, made.expired,	     made.named,	   made.device,
			made.device_key, made.foreign,	     made.future };

	for (size_t i = 0; i < PIC_COUNT(all); i++)
		free(all[i]);
}

const struct certificates *certificates(void)
{
	if (!made.authority)
		make(&made);
	return &made;
}
