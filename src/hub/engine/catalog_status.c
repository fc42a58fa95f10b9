#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "hub/engine/status.h"

static const struct pic_json *find_before(const struct pic_catalog_status *status,
					  const char *component)
{
	const struct pic_json *list = pic_json_get(status->before, "components");

	for (size_t i = 0; i < pic_json_count(list); i++) {
		const char *name = pic_json_get_text(pic_json_at(list, i), "name");

		if (name && strcmp(name, component) == 0)
			return pic_json_at(list, i);
	}
	return NULL;
}

/* Phases worth an event; the ones in between pass too quickly to be told. */
static bool is_told(const struct pic_report_component *report)
{
	switch (report->phase) {
	case PIC_PHASE_RUNNING:
	case PIC_PHASE_BACKOFF:
	case PIC_PHASE_FAILED:
	case PIC_PHASE_REFUSED:
	case PIC_PHASE_HELD:
	case PIC_PHASE_FINISHED:
	case PIC_PHASE_EXPIRED:
		return true;
	case PIC_PHASE_PENDING:
	case PIC_PHASE_FETCHING:
	case PIC_PHASE_STARTING:
	case PIC_PHASE_REMOVING:
		return false;
	}
	return false;
}

static bool is_trouble(const struct pic_report_component *report)
{
	return report->phase == PIC_PHASE_BACKOFF || report->phase == PIC_PHASE_FAILED ||
	       report->phase == PIC_PHASE_REFUSED;
}

/* It ran and runs: its end in between was too short for a report of its own. */
static int note_restart(const struct pic_part *part, struct pic_engine_output *output,
			struct pic_error *err)
{
	const char *why = part->report->last_error;

	return pic_engine_note_add(output, true, "Restarted", err, "%s on %s: %s; it runs again",
				   part->component, part->target, why[0] ? why : "it ended");
}

static int note_change(struct pic_catalog_status *status, const struct pic_part *part,
		       struct pic_engine_output *output, struct pic_error *err)
{
	const struct pic_json *before = find_before(status, part->component);
	const struct pic_report_component *report = part->report;
	long long restarts = 0;

	if (!report || !is_told(report) || strcmp(part->phase, pic_phase_text(report->phase)) != 0)
		return 0;
	const char *phase = pic_json_text_or(pic_json_get(before, "phase"), "");

	pic_json_integer(pic_json_get(before, "restarts"), &restarts);
	if (strcmp(phase, part->phase) == 0 && restarts == report->restarts)
		return 0;
	/* no counts in it: the same thing again is the same event, counted there */
	if (strcmp(phase, part->phase) == 0 && report->phase == PIC_PHASE_RUNNING)
		return note_restart(part, output, err);
	const char *text = report->message[0]			? report->message
			   : report->phase == PIC_PHASE_RUNNING ? "it runs"
								: report->last_error;

	return pic_engine_note_add(output, is_trouble(report), part->phase, err, "%s on %s%s%s",
				   part->component, part->target, text[0] ? ": " : "", text);
}

int pic_catalog_status_add(struct pic_catalog_status *status, const struct pic_part *part,
			   struct pic_engine_output *output, struct pic_error *err)
{
	char text[PIC_ENGINE_MESSAGE_MAX + 32];

	if (!status->components) {
		status->components = pic_json_new_array();
		status->texts = pic_json_new_object();
	}
	pic_part_text(part, text, sizeof(text));
	pic_health_add(&status->health, &part->health);
	if (pic_json_append(status->components, pic_part_json(part)) < 0 ||
	    pic_json_set_text(status->texts, part->component, text) < 0)
		return pic_error_set(err, -ENOMEM, "no memory for the status of %s",
				     part->component);
	return note_change(status, part, output, err);
}

static const char *status_word(const struct pic_catalog_status *status, bool terminating)
{
	if (terminating)
		return "Terminating"; /* the word of kubectl's users */
	switch (status->health.level) {
	case PIC_HEALTH_GOOD:
		return "Running";
	case PIC_HEALTH_OVER:
		return "Expired";
	case PIC_HEALTH_UNDER_WAY:
		return "Waiting";
	case PIC_HEALTH_STOPPED:
		return "Stopped";
	case PIC_HEALTH_BAD:
		return "Failed";
	}
	return "Failed";
}

/* `properties` is a map of texts: the original's agent reads nothing else. */
struct pic_json *pic_catalog_status_json(const struct pic_catalog_status *status, bool terminating)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *properties = pic_json_new_object();

	pic_json_set_text(properties, "status", status_word(status, terminating));
	pic_json_each(status->texts, i) {
		char key[PIC_NAME_MAX + 16] = "components.";

		strncat(key, pic_json_key(i), PIC_NAME_MAX);
		pic_json_set(properties, key, pic_json_ref(pic_json_value(i)));
	}
	pic_json_set(json, "properties", properties);
	if (status->components)
		pic_json_set(json, "components", pic_json_ref(status->components));
	return json;
}

void pic_catalog_status_free(struct pic_catalog_status *status)
{
	pic_json_unref(status->components);
	pic_json_unref(status->texts);
	*status = (struct pic_catalog_status){ .before = NULL };
}
