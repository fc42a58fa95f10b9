/*
 * solution/queue: how a deployment stands, as the summary its clients read; and the job they ask for,
 * which the engine has done already when it is asked.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "hub/symphony_api/room.h"

/* Symphony's state numbers. */
#define STATE_UPDATED 8004
#define STATE_UPDATE_FAILED 8001
#define STATE_RUNNING 9994

static struct pic_json *empty_summary(void)
{
	struct pic_json *result = pic_json_new_object();
	struct pic_json *summary = pic_json_ensure_object(result, "summary");

	pic_json_set_integer(summary, "targetCount", 0);
	pic_json_set_integer(summary, "successCount", 0);
	pic_json_set_bool(summary, "skipped", false);
	pic_json_set_bool(summary, "isRemoval", false);
	pic_json_set_text(result, "generation", "");
	pic_json_set_text(result, "time", "0001-01-01T00:00:00Z");
	return result;
}

static long long count_of(const struct pic_json *properties, const char *key)
{
	const char *text = pic_json_get_text(properties, key);
	long long number = 0;

	return text && pic_integer_parse(text, 0, 1000000, &number) == 0 ? number : 0;
}

static long long state_of(const char *phase)
{
	if (phase && strcmp(phase, "Running") == 0)
		return STATE_UPDATED;
	if (phase && (strcmp(phase, "Failed") == 0 || strcmp(phase, "Refused") == 0))
		return STATE_UPDATE_FAILED;
	return STATE_RUNNING;
}

static void add_component(struct pic_json *targets, const struct pic_json *component)
{
	const char *target_name = pic_json_get_text(component, "target");
	const char *name = pic_json_get_text(component, "name");
	const long long state = state_of(pic_json_get_text(component, "phase"));

	if (!target_name || !name)
		return;
	struct pic_json *target = pic_json_ensure_object(targets, target_name);
	const char *before = pic_json_get_text(target, "status");
	if (!before || strcmp(before, "OK") == 0)
		pic_json_set_text(target, "status", state == STATE_UPDATE_FAILED ? "Error" : "OK");
	struct pic_json *result =
		pic_json_ensure_object(pic_json_ensure_object(target, "components"), name);
	pic_json_set_integer(result, "status", state);
	pic_json_set_text(result, "message",
			  pic_json_text_or(pic_json_get(component, "message"), ""));
}

static struct pic_json *summary_of(const struct pic_object *object)
{
	struct pic_json *result = empty_summary();
	struct pic_json *summary = pic_json_get(result, "summary");
	const struct pic_json *status = pic_object_status(object);
	const struct pic_json *properties = pic_json_get(status, "properties");
	const struct pic_json *components = pic_json_get(status, "components");
	char text[PIC_TIME_TEXT];

	pic_json_set_integer(summary, "targetCount", count_of(properties, "targets"));
	pic_json_set_integer(summary, "successCount", count_of(properties, "deployed"));
	struct pic_json *targets = pic_json_ensure_object(summary, "targets");
	for (size_t i = 0; i < pic_json_count(components); i++)
		add_component(targets, pic_json_at(components, i));
	snprintf(text, sizeof(text), "%lld", (long long)object->generation);
	pic_json_set_text(result, "generation", text);
	pic_time_format(pic_clock_wall_ms(), text);
	pic_json_set_text(result, "time", text);
	return result;
}

/* The instance the query names, or the target behind "target-runtime-<target>". */
static struct pic_object *subject_of(struct pic_hub *hub, const struct pic_exchange *exchange,
				     const char *name)
{
	static const char prefix[] = "target-runtime-";
	const char *space = pic_exchange_query(exchange, "namespace");

	if (!space || !*space)
		space = "default";
	if (pic_text_starts(name, prefix))
		return pic_store_get(hub->store, PIC_KIND_TARGET, space, name + strlen(prefix));
	return pic_store_get(hub->store, PIC_KIND_INSTANCE, space, name);
}

/* NULL: the exchange has been refused. */
static const char *instance_of(struct pic_exchange *exchange)
{
	const char *name = pic_exchange_query(exchange, "instance");

	if (!name || !*name)
		pic_symphony_result(exchange, 400, "instance parameter is not found");
	return name && *name ? name : NULL;
}

void pic_symphony_queue(struct pic_hub *hub, struct pic_exchange *exchange,
			const struct pic_route_match *match)
{
	const char *name = instance_of(exchange);

	(void)match;
	if (!name)
		return;
	const struct pic_object *object = subject_of(hub, exchange, name);
	PIC_JSON struct pic_json *result = object ? summary_of(object) : empty_summary();
	pic_reply_json(exchange, object ? 200 : 404, result);
}

void pic_symphony_queue_job(struct pic_hub *hub, struct pic_exchange *exchange,
			    const struct pic_route_match *match)
{
	const char *removal = pic_exchange_query(exchange, "delete");

	(void)hub;
	(void)match;
	if (!instance_of(exchange))
		return;
	if (removal && strcmp(removal, "true") == 0)
		pic_symphony_result(exchange, 400,
				    "to remove what an instance runs, delete the instance");
	else
		pic_symphony_result(exchange, 200, "instance reconciliation job accepted");
}
