/*
 * POST /device/v1/report: what a device says of itself becomes part of its record, in one change; the
 * engine hears of it from the store.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "hub/device_api/state.h"

/* A report that was overtaken by a newer one of the same session. */
static bool is_overtaken(const struct pic_object *record, const struct pic_report *report)
{
	const struct pic_json *last = pic_json_get(pic_object_status(record), "report");
	const char *session = pic_json_get_text(last, "session");
	long long sequence = 0;

	return session && strcmp(session, report->session) == 0 &&
	       pic_json_integer(pic_json_get(last, "sequence"), &sequence) &&
	       sequence > report->sequence;
}

static void report_free_pointer(struct pic_report **report)
{
	pic_report_free(*report);
}

static int read_report(const struct pic_exchange *exchange, const char *name,
		       struct pic_report **report, struct pic_json **body, struct pic_error *err)
{
	struct pic_view text = pic_exchange_body(exchange);
	int r;

	if (text.size > PIC_REPORT_SIZE_MAX)
		return pic_error_set(err, -EFBIG, "the report is larger than %d bytes",
				     PIC_REPORT_SIZE_MAX);
	r = pic_report_parse(report, text.data ? text.data : "", text.size, err);
	if (r < 0)
		return -EINVAL;
	if (strcmp((*report)->device, name) != 0)
		return pic_error_set(err, -EACCES, "the report is of %.80s, but its sender is %s",
				     (*report)->device, name);
	return pic_json_parse(body, text.data, text.size, err) < 0 ? -EINVAL : 0;
}

/* The first use of a renewed key ends the old one. */
static void settle_key(struct pic_json *json, const struct pic_sha256 *pin)
{
	struct pic_json *spec = pic_json_get(json, "spec");
	const char *next = pic_json_get_text(spec, "nextKeyPin");
	char hex[PIC_SHA256_TEXT];

	pic_sha256_text(pin, hex);
	if (!next || strcmp(next, hex) != 0)
		return;
	pic_json_set_text(spec, "keyPin", hex);
	pic_json_delete(spec, "nextKeyPin");
}

static void store_report(struct pic_hub *hub, struct pic_exchange *exchange,
			 const struct pic_route_match *match, const struct pic_report *report,
			 struct pic_json *body)
{
	struct pic_json *json =
		pic_record_edit(pic_device_record(hub->devices, match->caller.name));
	struct pic_error err = PIC_ERROR_INIT;
	int64_t now = pic_clock_wall_ms();
	char who[PIC_WHO_TEXT];

	pic_record_report(json, report, body, now);
	pic_record_seen(json, true, pic_exchange_peer(exchange), now);
	settle_key(json, &match->caller.key_pin);
	const struct pic_actor actor = pic_match_actor(match, exchange, "report", who);
	struct pic_change *change = pic_change_new(hub->store, &actor);
	if (pic_change_put(change, PIC_KIND_DEVICE, json, &err) < 0) {
		pic_change_drop(change);
		pic_plain_refuse(exchange, 500, err.text);
		return;
	}
	hub->devices->facts.reports++;
	pic_reply_when_durable(exchange, change, 200, pic_json_new_object(), pic_plain_refuse);
}

void pic_device_report(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match)
{
	PIC_CLEANUP(report_free_pointer) struct pic_report *report = NULL;
	PIC_JSON struct pic_json *body = NULL;
	struct pic_device *device = pic_device_entry(hub->devices, match->caller.name);
	struct pic_error err = PIC_ERROR_INIT;
	int r = read_report(exchange, match->caller.name, &report, &body, &err);

	if (r < 0 || !device) {
		pic_plain_refuse(exchange, r < 0 ? pic_status_of_error(r) : 503,
				 r < 0 ? err.text : "no memory for another device");
		return;
	}
	if (pic_device_admit(device, exchange, report->session) < 0)
		return;
	pic_device_heard(device, exchange);
	if (is_overtaken(pic_device_record(hub->devices, device->name), report))
		pic_reply(exchange, 200, "application/json", "{}", 2);
	else
		store_report(hub, exchange, match, report, body);
}
