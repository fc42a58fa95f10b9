/* What is made for a device: it validates without a word and holds the secret in one file only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ignition/config.h"
#include "ignition/device.h"

#define HASH \
	"sha512-" \
	"11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111" \
	"111111111111111111111111111111"

static void must_be_silent(const struct pic_json *config)
{
	PIC_IGNITION_FINDINGS struct pic_ignition_findings findings = { .items = NULL };
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(65536);

	assert_int_equal(pic_json_write(config, PIC_JSON_INDENT, &text), 0);
	assert_int_equal(pic_ignition_check(text.data, text.size, &findings, NULL), 0);
	if (findings.count)
		fail_msg("%s: %s", findings.items[0].path, findings.items[0].text);
}

static const struct pic_json *file_of(const struct pic_json *config, const char *path)
{
	const struct pic_json *files = pic_json_find(config, "storage", "files", NULL);

	for (size_t i = 0; i < pic_json_count(files); i++)
		if (strcmp(pic_json_get_text(pic_json_at(files, i), "path"), path) == 0)
			return pic_json_at(files, i);
	fail_msg("no file %s", path);
	return NULL;
}

static void must_hold(const struct pic_json *config, const char *path, int mode, const char *wanted)
{
	const struct pic_json *file = file_of(config, path);
	const char *source = pic_json_get_text(pic_json_get(file, "contents"), "source");
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(65536);
	long long is;

	assert_true(pic_json_integer(pic_json_get(file, "mode"), &is) && is == mode);
	assert_true(pic_text_starts(source, "data:;base64,"));
	assert_int_equal(pic_base64_decode(source + 13, strlen(source + 13), &text), 0);
	assert_string_equal(pic_buf_text(&text), wanted);
}

static const struct pic_ignition_device device = {
	.hub = "https://hub.example:8443",
	.name = "tiny-edge",
	.ca_pin = "sha256:00",
	.token = "pice_secret",
	.authority_pem = "-----BEGIN CERTIFICATE-----\n",
};

static void a_device(void **state)
{
	PIC_JSON struct pic_json *config = pic_ignition_device(&device);

	(void)state;
	must_be_silent(config);
	must_hold(config, "/etc/piccolo/piccolo.conf", 0644,
		  "hub = https://hub.example:8443\ntarget = tiny-edge\nca-pin = sha256:00\n"
		  "token-file = /etc/piccolo/token\n");
	must_hold(config, "/etc/piccolo/token", 0600, "pice_secret");
}

static void extension_network_and_key(void **state)
{
	PIC_JSON struct pic_json *keys = pic_json_new_array();
	const struct pic_ignition_extras extras = {
		.extension_url = "https://hub.example:8443/artifacts/00",
		.extension_hash = HASH,
		.extension_file = "piccolo-0.1.0-x86-64.raw",
		.network_name = "10-eth.network",
		.network_text = "[Match]\nName=eth0\n",
		.ssh_keys = keys,
	};
	PIC_JSON struct pic_json *base = pic_ignition_device(&device);
	PIC_JSON struct pic_json *more = NULL, *config = NULL;

	(void)state;
	pic_json_append_text(keys, "ssh-ed25519 AAAA me");
	assert_int_equal(pic_ignition_extras(&extras, &more, NULL), 0);
	must_be_silent(more);
	assert_int_equal(pic_ignition_merge(base, more, &config, NULL), 0);
	pic_ignition_authorize(config, "https://hub.example:8443/artifacts/", "picb_key");
	must_be_silent(config);
	must_hold(config, "/etc/systemd/network/10-eth.network", 0644, "[Match]\nName=eth0\n");
	const struct pic_json *header = pic_json_at(
		pic_json_find(file_of(config, "/opt/extensions/piccolo/piccolo-0.1.0-x86-64.raw"),
			      "contents", "httpHeaders", NULL),
		0);
	assert_string_equal(pic_json_get_text(header, "value"), "Bearer picb_key");
	assert_null(pic_json_find(file_of(config, "/etc/piccolo/token"), "contents", "httpHeaders",
				  NULL));
	const struct pic_json *link =
		pic_json_at(pic_json_find(config, "storage", "links", NULL), 0);
	assert_string_equal(pic_json_get_text(link, "path"), "/etc/extensions/piccolo.raw");
	assert_string_equal(pic_json_get_text(link, "target"),
			    "/opt/extensions/piccolo/piccolo-0.1.0-x86-64.raw");
}

static void a_pointer(void **state)
{
	PIC_JSON struct pic_json *config =
		pic_ignition_pointer("https://hub/ignition/a", "picb_key", "PEM");

	(void)state;
	must_be_silent(config);
	assert_string_equal(
		pic_json_get_text(pic_json_find(config, "ignition", "config", "replace", NULL),
				  "source"),
		"https://hub/ignition/a");
}

static void bad_parts_are_named(void **state)
{
	static const struct {
		struct pic_ignition_extras extras;
		const char *sentence;
	} cases[] = {
		{ { .extension_url = "https://a/x",
		    .extension_hash = HASH,
		    .extension_file = "other.raw" },
		  "extension: 'other.raw'" },
		{ { .extension_url = "https://a/x",
		    .extension_hash = HASH,
		    .extension_file = "piccolo/../x.raw" },
		  "extension:" },
		{ { .extension_url = "https://a/x" }, "extension: its hash is missing" },
		{ { .network_name = "a.conf", .network_text = "[Match]\n" }, "network: 'a.conf'" },
		{ { .network_name = "../a.network", .network_text = "[Match]\n" }, "network:" },
		{ { .network_name = "a.network", .network_text = "Name=x\n" }, "has no section" },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		struct pic_json *out = NULL;
		struct pic_error err = PIC_ERROR_INIT;

		assert_int_equal(pic_ignition_extras(&cases[i].extras, &out, &err), -EINVAL);
		assert_non_null(strstr(err.text, cases[i].sentence));
		assert_null(out);
	}
}

static void a_private_key_is_no_ssh_key(void **state)
{
	PIC_JSON struct pic_json *keys = pic_json_new_array();
	const struct pic_ignition_extras extras = { .ssh_keys = keys };
	struct pic_json *out = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	pic_json_append_text(keys, "-----BEGIN OPENSSH PRIVATE KEY-----");
	assert_int_equal(pic_ignition_extras(&extras, &out, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no public key"));
	assert_null(strstr(err.text, "PRIVATE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device),
		cmocka_unit_test(extension_network_and_key),
		cmocka_unit_test(a_pointer),
		cmocka_unit_test(bad_parts_are_named),
		cmocka_unit_test(a_private_key_is_no_ssh_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
