#include "hub/approval/object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_LENGTH_MAX_S (PIC_TICKET_LENGTH_MAX_MS / 1000)

static const char *const phase_texts[] = {
	[PIC_APPROVAL_PENDING] = "Pending",   [PIC_APPROVAL_APPROVED] = "Approved",
	[PIC_APPROVAL_REJECTED] = "Rejected", [PIC_APPROVAL_REVOKED] = "Revoked",
	[PIC_APPROVAL_EXPIRED] = "Expired",   [PIC_APPROVAL_ENDED] = "Ended",
};

const char *pic_approval_phase_text(enum pic_approval_phase phase)
{
	return (size_t)phase < PIC_COUNT(phase_texts) ? phase_texts[phase] : "Unknown";
}

int pic_approval_phase_of(const struct pic_object *object, enum pic_approval_phase *out)
{
	const struct pic_json *phase = pic_json_get(pic_object_status(object), "phase");
	const char *text = pic_json_text(phase);

	if (pic_json_type(phase) == PIC_JSON_ABSENT) {
		*out = PIC_APPROVAL_PENDING;
		return 0;
	}
	for (size_t i = 0; text && i < PIC_COUNT(phase_texts); i++) {
		if (strcmp(phase_texts[i], text) == 0) {
			*out = (enum pic_approval_phase)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool pic_approval_may_move(enum pic_approval_phase from, enum pic_approval_phase to)
{
	switch (from) {
	case PIC_APPROVAL_PENDING:
		return to == PIC_APPROVAL_APPROVED || to == PIC_APPROVAL_REJECTED ||
		       to == PIC_APPROVAL_EXPIRED;
	case PIC_APPROVAL_APPROVED:
		return to == PIC_APPROVAL_REVOKED || to == PIC_APPROVAL_ENDED;
	case PIC_APPROVAL_REJECTED:
	case PIC_APPROVAL_REVOKED:
	case PIC_APPROVAL_EXPIRED:
	case PIC_APPROVAL_ENDED:
		return false;
	}
	return false;
}

/* Times. */

void pic_approval_time_text(int64_t wall_ms, char out[PIC_TIME_TEXT])
{
	char seconds[PIC_TIME_TEXT];

	pic_time_format(wall_ms, seconds);
	snprintf(out, PIC_TIME_TEXT, "%.19s.%03dZ", seconds,
		 wall_ms < 0 ? 0 : (int)(wall_ms % 1000));
}

int64_t pic_approval_time(const struct pic_json *part, const char *key, int64_t fallback)
{
	const char *text = pic_json_get_text(part, key);
	int64_t ms;

	return text && pic_time_parse(text, &ms) == 0 ? ms : fallback;
}

int pic_approval_window(const struct pic_object *object, int64_t now_ms, int64_t *opens_ms,
			int64_t *ends_ms, struct pic_error *err)
{
	const struct pic_json *spec = pic_object_spec(object);
	int64_t opens = pic_approval_time(spec, "opens", now_ms);
	int64_t ends = pic_approval_time(spec, "closes", 0);
	long long seconds = 0;

	if (opens < now_ms)
		opens = now_ms;
	if (!ends) {
		if (!pic_json_integer(pic_json_get(spec, "lengthSeconds"), &seconds) ||
		    seconds < 1 || seconds > DEFAULT_LENGTH_MAX_S)
			return pic_error_set(err, -EINVAL,
					     "approval %s says neither closes nor lengthSeconds",
					     object->name);
		ends = opens + seconds * 1000;
	}
	if (pic_json_integer(pic_json_get(spec, "leaseMaxSeconds"), &seconds) && seconds > 0 &&
	    ends - opens > seconds * 1000)
		ends = opens + seconds * 1000;
	if (ends <= opens)
		return pic_error_set(err, -ETIME,
				     "approval %s can no longer be given: its window closed at %s",
				     object->name,
				     pic_json_text_or(pic_json_get(spec, "closes"), "its opening"));
	*opens_ms = opens;
	*ends_ms = ends;
	return 0;
}

/* Reading an object that anybody may have damaged. */

static int damaged(const struct pic_object *object, const char *what, struct pic_error *err)
{
	return pic_error_set(
		err, -EINVAL,
		"approval %s cannot be read (%s); it allows nothing, ask for a new one",
		object->name, what);
}

/* Exactly one lower case word of `size` bytes, so that an id has one spelling. */
static int read_hex(const char *text, void *out, size_t size)
{
	if (!text || strspn(text, "0123456789abcdef") != 2 * size || strlen(text) != 2 * size)
		return -EINVAL;
	return pic_hex_decode(text, out, size);
}

static int read_name(const struct pic_json *item, const char *key, char out[PIC_NAME_MAX + 1])
{
	const char *text = pic_json_get_text(item, key);

	if (!text || !pic_name_is_valid(text, PIC_NAME_MAX))
		return -EINVAL;
	strcpy(out, text);
	return 0;
}

static int read_grants(const struct pic_json *list, uint32_t *out)
{
	uint32_t bits = 0, bit;

	if (pic_json_type(list) != PIC_JSON_ABSENT && pic_json_type(list) != PIC_JSON_ARRAY)
		return -EINVAL;
	for (size_t i = 0; i < pic_json_count(list); i++) {
		const char *text = pic_json_text(pic_json_at(list, i));

		if (!text || pic_grant_parse(text, &bit) < 0)
			return -EINVAL;
		bits |= bit;
	}
	*out = bits;
	return 0;
}

static int read_item(const struct pic_json *json, struct pic_approval_item *out)
{
	const char *type = pic_json_get_text(json, "type");

	if (pic_json_type(json) != PIC_JSON_OBJECT || !type || !*type ||
	    strlen(type) > PIC_TYPE_MAX)
		return -EINVAL;
	strcpy(out->type, type);
	if (read_name(json, "target", out->target) < 0 ||
	    read_name(json, "instance", out->name.instance) < 0 ||
	    read_name(json, "component", out->name.component) < 0 ||
	    read_hex(pic_json_get_text(json, "sha256"), out->digest, sizeof(out->digest)) < 0 ||
	    read_hex(pic_json_get_text(json, "terms"), out->terms, sizeof(out->terms)) < 0)
		return -EINVAL;
	return read_grants(pic_json_get(json, "grants"), &out->grants);
}

static int read_items(const struct pic_object *object, struct pic_approval_facts *out,
		      struct pic_error *err)
{
	const struct pic_json *items = pic_json_get(pic_object_spec(object), "items");
	size_t count = pic_json_count(items);

	if (pic_json_type(items) != PIC_JSON_ABSENT && pic_json_type(items) != PIC_JSON_ARRAY)
		return damaged(object, "spec.items is no list", err);
	if (count > PIC_APPROVAL_ITEMS_MAX)
		return damaged(object, "spec.items has too many entries", err);
	for (size_t i = 0; i < count; i++) {
		if (read_item(pic_json_at(items, i), &out->items[i]) < 0)
			return damaged(object, "an entry of spec.items is not whole", err);
	}
	out->item_count = count;
	return 0;
}

/* What was once approved has both ends for ever; what was not has none that counts. */
static int read_times(const struct pic_object *object, struct pic_approval_facts *out,
		      struct pic_error *err)
{
	const struct pic_json *status = pic_object_status(object);

	switch (out->phase) {
	case PIC_APPROVAL_APPROVED:
	case PIC_APPROVAL_REVOKED:
	case PIC_APPROVAL_ENDED:
		break;
	default:
		return 0;
	}
	out->opens_ms = pic_approval_time(status, "opens", 0);
	out->ends_ms = pic_approval_time(status, "ends", 0);
	out->decided_ms = pic_approval_time(status, "decidedAt", 0);
	if (out->opens_ms <= 0 || out->ends_ms <= out->opens_ms)
		return damaged(object, "status.opens and status.ends are no window", err);
	return 0;
}

int pic_approval_read(const struct pic_object *object, struct pic_approval_facts *out,
		      struct pic_error *err)
{
	PIC_FREE struct pic_approval_facts *facts = calloc(1, sizeof(*facts));
	const char *id = pic_json_get_text(pic_object_spec(object), "id");

	if (!facts)
		return pic_error_set(err, -ENOMEM, "no memory to read approval %s", object->name);
	if (object->kind != PIC_KIND_APPROVAL)
		return damaged(object, "it is of another kind", err);
	if (read_hex(id, facts->id, sizeof(facts->id)) < 0)
		return damaged(object, "spec.id is not 32 hexadecimal digits", err);
	if (pic_approval_phase_of(object, &facts->phase) < 0)
		return damaged(object, "status.phase is none of ours", err);
	int r = read_items(object, facts, err);
	if (r == 0)
		r = read_times(object, facts, err);
	if (r == 0)
		*out = *facts;
	return r;
}

/* Writing. */

struct pic_json *pic_approval_status_copy(const struct pic_object *object)
{
	struct pic_json *status = pic_json_copy(pic_object_status(object));

	if (pic_json_type(status) == PIC_JSON_OBJECT)
		return status;
	pic_json_unref(status);
	return pic_json_new_object();
}

struct pic_json *pic_approval_with_status(const struct pic_object *object, struct pic_json *status)
{
	struct pic_json *json = pic_json_new_object();

	pic_json_each(object->json, i)
		pic_json_set(json, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	if (pic_json_set(json, "status", status) < 0) {
		pic_json_unref(json);
		return NULL;
	}
	return json;
}

/* People. */

bool pic_approval_mail_is_valid(const char *mail)
{
	static const char local[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "!#$%&'*+-/=?^_`{|}~.";
	static const char domain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-.";
	const char *at = mail ? strchr(mail, '@') : NULL;

	if (!at || at == mail || strlen(mail) > PIC_APPROVAL_MAIL_MAX || at - mail > 64)
		return false;
	if (strspn(mail, local) != (size_t)(at - mail) || mail[0] == '.' || at[-1] == '.')
		return false;
	return at[1] && at[1] != '.' && at[1] != '-' && strspn(at + 1, domain) == strlen(at + 1);
}

bool pic_approval_names(const struct pic_object *object, const char *mail)
{
	const struct pic_json *list = pic_json_get(pic_object_spec(object), "approvers");

	for (size_t i = 0; i < pic_json_count(list); i++) {
		const char *one = pic_json_text(pic_json_at(list, i));

		if (one && strcasecmp(one, mail) == 0)
			return true;
	}
	return false;
}
