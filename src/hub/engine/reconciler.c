#include "hub/engine/reconciler.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "hub/approval/approval.h"
#include "hub/device_api/record.h"
#include "hub/engine/events.h"
#include "hub/engine/resolver.h"
#include "hub/engine/wake.h"
#include "hub/engine/world.h"

/* What one turn of the loop does before others get theirs. */
#define ROUNDS_MAX 8
#define PAUSE_FIRST_MS 1000
#define PAUSE_LAST_MS 30000

struct pic_reconciler {
	struct pic_hub *hub;
	struct pic_resolver *resolver;
	struct pic_report_cache *reports;
	struct pic_dirty_set dirty;
	bool artifacts_changed;
	struct pic_timer *expiry;      /* of events and tombstones */
	int64_t expiry_ms;	       /* wall clock it is set for; 0: it is not */
	struct pic_timer *gate;	       /* of approvals that open or end, and of `settling` */
	int64_t gate_ms;	       /* wall clock it is set for; 0: it is not */
	struct pic_dirty_set settling; /* instances that want a look at some time */
	struct pic_timer *pause;
	int64_t pause_ms; /* > 0: writes fail, nothing is done until the timer fires */
	bool paused;
	bool writing; /* a commit of ours is on the stack */
	bool stopped;
	struct pic_reconciler_facts facts;
};

/* One look at one instance or target, and the change that comes of it. */
struct look {
	struct pic_reconciler *reconciler;
	struct pic_change *change;
	size_t steps;
	int64_t now_ms;
	struct pic_error err;
};

static void store_changed(void *data, enum pic_kind kind, struct pic_object *before,
			  struct pic_object *after, int64_t revision)
{
	struct pic_reconciler *reconciler = data;

	(void)revision;
	if (kind == PIC_KIND_ARTIFACT)
		reconciler->artifacts_changed = true;
	if (kind == PIC_KIND_DEVICE && !after)
		pic_report_cache_forget(reconciler->reports, before->name);
	pic_wake(reconciler->hub->store, &reconciler->dirty, kind, before, after,
		 reconciler->writing);
}

/* Writing. */

static void pause_over(void *data)
{
	struct pic_reconciler *reconciler = data;

	reconciler->paused = false;
}

/* Everything is looked at again, but not at once: what failed would only fail again. */
static void try_later(struct pic_reconciler *reconciler, const struct pic_error *err)
{
	reconciler->facts.failures++;
	reconciler->dirty.lost = true;
	if (reconciler->paused || reconciler->stopped)
		return;
	reconciler->pause_ms = reconciler->pause_ms ? 2 * reconciler->pause_ms : PAUSE_FIRST_MS;
	if (reconciler->pause_ms > PAUSE_LAST_MS)
		reconciler->pause_ms = PAUSE_LAST_MS;
	reconciler->paused = true;
	pic_timer_set(reconciler->pause, reconciler->pause_ms);
	pic_log(PIC_LOG_WARNING, "engine-write-failed", PIC_TEXT("error", err ? err->text : ""),
		PIC_NUMBER("retry-ms", reconciler->pause_ms));
}

static void written(void *data, int status, const struct pic_error *err)
{
	struct pic_reconciler *reconciler = data;

	if (status < 0)
		try_later(reconciler, err);
	else
		reconciler->pause_ms = 0;
}

static struct look look_begin(struct pic_reconciler *reconciler)
{
	const struct pic_actor actor = { .who = "engine", .where = "", .verb = "reconcile" };

	reconciler->facts.reconciles++;
	return (struct look){
		.reconciler = reconciler,
		.change = pic_change_new(reconciler->hub->store, &actor),
		.now_ms = pic_clock_wall_ms(),
	};
}

static void set_expiry(struct pic_reconciler *reconciler, int64_t end_ms, int64_t now_ms)
{
	if (reconciler->expiry_ms && reconciler->expiry_ms <= end_ms)
		return;
	reconciler->expiry_ms = end_ms;
	pic_timer_set(reconciler->expiry, end_ms > now_ms ? end_ms - now_ms + 1000 : 1000);
}

static void set_gate(struct pic_reconciler *reconciler, int64_t at_ms, int64_t now_ms)
{
	if (at_ms == INT64_MAX || (reconciler->gate_ms && reconciler->gate_ms <= at_ms))
		return;
	reconciler->gate_ms = at_ms;
	pic_timer_set(reconciler->gate, at_ms > now_ms ? at_ms - now_ms : 0);
}

/* Whoever an approval allows something, or waits for something, is looked at again; each sets the timer anew. */
static void gate_moves(void *data)
{
	struct pic_reconciler *reconciler = data;
	struct pic_store *store = reconciler->hub->store;
	struct pic_dirty_set settled;

	reconciler->gate_ms = 0;
	pic_dirty_take(&reconciler->settling, &settled);
	reconciler->dirty.lost |= settled.lost;
	for (size_t i = 0; i < settled.count; i++)
		pic_dirty_add(&reconciler->dirty, settled.items[i].kind, settled.items[i].space,
			      settled.items[i].name);
	pic_dirty_free(&settled);
	for (struct pic_object *object = pic_store_next(store, PIC_KIND_APPROVAL, NULL, NULL);
	     object; object = pic_store_next(store, PIC_KIND_APPROVAL, NULL, object))
		if (strcmp(pic_json_text_or(pic_json_get(pic_object_status(object), "phase"), ""),
			   pic_approval_phase_text(PIC_APPROVAL_APPROVED)) == 0)
			pic_wake_approval(&reconciler->dirty, object);
}

/* Commits what came out, or drops it when something failed. */
static void look_end(struct look *look, int r)
{
	struct pic_reconciler *reconciler = look->reconciler;

	if (r < 0)
		try_later(reconciler, &look->err);
	if (r < 0 || look->steps == 0) {
		pic_change_drop(look->change);
		return;
	}
	reconciler->facts.writes++;
	reconciler->writing = true;
	pic_change_commit(look->change, written, reconciler);
	reconciler->writing = false;
}

static int look_put(struct look *look, enum pic_kind kind, struct pic_json *json)
{
	look->steps++;
	return pic_change_put(look->change, kind, json, &look->err);
}

static struct pic_json *with_status(const struct pic_object *object, struct pic_json *status)
{
	struct pic_json *json = pic_json_new_object();

	pic_json_each(object->json, i)
		pic_json_set(json, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	pic_json_set(json, "status", pic_json_ref(status));
	return json;
}

static int put_status(struct look *look, const struct pic_object *object, struct pic_json *status)
{
	if (!object || pic_json_equal(status, pic_object_status(object)))
		return 0;
	return look_put(look, object->kind, with_status(object, status));
}

/* The record says which document its device should have. */
static int raise_revision(struct look *look, const char *target, int64_t revision)
{
	const struct pic_object *record =
		pic_store_get(look->reconciler->hub->store, PIC_KIND_DEVICE, "", target);

	if (!record || pic_record_revision(record) >= revision)
		return 0;
	struct pic_json *json = pic_record_edit(record);

	pic_json_set_integer(pic_json_get(json, "status"), "revision", revision);
	return look_put(look, PIC_KIND_DEVICE, json);
}

static int put_notes(struct look *look, const struct pic_gathered *gathered,
		     const struct pic_engine_output *output)
{
	const struct pic_engine_input *input = &gathered->input;
	const char *target = pic_world_runtime_target(input->name);
	const struct pic_event_subject subject = {
		.kind = target ? PIC_KIND_TARGET : PIC_KIND_INSTANCE,
		.space = input->space,
		.name = target ? target : input->name,
		.uid = input->owner ? input->owner->uid : "",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < output->note_count; i++) {
		r = pic_events_add(look->reconciler->hub->store, look->change, &subject,
				   &output->notes[i], look->now_ms, &look->err);
		look->steps++;
	}
	if (output->note_count > 0)
		set_expiry(look->reconciler, look->now_ms + PIC_EVENTS_AGE_MS, look->now_ms);
	return r;
}

static int forget_catalogs(struct look *look, const char *space,
			   const struct pic_engine_output *output)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < output->forget_count; i++) {
		pic_change_delete(look->change, PIC_KIND_CATALOG, space, output->forget[i]);
		r = pic_events_bury(look->change, space, output->forget[i], look->now_ms,
				    &look->err);
		look->steps += 2;
	}
	if (output->forget_count > 0)
		set_expiry(look->reconciler, look->now_ms + PIC_EVENTS_AGE_MS, look->now_ms);
	return r;
}

static int put_output(struct look *look, const struct pic_gathered *gathered,
		      const struct pic_engine_output *output)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < output->catalog_count; i++) {
		const struct pic_engine_catalog *catalog = &output->catalogs[i];

		r = look_put(look, PIC_KIND_CATALOG, pic_json_ref(catalog->json));
		if (r == 0 && catalog->revision > 0)
			r = raise_revision(look, catalog->target, catalog->revision);
	}
	if (r == 0)
		r = forget_catalogs(look, gathered->input.space, output);
	if (r == 0)
		r = put_notes(look, gathered, output);
	return r;
}

/* Looking. */

static struct pic_world world_of(const struct pic_reconciler *reconciler)
{
	return (struct pic_world){ .store = reconciler->hub->store,
				   .reports = reconciler->reports };
}

/* After the commit, because the answer may come at once, as a change of its own. */
static void ask_resolver(struct pic_reconciler *reconciler, struct pic_object *source,
			 const struct pic_engine_output *output)
{
	for (size_t i = 0; source && i < output->need_count; i++)
		pic_resolver_want(reconciler->resolver, source, output->needs[i].component,
				  output->needs[i].url);
}

static void look_at_instance(struct pic_reconciler *reconciler, const char *space, const char *name)
{
	struct look look = look_begin(reconciler);
	struct pic_world world = world_of(reconciler);
	struct pic_gathered gathered = { .targets = NULL };
	struct pic_engine_output output = { .next_ms = INT64_MAX };
	PIC_CLEANUP(pic_object_unref_pointer) struct pic_object *source = NULL;
	int r = pic_world_gather(&world, space, name, look.now_ms, &gathered, &look.err);

	if (r == 0 && (gathered.input.owner || gathered.input.catalog_count > 0))
		r = pic_engine_reconcile(&gathered.input, &output, &look.err);
	if (r == 0)
		r = put_output(&look, &gathered, &output);
	if (r == 0 && output.status)
		r = put_status(&look, gathered.input.owner, output.status);
	source = pic_object_ref((struct pic_object *)gathered.input.solution);
	if (output.next_ms < INT64_MAX)
		pic_dirty_add(&reconciler->settling, PIC_DIRTY_INSTANCE, space, name);
	set_gate(reconciler, output.next_ms, look.now_ms);
	look_end(&look, r);
	ask_resolver(reconciler, source, &output);
	pic_engine_output_free(&output);
	pic_gathered_free(&gathered);
}

static bool runs_something(const struct pic_gathered *gathered)
{
	return gathered->input.catalog_count > 0 ||
	       pic_json_count(pic_json_get(pic_object_spec(gathered->input.owner), "components")) >
		       0;
}

/* Room for a device that has no catalog here, so that its revision is still set right. */
static int target_device(struct look *look, const struct pic_gathered *gathered,
			 const struct pic_engine_output *output, const char *name)
{
	const struct pic_engine_device *device = pic_gathered_device(gathered, name);
	int64_t revision = device ? device->revision : 0;

	for (size_t i = 0; i < output->catalog_count; i++)
		if (output->catalogs[i].revision > 0)
			return 0; /* raised with the catalog */
	return raise_revision(look, name, revision);
}

static int put_target_status(struct look *look, const struct pic_gathered *gathered,
			     const struct pic_engine_output *output)
{
	const struct pic_object *target = gathered->input.owner;
	const struct pic_object *record =
		pic_store_get(look->reconciler->hub->store, PIC_KIND_DEVICE, "", target->name);
	const char *quarantine = record ? pic_record_quarantine(record) : "";
	const struct pic_engine_target_input input = {
		.target = target,
		.device = pic_gathered_device(gathered, target->name),
		.own = output->status,
		.quarantine = *quarantine ? quarantine : NULL,
		.now_ms = look->now_ms,
	};
	PIC_JSON struct pic_json *status = NULL;
	int r = pic_engine_target_status(&input, &status, &look->err);

	return r < 0 ? r : put_status(look, target, status);
}

static void look_at_target(struct pic_reconciler *reconciler, const char *space, const char *name)
{
	struct look look = look_begin(reconciler);
	struct pic_world world = world_of(reconciler);
	struct pic_gathered gathered = { .targets = NULL };
	struct pic_engine_output output = { .next_ms = INT64_MAX };
	PIC_CLEANUP(pic_object_unref_pointer) struct pic_object *source = NULL;
	char instance[sizeof(PIC_ENGINE_RUNTIME_PREFIX) + PIC_OBJECT_NAME_MAX];

	strcpy(instance, PIC_ENGINE_RUNTIME_PREFIX);
	strncat(instance, name, PIC_OBJECT_NAME_MAX);
	int r = pic_world_gather(&world, space, instance, look.now_ms, &gathered, &look.err);

	if (r == 0 && runs_something(&gathered))
		r = pic_engine_reconcile(&gathered.input, &output, &look.err);
	if (r == 0)
		r = put_output(&look, &gathered, &output);
	if (r == 0)
		r = target_device(&look, &gathered, &output, name);
	if (r == 0 && gathered.input.owner)
		r = put_target_status(&look, &gathered, &output);
	source = pic_object_ref((struct pic_object *)gathered.input.owner);
	set_gate(reconciler, output.next_ms, look.now_ms);
	look_end(&look, r);
	ask_resolver(reconciler, source, &output);
	pic_engine_output_free(&output);
	pic_gathered_free(&gathered);
}

static void look_at_all(struct pic_reconciler *reconciler, const struct pic_dirty_set *set)
{
	for (size_t i = 0; i < set->count && !reconciler->paused; i++) {
		const struct pic_dirty *item = &set->items[i];

		if (item->kind == PIC_DIRTY_INSTANCE)
			look_at_instance(reconciler, item->space, item->name);
		else
			look_at_target(reconciler, item->space, item->name);
	}
}

/* Events and tombstones that are too old. */
static void expire(void *data)
{
	struct pic_reconciler *reconciler = data;
	const struct pic_actor actor = { .who = "engine", .where = "", .verb = "expire" };
	struct pic_store *store = reconciler->hub->store;
	struct pic_change *change = pic_change_new(store, &actor);
	int64_t now_ms = pic_clock_wall_ms(), next_ms = INT64_MAX;
	size_t count = 0;

	reconciler->expiry_ms = 0;
	pic_events_expire(store, change, now_ms, &count, &next_ms);
	if (count > 0)
		pic_change_commit(change, NULL, NULL);
	else
		pic_change_drop(change);
	if (next_ms < INT64_MAX)
		set_expiry(reconciler, next_ms, now_ms);
}

void pic_reconciler_run(struct pic_reconciler *reconciler)
{
	for (int round = 0; round < ROUNDS_MAX && !reconciler->paused; round++) {
		struct pic_dirty_set set;

		if (reconciler->artifacts_changed) {
			reconciler->artifacts_changed = false;
			pic_resolver_artifacts_changed(reconciler->resolver);
		}
		if (reconciler->dirty.lost) {
			reconciler->dirty.lost = false;
			pic_wake_all(reconciler->hub->store, &reconciler->dirty);
		}
		if (reconciler->dirty.count == 0)
			return;
		pic_dirty_take(&reconciler->dirty, &set);
		look_at_all(reconciler, &set);
		pic_dirty_free(&set);
	}
}

static int64_t before_sleep(void *data)
{
	struct pic_reconciler *reconciler = data;

	if (reconciler->paused)
		return -1;
	pic_reconciler_run(reconciler);
	return reconciler->dirty.count > 0 || reconciler->dirty.lost ? 0 : -1;
}

void pic_reconciler_facts(const struct pic_reconciler *reconciler, struct pic_reconciler_facts *out)
{
	*out = reconciler->facts;
	out->waiting = reconciler->dirty.count;
}

static void free_parts(struct pic_reconciler *reconciler)
{
	pic_resolver_close(reconciler->resolver);
	pic_timer_free(reconciler->expiry);
	pic_timer_free(reconciler->pause);
	pic_timer_free(reconciler->gate);
	pic_report_cache_free(reconciler->reports);
	pic_dirty_free(&reconciler->dirty);
	pic_dirty_free(&reconciler->settling);
	free(reconciler);
}

int pic_reconciler_open(struct pic_reconciler **out, struct pic_hub *hub, struct pic_error *err)
{
	struct pic_reconciler *reconciler = calloc(1, sizeof(*reconciler));
	int r = 0;

	if (!reconciler)
		return pic_error_set(err, -ENOMEM, "no memory for the engine");
	reconciler->hub = hub;
	reconciler->reports = pic_report_cache_new();
	if (!reconciler->reports)
		r = pic_error_set(err, -ENOMEM, "no memory for the engine");
	if (r == 0)
		r = pic_resolver_open(&reconciler->resolver, hub, err);
	if (r == 0)
		r = pic_loop_timer(hub->loop, expire, reconciler, &reconciler->expiry, err);
	if (r == 0)
		r = pic_loop_timer(hub->loop, pause_over, reconciler, &reconciler->pause, err);
	if (r == 0)
		r = pic_loop_timer(hub->loop, gate_moves, reconciler, &reconciler->gate, err);
	if (r == 0)
		r = pic_loop_prepare(hub->loop, before_sleep, reconciler, err);
	if (r == 0) {
		r = pic_store_listen(hub->store, PIC_STORE_APPLIED, store_changed, reconciler);
		if (r < 0) {
			pic_loop_prepare_remove(hub->loop, before_sleep, reconciler);
			pic_error_set(err, r, "the store takes no more listeners");
		}
	}
	if (r < 0) {
		free_parts(reconciler);
		return r;
	}
	reconciler->dirty.lost = true;
	set_expiry(reconciler, pic_clock_wall_ms(), pic_clock_wall_ms());
	*out = reconciler;
	return 0;
}

void pic_reconciler_stop(struct pic_reconciler *reconciler)
{
	if (!reconciler || reconciler->stopped)
		return;
	reconciler->stopped = true;
	pic_store_ignore(reconciler->hub->store, store_changed, reconciler);
	pic_loop_prepare_remove(reconciler->hub->loop, before_sleep, reconciler);
	pic_resolver_close(reconciler->resolver);
	reconciler->resolver = NULL;
	pic_timer_cancel(reconciler->expiry);
	pic_timer_cancel(reconciler->pause);
	pic_timer_cancel(reconciler->gate);
}

void pic_reconciler_close(struct pic_reconciler *reconciler)
{
	if (!reconciler)
		return;
	if (!reconciler->stopped)
		pic_loop_prepare_remove(reconciler->hub->loop, before_sleep, reconciler);
	free_parts(reconciler);
}
