#include "hub/device_api/devices.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "hub/device_api/state.h"

/* Between two polls; a new start of the hub or of a network path is no news. */
#define SILENCE_MS (60 * 1000)
#define SILENCE_AT_START_MS (120 * 1000)

/* Entries, ordered by name. */

static size_t place_of(const struct pic_devices *devices, const char *name, bool *found)
{
	size_t low = 0, high = devices->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(devices->items[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = low < devices->count && strcmp(devices->items[low]->name, name) == 0;
	return low;
}

struct pic_device *pic_device_find(struct pic_devices *devices, const char *name)
{
	bool found;
	size_t at = place_of(devices, name, &found);

	return found ? devices->items[at] : NULL;
}

struct pic_device *pic_device_entry(struct pic_devices *devices, const char *name)
{
	bool found;
	size_t at = place_of(devices, name, &found);

	if (found)
		return devices->items[at];
	if (devices->count == devices->capacity) {
		size_t capacity = devices->capacity ? 2 * devices->capacity : 16;
		struct pic_device **items = reallocarray(devices->items, capacity, sizeof(*items));

		if (!items)
			return NULL;
		devices->items = items;
		devices->capacity = capacity;
	}
	struct pic_device *device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	device->owner = devices;
	snprintf(device->name, sizeof(device->name), "%s", name);
	memmove(&devices->items[at + 1], &devices->items[at],
		(devices->count - at) * sizeof(*devices->items));
	devices->items[at] = device;
	devices->count++;
	return device;
}

struct pic_object *pic_device_record(struct pic_devices *devices, const char *name)
{
	return pic_store_get(devices->hub->store, PIC_KIND_DEVICE, "", name);
}

void pic_device_commit(struct pic_devices *devices, const char *who, const char *where,
		       const char *verb, struct pic_json *record, pic_change_done_fn *done,
		       void *data)
{
	const struct pic_actor actor = { who, where, verb };
	struct pic_change *change = pic_change_new(devices->hub->store, &actor);
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_change_put(change, PIC_KIND_DEVICE, record, &err) < 0) {
		pic_log(PIC_LOG_ERROR, "device-record", PIC_TEXT("error", err.text));
		pic_change_drop(change);
		change = NULL;
	}
	pic_change_commit(change, done, data);
}

/* Who is online. */

static void set_online(struct pic_device *device, bool online)
{
	struct pic_devices *devices = device->owner;
	struct pic_object *record = pic_device_record(devices, device->name);

	if (!record || pic_record_is_online(record) == online)
		return;
	struct pic_json *json = pic_record_edit(record);
	pic_record_seen(json, online, *device->address ? device->address : NULL,
			device->contact_wall_ms ? device->contact_wall_ms : pic_clock_wall_ms());
	pic_log(PIC_LOG_INFO, online ? "device-online" : "device-offline",
		PIC_TEXT("device", device->name));
	pic_device_commit(devices, "piccolo-hub", device->address, online ? "online" : "offline",
			  json, NULL, NULL);
}

void pic_device_heard(struct pic_device *device, struct pic_exchange *exchange)
{
	device->contact_wall_ms = pic_clock_wall_ms();
	device->contact_boot_ms = pic_clock_boot_ms();
	snprintf(device->address, sizeof(device->address), "%s", pic_exchange_peer(exchange));
	set_online(device, true);
}

/* When it will count as offline; -1: not while it holds a poll, or it is offline already. */
static int64_t silence_ends(struct pic_device *device)
{
	struct pic_object *record = pic_device_record(device->owner, device->name);

	if (device->poll || !record || !pic_record_is_online(record))
		return -1;
	return device->contact_boot_ms + SILENCE_MS;
}

/* Armed once for the first that could fall silent: with thousands of devices, none of their polls may
 * cost a walk over all of them. */
void pic_devices_watch_silence(struct pic_devices *devices)
{
	if (devices->silence_is_watched || devices->closing)
		return;
	devices->silence_is_watched = true;
	pic_timer_set(devices->offline_timer, SILENCE_MS);
}

static void on_silence(void *data)
{
	struct pic_devices *devices = data;
	int64_t now = pic_clock_boot_ms(), next = -1;

	devices->silence_is_watched = false;
	for (size_t i = 0; i < devices->count; i++) {
		int64_t end = silence_ends(devices->items[i]);

		if (end >= 0 && end <= now)
			set_online(devices->items[i], false);
		else if (end >= 0 && (next < 0 || end < next))
			next = end;
	}
	if (next < 0)
		return;
	devices->silence_is_watched = true;
	pic_timer_set_at(devices->offline_timer, next);
}

/* Those that were online when the hub ended get a while to come back before they count as offline. */
static int expect_known_devices(struct pic_devices *devices)
{
	struct pic_store *store = devices->hub->store;

	for (struct pic_object *record = pic_store_next(store, PIC_KIND_DEVICE, NULL, NULL); record;
	     record = pic_store_next(store, PIC_KIND_DEVICE, NULL, record)) {
		if (!pic_record_is_online(record))
			continue;
		struct pic_device *device = pic_device_entry(devices, record->name);
		if (!device)
			return -ENOMEM;
		device->contact_boot_ms = pic_clock_boot_ms() + SILENCE_AT_START_MS - SILENCE_MS;
	}
	pic_devices_watch_silence(devices);
	return 0;
}

bool pic_devices_online(struct pic_devices *devices, const char *name)
{
	struct pic_object *record = pic_device_record(devices, name);

	return record && pic_record_is_online(record);
}

bool pic_devices_wants_artifact(struct pic_devices *devices, const char *name, const char *sha256)
{
	return pic_target_catalogs_name(&devices->catalogs, devices->hub->store, name, sha256);
}

int64_t pic_devices_last_seen(struct pic_devices *devices, const char *name)
{
	struct pic_device *device = pic_device_find(devices, name);

	return device ? device->contact_wall_ms : 0;
}

/* The store tells. */

static void on_applied(void *data, enum pic_kind kind, struct pic_object *before,
		       struct pic_object *after, int64_t revision)
{
	struct pic_devices *devices = data;

	(void)revision;
	if (kind == PIC_KIND_CATALOG)
		pic_target_catalogs_forget(&devices->catalogs);
	if (kind != PIC_KIND_DEVICE || devices->closing)
		return;
	struct pic_device *device = pic_device_find(devices, (after ? after : before)->name);
	if (!device)
		return;
	if (!after) {
		pic_poll_refuse(device, 403, "UnknownDevice", "this device was retired");
		pic_asks_fail(device, 503, "the device was retired");
	} else {
		pic_poll_consider(device);
	}
}

int pic_devices_open(struct pic_devices **out, struct pic_hub *hub, struct pic_error *err)
{
	struct pic_devices *devices = calloc(1, sizeof(*devices));
	int r;

	if (!devices)
		return pic_error_set(err, -ENOMEM, "no memory for the devices");
	devices->hub = hub;
	r = pic_loop_timer(hub->loop, on_silence, devices, &devices->offline_timer, err);
	if (r == 0 && (pic_store_listen(hub->store, PIC_STORE_APPLIED, on_applied, devices) < 0 ||
		       expect_known_devices(devices) < 0))
		r = pic_error_set(err, -ENOMEM, "no memory for the devices");
	if (r < 0) {
		pic_devices_close(devices);
		return r;
	}
	*out = devices;
	return 0;
}

void pic_devices_close(struct pic_devices *devices)
{
	if (!devices)
		return;
	devices->closing = true;
	pic_store_ignore(devices->hub->store, on_applied, devices);
	for (size_t i = 0; i < devices->count; i++) {
		pic_poll_refuse(devices->items[i], 503, "Stopping", "the hub is stopping");
		pic_asks_fail(devices->items[i], 503, "the hub is stopping");
		free(devices->items[i]);
	}
	pic_timer_free(devices->offline_timer);
	pic_target_catalogs_free(&devices->catalogs);
	free(devices->items);
	free(devices);
}

void pic_devices_facts(struct pic_devices *devices, struct pic_devices_facts *out)
{
	struct pic_store *store = devices->hub->store;

	*out = devices->facts;
	out->known = pic_store_count(store, PIC_KIND_DEVICE);
	for (struct pic_object *record = pic_store_next(store, PIC_KIND_DEVICE, NULL, NULL); record;
	     record = pic_store_next(store, PIC_KIND_DEVICE, NULL, record))
		out->online += pic_record_is_online(record);
	for (size_t i = 0; i < devices->count; i++) {
		out->polls += devices->items[i]->poll != NULL;
		for (struct pic_pending_ask *ask = devices->items[i]->asks; ask; ask = ask->next)
			out->asks++;
	}
}
