/*
 * Sessions: each start of an agent has one. When the older of two speaks again after the newer, two
 * machines use one identity: quarantine until an administrator has looked (design rule 8).
 *
 * A request of the older one may still have been on its way when the newer one began, so within a few
 * seconds the first such word is only refused; the second one counts.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "hub/device_api/state.h"
#include "hub/engine/events.h"

#define CROSSING_MS (10 * 1000)

static struct pic_older_session *older_session(struct pic_device *device, const char *session)
{
	for (size_t i = 0; i < PIC_OLDER_SESSIONS; i++) {
		if (strcmp(device->older[i].text, session) == 0)
			return &device->older[i];
	}
	return NULL;
}

static void begin_session(struct pic_device *device, const char *session)
{
	if (*device->session) {
		struct pic_older_session *older = &device->older[device->next_older];

		device->next_older = (device->next_older + 1) % PIC_OLDER_SESSIONS;
		strcpy(older->text, device->session);
		older->spoke = false;
	}
	strcpy(device->session, session);
	device->session_since_ms = pic_clock_boot_ms();
}

/* The user sees the target and not the record, so the event is about that. */
static void add_event(struct pic_store *store, struct pic_change *change, const char *name,
		      const char *why)
{
	struct pic_event_subject subject = {
		.kind = PIC_KIND_TARGET, .uid = "", .space = "default", .name = name
	};
	struct pic_engine_note note = { .warning = true, .reason = "Quarantined" };

	for (struct pic_object *target = pic_store_next(store, PIC_KIND_TARGET, NULL, NULL); target;
	     target = pic_store_next(store, PIC_KIND_TARGET, NULL, target)) {
		if (strcmp(target->name, name) != 0)
			continue;
		subject.space = target->space;
		subject.uid = target->uid;
		break;
	}
	snprintf(note.message, sizeof(note.message), "%s", why);
	if (pic_events_add(store, change, &subject, &note, pic_clock_wall_ms(), NULL) < 0)
		pic_log(PIC_LOG_WARNING, "event-lost", PIC_TEXT("device", name));
}

/* "192.0.2.7:4711": the port says nothing about which machine it was. */
static int host_size(const char *address)
{
	const char *colon = strrchr(address, ':');

	return colon ? (int)(colon - address) : (int)strlen(address);
}

/* `older` is where the older session has spoken from, the device's address the newer's. */
static void quarantine(struct pic_device *device, const char *older)
{
	char why[320];

	snprintf(
		why, sizeof(why),
		"two machines use the identity of this device, at %.*s and at %.*s; release it with "
		"piccoloctl device release %s when only one is left",
		host_size(device->address), device->address, host_size(older), older, device->name);
	struct pic_object *record = pic_device_record(device->owner, device->name);
	struct pic_json *json = pic_record_edit(record);

	pic_log(PIC_LOG_ERROR, "device-quarantined", PIC_TEXT("device", device->name),
		PIC_TEXT("peer", device->address));
	pic_json_set_text(pic_json_get(json, "status"), "quarantine", why);
	struct pic_store *store = device->owner->hub->store;
	const struct pic_actor actor = { "piccolo-hub", device->address, "quarantine" };
	struct pic_change *change = pic_change_new(store, &actor);
	if (pic_change_put(change, PIC_KIND_DEVICE, json, NULL) < 0) {
		pic_change_drop(change);
		return;
	}
	add_event(store, change, device->name, why);
	pic_change_commit(change, NULL, NULL);
}

/* True when this is the older session speaking again. */
static bool is_superseded(struct pic_device *device, const char *session, const char *peer)
{
	struct pic_older_session *older = older_session(device, session);

	if (!older)
		return false;
	const bool crossing = pic_clock_boot_ms() - device->session_since_ms < CROSSING_MS;
	if (older->spoke || !crossing)
		quarantine(device, peer);
	older->spoke = true;
	return true;
}

int pic_device_admit(struct pic_device *device, struct pic_exchange *exchange, const char *session)
{
	struct pic_object *record = pic_device_record(device->owner, device->name);
	const char *why = pic_record_quarantine(record);

	if (!*device->session) {
		/* After a start of the hub: the last one that reported. */
		const char *last = pic_json_get_text(pic_object_status(record), "session");

		if (last && strlen(last) == PIC_SESSION_TEXT - 1)
			strcpy(device->session, last);
	}
	if (!*why && session && strcmp(session, device->session) != 0) {
		if (is_superseded(device, session, pic_exchange_peer(exchange))) {
			why = "a newer session of this device has spoken; this one is refused";
		} else {
			begin_session(device, session);
			pic_poll_refuse(device, 409, "Quarantined",
					"a newer session of this device has spoken");
		}
	}
	if (!*why)
		return 0;
	pic_plain_refuse_reason(exchange, 409, "Quarantined", why);
	return -1;
}

void pic_device_forget_sessions(struct pic_device *device)
{
	device->session[0] = '\0';
	memset(device->older, 0, sizeof(device->older));
}

void pic_devices_forget_sessions(struct pic_devices *devices, const char *name)
{
	struct pic_device *device = pic_device_find(devices, name);

	if (device)
		pic_device_forget_sessions(device);
}
