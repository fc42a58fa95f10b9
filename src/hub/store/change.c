/*
 * A change: collected, then applied to memory as a whole, handed to the writer, and taken back when
 * the disk refuses it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "crypto/digest.h"
#include "hub/store/memory.h"

#define OBJECT_SIZE_MAX (16 * 1024 * 1024)
#define NOTE_TEXT_MAX 1024
#define UID_TEXT 37

struct pic_change *pic_change_new(struct pic_store *store, const struct pic_actor *actor)
{
	struct pic_change *change = calloc(1, sizeof(*change));

	if (!change)
		return NULL;
	change->store = store;
	change->who = strdup(actor->who ? actor->who : "");
	change->where = strdup(actor->where ? actor->where : "");
	change->verb = strdup(actor->verb ? actor->verb : "");
	if (!change->who || !change->where || !change->verb) {
		pic_change_drop(change);
		return NULL;
	}
	return change;
}

static void step_free(struct pic_change_step *step)
{
	pic_json_unref(step->put);
	free(step->space);
	free(step->name);
	pic_object_unref(step->before);
	pic_object_unref(step->after);
}

static void write_free(struct pic_write *write)
{
	for (size_t i = 0; i < write->object_count; i++)
		free((char *)write->objects[i].json);
	free(write->objects);
	for (size_t i = 0; i < write->note_count; i++) {
		free((char *)write->notes[i].object);
		free((char *)write->notes[i].text);
	}
	free(write->notes);
}

void pic_change_drop(struct pic_change *change)
{
	if (!change)
		return;
	for (size_t i = 0; i < change->step_count; i++)
		step_free(&change->steps[i]);
	free(change->steps);
	write_free(&change->write);
	for (size_t i = 0; i < change->write.sync_count; i++)
		close(change->sync_fds[i]);
	free(change->sync_fds);
	free(change->who);
	free(change->where);
	free(change->verb);
	free(change);
}

static struct pic_change_step *add_step(struct pic_change *change)
{
	struct pic_change_step *steps =
		reallocarray(change->steps, change->step_count + 1, sizeof(*steps));

	if (!steps) {
		change->failed = true;
		return NULL;
	}
	change->steps = steps;
	struct pic_change_step *step = &steps[change->step_count++];
	*step = (struct pic_change_step){ .put = NULL };
	return step;
}

int pic_change_put(struct pic_change *change, enum pic_kind kind, struct pic_json *json,
		   struct pic_error *err)
{
	PIC_JSON struct pic_json *owned = json;
	const char *name = pic_json_text(pic_json_find(json, "metadata", "name", NULL));

	if (!change)
		return pic_error_set(err, -ENOMEM, "no memory for a change");
	if (!name || !*name)
		return pic_error_set(err, -EINVAL, "an object of kind %s has no metadata.name",
				     pic_store_kind_text(kind));
	struct pic_change_step *step = add_step(change);
	if (!step)
		return pic_error_set(err, -ENOMEM, "no memory to change %s",
				     pic_store_kind_text(kind));
	step->kind = kind;
	step->put = PIC_STEAL(owned);
	return 0;
}

void pic_change_delete(struct pic_change *change, enum pic_kind kind, const char *space,
		       const char *name)
{
	struct pic_change_step *step = change ? add_step(change) : NULL;

	if (!step)
		return;
	step->kind = kind;
	step->space = strdup(space);
	step->name = strdup(name);
	if (!step->space || !step->name)
		change->failed = true;
}

void pic_change_sync(struct pic_change *change, int fd)
{
	int *fds =
		change ? reallocarray(change->sync_fds, change->write.sync_count + 1, sizeof(*fds))
		       : NULL;

	if (!fds) {
		if (change)
			change->failed = true;
		close(fd);
		return;
	}
	fds[change->write.sync_count++] = fd;
	change->sync_fds = fds;
	change->write.sync_fds = fds;
}

static void uid_make(char out[UID_TEXT])
{
	unsigned char bytes[16];
	char hex[33];

	pic_random_bytes(bytes, sizeof(bytes));
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	pic_hex_encode(bytes, sizeof(bytes), hex);
	snprintf(out, UID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		 hex + 20);
}

/* A tree whose first level and metadata are its own: the rest is shared and never written to. */
static struct pic_json *own_metadata(struct pic_json *json)
{
	struct pic_json *own = pic_json_new_object();

	pic_json_each(json, i) {
		const char *key = pic_json_key(i);
		bool metadata = strcmp(key, "metadata") == 0;

		if (pic_json_set(own, key,
				 metadata ? pic_json_copy(pic_json_value(i))
					  : pic_json_ref(pic_json_value(i))) < 0) {
			pic_json_unref(own);
			return NULL;
		}
	}
	return own;
}

static int set_revision(struct pic_json *json, int64_t revision)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)revision);
	return pic_json_set_text(pic_json_get(json, "metadata"), "resourceVersion", text);
}

/* What the store owns in metadata: identity and birth stay what they were. */
static int settle_identity(struct pic_json *json, const struct pic_object *before, int64_t now_ms)
{
	struct pic_json *metadata = pic_json_get(json, "metadata");
	const char *created = before ? pic_json_text(pic_json_find(before->json, "metadata",
								   "creationTimestamp", NULL))
				     : NULL;
	char uid[UID_TEXT], time[PIC_TIME_TEXT];

	uid_make(uid);
	pic_time_format(now_ms, time);
	int r = pic_json_set_text(metadata, "uid", before && *before->uid ? before->uid : uid);
	if (r == 0)
		r = pic_json_set_text(metadata, "creationTimestamp", created ? created : time);
	return r;
}

/* The object as it will stand in the index, or NULL in *out when it would be what is there already. */
static int build(struct pic_store *store, const struct pic_change_step *step, int64_t now_ms,
		 struct pic_object **out, struct pic_error *err)
{
	PIC_JSON struct pic_json *json = own_metadata(step->put);
	PIC_CLEANUP(pic_object_unref_pointer) struct pic_object *probe = NULL;
	int r;

	if (!json)
		return pic_error_set(err, -ENOMEM, "no memory to change %s",
				     pic_store_kind_text(step->kind));
	r = pic_object_new(&probe, step->kind, pic_json_ref(json), err);
	if (r < 0)
		return r;
	struct pic_object *before =
		pic_index_get(&store->kinds[step->kind], probe->space, probe->name);
	if (settle_identity(json, before, now_ms) < 0 ||
	    set_revision(json, before ? before->revision : 0) < 0)
		return pic_error_set(err, -ENOMEM, "no memory to change %s %s",
				     pic_store_kind_text(step->kind), probe->name);
	if (before && pic_json_equal(json, before->json)) {
		*out = NULL;
		return 0;
	}
	if (set_revision(json, store->revision + 1) < 0)
		return pic_error_set(err, -ENOMEM, "no memory to change %s %s",
				     pic_store_kind_text(step->kind), probe->name);
	return pic_object_new(out, step->kind, PIC_STEAL(json), err);
}

static int apply_put(struct pic_store *store, struct pic_change_step *step, int64_t now_ms,
		     struct pic_error *err)
{
	struct pic_object *object = NULL;
	int r = build(store, step, now_ms, &object, err);

	if (r < 0 || !object)
		return r;
	r = pic_index_put(&store->kinds[step->kind], pic_object_ref(object), &step->before);
	if (r < 0) {
		pic_object_unref(object);
		pic_object_unref(object);
		return pic_error_set(err, r, "no memory to change %s",
				     pic_store_kind_text(step->kind));
	}
	step->after = object;
	step->applied = true;
	step->revision = ++store->revision;
	return 0;
}

static void apply_delete(struct pic_store *store, struct pic_change_step *step)
{
	step->before = pic_index_take(&store->kinds[step->kind], step->space, step->name);
	if (!step->before)
		return;
	step->applied = true;
	step->revision = ++store->revision;
}

static void undo_step(struct pic_store *store, struct pic_change_step *step)
{
	struct pic_object *replaced = NULL;

	if (!step->applied)
		return;
	step->applied = false;
	if (!step->before)
		pic_object_unref(pic_index_take(&store->kinds[step->kind], step->after->space,
						step->after->name));
	else if (pic_index_put(&store->kinds[step->kind], pic_object_ref(step->before),
			       &replaced) == 0)
		pic_object_unref(replaced);
}

void pic_change_undo(struct pic_change *change, struct pic_event_list *events)
{
	for (size_t i = change->step_count; i-- > 0;) {
		struct pic_change_step *step = &change->steps[i];

		if (!step->applied)
			continue;
		undo_step(change->store, step);
		if (pic_event_list_add(events, step->kind, step->after, step->before,
				       step->revision) < 0) {
			/* Memory and its readers would disagree; the disk holds the truth. */
			pic_log(PIC_LOG_ERROR, "store-out-of-memory", PIC_TEXT("kind", "undo"));
			abort();
		}
	}
}

static int apply_all(struct pic_change *change, struct pic_error *err)
{
	struct pic_store *store = change->store;
	int r = pic_event_list_reserve(&store->applied, change->step_count);

	if (r < 0 || change->failed)
		return pic_error_set(err, -ENOMEM, "no memory for the change \"%s\" of %s",
				     change->verb, change->who);
	for (size_t i = 0; i < change->step_count && r == 0; i++) {
		struct pic_change_step *step = &change->steps[i];

		if (step->put)
			r = apply_put(store, step, change->time_ms, err);
		else
			apply_delete(store, step);
	}
	for (size_t i = change->step_count; r < 0 && i-- > 0;)
		undo_step(store, &change->steps[i]);
	return r;
}

/* Kinds that are notes themselves, or only a memory of ours, stay out of the journal. */
static bool is_journalled(enum pic_kind kind)
{
	return kind != PIC_KIND_EVENT && kind != PIC_KIND_TOMBSTONE;
}

static const char *what_changed(const struct pic_change_step *step)
{
	if (!step->after)
		return "deleted";
	if (!step->before)
		return "created";
	if (!pic_json_equal(pic_object_spec(step->before), pic_object_spec(step->after)))
		return "spec changed";
	if (!pic_json_equal(pic_object_status(step->before), pic_object_status(step->after)))
		return "status changed";
	return "metadata changed";
}

static int add_note(struct pic_change *change, char *object, char *text)
{
	struct pic_write *write = &change->write;

	if (!object || !text) {
		free(object);
		free(text);
		return -ENOMEM;
	}
	write->notes[write->note_count++] = (struct pic_journal_row){ change->time_ms, change->who,
								      change->where,   change->verb,
								      object,	       text };
	return 0;
}

static int note_step(struct pic_change *change, const struct pic_change_step *step)
{
	const struct pic_object *object = step->after ? step->after : step->before;
	char *name = NULL, *text = NULL;

	if (!is_journalled(step->kind))
		return 0;
	if (asprintf(&name, "%s %s%s%s", pic_store_kind_text(step->kind), object->space,
		     *object->space ? "/" : "", object->name) < 0)
		name = NULL;
	if (asprintf(&text, "%s, revision %lld", what_changed(step), (long long)step->revision) < 0)
		text = NULL;
	return add_note(change, name, text);
}

static int row_of_step(struct pic_change *change, const struct pic_change_step *step,
		       struct pic_error *err)
{
	const struct pic_object *object = step->after ? step->after : step->before;
	struct pic_database_object *row = &change->write.objects[change->write.object_count];
	PIC_BUF struct pic_buf json = PIC_BUF_INIT(OBJECT_SIZE_MAX);

	if (step->after) {
		pic_json_write(object->json, PIC_JSON_COMPACT, &json);
		int r = pic_buf_check(&json, object->name, err);
		if (r < 0)
			return r;
	}
	*row = (struct pic_database_object){
		.kind = pic_store_kind_text(step->kind),
		.space = object->space,
		.name = object->name,
		.revision = step->revision,
		.json_size = json.size,
	};
	row->json = step->after ? pic_buf_take(&json) : NULL;
	change->write.object_count++;
	return 0;
}

static int prepare_write(struct pic_change *change, struct pic_error *err)
{
	struct pic_write *write = &change->write;

	write->revision = change->store->revision;
	write->objects = calloc(change->step_count + 1, sizeof(*write->objects));
	write->notes = calloc(change->step_count + 1, sizeof(*write->notes));
	if (!write->objects || !write->notes)
		return pic_error_set(err, -ENOMEM, "no memory for the change \"%s\"", change->verb);
	for (size_t i = 0; i < change->step_count; i++) {
		const struct pic_change_step *step = &change->steps[i];

		if (!step->applied)
			continue;
		int r = row_of_step(change, step, err);
		if (r < 0)
			return r;
		if (note_step(change, step) < 0)
			return pic_error_set(err, -ENOMEM, "no memory for the journal");
	}
	return 0;
}

static int apply(struct pic_change *change, struct pic_error *err)
{
	int r = apply_all(change, err);

	if (r == 0)
		r = prepare_write(change, err);
	for (size_t i = change->step_count; r < 0 && i-- > 0;)
		undo_step(change->store, &change->steps[i]);
	return r;
}

static void queue_events(struct pic_change *change)
{
	for (size_t i = 0; i < change->step_count; i++) {
		const struct pic_change_step *step = &change->steps[i];

		/* The room was reserved before anything was applied. */
		if (step->applied)
			pic_event_list_add(&change->store->applied, step->kind, step->before,
					   step->after, step->revision);
	}
}

void pic_change_commit(struct pic_change *change, pic_change_done_fn *done, void *data)
{
	static const struct pic_error no_memory = { -ENOMEM, "no memory for a change" };

	if (!change) {
		if (done)
			done(data, -ENOMEM, &no_memory);
		return;
	}
	struct pic_store *store = change->store;
	change->done = done;
	change->done_data = data;
	change->time_ms = pic_clock_wall_ms();
	change->write.status = apply(change, &change->write.error);
	if (change->write.status < 0) {
		write_free(&change->write);
		change->write.object_count = change->write.note_count = 0;
		change->write.objects = NULL;
		change->write.notes = NULL;
	} else {
		queue_events(change);
	}
	store->under_way++;
	pic_writer_submit(store->writer, &change->write);
	pic_store_tell_applied(store);
}

/* A stranger's text may be long; it is cut between two characters. */
static char *copy_note(const char *text)
{
	size_t size = strlen(text);
	char *copy;

	if (size > NOTE_TEXT_MAX)
		size = pic_utf8_cut(text, NOTE_TEXT_MAX);
	copy = malloc(size + 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

void pic_store_journal(struct pic_store *store, const struct pic_actor *actor, const char *object,
		       const char *text)
{
	struct pic_change *change = pic_change_new(store, actor);

	if (!change)
		return;
	change->time_ms = pic_clock_wall_ms();
	change->write.notes = calloc(1, sizeof(*change->write.notes));
	if (!change->write.notes || add_note(change, copy_note(object), copy_note(text)) < 0) {
		pic_change_drop(change);
		return;
	}
	store->under_way++;
	pic_writer_submit(store->writer, &change->write);
}
