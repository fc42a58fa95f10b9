/* Devices: the list, and what an administrator decides about one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "hub/admin_api/admin.h"
#include "hub/device_api/devices.h"
#include "hub/device_api/record.h"
#include "hub/first_boot/first_boot.h"
#include "hub/first_boot/record.h"

static void copy(struct pic_json *to, const char *to_key, const struct pic_json *from,
		 const char *from_key)
{
	struct pic_json *value = pic_json_get(from, from_key);

	if (value)
		pic_json_set(to, to_key, pic_json_ref(value));
}

/* One sentence when a person should look, else "". */
static void sentence_of(const struct pic_object *record, const struct pic_json *report,
			struct pic_buf *out)
{
	const char *epoch = pic_json_get_text(report, "epoch");
	const char *message = pic_json_get_text(report, "message");

	if (*pic_record_quarantine(record))
		pic_buf_text_add(out, pic_record_quarantine(record));
	else if (epoch && *epoch && strcmp(epoch, pic_record_epoch(record)) != 0)
		pic_buf_format(
			out,
			"runs the document of another epoch; confirm the new one with piccoloctl device "
			"accept-epoch %s",
			record->name);
	else if (message)
		pic_buf_text_add(out, message);
}

static long long count_running(const struct pic_json *components)
{
	long long running = 0;

	for (size_t i = 0; i < pic_json_count(components); i++) {
		const char *phase = pic_json_get_text(pic_json_at(components, i), "phase");

		running += phase && strcmp(phase, "Running") == 0;
	}
	return running;
}

static void set_last_seen(struct pic_hub *hub, const struct pic_object *record,
			  struct pic_json *out)
{
	int64_t seen = pic_devices_last_seen(hub->devices, record->name);
	char time[PIC_TIME_TEXT];

	if (!seen) {
		copy(out, "last-seen", pic_object_status(record), "lastSeen");
		return;
	}
	pic_time_format(seen, time);
	pic_json_set_text(out, "last-seen", time);
}

static const struct pic_object *first_boot_of(struct pic_hub *hub, const char *name)
{
	return pic_store_get(hub->store, PIC_KIND_FIRST_BOOT, "", name);
}

static void add_labels(struct pic_hub *hub, struct pic_json *device, const char *name)
{
	const struct pic_object *expected = first_boot_of(hub, name);

	if (expected)
		copy(device, "labels", pic_object_spec(expected), "labels");
}

static struct pic_json *device_as_json(struct pic_hub *hub, const struct pic_object *record)
{
	struct pic_json *out = pic_json_new_object();
	const struct pic_json *status = pic_object_status(record);
	const struct pic_json *report = pic_json_get(status, "report");
	const struct pic_json *components = pic_json_get(report, "components");
	PIC_BUF struct pic_buf message = PIC_BUF_INIT(4096);

	pic_json_set_text(out, "name", record->name);
	pic_json_set_bool(out, "online", pic_record_is_online(record));
	set_last_seen(hub, record, out);
	copy(out, "address", status, "address");
	copy(out, "enrolled-at", pic_object_spec(record), "enrolledAt");
	pic_json_set_text(out, "epoch", pic_record_epoch(record));
	pic_json_set_integer(out, "revision", pic_record_revision(record));
	copy(out, "reported-epoch", report, "epoch");
	copy(out, "reported-revision", report, "revision");
	copy(out, "version", pic_json_get(report, "agent"), "version");
	copy(out, "lease-max-seconds", pic_json_get(report, "agent"), "lease-max-seconds");
	pic_json_set_integer(out, "components", (long long)pic_json_count(components));
	pic_json_set_integer(out, "running", count_running(components));
	pic_json_set_bool(out, "quarantined", *pic_record_quarantine(record) != '\0');
	sentence_of(record, report, &message);
	pic_json_set_text(out, "message", pic_buf_text(&message));
	pic_json_set_bool(out, "joined", true);
	add_labels(hub, out, record->name);
	return out;
}

/* One that was created and has not joined. */
static struct pic_json *expected_as_json(struct pic_hub *hub, const struct pic_object *expected)
{
	struct pic_json *out = pic_json_new_object();
	PIC_BUF struct pic_buf message = PIC_BUF_INIT(4096);

	pic_first_boot_sentence(expected, pic_clock_wall_ms(), &message);
	pic_json_set_text(out, "name", expected->name);
	pic_json_set_bool(out, "online", false);
	pic_json_set_bool(out, "joined", false);
	pic_json_set_integer(out, "components", 0);
	pic_json_set_integer(out, "running", 0);
	pic_json_set_bool(out, "quarantined", false);
	pic_json_set_text(out, "message", pic_buf_text(&message));
	add_labels(hub, out, expected->name);
	return out;
}

void pic_admin_devices(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match)
{
	PIC_JSON struct pic_json *reply = pic_json_new_object();
	struct pic_json *list = pic_json_new_array();

	(void)match;
	for (struct pic_object *record = pic_store_next(hub->store, PIC_KIND_DEVICE, NULL, NULL);
	     record; record = pic_store_next(hub->store, PIC_KIND_DEVICE, NULL, record))
		pic_json_append(list, device_as_json(hub, record));
	for (struct pic_object *one = pic_store_next(hub->store, PIC_KIND_FIRST_BOOT, NULL, NULL);
	     one; one = pic_store_next(hub->store, PIC_KIND_FIRST_BOOT, NULL, one))
		if (!pic_store_get(hub->store, PIC_KIND_DEVICE, "", one->name))
			pic_json_append(list, expected_as_json(hub, one));
	pic_json_set(reply, "devices", list);
	pic_reply_json(exchange, 200, reply);
}

/* The record the path names, or NULL and the exchange has been refused. */
static struct pic_object *record_of(struct pic_hub *hub, struct pic_exchange *exchange,
				    const struct pic_route_match *match)
{
	struct pic_object *record =
		pic_store_get(hub->store, PIC_KIND_DEVICE, "", match->captured[0]);
	char why[PIC_NAME_MAX + 64];

	if (!record) {
		snprintf(why, sizeof(why), "there is no device %.63s", match->captured[0]);
		pic_plain_refuse_reason(exchange, 404, "NotFound", why);
	}
	return record;
}

static void commit(struct pic_hub *hub, struct pic_exchange *exchange,
		   const struct pic_route_match *match, const char *verb, struct pic_json *record)
{
	char who[PIC_WHO_TEXT];
	const struct pic_actor actor = pic_match_actor(match, exchange, verb, who);
	struct pic_change *change = pic_change_new(hub->store, &actor);
	struct pic_json *reply = pic_json_new_object();
	struct pic_error err = PIC_ERROR_INIT;

	pic_json_set_text(reply, "name", match->captured[0]);
	if (pic_change_put(change, PIC_KIND_DEVICE, record, &err) < 0) {
		pic_change_drop(change);
		pic_json_unref(reply);
		pic_plain_refuse(exchange, 500, err.text);
		return;
	}
	pic_reply_when_durable(exchange, change, 200, reply, pic_plain_refuse);
}

void pic_admin_accept_epoch(struct pic_hub *hub, struct pic_exchange *exchange,
			    const struct pic_route_match *match)
{
	const struct pic_object *record = record_of(hub, exchange, match);

	if (!record)
		return;
	struct pic_json *json = pic_record_edit(record);
	pic_json_set_bool(pic_json_get(json, "spec"), "acceptEpoch", true);
	commit(hub, exchange, match, "accept-epoch", json);
}

void pic_admin_release(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match)
{
	const struct pic_object *record = record_of(hub, exchange, match);

	if (!record)
		return;
	struct pic_json *json = pic_record_edit(record);
	pic_json_delete(pic_json_get(json, "status"), "quarantine");
	pic_json_delete(pic_json_get(json, "status"), "session");
	pic_devices_forget_sessions(hub->devices, record->name);
	commit(hub, exchange, match, "release", json);
}

/* Certificate, tokens and what its first boot would get: all at once. What was being removed there is given up, since
 * nobody can say any more that it is gone. */
void pic_admin_retire(struct pic_hub *hub, struct pic_exchange *exchange,
		      const struct pic_route_match *match)
{
	const char *name = match->captured[0];
	char who[PIC_WHO_TEXT];
	const struct pic_actor actor = pic_match_actor(match, exchange, "retire", who);
	struct pic_json *reply;

	if (!first_boot_of(hub, name) && !record_of(hub, exchange, match))
		return;
	struct pic_change *change = pic_change_new(hub->store, &actor);
	if (change) {
		pic_change_delete(change, PIC_KIND_DEVICE, "", name);
		pic_change_delete(change, PIC_KIND_FIRST_BOOT, "", name);
		pic_identity_void(hub->identity, change, name);
	}
	pic_log(PIC_LOG_INFO, "device-retired", PIC_TEXT("device", name));
	reply = pic_json_new_object();
	pic_json_set_text(reply, "name", name);
	pic_reply_when_durable(exchange, change, 200, reply, pic_plain_refuse);
}
