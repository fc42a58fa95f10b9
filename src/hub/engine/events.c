#include "hub/engine/events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* The object's name and half a digest of everything that makes two events the same. */
static void event_name(const struct pic_event_subject *subject, const struct pic_engine_note *note,
		       char out[PIC_OBJECT_NAME_MAX + 1])
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);
	struct pic_sha256 digest;
	char hex[PIC_SHA256_TEXT];

	pic_buf_format(&text, "%d|%s|%s|%s|%s|%s", (int)subject->kind, subject->space,
		       subject->name, subject->uid, note->reason, note->message);
	pic_sha256_of(pic_buf_text(&text), text.size, &digest);
	pic_sha256_text(&digest, hex);
	snprintf(out, PIC_OBJECT_NAME_MAX + 1, "%.200s.%.16s", subject->name, hex);
}

static struct pic_json *involved_object(const struct pic_event_subject *subject)
{
	const struct pic_kind_facts *facts = pic_kind_facts(subject->kind);
	struct pic_json *json = pic_json_new_object();
	char version[96];

	snprintf(version, sizeof(version), "%s%s%s", facts->group, *facts->group ? "/" : "",
		 facts->version);
	pic_json_set_text(json, "apiVersion", version);
	pic_json_set_text(json, "kind", facts->name);
	pic_json_set_text(json, "namespace", subject->space);
	pic_json_set_text(json, "name", subject->name);
	if (*subject->uid)
		pic_json_set_text(json, "uid", subject->uid);
	return json;
}

static struct pic_json *new_event(const struct pic_event_subject *subject,
				  const struct pic_engine_note *note, const char *name,
				  const char *time)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	struct pic_json *source = pic_json_ensure_object(json, "source");

	pic_json_set_text(json, "apiVersion", "v1");
	pic_json_set_text(json, "kind", "Event");
	pic_json_set_text(metadata, "name", name);
	pic_json_set_text(metadata, "namespace", subject->space);
	pic_json_set(json, "involvedObject", involved_object(subject));
	pic_json_set_text(json, "reason", note->reason);
	pic_json_set_text(json, "message", note->message);
	pic_json_set_text(json, "type", note->warning ? "Warning" : "Normal");
	pic_json_set_text(source, "component", "piccolo-hub");
	pic_json_set_text(json, "firstTimestamp", time);
	pic_json_set_text(json, "lastTimestamp", time);
	pic_json_set_integer(json, "count", 1);
	return json;
}

static struct pic_json *counted_event(const struct pic_object *event, const char *time)
{
	struct pic_json *json = pic_json_copy(event->json);
	long long count = 1;

	pic_json_integer(pic_json_get(json, "count"), &count);
	pic_json_set_integer(json, "count", count + 1);
	pic_json_set_text(json, "lastTimestamp", time);
	return json;
}

static int64_t last_time(const struct pic_object *event)
{
	const char *text = pic_json_get_text(event->json, "lastTimestamp");
	int64_t time = 0;

	if (!text || pic_time_parse(text, &time) < 0)
		return 0;
	return time;
}

/* Room for one more: the one that was seen last the longest time ago goes. */
static void make_room(struct pic_store *store, struct pic_change *change)
{
	const struct pic_object *oldest = NULL;

	if (pic_store_count(store, PIC_KIND_EVENT) < PIC_EVENTS_MAX)
		return;
	for (struct pic_object *event = pic_store_next(store, PIC_KIND_EVENT, NULL, NULL); event;
	     event = pic_store_next(store, PIC_KIND_EVENT, NULL, event))
		if (!oldest || last_time(event) < last_time(oldest))
			oldest = event;
	if (oldest)
		pic_change_delete(change, PIC_KIND_EVENT, oldest->space, oldest->name);
}

int pic_events_add(struct pic_store *store, struct pic_change *change,
		   const struct pic_event_subject *subject, const struct pic_engine_note *note,
		   int64_t now_ms, struct pic_error *err)
{
	char name[PIC_OBJECT_NAME_MAX + 1], time[PIC_TIME_TEXT];

	event_name(subject, note, name);
	pic_time_format(now_ms, time);
	const struct pic_object *known = pic_store_get(store, PIC_KIND_EVENT, subject->space, name);

	if (!known)
		make_room(store, change);
	return pic_change_put(
		change, PIC_KIND_EVENT,
		known ? counted_event(known, time) : new_event(subject, note, name, time), err);
}

static int64_t gone_time(const struct pic_object *tombstone)
{
	const char *text = pic_json_get_text(pic_object_spec(tombstone), "gone");
	int64_t time = 0;

	if (!text || pic_time_parse(text, &time) < 0)
		return 0;
	return time;
}

static void expire_kind(struct pic_store *store, struct pic_change *change, enum pic_kind kind,
			int64_t now_ms, size_t *count, int64_t *next_ms)
{
	for (struct pic_object *object = pic_store_next(store, kind, NULL, NULL); object;
	     object = pic_store_next(store, kind, NULL, object)) {
		int64_t time = kind == PIC_KIND_EVENT ? last_time(object) : gone_time(object);
		int64_t end = time + PIC_EVENTS_AGE_MS;

		/* a time in the future comes from a clock that was wrong: it counts as now */
		if (time <= now_ms && end <= now_ms) {
			pic_change_delete(change, kind, object->space, object->name);
			(*count)++;
		} else if (end < *next_ms) {
			*next_ms = end;
		}
	}
}

void pic_events_expire(struct pic_store *store, struct pic_change *change, int64_t now_ms,
		       size_t *count, int64_t *next_ms)
{
	*count = 0;
	*next_ms = INT64_MAX;
	expire_kind(store, change, PIC_KIND_EVENT, now_ms, count, next_ms);
	expire_kind(store, change, PIC_KIND_TOMBSTONE, now_ms, count, next_ms);
}

int pic_events_bury(struct pic_change *change, const char *space, const char *name, int64_t now_ms,
		    struct pic_error *err)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	char time[PIC_TIME_TEXT];

	pic_time_format(now_ms, time);
	pic_json_set_text(metadata, "name", name);
	pic_json_set_text(metadata, "namespace", space);
	pic_json_set_text(pic_json_ensure_object(json, "spec"), "gone", time);
	return pic_change_put(change, PIC_KIND_TOMBSTONE, json, err);
}
