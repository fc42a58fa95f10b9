/* The config of one device, out of what the hub knows. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "hub/first_boot/first_boot.h"
#include "hub/first_boot/record.h"
#include "hub/identity/identity.h"
#include "ignition/config.h"
#include "ignition/device.h"

int pic_first_boot_config(struct pic_hub *hub, const char *device, const struct pic_json *more,
			  const char *token, const char *key, struct pic_json **out,
			  struct pic_error *err)
{
	char hex[PIC_SHA256_TEXT], pin[PIC_SHA256_TEXT + 8], prefix[1024];
	struct pic_sha256 digest;
	const struct pic_ignition_device order = {
		.hub = hub->public_url,
		.name = device,
		.ca_pin = pin,
		.tls_pin = hub->tls_pin,
		.token = token,
		/* a listener with a certificate of somebody else's is trusted by the system's own list */
		.authority_pem = hub->tls_pin ? NULL : pic_identity_authority(hub->identity),
	};

	pic_identity_authority_pin(hub->identity, &digest);
	pic_sha256_text(&digest, hex);
	snprintf(pin, sizeof(pin), "sha256:%s", hex);
	PIC_JSON struct pic_json *base = pic_ignition_device(&order);
	PIC_JSON struct pic_json *merged = NULL;
	if (more) {
		int r = pic_ignition_merge(base, more, &merged, err);

		if (r < 0)
			return r;
	} else {
		merged = PIC_STEAL(base);
	}
	snprintf(prefix, sizeof(prefix), "%s/artifacts/", hub->public_url);
	pic_ignition_authorize(merged, prefix, key);
	*out = PIC_STEAL(merged);
	return *out ? 0 : pic_error_set(err, -ENOMEM, "no memory for the config");
}

bool pic_first_boot_names(struct pic_store *store, const char *device, const char *sha256)
{
	const struct pic_object *record = pic_store_get(store, PIC_KIND_FIRST_BOOT, "", device);
	const struct pic_json *files =
		record ? pic_json_find(pic_object_spec(record), "config", "storage", "files", NULL)
		       : NULL;

	for (size_t i = 0; *sha256 && i < pic_json_count(files); i++) {
		const char *source = pic_json_get_text(
			pic_json_get(pic_json_at(files, i), "contents"), "source");
		const char *name = source ? strrchr(source, '/') : NULL;

		if (name && strcmp(name + 1, sha256) == 0)
			return true;
	}
	return false;
}

int pic_first_boot_joined(struct pic_store *store, const char *device, struct pic_change *change,
			  struct pic_error *err)
{
	const struct pic_object *record = pic_store_get(store, PIC_KIND_FIRST_BOOT, "", device);
	struct pic_json *json;

	if (!record)
		return 0;
	json = pic_first_boot_edit(record, device);
	pic_json_delete(pic_json_get(json, "spec"), "openUntilMs");
	return pic_change_put(change, PIC_KIND_FIRST_BOOT, json, err);
}

void pic_first_boot_sentence(const struct pic_object *record, int64_t now_ms, struct pic_buf *out)
{
	const struct pic_json *status = pic_object_status(record);
	char time[PIC_TIME_TEXT];
	long long fetched = 0;

	if (pic_json_integer(pic_json_get(status, "fetchedMs"), &fetched)) {
		pic_time_format(fetched, time);
		pic_buf_format(out,
			       "fetched its Ignition config at %s from %s and has not joined yet",
			       time, pic_json_text_or(pic_json_get(status, "fetchedBy"), ""));
	} else if (pic_first_boot_is_open(record, now_ms)) {
		pic_buf_text_add(
			out, "waits for its first boot; its Ignition config is given to who asks");
	} else {
		pic_buf_text_add(out, "has not joined yet");
	}
}
