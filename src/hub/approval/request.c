/* Requests: a spec that somebody wrote, checked and completed, becomes an Approval. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/utf8.h"
#include "hub/approval/room.h"
#include "hub/device_api/record.h"

#define DAY_S (24LL * 60 * 60)
#define EXPIRES_S (7 * DAY_S)
#define LENGTH_DEFAULT_S (2 * 60 * 60)
#define LENGTH_MAX_S (PIC_TICKET_LENGTH_MAX_MS / 1000)
#define APPROVERS_MAX 32
#define REASON_MAX 2000
#define TEXT_MAX 300
#define PENDING_MAX 1000 /* of all namespaces: who asks for ever must not fill the hub */
/* Counted apart: whoever has the address for http stages may ask, and keeps nobody else out. */
#define PENDING_URL_MAX 100

/* The fields of a spec. */

static int check_text(const struct pic_json *spec, const char *key, size_t maximum,
		      struct pic_error *err)
{
	const struct pic_json *value = pic_json_get(spec, key);
	const char *text = pic_json_text(value);

	if (pic_json_type(value) == PIC_JSON_ABSENT)
		return 0;
	if (!text)
		return pic_error_set(err, -EINVAL, "spec.%s of an approval must be a text", key);
	if (strlen(text) > maximum)
		return pic_error_set(err, -EINVAL,
				     "spec.%s of an approval is longer than %zu bytes", key,
				     maximum);
	return 0;
}

static int check_texts(const struct pic_json *spec, struct pic_error *err)
{
	static const struct {
		const char *key;
		size_t maximum;
	} rows[] = {
		{ "campaign", TEXT_MAX }, { "activation", TEXT_MAX },  { "stage", TEXT_MAX },
		{ "run", TEXT_MAX },	  { "requestedBy", TEXT_MAX }, { "reason", REASON_MAX },
	};

	for (size_t i = 0; i < PIC_COUNT(rows); i++) {
		int r = check_text(spec, rows[i].key, rows[i].maximum, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int check_time(const struct pic_json *spec, const char *key, struct pic_error *err)
{
	const struct pic_json *value = pic_json_get(spec, key);
	const char *text = pic_json_text(value);
	int64_t ms;

	if (pic_json_type(value) == PIC_JSON_ABSENT)
		return 0;
	if (text && pic_time_parse(text, &ms) == 0)
		return 0;
	return pic_error_set(err, -EINVAL,
			     "spec.%s of an approval must be a time like 2026-11-24T14:00:00Z",
			     key);
}

/* "" is how some say that there is none. */
static void drop_empty(struct pic_json *spec, const char *key)
{
	const char *text = pic_json_get_text(spec, key);

	if (text && !*text)
		pic_json_delete(spec, key);
}

static long long longest_lease(const struct pic_json *spec)
{
	const struct pic_json *items = pic_json_get(spec, "items");
	long long longest = 0, seconds;

	for (size_t i = 0; i < pic_json_count(items); i++) {
		const struct pic_json *facts = pic_json_get(pic_json_at(items, i), "facts");

		if (pic_json_integer(pic_json_get(facts, "leaseSeconds"), &seconds) &&
		    seconds > longest)
			longest = seconds;
	}
	return longest > 0 && longest <= LENGTH_MAX_S ? longest : LENGTH_DEFAULT_S;
}

static int complete_length(struct pic_json *spec, struct pic_error *err)
{
	const struct pic_json *length = pic_json_get(spec, "lengthSeconds");
	long long seconds;

	if (pic_json_type(length) == PIC_JSON_ABSENT) {
		if (!pic_json_get(spec, "closes"))
			pic_json_set_integer(spec, "lengthSeconds", longest_lease(spec));
		return 0;
	}
	if (pic_json_integer(length, &seconds) && seconds >= 1 && seconds <= LENGTH_MAX_S)
		return 0;
	return pic_error_set(err, -EINVAL,
			     "spec.lengthSeconds of an approval must be a number from 1 to %lld",
			     (long long)LENGTH_MAX_S);
}

static int complete_expiry(struct pic_json *spec, int64_t now_ms, struct pic_error *err)
{
	int64_t closes = pic_approval_time(spec, "closes", INT64_MAX);
	int64_t expires = pic_approval_time(spec, "expires", now_ms + EXPIRES_S * 1000);
	char text[PIC_TIME_TEXT];

	if (closes <= now_ms)
		return pic_error_set(err, -EINVAL, "spec.closes of an approval, %s, is in the past",
				     pic_json_get_text(spec, "closes"));
	if (expires <= now_ms)
		return pic_error_set(err, -EINVAL,
				     "spec.expires of an approval, %s, is in the past",
				     pic_json_get_text(spec, "expires"));
	pic_approval_time_text(expires < closes ? expires : closes, text);
	pic_json_set_text(spec, "expires", text);
	return 0;
}

static int complete_times(struct pic_json *spec, int64_t now_ms, struct pic_error *err)
{
	static const char *const keys[] = { "opens", "closes", "expires" };
	int r = 0;

	for (size_t i = 0; i < PIC_COUNT(keys) && r == 0; i++) {
		drop_empty(spec, keys[i]);
		r = check_time(spec, keys[i], err);
	}
	if (r == 0)
		r = complete_length(spec, err);
	if (r == 0)
		r = complete_expiry(spec, now_ms, err);
	return r;
}

static int check_approvers(struct pic_approvals *approvals, const struct pic_json *list,
			   struct pic_error *err)
{
	if (pic_json_type(list) != PIC_JSON_ARRAY || pic_json_count(list) > APPROVERS_MAX)
		return pic_error_set(err, -EINVAL,
				     "spec.approvers of an approval must be a list of at most %d "
				     "mail addresses",
				     APPROVERS_MAX);
	for (size_t i = 0; i < pic_json_count(list); i++) {
		const char *mail = pic_json_text(pic_json_at(list, i));

		if (!mail || !pic_approval_mail_is_valid(mail))
			return pic_error_set(
				err, -EINVAL,
				"spec.approvers[%zu] of an approval is no mail address", i);
		if (!pic_approver_find(approvals->hub->store, mail))
			return pic_error_set(
				err, -EINVAL,
				"%.100s is no approver; piccoloctl approver add %.100s", mail,
				mail);
	}
	return 0;
}

/* Nobody named: everybody who may. */
static int complete_approvers(struct pic_approvals *approvals, struct pic_json *spec,
			      struct pic_error *err)
{
	struct pic_store *store = approvals->hub->store;
	const struct pic_json *given = pic_json_get(spec, "approvers");

	if (pic_json_type(given) != PIC_JSON_ABSENT &&
	    (pic_json_type(given) != PIC_JSON_ARRAY || pic_json_count(given) > 0))
		return check_approvers(approvals, given, err);
	struct pic_json *list = pic_json_new_array();
	for (struct pic_object *one = pic_store_next(store, PIC_KIND_APPROVER, NULL, NULL); one;
	     one = pic_store_next(store, PIC_KIND_APPROVER, NULL, one)) {
		const char *mail = pic_json_get_text(pic_object_spec(one), "mail");

		if (mail && pic_approval_mail_is_valid(mail) &&
		    pic_json_count(list) < APPROVERS_MAX)
			pic_json_append_text(list, mail);
	}
	pic_json_set(spec, "approvers", list);
	return 0;
}

/* The object. */

static bool is_name_taken(struct pic_approvals *approvals, const char *space, const char *name)
{
	return pic_store_get(approvals->hub->store, PIC_KIND_APPROVAL, space, name) != NULL;
}

/* What names may be made of, out of two words of strangers. */
static void name_base(const char *a, const char *b, char out[PIC_OBJECT_NAME_MAX + 1])
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1024);
	size_t used = 0;

	pic_buf_format(&text, "%.120s-%.80s", a, b);
	for (const char *c = pic_buf_text(&text); *c; c++) {
		char letter = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
		bool good = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');

		if (good)
			out[used++] = letter;
		else if (used && out[used - 1] != '-')
			out[used++] = '-';
	}
	while (used && out[used - 1] == '-')
		used--;
	out[used] = '\0';
	if (!used)
		strcpy(out, "approval");
}

static void choose_name(struct pic_approvals *approvals, const char *space,
			const struct pic_json *spec, char out[PIC_OBJECT_NAME_MAX + 1])
{
	const char *activation = pic_json_text_or(pic_json_get(spec, "activation"), "");
	const char *stage = pic_json_text_or(pic_json_get(spec, "stage"), "");
	const char *target = pic_json_text_or(
		pic_json_get(pic_json_at(pic_json_get(spec, "items"), 0), "target"), "");
	char base[PIC_OBJECT_NAME_MAX + 1];

	if (*activation)
		name_base(activation, stage, base);
	else
		name_base(*target ? "diagnose" : "request", target, base);
	snprintf(out, PIC_OBJECT_NAME_MAX + 1, "%s", base);
	for (unsigned n = *activation ? 2 : 1; is_name_taken(approvals, space, out) || n == 1; n++)
		snprintf(out, PIC_OBJECT_NAME_MAX + 1, "%.220s-%u", base, n);
}

static struct pic_object *find_run(struct pic_approvals *approvals, const char *space,
				   const char *run)
{
	struct pic_store *store = approvals->hub->store;

	for (struct pic_object *one = pic_store_next(store, PIC_KIND_APPROVAL, space, NULL);
	     run && *run && one; one = pic_store_next(store, PIC_KIND_APPROVAL, space, one)) {
		const char *its = pic_json_get_text(pic_object_spec(one), "run");

		if (its && strcmp(its, run) == 0)
			return one;
	}
	return NULL;
}

static bool is_through_url(const struct pic_json *spec)
{
	return pic_text_starts(pic_json_text_or(pic_json_get(spec, "run"), ""),
			       PIC_APPROVAL_RUN_URL);
}

/* Each of the two origins counts its own. */
static int check_room(struct pic_approvals *approvals, const struct pic_json *spec,
		      struct pic_error *err)
{
	struct pic_store *store = approvals->hub->store;
	const bool through_url = is_through_url(spec);
	enum pic_approval_phase phase;
	size_t pending = 0;

	for (struct pic_object *one = pic_store_next(store, PIC_KIND_APPROVAL, NULL, NULL); one;
	     one = pic_store_next(store, PIC_KIND_APPROVAL, NULL, one))
		pending += pic_approval_phase_of(one, &phase) == 0 &&
			   phase == PIC_APPROVAL_PENDING &&
			   is_through_url(pic_object_spec(one)) == through_url;
	if (pending < (through_url ? PENDING_URL_MAX : PENDING_MAX))
		return 0;
	if (through_url)
		return pic_error_set(err, -EBUSY,
				     "%d requests through the address for http stages wait for a "
				     "decision; ask again when some are decided",
				     PENDING_URL_MAX);
	return pic_error_set(err, -EBUSY,
			     "%d approvals wait for a decision; reject some before new ones are "
			     "asked for",
			     PENDING_MAX);
}

static struct pic_json *first_status(struct pic_approvals *approvals, const struct pic_json *spec)
{
	const struct pic_json *approvers = pic_json_get(spec, "approvers");
	struct pic_json *status = pic_json_new_object(), *list = pic_json_new_array();

	for (size_t i = 0; approvals->mailer && i < pic_json_count(approvers); i++) {
		struct pic_json *one = pic_json_new_object();

		pic_json_set_text(one, "to", pic_json_text(pic_json_at(approvers, i)));
		pic_json_set_text(one, "state", "Queued");
		pic_json_set_integer(one, "attempts", 0);
		pic_json_append(list, one);
	}
	pic_json_set_text(status, "phase", pic_approval_phase_text(PIC_APPROVAL_PENDING));
	pic_json_set(status, "mail", list);
	return status;
}

static struct pic_json *wrap(const char *space, const char *name, struct pic_json *spec,
			     struct pic_json *status)
{
	const struct pic_kind_facts *facts = pic_kind_facts(PIC_KIND_APPROVAL);
	struct pic_json *json = pic_json_new_object();
	char version[64];

	snprintf(version, sizeof(version), "%s/%s", facts->group, facts->version);
	pic_json_set_text(json, "apiVersion", version);
	pic_json_set_text(json, "kind", facts->name);
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	pic_json_set_text(metadata, "name", name);
	pic_json_set_text(metadata, "namespace", space);
	pic_json_set_integer(metadata, "generation", 1);
	pic_json_set(json, "spec", spec);
	pic_json_set(json, "status", status);
	return json;
}

/* By the same reader as the engine's: what it would not take is not asked for. */
static int check_readable(const struct pic_json *json, struct pic_error *err)
{
	PIC_CLEANUP(pic_object_unref_pointer) struct pic_object *object = NULL;
	PIC_FREE struct pic_approval_facts *facts = calloc(1, sizeof(*facts));
	int r = facts ? pic_object_new(&object, PIC_KIND_APPROVAL, pic_json_copy(json), err)
		      : pic_error_set(err, -ENOMEM, "no memory for an approval");

	return r < 0 ? r : pic_approval_read(object, facts, err);
}

/* What the longest of its devices allows; 0: one of them has not said. */
static long long lease_max(struct pic_approvals *approvals, const struct pic_json *items)
{
	struct pic_store *store = approvals->hub->store;
	long long longest = 0;

	for (size_t i = 0; i < pic_json_count(items); i++) {
		const char *target = pic_json_get_text(pic_json_at(items, i), "target");
		int64_t seconds = target ? pic_record_lease_max(pic_store_get(
						   store, PIC_KIND_DEVICE, "", target))
					 : 0;

		if (!seconds)
			return 0;
		if (seconds > longest)
			longest = seconds;
	}
	return longest;
}

/* Nobody is asked for more than the devices will give. */
static void cap_length(struct pic_approvals *approvals, struct pic_json *spec)
{
	const int64_t now = pic_clock_wall_ms(), opens = pic_approval_time(spec, "opens", now);
	const int64_t closes = pic_approval_time(spec, "closes", 0);
	const long long most = lease_max(approvals, pic_json_get(spec, "items"));
	long long seconds = 0;

	pic_json_delete(spec, "leaseMaxSeconds"); /* it is not for who asks to say */
	pic_json_integer(pic_json_get(spec, "lengthSeconds"), &seconds);
	const int64_t asked = closes ? (closes - (opens > now ? opens : now)) / 1000 : seconds;
	if (!most || asked <= most)
		return;
	pic_json_set_integer(spec, "leaseMaxSeconds", most);
	if (seconds > most)
		pic_json_set_integer(spec, "lengthSeconds", most);
}

static int complete(struct pic_approvals *approvals, struct pic_json *spec, struct pic_error *err)
{
	char id[PIC_APPROVAL_TEXT];
	int r = check_texts(spec, err);

	if (r == 0)
		r = complete_times(spec, pic_clock_wall_ms(), err);
	if (r == 0)
		cap_length(approvals, spec);
	if (r == 0)
		r = complete_approvers(approvals, spec, err);
	pic_random_text(PIC_APPROVAL_SIZE, id);
	pic_json_set_text(spec, "id", id);
	return r;
}

/* Answers. */

struct making {
	pic_approval_made_fn *done;
	void *data;
	char name[PIC_OBJECT_NAME_MAX + 1];
};

static void on_made(void *data, int status, const struct pic_error *err)
{
	struct making *making = data;

	if (making->done)
		making->done(making->data, status < 0 ? NULL : making->name, status, err);
	free(making);
}

/* Takes the change over. */
static int commit(struct pic_change *change, const char *name, pic_approval_made_fn *done,
		  void *data, struct pic_error *err)
{
	struct making *making = calloc(1, sizeof(*making));

	if (!change || !making) {
		pic_change_drop(change);
		free(making);
		return pic_error_set(err, -ENOMEM, "no memory for an approval");
	}
	making->done = done;
	making->data = data;
	snprintf(making->name, sizeof(making->name), "%s", name);
	pic_change_commit(change, on_made, making);
	return 0;
}

static int put(struct pic_approvals *approvals, const struct pic_actor *actor,
	       struct pic_json *json, pic_approval_made_fn *done, void *data, struct pic_error *err)
{
	PIC_JSON struct pic_json *owned = json;
	(void)owned;
	const char *name = pic_json_text(pic_json_find(json, "metadata", "name", NULL));
	struct pic_change *change;
	int r = check_readable(json, err);

	if (r < 0)
		return r;
	pic_log(PIC_LOG_INFO, "approval-asked", PIC_TEXT("approval", name));
	change = pic_change_new(approvals->hub->store, actor);
	r = pic_change_put(change, PIC_KIND_APPROVAL, pic_json_ref(json), err);
	if (r < 0) {
		pic_change_drop(change);
		return r;
	}
	return commit(change, name, done, data, err);
}

/* The complete object in *out, or the name of the one that the same run has made before. */
static int prepare(struct pic_approvals *approvals, const char *space, struct pic_json *spec,
		   struct pic_json **out, const struct pic_object **before, struct pic_error *err)
{
	PIC_JSON struct pic_json *owned = spec;
	(void)owned;
	char name[PIC_OBJECT_NAME_MAX + 1];

	*out = NULL;
	*before = NULL;
	if (pic_json_type(spec) != PIC_JSON_OBJECT)
		return pic_error_set(err, -EINVAL, "the spec of an approval must be an object");
	*before = find_run(approvals, space, pic_json_get_text(spec, "run"));
	if (*before)
		return 0;
	int r = check_room(approvals, spec, err);
	if (r == 0)
		r = complete(approvals, spec, err);
	if (r < 0)
		return r;
	choose_name(approvals, space, spec, name);
	*out = wrap(space, name, pic_json_ref(spec), first_status(approvals, spec));
	return 0;
}

static int grant(struct pic_json *json, const char *by, struct pic_error *err)
{
	PIC_CLEANUP(pic_object_unref_pointer) struct pic_object *object = NULL;
	struct pic_json *status = pic_json_get(json, "status");
	const int64_t now = pic_clock_wall_ms();
	char opens[PIC_TIME_TEXT], ends[PIC_TIME_TEXT], decided[PIC_TIME_TEXT];
	int64_t opens_ms, ends_ms;
	int r = pic_object_new(&object, PIC_KIND_APPROVAL, pic_json_copy(json), err);

	if (r == 0)
		r = pic_approval_window(object, now, &opens_ms, &ends_ms, err);
	if (r < 0)
		return r;
	pic_approval_time_text(now, decided);
	pic_approval_time_text(opens_ms, opens);
	pic_approval_time_text(ends_ms, ends);
	pic_json_set_text(status, "phase", pic_approval_phase_text(PIC_APPROVAL_APPROVED));
	pic_json_set_text(status, "decidedBy", by);
	pic_json_set_text(status, "decidedAt", decided);
	pic_json_set_text(status, "opens", opens);
	pic_json_set_text(status, "ends", ends);
	pic_json_set(status, "mail", pic_json_new_array());
	return 0;
}

/* `by`: who has decided it already; NULL: it is to be asked. */
static int make(struct pic_approvals *approvals, const struct pic_actor *actor, const char *space,
		struct pic_json *spec, const char *by, pic_approval_made_fn *done, void *data,
		struct pic_error *err)
{
	const struct pic_object *before;
	struct pic_json *json;
	int r = prepare(approvals, space, spec, &json, &before, err);

	if (r < 0)
		return r;
	/* an empty change: behind the one that has made it */
	if (before)
		return commit(pic_change_new(approvals->hub->store, actor), before->name, done,
			      data, err);
	if (by)
		r = grant(json, by, err);
	if (r < 0) {
		pic_json_unref(json);
		return r;
	}
	return put(approvals, actor, json, done, data, err);
}

int pic_approval_request(struct pic_approvals *approvals, const struct pic_actor *actor,
			 const char *space, struct pic_json *spec, pic_approval_made_fn *done,
			 void *data, struct pic_error *err)
{
	return make(approvals, actor, space, spec, NULL, done, data, err);
}

int pic_approval_grant(struct pic_approvals *approvals, const struct pic_actor *actor,
		       const char *space, struct pic_json *spec, const char *by,
		       pic_approval_made_fn *done, void *data, struct pic_error *err)
{
	return make(approvals, actor, space, spec, by, done, data, err);
}
