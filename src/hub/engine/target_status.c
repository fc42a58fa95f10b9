/*
 * What a target's status says: whether its device is there, and how its own components do. Fields that
 * others keep there (resolved URLs, properties that devices of the original report) stay.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "hub/engine/health.h"

static void judge_device(const struct pic_engine_target_input *input, struct pic_health *health,
			 const char **state)
{
	const char *name = input->target->name;
	const struct pic_engine_device *device = input->device;

	*state = "Online";
	if (!device) {
		*state = "NotEnrolled";
		pic_health_set(health, PIC_HEALTH_UNDER_WAY, "NotEnrolled",
			       "no device has joined as %s; piccoloctl enroll %s tells how", name,
			       name);
	} else if (input->quarantine) {
		*state = "Quarantined";
		pic_health_set(health, PIC_HEALTH_BAD, "Quarantined", "%s", input->quarantine);
	} else if (!device->report) {
		*state = device->online ? "Online" : "Offline";
		pic_health_set(health, PIC_HEALTH_UNDER_WAY, "NotReported",
			       "%s has joined and not reported yet", name);
	} else if (!device->online) {
		*state = "Offline";
		pic_health_set(health, PIC_HEALTH_UNDER_WAY, "Offline",
			       "%s is not heard of; what it runs goes on there", name);
	} else if (device->report->epoch[0] && strcmp(device->report->epoch, device->epoch) != 0) {
		pic_health_set(health, PIC_HEALTH_UNDER_WAY, "EpochNotAccepted",
			       "%s holds on to what another memory of the hub told it; "
			       "piccoloctl device accept-epoch %s confirms this one",
			       name, name);
	}
}

static const struct pic_json *ready_condition(const struct pic_json *status)
{
	const struct pic_json *list = pic_json_get(status, "conditions");

	for (size_t i = 0; i < pic_json_count(list); i++)
		if (strcmp(pic_json_text_or(pic_json_get(pic_json_at(list, i), "type"), ""),
			   "Ready") == 0)
			return pic_json_at(list, i);
	return NULL;
}

static enum pic_health_level level_of(const char *word)
{
	if (strcmp(word, "Failed") == 0)
		return PIC_HEALTH_BAD;
	if (strcmp(word, "Expired") == 0)
		return PIC_HEALTH_OVER;
	return strcmp(word, "Stopped") == 0 ? PIC_HEALTH_STOPPED : PIC_HEALTH_UNDER_WAY;
}

static void add_own(const struct pic_json *own, struct pic_health *health)
{
	const char *word = pic_json_get_text(own, "status");
	const struct pic_json *ready = ready_condition(own);
	struct pic_health part = { .level = PIC_HEALTH_GOOD };

	if (!word || strcmp(word, "Succeeded") == 0)
		return;
	pic_health_set(&part, level_of(word), pic_json_text_or(pic_json_get(ready, "reason"), word),
		       "%s", pic_json_text_or(pic_json_get(ready, "message"), ""));
	pic_health_add(health, &part);
}

static void write_device(const struct pic_engine_target_input *input, const char *state,
			 struct pic_json *status)
{
	const struct pic_engine_device *device = input->device;
	struct pic_json *json = pic_json_new_object();

	pic_json_set_text(json, "state", state);
	if (device) {
		pic_json_set_text(json, "epoch", device->epoch);
		pic_json_set_integer(json, "revision", device->revision);
	}
	if (device && device->report) {
		pic_json_set_text(json, "version", device->report->version);
		pic_json_set_integer(json, "reportedRevision", device->report->revision);
		if (device->report->message[0])
			pic_json_set_text(json, "message", device->report->message);
	}
	pic_json_set(status, "device", json);
}

/* Own components beside the device's health: counts and texts as an instance has them. */
static void write_own(const struct pic_json *own, struct pic_json *status)
{
	const struct pic_json *components = pic_json_get(own, "components");

	if (pic_json_count(components) > 0)
		pic_json_set(status, "components", pic_json_copy(components));
	else
		pic_json_delete(status, "components");
}

static void write_properties(const struct pic_health *health, const char *state,
			     struct pic_json *status)
{
	struct pic_json *properties = pic_json_ensure_object(status, "properties");
	const char *word = strcmp(state, "Online") == 0	       ? "online"
			   : strcmp(state, "NotEnrolled") == 0 ? "not enrolled"
							       : "offline";

	pic_json_set_text(properties, "status", pic_health_status(health));
	pic_json_set_text(properties, "agent.status", word);
	if (health->message[0])
		pic_json_set_text(properties, "status-details", health->message);
	else
		pic_json_delete(properties, "status-details");
}

int pic_engine_target_status(const struct pic_engine_target_input *input, struct pic_json **out,
			     struct pic_error *err)
{
	const struct pic_json *before = pic_object_status(input->target);
	struct pic_condition_frame frame = {
		.before = before,
		.generation = input->target->generation,
		.now_ms = input->now_ms,
		.broken = input->broken,
	};
	struct pic_json *status = pic_json_type(before) == PIC_JSON_OBJECT ? pic_json_copy(before)
									   : pic_json_new_object();
	struct pic_health health = { .level = PIC_HEALTH_GOOD };
	const char *state = "";

	judge_device(input, &health, &state);
	add_own(input->own, &health);
	write_properties(&health, state, status);
	pic_json_set_text(status, "status", pic_health_status(&health));
	if (health.message[0])
		pic_json_set_text(status, "statusDetails", health.message);
	else
		pic_json_delete(status, "statusDetails");
	pic_json_set_integer(status, "observedGeneration", input->target->generation);
	write_device(input, state, status);
	write_own(input->own, status);
	pic_json_set(status, "conditions",
		     pic_conditions(&frame, &health, "Online", "the device is there and reports"));
	if (pic_json_type(pic_json_get(status, "conditions")) != PIC_JSON_ARRAY) {
		pic_json_unref(status);
		return pic_error_set(err, -ENOMEM, "no memory for the status of target %s",
				     input->target->name);
	}
	*out = status;
	return 0;
}
