/* What an administrator does before a machine's first boot: POST devices, POST devices/{name}/ignition. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/sha512.h"
#include "hub/admin_api/admin.h"
#include "hub/artifacts/artifacts.h"
#include "hub/first_boot/first_boot.h"
#include "hub/first_boot/record.h"
#include "ignition/config.h"
#include "ignition/device.h"

#define VALID_DEFAULT_S (24 * 60 * 60)
#define VALID_MAX_S (30 * 24 * 60 * 60)
#define WINDOW_MAX_S (7 * 24 * 60 * 60)
#define EXTENSION_MAX (64u * 1024 * 1024) /* hashed while others wait */
#define CONFIG_MAX (1024u * 1024)

static int read_body(const struct pic_exchange *exchange, struct pic_json **out,
		     struct pic_error *err)
{
	struct pic_view text = pic_exchange_body(exchange);

	return pic_json_parse(out, text.data ? text.data : "", text.size, err) < 0 ? -EINVAL : 0;
}

static int read_seconds(const struct pic_json *body, const char *key, long long maximum,
			long long fallback, long long *out, struct pic_error *err)
{
	const struct pic_json *value = pic_json_get(body, key);

	*out = fallback;
	if (value && (!pic_json_integer(value, out) || *out < 0 || *out > maximum))
		return pic_error_set(err, -EINVAL, "\"%s\" must be a number up to %lld", key,
				     maximum);
	return 0;
}

static int check_name(const char *name, struct pic_error *err)
{
	if (name && pic_name_is_valid(name, PIC_NAME_MAX))
		return 0;
	return pic_error_set(err, -EINVAL,
			     "\"%.80s\" cannot be the name of a device: at most %d small letters, "
			     "digits, dots and dashes",
			     name ? name : "", PIC_NAME_MAX);
}

static void refuse(struct pic_exchange *exchange, struct pic_change *change, int r,
		   const struct pic_error *err)
{
	pic_change_drop(change);
	pic_plain_refuse(exchange, pic_status_of_error(r), err->text);
}

static struct pic_object *record_of(struct pic_hub *hub, const char *name)
{
	return pic_store_get(hub->store, PIC_KIND_FIRST_BOOT, "", name);
}

/* POST devices {"name","labels":{...},"ignition-seconds":N} */

/* Two machines with one hardware address would get each other's config. */
static int check_unique(struct pic_hub *hub, const struct pic_json *record, const char *name,
			struct pic_error *err)
{
	static const char *const keys[] = { "mac", "uuid", "serial" };

	for (struct pic_object *other = pic_store_next(hub->store, PIC_KIND_FIRST_BOOT, NULL, NULL);
	     other; other = pic_store_next(hub->store, PIC_KIND_FIRST_BOOT, NULL, other)) {
		for (size_t i = 0; strcmp(other->name, name) != 0 && i < PIC_COUNT(keys); i++) {
			const char *its = pic_json_get_text(
				pic_json_get(pic_object_spec(other), "labels"), keys[i]);
			const char *ours = pic_json_get_text(
				pic_json_find(record, "spec", "labels", NULL), keys[i]);

			if (its && ours && strcasecmp(its, ours) == 0)
				return pic_error_set(err, -EEXIST,
						     "the %s %s is that of %s already", keys[i],
						     ours, other->name);
		}
	}
	return 0;
}

static int create(struct pic_hub *hub, const struct pic_json *body, struct pic_json **out,
		  struct pic_error *err)
{
	const char *name = pic_json_get_text(body, "name");
	PIC_JSON struct pic_json *json = NULL;
	long long open_s = 0;
	int r = check_name(name, err);

	if (r == 0)
		r = read_seconds(body, "ignition-seconds", WINDOW_MAX_S, 0, &open_s, err);
	if (r < 0)
		return r;
	json = pic_first_boot_edit(record_of(hub, name), name);
	pic_json_each(pic_json_get(body, "labels"), i) {
		r = pic_first_boot_label(json, pic_json_key(i), pic_json_text(pic_json_value(i)),
					 err);
		if (r < 0)
			return r;
	}
	if (open_s)
		pic_json_set_integer(pic_json_get(json, "spec"), "openUntilMs",
				     pic_clock_wall_ms() + open_s * 1000);
	r = check_unique(hub, json, name, err);
	if (r == 0)
		*out = PIC_STEAL(json);
	return r;
}

static struct pic_json *created_reply(struct pic_hub *hub, const struct pic_json *record)
{
	struct pic_json *reply = pic_json_new_object();
	const char *name = pic_json_text_or(pic_json_find(record, "metadata", "name", NULL), "");
	char url[1024], time[PIC_TIME_TEXT];
	long long until;

	snprintf(url, sizeof(url), "%s/ignition/%s", hub->public_url, name);
	pic_json_set_text(reply, "name", name);
	pic_json_set_text(reply, "ignition", url);
	pic_json_set(reply, "labels", pic_json_copy(pic_json_find(record, "spec", "labels", NULL)));
	if (pic_json_integer(pic_json_find(record, "spec", "openUntilMs", NULL), &until)) {
		pic_time_format(until, time);
		pic_json_set_text(reply, "open-until", time);
	}
	return reply;
}

void pic_admin_device_create(struct pic_hub *hub, struct pic_exchange *exchange,
			     const struct pic_route_match *match)
{
	PIC_JSON struct pic_json *body = NULL;
	PIC_JSON struct pic_json *reply = NULL;
	struct pic_json *record = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	char who[PIC_WHO_TEXT];
	const struct pic_actor actor = pic_match_actor(match, exchange, "create", who);
	int r = read_body(exchange, &body, &err);

	if (r == 0)
		r = create(hub, body, &record, &err);
	if (r < 0) {
		refuse(exchange, NULL, r, &err);
		return;
	}
	struct pic_change *change = pic_change_new(hub->store, &actor);
	reply = created_reply(hub, record);
	r = pic_change_put(change, PIC_KIND_FIRST_BOOT, record, &err);
	if (r < 0)
		refuse(exchange, change, r, &err);
	else
		pic_reply_when_durable(exchange, change, 200, PIC_STEAL(reply), pic_plain_refuse);
}

/* POST devices/{name}/ignition
 *   {"extension":{"sha256","file"}|{"url","hash","file"},"network":{"name","text"},"ssh-keys":[...],
 *    "merge":[{config},...],"pointer":bool,"valid-seconds":N} */

static int own_extension(struct pic_hub *hub, const char *sha256, char url[1024],
			 char hash[PIC_SHA512_TEXT + 8], struct pic_error *err)
{
	struct pic_sha256 digest;
	char hex[PIC_SHA512_TEXT];
	uint64_t size = 0;

	if (pic_sha256_parse(sha256, &digest) < 0)
		return pic_error_set(err, -EINVAL, "extension: \"sha256\" has 64 digits");
	PIC_FD int fd = pic_artifacts_fd(hub->artifacts, &digest, &size, err);
	if (fd < 0)
		return fd;
	if (size > EXTENSION_MAX)
		return pic_error_set(err, -EINVAL, "extension: it is larger than %u MB",
				     EXTENSION_MAX >> 20);
	int r = pic_sha512_text_of_fd(fd, hex, err);
	if (r < 0)
		return r;
	snprintf(url, 1024, "%s/artifacts/%s", hub->public_url, sha256);
	snprintf(hash, PIC_SHA512_TEXT + 8, "sha512-%s", hex);
	return 0;
}

static int read_extras(struct pic_hub *hub, const struct pic_json *body, struct pic_json **out,
		       struct pic_error *err)
{
	const struct pic_json *extension = pic_json_get(body, "extension");
	const struct pic_json *network = pic_json_get(body, "network");
	const char *sha256 = pic_json_get_text(extension, "sha256");
	char url[1024], hash[PIC_SHA512_TEXT + 8];
	struct pic_ignition_extras extras = {
		.extension_url = pic_json_get_text(extension, "url"),
		.extension_hash = pic_json_get_text(extension, "hash"),
		.extension_file = pic_json_get_text(extension, "file"),
		.network_name = pic_json_text_or(pic_json_get(network, "name"), ""),
		.network_text = pic_json_get_text(network, "text"),
		.ssh_keys = pic_json_get(body, "ssh-keys"),
	};

	if (sha256) {
		int r = own_extension(hub, sha256, url, hash, err);

		if (r < 0)
			return r;
		extras.extension_url = url;
		extras.extension_hash = hash;
	}
	return pic_ignition_extras(&extras, out, err);
}

/* A part that is no config would be merged into one that looks like one. */
static int merge_part(const struct pic_json *before, const struct pic_json *part, size_t number,
		      struct pic_json **out, struct pic_error *err)
{
	PIC_JSON struct pic_json *config = NULL;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(CONFIG_MAX);
	char name[32];
	int r;

	snprintf(name, sizeof(name), "merge[%zu]", number);
	pic_json_write(part, PIC_JSON_COMPACT, &text);
	r = pic_buf_check(&text, name, err);
	if (r == 0)
		r = pic_ignition_parse(&config, text.data, text.size, name, err);
	return r < 0 ? r : pic_ignition_merge(before, config, out, err);
}

/* The parts in their order; what comes out must be valid, whoever made the parts. */
static int read_parts(struct pic_hub *hub, const struct pic_json *body, struct pic_json **out,
		      struct pic_error *err)
{
	const struct pic_json *parts = pic_json_get(body, "merge");
	PIC_JSON struct pic_json *config = NULL;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(CONFIG_MAX);
	int r = read_extras(hub, body, &config, err);

	for (size_t i = 0; r == 0 && i < pic_json_count(parts); i++) {
		PIC_JSON struct pic_json *before = PIC_STEAL(config);

		r = merge_part(before, pic_json_at(parts, i), i, &config, err);
	}
	if (r == 0) {
		pic_json_write(config, PIC_JSON_COMPACT, &text);
		r = pic_buf_check(&text, "the config", err);
	}
	return r < 0 ? r : pic_ignition_parse(out, text.data, text.size, "the config", err);
}

struct order {
	const char *device;
	bool pointer;
	long long valid_s;
};

static struct pic_json *ignition_reply(const struct order *order, struct pic_json *config)
{
	struct pic_json *reply = pic_json_new_object();
	char time[PIC_TIME_TEXT];

	pic_time_format(pic_clock_wall_ms() + order->valid_s * 1000, time);
	pic_json_set_text(reply, "name", order->device);
	pic_json_set_text(reply, "expires", time);
	pic_json_set(reply, "config", config);
	return reply;
}

/* Keeps the parts and makes what is printed: everything, or where everything is fetched. */
static int make(struct pic_hub *hub, const struct order *order, const struct pic_json *body,
		struct pic_change *change, struct pic_json **reply, struct pic_error *err)
{
	char token[PIC_TOKEN_TEXT], key[PIC_TOKEN_TEXT], url[1024];
	PIC_JSON struct pic_json *more = NULL;
	struct pic_json *config = NULL;
	struct pic_json *record;
	int r = read_parts(hub, body, &more, err);

	if (r < 0)
		return r;
	record = pic_first_boot_edit(record_of(hub, order->device), order->device);
	pic_json_set(pic_json_get(record, "spec"), "config", pic_json_ref(more));
	r = pic_change_put(change, PIC_KIND_FIRST_BOOT, record, err);
	if (r == 0)
		r = pic_identity_first_boot(hub->identity, change, order->device,
					    order->valid_s * 1000, order->pointer ? NULL : token,
					    key, err);
	if (r < 0)
		return r;
	snprintf(url, sizeof(url), "%s/ignition/%s", hub->public_url, order->device);
	if (order->pointer)
		config = pic_ignition_pointer(
			url, key, hub->tls_pin ? NULL : pic_identity_authority(hub->identity));
	else
		r = pic_first_boot_config(hub, order->device, more, token, key, &config, err);
	if (r == 0)
		*reply = ignition_reply(order, config);
	explicit_bzero(token, sizeof(token));
	return r;
}

static int read_order(struct pic_hub *hub, const struct pic_json *body, struct order *order,
		      struct pic_error *err)
{
	int r = check_name(order->device, err);

	if (r == 0)
		r = read_seconds(body, "valid-seconds", VALID_MAX_S, VALID_DEFAULT_S,
				 &order->valid_s, err);
	order->pointer = pic_json_true(pic_json_get(body, "pointer"));
	if (r == 0 && hub->is_loopback_only && !hub->is_dev)
		r = pic_error_set(
			err, -EBUSY,
			"the hub listens on loopback only, so no device can reach it; start it "
			"with --listen ADDR:PORT, or say listen = ADDR:PORT in its hub.conf");
	return r;
}

void pic_admin_ignition(struct pic_hub *hub, struct pic_exchange *exchange,
			const struct pic_route_match *match)
{
	PIC_JSON struct pic_json *body = NULL;
	PIC_JSON struct pic_json *reply = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	struct order order = { .device = match->captured[0] };
	struct pic_change *change = NULL;
	char who[PIC_WHO_TEXT];
	const struct pic_actor actor = pic_match_actor(match, exchange, "ignition", who);
	int r = read_body(exchange, &body, &err);

	if (r == 0)
		r = read_order(hub, body, &order, &err);
	if (r == 0) {
		change = pic_change_new(hub->store, &actor);
		r = change ? make(hub, &order, body, change, &reply, &err)
			   : pic_error_set(&err, -ENOMEM, "no memory");
	}
	if (r < 0)
		refuse(exchange, change, r, &err);
	else
		pic_reply_when_durable(exchange, change, 200, PIC_STEAL(reply), pic_plain_refuse);
}
