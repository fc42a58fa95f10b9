#include "hub/engine/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "hub/engine/sentence.h"

int pic_status_begin(struct pic_status_writer *writer)
{
	writer->properties = pic_json_new_object();
	writer->components = pic_json_new_array();
	return writer->properties && writer->components ? 0 : -ENOMEM;
}

void pic_status_free(struct pic_status_writer *writer)
{
	pic_json_unref(writer->properties);
	pic_json_unref(writer->components);
}

void pic_status_complain(struct pic_status_writer *writer, enum pic_health_level level,
			 const char *reason, const char *format, ...)
{
	struct pic_health health = { .level = level };
	va_list arguments;

	pic_engine_format(health.reason, sizeof(health.reason), "%s", reason);
	va_start(arguments, format);
	pic_engine_vformat(health.message, sizeof(health.message), format, arguments);
	va_end(arguments);
	pic_health_add(&writer->health, &health);
}

static void add_texts(struct pic_status_writer *writer, const char *target,
		      const struct pic_catalog_status *catalog)
{
	char key[2 * PIC_OBJECT_NAME_MAX + 16];

	pic_json_each(catalog->texts, i) {
		snprintf(key, sizeof(key), "targets.%s.%s", target, pic_json_key(i));
		pic_json_set(writer->properties, key, pic_json_ref(pic_json_value(i)));
	}
}

void pic_status_add_target(struct pic_status_writer *writer, const char *target,
			   const struct pic_catalog_status *catalog,
			   const struct pic_health *health, bool counts)
{
	char key[PIC_OBJECT_NAME_MAX + 16], text[PIC_ENGINE_MESSAGE_MAX + 16];
	size_t count = pic_json_count(catalog->components);
	bool good = health->level == PIC_HEALTH_GOOD;

	for (size_t i = 0; i < count; i++) {
		if (pic_json_count(writer->components) >= PIC_STATUS_PARTS_MAX)
			writer->omitted++;
		else
			pic_json_append(writer->components,
					pic_json_ref(pic_json_at(catalog->components, i)));
	}
	if (!counts)
		return;
	pic_health_add(&writer->health, health);
	writer->targets++;
	writer->deployed += good;
	if (writer->targets > PIC_STATUS_PARTS_MAX)
		return;
	snprintf(key, sizeof(key), "targets.%s", target);
	pic_engine_format(text, sizeof(text), "%s - %s", good ? "OK" : pic_health_status(health),
			  good ? "" : health->message);
	pic_json_set_text(writer->properties, key, text);
	add_texts(writer, target, catalog);
}

static void add_counts(const struct pic_status_writer *writer, struct pic_json *properties)
{
	char text[24];

	pic_json_set_text(properties, "status", pic_health_status(&writer->health));
	snprintf(text, sizeof(text), "%zu", writer->targets);
	pic_json_set_text(properties, "targets", text);
	snprintf(text, sizeof(text), "%zu", writer->deployed);
	pic_json_set_text(properties, "deployed", text);
	if (writer->health.message[0])
		pic_json_set_text(properties, "status-details", writer->health.message);
}

static void add_conditions(const struct pic_status_writer *writer, struct pic_json *status)
{
	struct pic_condition_frame frame = {
		.before = pic_object_status(writer->owner),
		.generation = writer->owner->generation,
		.now_ms = writer->now_ms,
		.broken = writer->broken,
	};
	const char *good = writer->targets > 0 ? "everything runs as it was asked for"
					       : "nothing is wanted anywhere";

	pic_json_set(status, "conditions",
		     pic_conditions(&frame, &writer->health, "Deployed", good));
}

static int note_stall(const struct pic_status_writer *writer, const struct pic_json *status,
		      struct pic_engine_output *output, struct pic_error *err)
{
	/* what a person stopped is told of the component */
	if (writer->health.level != PIC_HEALTH_BAD ||
	    !pic_condition_turned_true(pic_object_status(writer->owner), status, "Stalled"))
		return 0;
	return pic_engine_note_add(output, true, writer->health.reason, err, "%s",
				   writer->health.message);
}

/* The first era reads `properties`, the later one the fields beside it. */
struct pic_json *pic_status_json(const struct pic_status_writer *writer,
				 struct pic_engine_output *output, struct pic_error *err)
{
	struct pic_json *status = pic_json_new_object();
	struct pic_json *properties = pic_json_copy(writer->properties);

	add_counts(writer, properties);
	pic_json_set(status, "properties", properties);
	pic_json_set_text(status, "status", pic_health_status(&writer->health));
	if (writer->health.message[0])
		pic_json_set_text(status, "statusDetails", writer->health.message);
	pic_json_set_integer(status, "targets", (long long)writer->targets);
	pic_json_set_integer(status, "deployed", (long long)writer->deployed);
	pic_json_set_integer(status, "observedGeneration", writer->owner->generation);
	add_conditions(writer, status);
	pic_json_set(status, "components", pic_json_ref(writer->components));
	if (writer->omitted > 0)
		pic_json_set_integer(status, "componentsOmitted", (long long)writer->omitted);
	if (pic_json_type(pic_json_get(status, "components")) != PIC_JSON_ARRAY ||
	    note_stall(writer, status, output, err) < 0) {
		pic_json_unref(status);
		return NULL;
	}
	return status;
}
