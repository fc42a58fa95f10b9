#include "hub/engine/part.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "hub/engine/reported.h"
#include "hub/engine/sentence.h"

static const struct pic_report_component *find_report(const struct pic_part_frame *frame,
						      const char *component)
{
	const struct pic_report *report = frame->device ? frame->device->report : NULL;

	for (size_t i = 0; report && i < report->component_count; i++)
		if (strcmp(report->components[i].name.component, component) == 0 &&
		    strcmp(report->components[i].name.instance, frame->instance) == 0)
			return &report->components[i];
	return NULL;
}

/* Why nothing the device said counts for this revision; false when it does count. */
static bool is_undelivered(const struct pic_part_frame *frame, int64_t revision,
			   struct pic_health *health)
{
	const struct pic_engine_device *device = frame->device;

	if (!device) {
		pic_health_set(health, PIC_HEALTH_UNDER_WAY, "NotEnrolled",
			       "no device has joined as %s; piccoloctl enroll %s tells how",
			       frame->target, frame->target);
		return true;
	}
	if (frame->broken & PIC_ENGINE_RULE_READY_NEEDS_REPORT)
		return false;
	if (device->report && device->report->epoch[0] &&
	    strcmp(device->report->epoch, device->epoch) != 0) {
		pic_health_set(health, PIC_HEALTH_UNDER_WAY, "EpochNotAccepted",
			       "%s holds on to what another memory of the hub told it%s%s; "
			       "piccoloctl device accept-epoch %s confirms this one",
			       frame->target, device->report->message[0] ? ": " : "",
			       device->report->message, frame->target);
		return true;
	}
	if (device->report && device->report->epoch[0] && device->report->revision >= revision)
		return false;
	pic_health_set(health, PIC_HEALTH_UNDER_WAY, "NotDelivered",
		       device->online ? "%s has not taken revision %" PRId64 " yet"
				      : "%s is offline and has not taken revision %" PRId64 " yet",
		       frame->target, revision);
	return true;
}

static enum pic_health_level level_of(enum pic_phase phase)
{
	switch (phase) {
	case PIC_PHASE_RUNNING:
	case PIC_PHASE_FINISHED:
		return PIC_HEALTH_GOOD;
	case PIC_PHASE_EXPIRED:
		return PIC_HEALTH_OVER;
	case PIC_PHASE_PENDING:
	case PIC_PHASE_FETCHING:
	case PIC_PHASE_STARTING:
	case PIC_PHASE_BACKOFF:
	case PIC_PHASE_REMOVING:
		return PIC_HEALTH_UNDER_WAY;
	case PIC_PHASE_FAILED:
	case PIC_PHASE_REFUSED:
		return PIC_HEALTH_BAD;
	case PIC_PHASE_HELD:
		return PIC_HEALTH_STOPPED;
	}
	return PIC_HEALTH_BAD;
}

/* The digest that was asked for has to be the one that runs. */
static bool has_other_digest(const struct pic_staged_entry *entry,
			     const struct pic_report_component *report)
{
	static const unsigned char none[PIC_DIGEST_SIZE];
	const char *type = pic_json_text_or(pic_json_get(entry->json, "type"), "");
	char key[32];
	struct pic_sha256 wanted;

	snprintf(key, sizeof(key), "%.15s.sha256", type);
	const char *text = pic_json_get_text(pic_json_get(entry->json, "properties"), key);

	if (!text || pic_sha256_parse(text, &wanted) < 0 ||
	    memcmp(report->digest, none, sizeof(none)) == 0)
		return false;
	return memcmp(report->digest, wanted.bytes, sizeof(wanted.bytes)) != 0;
}

static void judge(const struct pic_part_frame *frame, const struct pic_staged_entry *entry,
		  const struct pic_report_component *report, struct pic_part *part)
{
	if (!report) {
		pic_health_set(&part->health, PIC_HEALTH_UNDER_WAY, "NotReported",
			       "%s has said nothing about %s yet", frame->target, entry->name);
		return;
	}
	part->report = report;
	part->phase = pic_phase_text(report->phase);
	if (level_of(report->phase) == PIC_HEALTH_GOOD && has_other_digest(entry, report))
		pic_health_set(&part->health, PIC_HEALTH_UNDER_WAY, "OtherBytesRun",
			       "%s still runs other bytes for %s", frame->target, entry->name);
	else
		pic_health_set(&part->health, level_of(report->phase),
			       report->reason[0] ? report->reason : part->phase, "%s",
			       report->message);
}

/* Every sentence that leads a status names what it is about. */
static void name_it(const struct pic_part_frame *frame, struct pic_part *part)
{
	char message[PIC_ENGINE_MESSAGE_MAX], reason[PIC_ENGINE_REASON_MAX];

	if (part->health.level == PIC_HEALTH_GOOD)
		return;
	snprintf(reason, sizeof(reason), "%s", part->health.reason);
	snprintf(message, sizeof(message), "%s", part->health.message);
	pic_health_set(&part->health, part->health.level, reason, "%s on %s: %s", part->component,
		       frame->target, message[0] ? message : part->phase);
}

static struct pic_part part_of_removed(const struct pic_part_frame *frame,
				       const struct pic_staged_entry *entry)
{
	struct pic_part part = {
		.target = frame->target,
		.component = entry->name,
		.type = pic_json_text_or(pic_json_get(entry->json, "type"), ""),
		.phase = pic_phase_text(PIC_PHASE_REMOVING),
		.revision = entry->revision,
		.report = find_report(frame, entry->name),
	};
	bool online = frame->device && frame->device->online;

	pic_health_set(&part.health, PIC_HEALTH_UNDER_WAY, "Removing",
		       online ? "waits for %s to let go of %s"
			      : "%s is offline and has not let go of %s yet",
		       frame->target, entry->name);
	return part;
}

static void judge_reported(const struct pic_part_frame *frame, const struct pic_staged_entry *entry,
			   struct pic_part *part)
{
	switch (pic_reported_find(frame->reported, entry)) {
	case PIC_REPORTED_NOTHING:
		pic_health_set(&part->health, PIC_HEALTH_UNDER_WAY, "NotReported",
			       "the agent of %s has not reported %s yet", frame->target,
			       entry->name);
		return;
	case PIC_REPORTED_OTHER:
		pic_health_set(
			&part->health, PIC_HEALTH_UNDER_WAY, "OtherReported",
			"the agent of %s reports %s as it was staged before, not as it is now",
			frame->target, entry->name);
		return;
	case PIC_REPORTED_SAME:
		part->phase = pic_phase_text(PIC_PHASE_RUNNING);
		pic_health_set(&part->health, PIC_HEALTH_GOOD, "Reported", "%s", "");
		return;
	}
}

struct pic_part pic_part_of_entry(const struct pic_part_frame *frame,
				  const struct pic_staged_entry *entry)
{
	if (entry->removed)
		return part_of_removed(frame, entry);
	struct pic_part part = {
		.target = frame->target,
		.component = entry->name,
		.type = pic_json_text_or(pic_json_get(entry->json, "type"), ""),
		.phase = pic_phase_text(PIC_PHASE_PENDING),
		.revision = entry->revision,
	};

	if (!frame->device && frame->reported)
		judge_reported(frame, entry, &part);
	else if (!is_undelivered(frame, entry->revision, &part.health)) {
		judge(frame, entry, find_report(frame, entry->name), &part);
		name_it(frame, &part);
	}
	return part;
}

static enum pic_health_level level_of_held(enum pic_wanted_state state)
{
	if (state == PIC_WANTED_OVER)
		return PIC_HEALTH_OVER;
	return state == PIC_WANTED_WAITING ? PIC_HEALTH_UNDER_WAY : PIC_HEALTH_BAD;
}

struct pic_part pic_part_of_held(const struct pic_part_frame *frame,
				 const struct pic_wanted *wanted,
				 const struct pic_staged_entry *entry)
{
	struct pic_part part = {
		.target = frame->target,
		.component = wanted->name,
		.type = "",
		.phase = pic_phase_text(PIC_PHASE_PENDING),
	};

	if (entry && !entry->removed)
		part = pic_part_of_entry(frame, entry);
	part.component = wanted->name;
	if (wanted->state == PIC_WANTED_OVER && (!entry || entry->removed))
		part.phase = pic_phase_text(PIC_PHASE_EXPIRED);
	pic_health_set(&part.health, level_of_held(wanted->state), wanted->reason, "%s",
		       wanted->message);
	return part;
}

static void add_evidence(const struct pic_report_component *report, struct pic_json *json)
{
	static const unsigned char none[PIC_DIGEST_SIZE];
	struct pic_json *evidence = pic_json_new_object();
	char digest[2 * PIC_DIGEST_SIZE + 1], ends_at[PIC_TIME_TEXT];

	if (report->pid > 0)
		pic_json_set_integer(evidence, "pid", report->pid);
	if (report->user > 0)
		pic_json_set_integer(evidence, "user", report->user);
	if (report->evidence[0])
		pic_json_set_text(evidence, "text", report->evidence);
	if (report->ends_at_ms > 0) {
		pic_time_format(report->ends_at_ms, ends_at);
		pic_json_set_text(evidence, "endsAt", ends_at);
	}
	if (memcmp(report->digest, none, sizeof(none)) != 0) {
		pic_hex_encode(report->digest, sizeof(report->digest), digest);
		pic_json_set_text(evidence, "sha256", digest);
	}
	if (pic_json_count(evidence) > 0)
		pic_json_set(json, "evidence", evidence);
	else
		pic_json_unref(evidence);
}

/* Memory in use is left out: it changes with every report, and the metrics have it. */
static void add_report(const struct pic_report_component *report, struct pic_json *json)
{
	char since[PIC_TIME_TEXT], failed[PIC_TIME_TEXT];

	if (report->since_ms > 0) {
		pic_time_format(report->since_ms, since);
		pic_json_set_text(json, "since", since);
	}
	pic_json_set_integer(json, "restarts", report->restarts);
	if (report->last_error[0])
		pic_json_set_text(json, "lastError", report->last_error);
	if (report->last_error[0] && report->last_error_ms > 0) {
		pic_time_format(report->last_error_ms, failed);
		pic_json_set_text(json, "lastErrorAt", failed);
	}
	add_evidence(report, json);
}

static const char *part_reason(const struct pic_part *part)
{
	if (part->health.reason[0])
		return part->health.reason;
	return part->phase;
}

struct pic_json *pic_part_json(const struct pic_part *part)
{
	struct pic_json *json = pic_json_new_object();

	pic_json_set_text(json, "name", part->component);
	pic_json_set_text(json, "target", part->target);
	pic_json_set_text(json, "type", part->type);
	pic_json_set_text(json, "phase", part->phase);
	pic_json_set_text(json, "reason", part_reason(part));
	pic_json_set_text(json, "message", part->health.message);
	if (part->revision > 0)
		pic_json_set_integer(json, "revision", part->revision);
	if (part->report)
		add_report(part->report, json);
	return json;
}

void pic_part_text(const struct pic_part *part, char *out, size_t size)
{
	pic_engine_format(out, size, "%s - %s", part->phase, part->health.message);
}
