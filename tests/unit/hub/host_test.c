/* Host, Origin, addresses: what a browser or a stranger may send, and what a hub is called. */
#include "base/check.h"

#include "base/cleanup.h"
#include "hub/address.h"
#include "hub/host.h"
#include "hub/kubeconfig.h"

static const char *const names[] = { "hub.example", "box", NULL };

static void literals_and_known_names_pass(void **state)
{
	static const char *const good[] = {
		"127.0.0.1", "127.0.0.1:8443", "[::1]",		"[::1]:8443",  "192.0.2.7:1",
		"localhost", "LOCALHOST:8443", "hub.example:9", "Hub.Example", "box"
	};
	static const char *const bad[] = { "",
					   "evil.example",
					   "hub.example.evil",
					   ":8443",
					   "127.0.0.1.evil",
					   "localhost.evil",
					   "[::1",
					   "[evil]:1",
					   "hub.example@evil",
					   "x/://localhost",
					   "http://localhost",
					   "localhost/",
					   "localhost:80/x",
					   "localhost?x",
					   "[::1]evil",
					   "[::1]:x",
					   "localhost:",
					   "127.0.0.1:80:80",
					   "box:-1",
					   "[::1]/",
					   "localhost#@evil" };

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(good); i++)
		assert_true(pic_host_is_allowed(good[i], names));
	for (size_t i = 0; i < PIC_COUNT(bad); i++)
		assert_false(pic_host_is_allowed(bad[i], names));
	assert_false(pic_host_is_allowed(NULL, names));
}

static void only_the_own_origin_passes(void **state)
{
	(void)state;
	assert_true(pic_origin_is_own(NULL, "box:1", true));
	assert_true(pic_origin_is_own("https://box:1", "box:1", true));
	assert_true(pic_origin_is_own("http://127.0.0.1:8082", "127.0.0.1:8082", false));
	assert_false(pic_origin_is_own("http://box:1", "box:1", true));
	assert_false(pic_origin_is_own("https://box:2", "box:1", true));
	assert_false(pic_origin_is_own("null", "box:1", true));
	assert_false(pic_origin_is_own("", "box:1", true));
	assert_false(pic_origin_is_own("https://box:1", NULL, true));
}

static void loopback_is_known(void **state)
{
	static const char *const loopback[] = { "127.0.0.1:1", "127.9.9.9:1", "[::1]:1",
						"localhost:1" };
	static const char *const other[] = { "0.0.0.0:1",   ":1",	   "[::]:1",
					     "192.0.2.1:1", "128.0.0.1:1", "nowhere:1",
					     "[fe80::1]:1" };

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(loopback); i++)
		assert_true(pic_address_is_loopback(loopback[i]));
	for (size_t i = 0; i < PIC_COUNT(other); i++)
		assert_false(pic_address_is_loopback(other[i]));
}

static bool has(const struct pic_address_names *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], name) == 0)
			return true;
	}
	return false;
}

static void a_certificate_names_every_address_once(void **state)
{
	static const char *const listen[] = { "127.0.0.1:1", "192.0.2.1:1", "127.0.0.1:2",
					      "[2001:db8::1]:1", NULL };
	struct pic_address_names list;

	(void)state;
	assert_int_equal(pic_address_names(listen, "https://hub.example:9/x", &list, NULL), 0);
	assert_string_equal(list.items[0], "hub.example");
	assert_true(has(&list, "127.0.0.1") && has(&list, "192.0.2.1") &&
		    has(&list, "2001:db8::1"));
	assert_true(has(&list, "localhost") && has(&list, "::1"));
	for (size_t i = 0; i < list.count; i++) {
		for (size_t k = i + 1; k < list.count; k++)
			assert_string_not_equal(list.items[i], list.items[k]);
	}
	assert_null(list.items[list.count]);
	pic_address_names_free(&list);
}

static void all_addresses_are_the_machines(void **state)
{
	static const char *const listen[] = { ":8443", NULL };
	struct pic_address_names list;

	(void)state;
	assert_int_equal(pic_address_names(listen, NULL, &list, NULL), 0);
	assert_true(has(&list, "127.0.0.1"));
	pic_address_names_free(&list);
}

static void a_url_others_can_use(void **state)
{
	struct pic_address_names list = { { (char[]){ "localhost" }, (char[]){ "127.0.0.1" },
					    (char[]){ "192.0.2.9" }, NULL },
					  3 };
	char url[64];

	(void)state;
	pic_address_url("127.0.0.1:8443", &list, url, sizeof(url));
	assert_string_equal(url, "https://127.0.0.1:8443");
	pic_address_url("[::]:8443", &list, url, sizeof(url));
	assert_string_equal(url, "https://192.0.2.9:8443");
	list.count = 2;
	pic_address_url("0.0.0.0:9", &list, url, sizeof(url));
	assert_string_equal(url, "https://127.0.0.1:9");
}

static void a_kubeconfig_holds_all(void **state)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(4096);

	(void)state;
	pic_kubeconfig_write("https://127.0.0.1:1", "PEM", "secret", &out);
	assert_contains(pic_buf_text(&out), "server: https://127.0.0.1:1\n");
	assert_contains(pic_buf_text(&out), "certificate-authority-data: UEVN\n");
	assert_contains(pic_buf_text(&out), "token: secret\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_and_known_names_pass),
		cmocka_unit_test(only_the_own_origin_passes),
		cmocka_unit_test(loopback_is_known),
		cmocka_unit_test(a_certificate_names_every_address_once),
		cmocka_unit_test(all_addresses_are_the_machines),
		cmocka_unit_test(a_url_others_can_use),
		cmocka_unit_test(a_kubeconfig_holds_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
