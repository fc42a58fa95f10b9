#include "hub/engine/health.h"

#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "hub/engine/sentence.h"

void pic_health_set(struct pic_health *health, enum pic_health_level level, const char *reason,
		    const char *format, ...)
{
	va_list arguments;

	health->level = level;
	pic_engine_format(health->reason, sizeof(health->reason), "%s", reason);
	va_start(arguments, format);
	pic_engine_vformat(health->message, sizeof(health->message), format, arguments);
	va_end(arguments);
}

void pic_health_add(struct pic_health *health, const struct pic_health *part)
{
	if (part->level > health->level)
		*health = *part;
}

const char *pic_health_status(const struct pic_health *health)
{
	switch (health->level) {
	case PIC_HEALTH_GOOD:
		return "Succeeded";
	case PIC_HEALTH_OVER:
		return "Expired";
	case PIC_HEALTH_UNDER_WAY:
		return "Reconciling";
	case PIC_HEALTH_STOPPED:
		return "Stopped";
	case PIC_HEALTH_BAD:
		return "Failed";
	}
	return "Failed";
}

static const struct pic_json *find_condition(const struct pic_json *status, const char *type)
{
	const struct pic_json *list = pic_json_get(status, "conditions");

	for (size_t i = 0; i < pic_json_count(list); i++) {
		const char *name = pic_json_get_text(pic_json_at(list, i), "type");

		if (name && strcmp(name, type) == 0)
			return pic_json_at(list, i);
	}
	return NULL;
}

static void add_condition(const struct pic_condition_frame *frame, struct pic_json *list,
			  const char *type, bool is_true, const char *reason, const char *message)
{
	const struct pic_json *before = find_condition(frame->before, type);
	const char *status = is_true ? "True" : "False";
	const char *old_status = pic_json_get_text(before, "status");
	const char *since = pic_json_get_text(before, "lastTransitionTime");
	struct pic_json *condition = pic_json_new_object();
	char now[PIC_TIME_TEXT];

	pic_time_format(frame->now_ms, now);
	if (!old_status || strcmp(old_status, status) != 0 ||
	    (frame->broken & PIC_ENGINE_RULE_TRANSITION_TIMES_STAY))
		since = NULL;
	pic_json_set_text(condition, "type", type);
	pic_json_set_text(condition, "status", status);
	pic_json_set_text(condition, "reason", reason);
	pic_json_set_text(condition, "message", message);
	pic_json_set_text(condition, "lastTransitionTime", since ? since : now);
	pic_json_set_integer(condition, "observedGeneration", frame->generation);
	pic_json_append(list, condition);
}

struct pic_json *pic_conditions(const struct pic_condition_frame *frame,
				const struct pic_health *health, const char *good_reason,
				const char *good_message)
{
	struct pic_json *list = pic_json_new_array();
	bool good = health->level == PIC_HEALTH_GOOD;
	bool under_way = health->level == PIC_HEALTH_UNDER_WAY, bad = !good && !under_way;

	add_condition(frame, list, "Ready", good, good ? good_reason : health->reason,
		      good ? good_message : health->message);
	add_condition(frame, list, "Reconciling", under_way, under_way ? health->reason : "Settled",
		      under_way ? health->message : "");
	add_condition(frame, list, "Stalled", bad, bad ? health->reason : "NotStalled",
		      bad ? health->message : "");
	return list;
}

bool pic_condition_turned_true(const struct pic_json *before, const struct pic_json *after,
			       const char *type)
{
	const char *old_status = pic_json_get_text(find_condition(before, type), "status");
	const char *status = pic_json_get_text(find_condition(after, type), "status");

	return status && strcmp(status, "True") == 0 &&
	       (!old_status || strcmp(old_status, "True") != 0);
}
