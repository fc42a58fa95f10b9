#include "ignition/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ignition/config.h"

#define VERSION "3.3.0"
#define DATA_MAX (4u * 1024 * 1024)
#define MODE_FILE 0644
#define MODE_SECRET 0600
#define TOKEN_FILE "/etc/piccolo/token"

static struct pic_json *new_config(void)
{
	struct pic_json *config = pic_json_new_object();

	pic_json_set_text(pic_json_ensure_object(config, "ignition"), "version", VERSION);
	return config;
}

/* The member list of that name, made when absent. */
static struct pic_json *list_of(struct pic_json *object, const char *key)
{
	if (!pic_json_get(object, key))
		pic_json_set(object, key, pic_json_new_array());
	return pic_json_get(object, key);
}

static void set_data(struct pic_json *source, const char *text)
{
	PIC_BUF struct pic_buf url = PIC_BUF_INIT(DATA_MAX);

	pic_buf_text_add(&url, "data:;base64,");
	pic_base64_encode(text, strlen(text), &url);
	pic_json_set_text(source, "source", url.failed ? NULL : pic_buf_text(&url));
}

static struct pic_json *add_node(struct pic_json *config, const char *kind, const char *path)
{
	struct pic_json *node = pic_json_new_object();

	pic_json_set_text(node, "path", path);
	pic_json_set_bool(node, "overwrite", true);
	pic_json_append(list_of(pic_json_ensure_object(config, "storage"), kind), node);
	return node;
}

static struct pic_json *add_file(struct pic_json *config, const char *path, int mode)
{
	struct pic_json *file = add_node(config, "files", path);

	pic_json_set_integer(file, "mode", mode);
	return pic_json_ensure_object(file, "contents");
}

static void add_link(struct pic_json *config, const char *path, const char *target)
{
	struct pic_json *link = add_node(config, "links", path);

	pic_json_set_text(link, "target", target);
	pic_json_set_bool(link, "hard", false);
}

static void add_unit(struct pic_json *config, const char *name)
{
	struct pic_json *unit = pic_json_new_object();

	pic_json_set_text(unit, "name", name);
	pic_json_set_bool(unit, "enabled", true);
	pic_json_append(list_of(pic_json_ensure_object(config, "systemd"), "units"), unit);
}

static void add_authority(struct pic_json *config, const char *pem)
{
	struct pic_json *ignition = pic_json_get(config, "ignition");
	struct pic_json *security = pic_json_ensure_object(ignition, "security");
	struct pic_json *authority = pic_json_new_object();

	set_data(authority, pem);
	pic_json_append(list_of(pic_json_ensure_object(security, "tls"), "certificateAuthorities"),
			authority);
}

static void add_header(struct pic_json *source, const char *bearer)
{
	struct pic_json *header = pic_json_new_object();
	char value[512];

	snprintf(value, sizeof(value), "Bearer %s", bearer);
	pic_json_set_text(header, "name", "Authorization");
	pic_json_set_text(header, "value", value);
	pic_json_append(list_of(source, "httpHeaders"), header);
	explicit_bzero(value, sizeof(value));
}

struct pic_json *pic_ignition_device(const struct pic_ignition_device *device)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(8192);
	struct pic_json *config = new_config();

	if (device->authority_pem)
		add_authority(config, device->authority_pem);
	pic_buf_format(&text, "hub = %s\ntarget = %s\nca-pin = %s\n", device->hub, device->name,
		       device->ca_pin);
	if (device->tls_pin)
		pic_buf_format(&text, "tls-pin = %s\n", device->tls_pin);
	pic_buf_text_add(&text, "token-file = " TOKEN_FILE "\n");
	set_data(add_file(config, "/etc/piccolo/piccolo.conf", MODE_FILE), pic_buf_text(&text));
	set_data(add_file(config, TOKEN_FILE, MODE_SECRET), device->token);
	add_unit(config, "piccolo.service");
	add_unit(config, "piccolo-agent.service");
	return config;
}

/* The link's name is what systemd-sysext goes by; the file may carry a version. */
static int add_extension(struct pic_json *config, const struct pic_ignition_extras *extras,
			 struct pic_error *err)
{
	const char *file = extras->extension_file ? extras->extension_file : "piccolo.raw";
	struct pic_json *source, *verification;
	char path[256];

	if (!pic_text_starts(file, "piccolo") || !pic_text_ends(file, ".raw") ||
	    strpbrk(file, "/ \t\r\n") || strlen(file) > 128)
		return pic_error_set(err, -EINVAL,
				     "extension: '%.100s' is not named like piccolo.raw or "
				     "piccolo-VERSION.raw",
				     file);
	if (!extras->extension_hash)
		return pic_error_set(err, -EINVAL, "extension: its hash is missing");
	snprintf(path, sizeof(path), "/opt/extensions/piccolo/%s", file);
	source = add_file(config, path, MODE_FILE);
	pic_json_set_text(source, "source", extras->extension_url);
	verification = pic_json_ensure_object(source, "verification");
	pic_json_set_text(verification, "hash", extras->extension_hash);
	add_link(config, "/etc/extensions/piccolo.raw", path);
	add_unit(config, "systemd-sysext.service");
	return 0;
}

static int add_network(struct pic_json *config, const struct pic_ignition_extras *extras,
		       struct pic_error *err)
{
	const char *name = extras->network_name;
	char path[256];

	if ((!pic_text_ends(name, ".network") && !pic_text_ends(name, ".netdev") &&
	     !pic_text_ends(name, ".link")) ||
	    strpbrk(name, "/ \t\r\n") || strlen(name) > 128)
		return pic_error_set(err, -EINVAL,
				     "network: '%.100s' does not end in .network, .netdev or .link",
				     name);
	if (!strchr(extras->network_text, '['))
		return pic_error_set(err, -EINVAL,
				     "network: %.100s has no section; it is a file of "
				     "systemd-networkd and begins with [Match]",
				     name);
	snprintf(path, sizeof(path), "/etc/systemd/network/%s", name);
	set_data(add_file(config, path, MODE_FILE), extras->network_text);
	return 0;
}

static int add_ssh_keys(struct pic_json *config, const struct pic_json *keys, struct pic_error *err)
{
	struct pic_json *user = pic_json_new_object();
	struct pic_json *list = list_of(user, "sshAuthorizedKeys");

	pic_json_set_text(user, "name", "core");
	pic_json_append(list_of(pic_json_ensure_object(config, "passwd"), "users"), user);
	for (size_t i = 0; i < pic_json_count(keys); i++) {
		const char *key = pic_json_text_or(pic_json_at(keys, i), "");

		if (strstr(key, "PRIVATE") || !strchr(key, ' ') || strpbrk(key, "\r\n"))
			return pic_error_set(
				err, -EINVAL,
				"ssh-key: entry %zu is no public key like 'ssh-ed25519 "
				"AAAA...'",
				i);
		pic_json_append_text(list, key);
	}
	return 0;
}

int pic_ignition_extras(const struct pic_ignition_extras *extras, struct pic_json **out,
			struct pic_error *err)
{
	PIC_JSON struct pic_json *config = new_config();
	int r = 0;

	if (extras->extension_url)
		r = add_extension(config, extras, err);
	if (r == 0 && extras->network_text)
		r = add_network(config, extras, err);
	if (r == 0 && pic_json_count(extras->ssh_keys) > 0)
		r = add_ssh_keys(config, extras->ssh_keys, err);
	if (r == 0)
		*out = PIC_STEAL(config);
	return r;
}

struct pic_json *pic_ignition_pointer(const char *url, const char *bearer,
				      const char *authority_pem)
{
	struct pic_json *config = new_config();
	struct pic_json *ignition = pic_json_get(config, "ignition");
	struct pic_json *replace =
		pic_json_ensure_object(pic_json_ensure_object(ignition, "config"), "replace");

	pic_json_set_text(replace, "source", url);
	add_header(replace, bearer);
	if (authority_pem)
		add_authority(config, authority_pem);
	return config;
}

void pic_ignition_authorize(struct pic_json *config, const char *prefix, const char *bearer)
{
	const struct pic_json *files = pic_json_find(config, "storage", "files", NULL);

	for (size_t i = 0; i < pic_json_count(files); i++) {
		struct pic_json *contents = pic_json_get(pic_json_at(files, i), "contents");

		if (pic_text_starts(pic_json_text_or(pic_json_get(contents, "source"), ""), prefix))
			add_header(contents, bearer);
	}
}
