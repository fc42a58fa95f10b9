/* Client and server over TLS: who is believed, and who is not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/certificate.h"
#include "net/fixture.h"

/* Says who asked: the common name of a client whose certificate is good, else "nobody". */
static void who_is_it(struct fixture *f, struct pic_exchange *exchange)
{
	struct pic_view der = pic_exchange_certificate(exchange);
	struct pic_certificate_facts facts = { .common_name = "nobody" };

	(void)f;
	assert_true(pic_exchange_is_tls(exchange));
	if (der.data)
		assert_int_equal(pic_certificate_read_der(der.data, der.size, &facts, NULL), 0);
	pic_reply(exchange, 200, "text/plain", facts.common_name, strlen(facts.common_name));
}

static void keep(struct fixture *f, struct pic_exchange *exchange)
{
	(void)f;
	(void)exchange;
}

static void serve(struct fixture *f, const char *certificate, const char *authority)
{
	f->settings.certificate_pem = certificate;
	f->settings.key_pem = certificates()->server_key;
	f->settings.client_authority_pem = authority;
	fixture_serve(f, who_is_it);
}

static void ask(struct fixture *f, const struct pic_client_settings *settings)
{
	struct pic_client *client = fixture_client(f, settings);
	struct pic_client_request request = fixture_request(f, fixture_url(f, "/"));

	f->body[0] = '\0';
	fixture_ask(f, client, &request);
	pic_client_free(client);
}

static void assert_answered(struct fixture *f, const struct pic_client_settings *settings,
			    const char *who)
{
	ask(f, settings);
	if (f->failure != PIC_CLIENT_OK)
		fail_msg("%s", f->error);
	assert_string_equal(f->body, who);
}

static void assert_untrusted(struct fixture *f, const struct pic_client_settings *settings,
			     const char *why)
{
	ask(f, settings);
	assert_int_equal(f->failure, PIC_CLIENT_UNTRUSTED);
	assert_int_equal(f->code, -EKEYREJECTED);
	assert_contains(f->error, why);
	assert_contains(f->error, "the certificate of https://127.0.0.1:");
	assert_int_equal(f->handled, 0);
}

static void a_server_of_our_authority_is_believed(void **state)
{
	struct fixture *f = *state;
	const struct certificates *c = certificates();
	struct pic_client_settings settings = { .authority_pem = c->authority };

	serve(f, c->server, c->authority);
	assert_answered(f, &settings, "nobody");
	settings.server_pin = c->server_pin;
	assert_answered(f, &settings, "nobody");
}

static void any_other_is_not(void **state)
{
	struct fixture *f = *state;
	const struct certificates *c = certificates();
	struct pic_client_settings settings = { .authority_pem = c->other_authority };

	serve(f, c->server, c->authority);
	assert_untrusted(f, &settings, "it is not signed by the trusted authority");
	settings.authority_pem = NULL; /* the system's */
	assert_untrusted(f, &settings, "it is not signed by the trusted authority");
	settings.authority_pem = c->authority;
	settings.server_pin =
		"sha256:0000000000000000000000000000000000000000000000000000000000000001";
	assert_untrusted(f, &settings, "its key is not the pinned one");
	/* a pin is looked at even on first contact */
	settings.unverified = true;
	assert_untrusted(f, &settings, "its key is not the pinned one");
}

static void a_name_must_fit(void **state)
{
	struct fixture *f = *state;
	const struct certificates *c = certificates();
	struct pic_client_settings settings = { .authority_pem = c->authority,
						.ignore_dates = true };

	serve(f, c->named, NULL);
	assert_untrusted(f, &settings, "it is for another name");
}

static void dates_count_unless_the_clock_is_not_set(void **state)
{
	struct fixture *f = *state;
	const struct certificates *c = certificates();
	struct pic_client_settings settings = { .authority_pem = c->authority };

	serve(f, c->expired, NULL);
	assert_untrusted(f, &settings, "it has expired");
	settings.ignore_dates = true;
	assert_answered(f, &settings, "nobody");
	f->handled = 0;
	settings.authority_pem = c->other_authority;
	assert_untrusted(f, &settings, "it is not signed by the trusted authority");
}

/* Our own authority signs nothing ahead of time, so it is the clock here that is behind. */
static void the_clock_here_may_be_behind(void **state)
{
	struct fixture *f = *state;
	const struct certificates *c = certificates();
	struct pic_client_settings settings = { .authority_pem = c->authority };

	serve(f, c->future, NULL);
	assert_answered(f, &settings, "nobody");
	f->handled = 0;
	settings.authority_pem = c->other_authority;
	assert_untrusted(f, &settings, "it is not signed by the trusted authority");
}

static void first_contact_takes_any(void **state)
{
	struct fixture *f = *state;
	const struct certificates *c = certificates();
	struct pic_client_settings settings = { .unverified = true };

	serve(f, c->named, NULL);
	assert_answered(f, &settings, "nobody");
	settings.server_pin = c->server_pin;
	assert_answered(f, &settings, "nobody");
}

static void a_client_of_our_authority_is_known(void **state)
{
	struct fixture *f = *state;
	const struct certificates *c = certificates();
	struct pic_client_settings settings = { .authority_pem = c->authority,
						.certificate_pem = c->device,
						.key_pem = c->device_key };

	serve(f, c->server, c->authority);
	assert_answered(f, &settings, "tiny-edge");
	assert_answered(f, &settings, "tiny-edge");
}

static void any_other_client_is_nobody(void **state)
{
	struct fixture *f = *state;
	const struct certificates *c = certificates();
	struct pic_client_settings settings = { .authority_pem = c->authority,
						.key_pem = c->device_key };

	serve(f, c->server, c->authority);
	settings.certificate_pem = c->foreign;
	assert_answered(f, &settings, "nobody");
	/* a server's certificate of the same authority does not speak for a device */
	settings.certificate_pem = c->server;
	settings.key_pem = c->server_key;
	assert_answered(f, &settings, "nobody");
	settings.certificate_pem = c->expired;
	assert_answered(f, &settings, "nobody");
}

static void nobody_is_asked_without_an_authority(void **state)
{
	struct fixture *f = *state;
	const struct certificates *c = certificates();
	struct pic_client_settings settings = { .authority_pem = c->authority,
						.certificate_pem = c->device,
						.key_pem = c->device_key };

	serve(f, c->server, NULL);
	assert_answered(f, &settings, "nobody");
}

static void assert_no_client(struct fixture *f, const char *certificate, const char *key,
			     const char *authority, const char *why)
{
	struct pic_client_settings settings = { .authority_pem = authority,
						.certificate_pem = certificate,
						.key_pem = key };
	struct pic_client *client = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(pic_client_new(&client, f->loop, &settings, &err), -EINVAL);
	assert_null(client);
	assert_contains(err.text, why);
}

static void a_bad_identity_is_refused_at_once(void **state)
{
	struct fixture *f = *state;
	const struct certificates *c = certificates();

	assert_no_client(f, "rubbish", c->device_key, c->authority,
			 "the client's certificate is not");
	assert_no_client(f, c->device, "rubbish", c->authority, "the client's key cannot be read");
	assert_no_client(f, c->device, c->server_key, c->authority, "does not belong");
	assert_no_client(f, c->device, NULL, c->authority, "needs its key");
	assert_no_client(f, c->device, c->device_key, "rubbish",
			 "the trusted authority's certificate");
}

static void plain_speech_to_a_tls_server_fails(void **state)
{
	struct fixture *f = *state;
	struct pic_client *client;
	struct pic_client_request request;
	char url[64];

	serve(f, certificates()->server, NULL);
	snprintf(url, sizeof(url), "http://%s/", pic_server_address(f->server));
	client = fixture_client(f, NULL);
	request = fixture_request(f, url);
	fixture_ask(f, client, &request);
	assert_int_equal(f->failure, PIC_CLIENT_BROKEN);
	pic_client_free(client);
}

/* Long polls, streams and large answers over TLS, on one kept connection. */
static void everything_works_over_tls(void **state)
{
	struct fixture *f = *state;
	const struct certificates *c = certificates();
	struct pic_client_settings settings = { .authority_pem = c->authority,
						.certificate_pem = c->device,
						.key_pem = c->device_key };
	struct pic_client *client;
	struct pic_client_request request;
	static char large[120000];

	serve(f, c->server, c->authority);
	f->handle = keep;
	client = fixture_client(f, &settings);
	request = fixture_request(f, fixture_url(f, "/"));
	request.method = "POST";
	request.body = large;
	request.body_size = 60000;
	memset(large, 'l', sizeof(large));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pic_client_send(client, &request, NULL, NULL), 0);
		UNTIL(f, f->handled == i + 1);
		assert_int_equal(pic_exchange_body(f->kept[i]).size, 60000);
		fixture_turn(f);
		pic_reply(f->kept[i], 200, NULL, large, sizeof(large));
		UNTIL(f, f->answers == i + 1);
		assert_int_equal(f->body_size, sizeof(large));
	}
	assert_string_equal(pic_exchange_peer(f->kept[2]) ? "x" : "", "x");
	assert_int_equal(pic_client_send(client, &request, NULL, NULL), 0);
	UNTIL(f, f->handled == 4);
	pic_stream_start(f->kept[3], 200, "text/plain", 1 << 20);
	for (int i = 0; i < 10; i++) {
		assert_true(pic_stream_write(f->kept[3], "0123456789", 10));
		fixture_turn(f);
	}
	pic_stream_end(f->kept[3]);
	UNTIL(f, f->answers == 4);
	assert_int_equal(f->body_size, 100);
	/* and the end of a sleeping one is noticed */
	assert_int_equal(pic_client_send(client, &request, NULL, NULL), 0);
	UNTIL(f, f->handled == 5);
	pic_client_free(client);
	UNTIL(f, f->gone == 1);
}

/* A stranger who stops in the middle of a handshake must not keep the loop turning. */
static void a_handshake_that_stalls_costs_no_turns(void **state)
{
	static const unsigned char half_a_hello[] = { 0x16, 3, 1, 2, 0, 1, 0 };
	struct fixture *f = *state;
	struct raw *raw = calloc(1, sizeof(*raw));
	int64_t end;
	int turns = 0;

	assert_non_null(raw);
	serve(f, certificates()->server, certificates()->authority);
	raw_open(f, raw);
	assert_int_equal(write(raw->fd, half_a_hello, sizeof(half_a_hello)), sizeof(half_a_hello));
	for (int i = 0; i < 5; i++) /* it is accepted and read */
		fixture_turn(f);
	for (end = pic_clock_boot_ms() + 500; pic_clock_boot_ms() < end; turns++)
		fixture_turn(f); /* ends by the tick of 100 ms, if nothing else wakes it */
	assert_in_range(turns, 1, 7);
	raw_close(raw);
	free(raw);
}

#define NET_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(a_server_of_our_authority_is_believed),
		NET_TEST(any_other_is_not),
		NET_TEST(a_name_must_fit),
		NET_TEST(dates_count_unless_the_clock_is_not_set),
		NET_TEST(the_clock_here_may_be_behind),
		NET_TEST(first_contact_takes_any),
		NET_TEST(a_client_of_our_authority_is_known),
		NET_TEST(any_other_client_is_nobody),
		NET_TEST(nobody_is_asked_without_an_authority),
		NET_TEST(a_bad_identity_is_refused_at_once),
		NET_TEST(plain_speech_to_a_tls_server_fails),
		NET_TEST(everything_works_over_tls),
		NET_TEST(a_handshake_that_stalls_costs_no_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
