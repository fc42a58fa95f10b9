/*
 * What agents of other makes say of themselves: targets/ping, targets/status, catalogs/status. It goes
 * into the status (for catalogs, as they expect it, beside what was staged). It is never taken for a report of
 * a device of ours; where no such device has joined, what they report of a catalog counts (hub/engine/reported.h).
 */
#include <string.h>

#include "base/clock.h"
#include "hub/symphony_api/room.h"

#define PROPERTIES_MAX 64
#define PROPERTY_TEXT_MAX 4096

/* A copy whose status.properties may be written to. */
static struct pic_json *edit_properties(const struct pic_object *target,
					struct pic_json **properties)
{
	struct pic_json *json = pic_json_copy(target->json);

	*properties = pic_json_ensure_object(pic_json_ensure_object(json, "status"), "properties");
	return json;
}

void pic_symphony_ping(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match)
{
	struct pic_symphony_subject subject = pic_symphony_subject(exchange, match);
	struct pic_object *target = pic_symphony_find(hub, &subject);
	struct pic_json *properties;
	char time[PIC_TIME_TEXT];

	if (!target) {
		pic_symphony_not_found(exchange, &subject);
		return;
	}
	struct pic_json *json = edit_properties(target, &properties);
	pic_time_format(pic_clock_wall_ms(), time);
	pic_json_set_text(properties, "ping", time);
	pic_symphony_commit(hub, exchange, match, "ping", PIC_KIND_TARGET, json,
			    pic_json_new_object());
}

/* Texts only, and not without end. */
static bool merge(struct pic_json *properties, const struct pic_json *given)
{
	pic_json_each(given, i) {
		const char *text = pic_json_text(pic_json_value(i));

		if (!text || strlen(text) > PROPERTY_TEXT_MAX || strlen(pic_json_key(i)) > 253)
			return false;
		pic_json_set_text(properties, pic_json_key(i), text);
	}
	return pic_json_count(properties) <= PROPERTIES_MAX;
}

void pic_symphony_target_status(struct pic_hub *hub, struct pic_exchange *exchange,
				const struct pic_route_match *match)
{
	struct pic_symphony_subject subject = pic_symphony_subject(exchange, match);
	struct pic_object *target = pic_symphony_find(hub, &subject);
	PIC_JSON struct pic_json *body = NULL;
	struct pic_json *properties;

	if (!target) {
		pic_symphony_not_found(exchange, &subject);
		return;
	}
	if (pic_symphony_body(exchange, &subject, &body) < 0)
		return;
	struct pic_json *json = edit_properties(target, &properties);
	if (!merge(properties, pic_json_find(body, "status", "properties", NULL))) {
		pic_json_unref(json);
		pic_symphony_bad(exchange, &subject, 400,
				 "status.properties must be short texts, at most 64 in all");
		return;
	}
	pic_symphony_commit(hub, exchange, match, "status", PIC_KIND_TARGET, json,
			    pic_object_to_symphony(target));
}

void pic_symphony_catalog_status(struct pic_hub *hub, struct pic_exchange *exchange,
				 const struct pic_route_match *match)
{
	struct pic_symphony_subject subject = pic_symphony_subject(exchange, match);
	struct pic_object *catalog = pic_symphony_find(hub, &subject);
	PIC_JSON struct pic_json *body = NULL;

	if (!catalog) {
		pic_symphony_not_found(exchange, &subject);
		return;
	}
	if (pic_symphony_body(exchange, &subject, &body) < 0)
		return;
	if (pic_json_type(body) != PIC_JSON_ARRAY) {
		pic_symphony_bad(exchange, &subject, 500, "the body must be a list of components");
		return;
	}
	struct pic_json *json = pic_json_copy(catalog->json);
	struct pic_json *spec = pic_json_ensure_object(json, "spec");
	pic_json_set(pic_json_ensure_object(spec, "properties"), "reported", pic_json_ref(body));
	pic_symphony_commit(hub, exchange, match, "status", PIC_KIND_CATALOG, json, NULL);
}
