#include "hub/device_api/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* A device that takes nothing new must not make its record grow for ever. */
#define DOCUMENTS_MAX 64
#define DOCUMENTS_KEPT 4

static const char *text_of(const struct pic_json *object, const char *key)
{
	const char *text = pic_json_get_text(object, key);

	return text ? text : "";
}

static int64_t number_of(const struct pic_json *object, const char *key)
{
	long long number = 0;

	pic_json_integer(pic_json_get(object, key), &number);
	return number;
}

const char *pic_record_epoch(const struct pic_object *device)
{
	return text_of(pic_object_spec(device), "epoch");
}

const char *pic_record_quarantine(const struct pic_object *device)
{
	return text_of(pic_object_status(device), "quarantine");
}

int64_t pic_record_revision(const struct pic_object *device)
{
	return number_of(pic_object_status(device), "revision");
}

bool pic_record_is_online(const struct pic_object *device)
{
	return pic_json_true(pic_json_get(pic_object_status(device), "online"));
}

int64_t pic_record_lease_max(const struct pic_object *device)
{
	long long seconds = 0;

	pic_json_integer(pic_json_find(device ? pic_object_status(device) : NULL, "report", "agent",
				       "lease-max-seconds", NULL),
			 &seconds);
	return seconds > 0 ? seconds : 0;
}

bool pic_record_accepts_epoch(const struct pic_object *device)
{
	return pic_json_true(pic_json_get(pic_object_spec(device), "acceptEpoch"));
}

/* "<revision> <issued ms> <sha256>" */
static bool parse_given(const char *text, struct pic_given_document *out)
{
	int used = 0;

	return text &&
	       sscanf(text, "%" SCNd64 " %" SCNd64 " %n", &out->revision, &out->issued_ms, &used) ==
		       2 &&
	       used && pic_sha256_parse(text + used, &out->digest) == 0;
}

static bool was_given(const struct pic_json *documents, int64_t revision,
		      const struct pic_sha256 *digest, struct pic_given_document *out)
{
	for (size_t i = pic_json_count(documents); i-- > 0;) {
		struct pic_given_document given;

		if (!parse_given(pic_json_text(pic_json_at(documents, i)), &given) ||
		    given.revision != revision)
			continue;
		if (digest && !pic_sha256_equal(&given.digest, digest))
			continue;
		if (out)
			*out = given;
		return true;
	}
	return false;
}

static struct pic_json *documents_of(const struct pic_object *device)
{
	return pic_json_get(pic_object_status(device), "documents");
}

enum pic_claim_kind pic_record_judge(const struct pic_object *device, const struct pic_claim *claim)
{
	if (!*claim->epoch)
		return PIC_CLAIM_NOTHING;
	if (strcmp(claim->epoch, pic_record_epoch(device)) != 0)
		return PIC_CLAIM_FOREIGN;
	if (!was_given(documents_of(device), claim->revision, &claim->digest, NULL))
		return PIC_CLAIM_UNKNOWN;
	return claim->revision < pic_record_revision(device) ? PIC_CLAIM_BEHIND : PIC_CLAIM_CURRENT;
}

bool pic_record_given(const struct pic_object *device, int64_t revision,
		      struct pic_given_document *out)
{
	return was_given(documents_of(device), revision, NULL, out);
}

/* A copy whose members are shared. */
static struct pic_json *shallow_copy(const struct pic_json *object)
{
	struct pic_json *copy = pic_json_new_object();

	pic_json_each(object, i)
		pic_json_set(copy, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	return copy;
}

struct pic_json *pic_record_edit(const struct pic_object *device)
{
	struct pic_json *json = shallow_copy(device->json);

	pic_json_set(json, "spec", shallow_copy(pic_object_spec(device)));
	pic_json_set(json, "status", shallow_copy(pic_object_status(device)));
	return json;
}

static struct pic_json *spec_of(struct pic_json *json)
{
	return pic_json_get(json, "spec");
}

static struct pic_json *status_of(struct pic_json *json)
{
	return pic_json_get(json, "status");
}

static void set_time(struct pic_json *object, const char *key, int64_t wall_ms)
{
	char text[PIC_TIME_TEXT];

	pic_time_format(wall_ms, text);
	pic_json_set_text(object, key, text);
}

static struct pic_json *new_record(const char *name, const char *epoch)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	struct pic_json *spec = pic_json_ensure_object(json, "spec");
	struct pic_json *status = pic_json_ensure_object(json, "status");

	pic_json_set_text(metadata, "name", name);
	pic_json_set_text(spec, "epoch", epoch);
	pic_json_set_integer(status, "revision", 0);
	pic_json_set(status, "documents", pic_json_new_array());
	return json;
}

struct pic_json *pic_record_enrol(const struct pic_object *known,
				  const struct pic_record_enrolment *enrolment)
{
	struct pic_json *json = known ? pic_record_edit(known)
				      : new_record(enrolment->name, enrolment->epoch);
	char pin[PIC_SHA256_TEXT];

	pic_sha256_text(&enrolment->key_pin, pin);
	pic_json_set_text(spec_of(json), "keyPin", pin);
	pic_json_delete(spec_of(json), "nextKeyPin");
	pic_json_delete(spec_of(json), "acceptEpoch");
	pic_json_set_text(spec_of(json), "certificateSerial", enrolment->serial);
	set_time(spec_of(json), "enrolledAt", enrolment->now_ms);
	pic_json_delete(status_of(json), "quarantine");
	pic_json_delete(status_of(json), "session");
	return json;
}

void pic_record_new_epoch(struct pic_json *json, const char *epoch)
{
	pic_json_set_text(spec_of(json), "epoch", epoch);
	pic_json_delete(spec_of(json), "acceptEpoch");
	pic_json_set(status_of(json), "documents", pic_json_new_array());
	pic_json_delete(status_of(json), "documentDigest");
	pic_json_set_integer(status_of(json), "removedThrough", 0);
}

static void keep_documents(struct pic_json *list, const struct pic_json *old, int64_t from)
{
	size_t count = pic_json_count(old);

	for (size_t i = count > DOCUMENTS_MAX ? count - DOCUMENTS_MAX : 0; i < count; i++) {
		struct pic_json *text = pic_json_at(old, i);
		struct pic_given_document given;

		if (parse_given(pic_json_text(text), &given) &&
		    (given.revision >= from || count - i <= DOCUMENTS_KEPT))
			pic_json_append(list, pic_json_ref(text));
	}
}

void pic_record_give(struct pic_json *json, const struct pic_claim *claim,
		     const struct pic_given_document *given)
{
	const bool ours = strcmp(claim->epoch, text_of(spec_of(json), "epoch")) == 0;
	struct pic_json *list = pic_json_new_array();
	char text[PIC_SHA256_TEXT + 48], hex[PIC_SHA256_TEXT];

	keep_documents(list, pic_json_get(status_of(json), "documents"),
		       ours ? claim->revision : 0);
	pic_sha256_text(&given->digest, hex);
	snprintf(text, sizeof(text), "%" PRId64 " %" PRId64 " %s", given->revision,
		 given->issued_ms, hex);
	pic_json_append_text(list, text);
	pic_json_set(status_of(json), "documents", list);
	pic_json_set_text(status_of(json), "documentDigest", hex);
}

void pic_record_report(struct pic_json *json, const struct pic_report *report,
		       struct pic_json *body, int64_t now_ms)
{
	struct pic_json *status = status_of(json);

	pic_json_set(status, "report", pic_json_ref(body));
	set_time(status, "reportedAt", now_ms);
	pic_json_set_text(status, "session", report->session);
	if (strcmp(report->epoch, text_of(spec_of(json), "epoch")) != 0)
		return; /* what it proves belongs to another numbering */
	pic_json_set_integer(status, "removedThrough", report->removed_through);
	pic_json_delete(spec_of(json), "acceptEpoch");
}

void pic_record_seen(struct pic_json *json, bool online, const char *address, int64_t now_ms)
{
	struct pic_json *status = status_of(json);

	pic_json_set_bool(status, "online", online);
	set_time(status, "lastSeen", now_ms);
	if (address)
		pic_json_set_text(status, "address", address);
}
