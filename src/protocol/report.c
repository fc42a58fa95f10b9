#include "protocol/report.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/version.h"
#include "protocol/place.h"

#define EPOCH_BYTES ((PIC_EPOCH_TEXT - 1) / 2)
#define SESSION_BYTES 16
#define PHASE_MAX 16

void pic_report_free(struct pic_report *report)
{
	if (!report)
		return;
	free(report->components);
	free(report);
}

static void report_free_pointer(struct pic_report **report)
{
	pic_report_free(*report);
}

static int read_phase(const struct pic_place *place, enum pic_phase *out, struct pic_error *err)
{
	char text[PHASE_MAX];
	int r = pic_place_text(place, "phase", PIC_REQUIRED, text, sizeof(text), err);

	if (r < 0)
		return r;
	if (pic_phase_parse(text, out) < 0)
		return pic_place_error(place, "phase", err, "'%s' is not a phase", text);
	return 0;
}

static int read_evidence(const struct pic_place *component, struct pic_report_component *out,
			 struct pic_error *err)
{
	struct pic_place place;
	int r;

	if (pic_json_type(pic_json_get(component->object, "evidence")) == PIC_JSON_ABSENT)
		return 0;
	r = pic_place_object(component, "evidence", &place, err);
	if (r < 0)
		return r;
	r = pic_place_integer(&place, "pid", PIC_OPTIONAL, 0, INT32_MAX, &out->pid, err);
	if (r < 0)
		return r;
	r = pic_place_integer(&place, "user", PIC_OPTIONAL, 0, UINT32_MAX, &out->user, err);
	if (r < 0)
		return r;
	r = pic_place_integer(&place, "memory-bytes", PIC_OPTIONAL, 0, INT64_MAX,
			      &out->memory_bytes, err);
	if (r < 0)
		return r;
	r = pic_place_bytes(&place, "sha256", PIC_OPTIONAL, out->digest, PIC_DIGEST_SIZE, NULL,
			    err);
	if (r < 0)
		return r;
	r = pic_place_sentence(&place, "text", out->evidence, sizeof(out->evidence), err);
	return r < 0 ? r : pic_place_time(&place, "ends-at", PIC_OPTIONAL, &out->ends_at_ms, err);
}

static int read_state(const struct pic_place *place, struct pic_report_component *out,
		      struct pic_error *err)
{
	int r = read_phase(place, &out->phase, err);

	if (r < 0)
		return r;
	r = pic_place_text(place, "reason", PIC_OPTIONAL, out->reason, sizeof(out->reason), err);
	if (r < 0)
		return r;
	r = pic_place_sentence(place, "message", out->message, sizeof(out->message), err);
	if (r < 0)
		return r;
	r = pic_place_sentence(place, "last-error", out->last_error, sizeof(out->last_error), err);
	if (r < 0)
		return r;
	r = pic_place_time(place, "last-error-at", PIC_OPTIONAL, &out->last_error_ms, err);
	if (r < 0)
		return r;
	r = pic_place_time(place, "since", PIC_OPTIONAL, &out->since_ms, err);
	if (r < 0)
		return r;
	r = pic_place_integer(place, "restarts", PIC_OPTIONAL, 0, INT64_MAX, &out->restarts, err);
	if (r < 0)
		return r;
	return pic_place_bool(place, "orphaned", &out->orphaned, err);
}

static int read_component(const struct pic_place *place, struct pic_report_component *out,
			  struct pic_error *err)
{
	int r = pic_place_name(place, "instance", PIC_REQUIRED, out->name.instance, err);

	if (r < 0)
		return r;
	r = pic_place_name(place, "component", PIC_REQUIRED, out->name.component, err);
	if (r < 0)
		return r;
	r = pic_place_text(place, "type", PIC_OPTIONAL, out->type, sizeof(out->type), err);
	if (r < 0)
		return r;
	r = read_state(place, out, err);
	return r < 0 ? r : read_evidence(place, out, err);
}

/* The document's entries, the removed ones and what runs beside them can all be in a report. */
#define COMPONENTS_MAX (4 * PIC_DOCUMENT_COMPONENTS_MAX)

static int read_components(const struct pic_place *place, struct pic_report *out,
			   struct pic_error *err)
{
	size_t count = 0;
	int r = pic_place_count(place, "components", COMPONENTS_MAX, &count, err);

	if (r < 0 || count == 0)
		return r;
	out->components = calloc(count, sizeof(*out->components));
	if (!out->components)
		return pic_error_set(err, -ENOMEM, "no memory for the report");
	out->component_count = count;
	for (size_t i = 0; i < count; i++) {
		struct pic_place item;

		r = pic_place_item(place, "components", i, &item, err);
		if (r == 0)
			r = read_component(&item, &out->components[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_agent(const struct pic_place *root, struct pic_report *out, struct pic_error *err)
{
	struct pic_place place;
	int r;

	if (pic_json_type(pic_json_get(root->object, "agent")) == PIC_JSON_ABSENT)
		return 0;
	r = pic_place_object(root, "agent", &place, err);
	if (r < 0)
		return r;
	r = pic_place_text(&place, "version", PIC_OPTIONAL, out->version, sizeof(out->version),
			   err);
	if (r < 0)
		return r;
	r = pic_place_text(&place, "boot", PIC_OPTIONAL, out->boot, sizeof(out->boot), err);
	if (r < 0)
		return r;
	r = pic_place_integer(&place, "uptime-seconds", PIC_OPTIONAL, 0, INT64_MAX,
			      &out->uptime_seconds, err);
	if (r == 0)
		r = pic_place_integer(&place, "lease-max-seconds", PIC_OPTIONAL, 0, UINT32_MAX,
				      &out->lease_max_seconds, err);
	return r < 0 ? r : pic_place_bool(&place, "clock-set", &out->clock_is_set, err);
}

/* "epoch" and "digest" are empty texts or absent while no document is in force. */
static int read_document_facts(const struct pic_place *place, struct pic_report *out,
			       struct pic_error *err)
{
	const char *epoch = pic_json_get_text(place->object, "epoch");
	int r;

	if (!epoch || !epoch[0])
		return 0;
	r = pic_place_hex(place, "epoch", PIC_REQUIRED, out->epoch, EPOCH_BYTES, err);
	if (r < 0)
		return r;
	r = pic_place_integer(place, "revision", PIC_REQUIRED, 0, INT64_MAX, &out->revision, err);
	if (r < 0)
		return r;
	r = pic_place_bytes(place, "digest", PIC_REQUIRED, out->digest, PIC_DIGEST_SIZE, NULL, err);
	if (r < 0)
		return r;
	return pic_place_integer(place, "removed-through", PIC_OPTIONAL, 0, INT64_MAX,
				 &out->removed_through, err);
}

static int read_head(const struct pic_place *place, struct pic_report *out, struct pic_error *err)
{
	int r = pic_place_protocol(place, err);

	if (r < 0)
		return r;
	r = pic_place_name(place, "device", PIC_REQUIRED, out->device, err);
	if (r < 0)
		return r;
	r = pic_place_hex(place, "session", PIC_REQUIRED, out->session, SESSION_BYTES, err);
	if (r < 0)
		return r;
	r = pic_place_integer(place, "sequence", PIC_REQUIRED, 0, INT64_MAX, &out->sequence, err);
	if (r < 0)
		return r;
	r = read_document_facts(place, out, err);
	if (r < 0)
		return r;
	return pic_place_sentence(place, "message", out->message, sizeof(out->message), err);
}

int pic_report_parse(struct pic_report **out, const char *text, size_t size, struct pic_error *err)
{
	PIC_CLEANUP(report_free_pointer) struct pic_report *report = NULL;
	PIC_JSON struct pic_json *value = NULL;
	struct pic_place place;
	int r;

	if (size > PIC_REPORT_SIZE_MAX)
		return pic_error_set(err, -EFBIG, "report: %zu bytes are more than the %d allowed",
				     size, PIC_REPORT_SIZE_MAX);
	r = pic_json_parse(&value, text, size, err);
	if (r < 0)
		return pic_error_wrap(err, r, "report");
	r = pic_place_root(&place, value, "report", err);
	if (r < 0)
		return r;
	report = calloc(1, sizeof(*report));
	if (!report)
		return pic_error_set(err, -ENOMEM, "no memory for the report");
	r = read_head(&place, report, err);
	if (r == 0)
		r = read_agent(&place, report, err);
	if (r == 0)
		r = read_components(&place, report, err);
	if (r < 0)
		return r;
	*out = PIC_STEAL(report);
	return 0;
}

static void set_digest(struct pic_json *object, const char *key,
		       const unsigned char digest[PIC_DIGEST_SIZE])
{
	static const unsigned char none[PIC_DIGEST_SIZE];
	char text[2 * PIC_DIGEST_SIZE + 1];

	if (memcmp(digest, none, sizeof(none)) == 0)
		return;
	pic_hex_encode(digest, PIC_DIGEST_SIZE, text);
	pic_json_set_text(object, key, text);
}

static void set_known(struct pic_json *object, const char *key, int64_t number)
{
	if (number)
		pic_json_set_integer(object, key, number);
}

/* Sentences may quote strangers and be cut anywhere: a text they always become. */
static void set_sentence(struct pic_json *object, const char *key, const char *text)
{
	PIC_BUF struct pic_buf escaped = PIC_BUF_INIT(4 * PIC_REPORT_TEXT_MAX);
	struct pic_json *value = pic_json_new_text(text);

	if (!value) {
		pic_text_escape(text, strlen(text), true, &escaped);
		value = pic_json_new_text(pic_buf_text(&escaped));
	}
	pic_json_set(object, key, value);
}

static struct pic_json *write_evidence(const struct pic_report_component *component)
{
	struct pic_json *object = pic_json_new_object();
	char ends_at[PIC_TIME_TEXT];

	set_known(object, "pid", component->pid);
	set_digest(object, "sha256", component->digest);
	set_known(object, "memory-bytes", component->memory_bytes);
	set_known(object, "user", component->user);
	if (component->evidence[0])
		set_sentence(object, "text", component->evidence);
	if (component->ends_at_ms) {
		pic_time_format(component->ends_at_ms, ends_at);
		pic_json_set_text(object, "ends-at", ends_at);
	}
	return object;
}

static struct pic_json *write_component(const struct pic_report_component *component)
{
	struct pic_json *object = pic_json_new_object();
	char since[PIC_TIME_TEXT], time[PIC_TIME_TEXT];

	pic_time_format(component->since_ms, since);
	pic_json_set_text(object, "instance", component->name.instance);
	pic_json_set_text(object, "component", component->name.component);
	pic_json_set_text(object, "type", component->type);
	pic_json_set_text(object, "phase", pic_phase_text(component->phase));
	pic_json_set_text(object, "reason", component->reason);
	set_sentence(object, "message", component->message);
	pic_json_set_text(object, "since", since);
	pic_json_set_integer(object, "restarts", component->restarts);
	if (component->last_error[0])
		set_sentence(object, "last-error", component->last_error);
	if (component->last_error[0] && component->last_error_ms) {
		pic_time_format(component->last_error_ms, time);
		pic_json_set_text(object, "last-error-at", time);
	}
	pic_json_set_bool(object, "orphaned", component->orphaned);
	pic_json_set(object, "evidence", write_evidence(component));
	return object;
}

static struct pic_json *write_agent(const struct pic_report *report)
{
	struct pic_json *object = pic_json_new_object();

	pic_json_set_text(object, "version", report->version);
	pic_json_set_text(object, "boot", report->boot);
	pic_json_set_integer(object, "uptime-seconds", report->uptime_seconds);
	pic_json_set_bool(object, "clock-set", report->clock_is_set);
	if (report->lease_max_seconds)
		pic_json_set_integer(object, "lease-max-seconds", report->lease_max_seconds);
	return object;
}

static void write_document_facts(const struct pic_report *report, struct pic_json *root)
{
	char digest[2 * PIC_DIGEST_SIZE + 1];

	if (!report->epoch[0])
		return;
	pic_hex_encode(report->digest, PIC_DIGEST_SIZE, digest);
	pic_json_set_text(root, "epoch", report->epoch);
	pic_json_set_integer(root, "revision", report->revision);
	pic_json_set_text(root, "digest", digest);
	pic_json_set_integer(root, "removed-through", report->removed_through);
}

int pic_report_write(const struct pic_report *report, struct pic_buf *out)
{
	PIC_JSON struct pic_json *root = pic_json_new_object();
	struct pic_json *components = pic_json_new_array();

	for (size_t i = 0; i < report->component_count; i++)
		pic_json_append(components, write_component(&report->components[i]));
	pic_json_set_integer(root, "protocol", PIC_PROTOCOL);
	pic_json_set_text(root, "device", report->device);
	pic_json_set_text(root, "session", report->session);
	pic_json_set_integer(root, "sequence", report->sequence);
	write_document_facts(report, root);
	pic_json_set(root, "agent", write_agent(report));
	set_sentence(root, "message", report->message);
	pic_json_set(root, "components", components);
	return pic_json_write(root, PIC_JSON_COMPACT, out);
}
