/*
 * One reconcile of one instance: targets in order, then the catalogs of targets that no longer count.
 */
#include "hub/engine/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hub/engine/gate.h"
#include "hub/engine/match.h"
#include "hub/engine/merge.h"
#include "hub/engine/reported.h"
#include "hub/engine/status.h"

struct run {
	const struct pic_engine_input *input;
	struct pic_engine_output output;
	struct pic_status_writer status;
	char instance[PIC_NAME_MAX + 1]; /* its name on devices */
	bool frozen;			 /* the solution is missing: nothing staged changes */
	bool *wanted_catalogs;		 /* by index of input->catalogs */
	int64_t settles_ms; /* what is missing may still come until then; INT64_MAX: nothing is */
	struct pic_error *err;
};

/* What is done for one target. */
struct visit {
	const char *target;
	const struct pic_engine_device *device;
	const struct pic_object *catalog; /* as it is, or NULL */
	struct pic_staged staged;
	bool stamped;
	int64_t next; /* the revision that a changed entry gets */
	bool terminating;
};

void pic_engine_output_free(struct pic_engine_output *output)
{
	for (size_t i = 0; i < output->catalog_count; i++)
		pic_json_unref(output->catalogs[i].json);
	for (size_t i = 0; i < output->forget_count; i++)
		free(output->forget[i]);
	for (size_t i = 0; i < output->need_count; i++)
		free(output->needs[i].url);
	free(output->catalogs);
	free(output->forget);
	free(output->needs);
	free(output->notes);
	pic_json_unref(output->status);
	*output = (struct pic_engine_output){ .catalogs = NULL };
}

static const struct pic_engine_device *find_device(const struct pic_engine_input *input,
						   const char *target)
{
	for (size_t i = 0; i < input->device_count; i++)
		if (strcmp(input->devices[i].target, target) == 0)
			return &input->devices[i];
	return NULL;
}

static void catalog_name(const struct run *run, const char *target,
			 char out[2 * PIC_OBJECT_NAME_MAX + 2])
{
	snprintf(out, 2 * PIC_OBJECT_NAME_MAX + 2, "%s-%s", run->input->name, target);
}

/* The target of a catalog of this instance: what its name has after the instance's. */
static const char *catalog_target(const struct run *run, const struct pic_object *catalog)
{
	size_t length = strlen(run->input->name);

	if (strncmp(catalog->name, run->input->name, length) != 0 || catalog->name[length] != '-')
		return NULL;
	return catalog->name + length + 1;
}

static const struct pic_object *find_catalog(struct run *run, const char *target)
{
	for (size_t i = 0; i < run->input->catalog_count; i++) {
		const char *name = catalog_target(run, run->input->catalogs[i]);

		if (name && strcmp(name, target) == 0) {
			run->wanted_catalogs[i] = true;
			return run->input->catalogs[i];
		}
	}
	return NULL;
}

static const struct pic_object *find_foreign(const struct run *run, const char *target)
{
	char name[2 * PIC_OBJECT_NAME_MAX + 2];

	if (run->input->broken & PIC_ENGINE_RULE_FOREIGN_IS_UNTOUCHED)
		return NULL;
	catalog_name(run, target, name);
	for (size_t i = 0; i < run->input->other_count; i++)
		if (strcmp(run->input->others[i]->name, name) == 0)
			return run->input->others[i];
	return NULL;
}

static int visit_begin(struct run *run, const char *target, const struct pic_object *catalog,
		       struct visit *visit)
{
	int r = pic_staged_read(catalog, run->input->broken, &visit->staged, run->err);

	if (r < 0)
		return r;
	visit->target = target;
	visit->catalog = catalog;
	visit->device = find_device(run->input, target);
	int64_t highest = pic_staged_highest(&visit->staged);
	int64_t document = visit->device ? visit->device->revision : 0;

	if (run->input->broken & PIC_ENGINE_RULE_REVISION_GROWS)
		visit->next = 1;
	else
		visit->next = (document > highest ? document : highest) + 1;
	return 0;
}

static int forget(struct run *run, const char *name)
{
	struct pic_engine_output *output = &run->output;
	char **names = reallocarray(output->forget, output->forget_count + 1, sizeof(*names));
	char *copy = strdup(name);

	if (names)
		output->forget = names;
	if (!names || !copy) {
		free(copy);
		return pic_error_set(run->err, -ENOMEM, "no memory to forget the catalog %s", name);
	}
	names[output->forget_count++] = copy;
	return 0;
}

static int put_catalog(struct run *run, const struct visit *visit, struct pic_json *json)
{
	struct pic_engine_output *output = &run->output;
	struct pic_engine_catalog *catalogs =
		reallocarray(output->catalogs, output->catalog_count + 1, sizeof(*catalogs));

	if (!catalogs) {
		pic_json_unref(json);
		return pic_error_set(run->err, -ENOMEM, "no memory to stage %s", run->input->name);
	}
	output->catalogs = catalogs;
	catalogs[output->catalog_count++] = (struct pic_engine_catalog){
		.json = json,
		.target = pic_json_text(
			pic_json_find(json, "metadata", "labels", "staged_target", NULL)),
		.revision = visit->stamped ? visit->next : 0,
	};
	return 0;
}

/* Puts the catalog when it differs from what is there, or lets it go when it is empty. */
static int visit_end(struct run *run, struct visit *visit, const struct pic_json *status)
{
	const struct pic_engine_input *input = run->input;
	struct pic_staged_head head = {
		.space = input->space,
		.instance = input->name,
		.target = visit->target,
		.owner = input->owner,
		.terminating = visit->terminating,
		.now_ms = input->now_ms,
		.status = status,
	};
	PIC_JSON struct pic_json *json = NULL;

	if (visit->staged.count == 0 && !(input->broken & PIC_ENGINE_RULE_EMPTY_CATALOG_GOES))
		return visit->catalog ? forget(run, visit->catalog->name) : 0;
	int r = pic_staged_write(&visit->staged, visit->catalog, &head, &json, run->err);

	if (r < 0)
		return r;
	if (visit->catalog && pic_json_equal(json, visit->catalog->json))
		return 0;
	return put_catalog(run, visit, PIC_STEAL(json));
}

static const struct pic_wanted *find_wanted(const struct pic_wanted_list *wanted, const char *name)
{
	for (size_t i = 0; wanted && i < wanted->count; i++)
		if (strcmp(wanted->items[i].name, name) == 0)
			return &wanted->items[i];
	return NULL;
}

/* Parts for the statuses: what is staged or removed, then what is held back and has nothing staged. */
static int add_parts(struct run *run, const struct visit *visit,
		     const struct pic_wanted_list *wanted, struct pic_catalog_status *catalog)
{
	struct pic_part_frame frame = {
		.target = visit->target,
		.instance = run->instance,
		.device = visit->device,
		.reported = pic_reported_list(visit->catalog),
		.broken = run->input->broken,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < visit->staged.count; i++) {
		const struct pic_staged_entry *entry = &visit->staged.entries[i];
		const struct pic_wanted *held = find_wanted(wanted, entry->name);
		struct pic_part part = held && held->state != PIC_WANTED_READY && !entry->removed
					       ? pic_part_of_held(&frame, held, entry)
					       : pic_part_of_entry(&frame, entry);

		r = pic_catalog_status_add(catalog, &part, &run->output, run->err);
	}
	for (size_t i = 0; r == 0 && wanted && i < wanted->count; i++) {
		const struct pic_staged_entry *entry =
			pic_staged_find(&visit->staged, wanted->items[i].name);

		if (wanted->items[i].state == PIC_WANTED_READY || (entry && !entry->removed))
			continue;
		struct pic_part part = pic_part_of_held(&frame, &wanted->items[i], NULL);

		r = pic_catalog_status_add(catalog, &part, &run->output, run->err);
	}
	return r;
}

static int change_lists(struct run *run, struct visit *visit, struct pic_wanted_list *wanted)
{
	struct pic_merge_frame frame = {
		.target = visit->target,
		.device = visit->device,
		.broken = run->input->broken,
		.output = &run->output,
	};
	int r = 0;

	if (wanted)
		r = pic_merge_wanted(&frame, wanted, visit->next, &visit->staged, &visit->stamped,
				     run->err);
	else if (visit->terminating)
		r = pic_merge_nothing(&frame, visit->next, &visit->staged, &visit->stamped,
				      run->err);
	if (r == 0)
		r = pic_gate_close(&frame, run->input, visit->next, &visit->staged, &visit->stamped,
				   run->err);
	return r < 0 ? r : pic_merge_done(&frame, &visit->staged, run->err);
}

/* `wanted` NULL and not terminating: the lists stay as they are. */
static int visit_target(struct run *run, struct visit *visit, struct pic_wanted_list *wanted)
{
	struct pic_catalog_status catalog = { .before = pic_object_status(visit->catalog) };
	int r = change_lists(run, visit, wanted);

	if (r == 0)
		r = add_parts(run, visit, wanted, &catalog);
	if (r == 0) {
		struct pic_json *status = pic_catalog_status_json(&catalog, visit->terminating);

		r = visit_end(run, visit, status);
		pic_json_unref(status);
	}
	if (r == 0) {
		struct pic_health health = catalog.health;

		if (wanted && wanted->reason[0])
			pic_health_set(&health, PIC_HEALTH_BAD, wanted->reason, "%s",
				       wanted->message);
		pic_status_add_target(&run->status, visit->target, &catalog, &health,
				      !visit->terminating);
	}
	pic_catalog_status_free(&catalog);
	return r;
}

static void refuse_target(struct run *run, const char *target, const struct pic_object *foreign)
{
	struct pic_catalog_status nothing = { .before = NULL };
	struct pic_health health;

	pic_health_set(
		&health, PIC_HEALTH_BAD, "NameTaken",
		"the catalog %s belongs to something else; rename the instance or the target",
		foreign->name);
	pic_status_add_target(&run->status, target, &nothing, &health, true);
}

static int wanted_target(struct run *run, const struct pic_object *target)
{
	const struct pic_object *catalog = find_catalog(run, target->name);
	const struct pic_object *foreign = catalog ? NULL : find_foreign(run, target->name);
	struct pic_wanted_list wanted = { .items = NULL };
	struct visit visit = { .target = NULL };

	if (foreign) {
		refuse_target(run, target->name, foreign);
		return 0;
	}
	int r = visit_begin(run, target->name, catalog, &visit);

	if (r == 0 && !run->frozen)
		r = pic_stage(run->input, target, &wanted, &run->output, run->err);
	if (r == 0)
		r = visit_target(run, &visit, run->frozen ? NULL : &wanted);
	pic_wanted_list_free(&wanted);
	pic_staged_free(&visit.staged);
	return r;
}

static int unwanted_catalog(struct run *run, const struct pic_object *catalog)
{
	const char *target = catalog_target(run, catalog);
	struct visit visit = { .terminating = true };

	if (!target)
		return 0;
	int r = visit_begin(run, target, catalog, &visit);

	if (r == 0)
		r = visit_target(run, &visit, NULL);
	pic_staged_free(&visit.staged);
	return r;
}

static bool is_matched(const struct run *run, const struct pic_object *target)
{
	const struct pic_engine_input *input = run->input;

	if (!input->owner || strcmp(target->space, input->space) != 0)
		return false;
	if (input->owner->kind == PIC_KIND_TARGET)
		return strcmp(target->name, input->owner->name) == 0;
	return !pic_match_inactive(pic_object_spec(input->owner)) &&
	       pic_match_target(pic_object_spec(input->owner), target);
}

static int64_t created_ms(const struct pic_object *object)
{
	const char *text =
		pic_json_text(pic_json_find(object->json, "metadata", "creationTimestamp", NULL));
	int64_t time;

	return text && pic_time_parse(text, &time) == 0 ? time : 0;
}

/* How bad it is that an object is missing which the owner names. */
static enum pic_health_level level_of_missing(struct run *run)
{
	const int64_t created = created_ms(run->input->owner), now = run->input->now_ms;

	if (now < created || now >= created + PIC_ENGINE_SETTLE_MS)
		return PIC_HEALTH_BAD;
	run->settles_ms = created + PIC_ENGINE_SETTLE_MS;
	return PIC_HEALTH_UNDER_WAY;
}

static void complain_solution(struct run *run)
{
	const enum pic_health_level level = level_of_missing(run);
	char name[PIC_OBJECT_NAME_MAX + 1];

	if (pic_match_solution(pic_object_spec(run->input->owner), name))
		pic_status_complain(&run->status, level, "SolutionNotFound",
				    "there is no solution %s; what is staged stays as it is", name);
	else
		pic_status_complain(
			&run->status, PIC_HEALTH_BAD, "SolutionNotFound",
			"the instance names no solution; what is staged stays as it is");
}

static void complain_target(struct run *run)
{
	const struct pic_json *target = pic_json_get(pic_object_spec(run->input->owner), "target");
	const char *name = pic_json_get_text(target, "name");

	if (pic_match_inactive(pic_object_spec(run->input->owner)))
		return;
	if (name && *name)
		pic_status_complain(&run->status, level_of_missing(run), "TargetNotFound",
				    "there is no target %s", name);
	else
		pic_status_complain(&run->status, level_of_missing(run), "TargetNotFound",
				    "no target fits the selector");
}

static void complain_name(struct run *run)
{
	pic_status_complain(
		&run->status, PIC_HEALTH_BAD, "NameTooLong",
		"instance and namespace together are longer than the %d bytes a device takes",
		PIC_NAME_MAX);
}

static int run_all(struct run *run)
{
	const struct pic_engine_input *input = run->input;
	bool fits = pic_engine_workload_instance(input->space, input->name, run->instance);
	size_t matched = 0;
	int r = 0;

	if (!fits && input->owner)
		complain_name(run);
	for (size_t i = 0; r == 0 && fits && i < input->target_count; i++) {
		if (!is_matched(run, input->targets[i]))
			continue;
		matched++;
		r = wanted_target(run, input->targets[i]);
	}
	for (size_t i = 0; r == 0 && (fits || !input->owner) && i < input->catalog_count; i++)
		if (!run->wanted_catalogs[i])
			r = unwanted_catalog(run, input->catalogs[i]);
	if (r < 0 || !input->owner)
		return r;
	if (run->frozen)
		complain_solution(run);
	else if (fits && matched == 0)
		complain_target(run);
	run->output.status = pic_status_json(&run->status, &run->output, run->err);
	return run->output.status ? 0 : -ENOMEM;
}

int pic_engine_reconcile(const struct pic_engine_input *input, struct pic_engine_output *out,
			 struct pic_error *err)
{
	struct run run = {
		.input = input,
		.frozen = !input->solution,
		.settles_ms = INT64_MAX,
		.err = err,
		.status = {
			.owner = input->owner,
			.now_ms = input->now_ms,
			.broken = input->broken,
		},
	};
	struct pic_object nothing = { .kind = PIC_KIND_SOLUTION };
	struct pic_engine_input changed = *input;

	if (!input->solution && (input->broken & PIC_ENGINE_RULE_SOLUTION_MISSING_KEEPS)) {
		changed.solution = &nothing;
		run.input = &changed;
		run.frozen = false;
	}
	run.wanted_catalogs = calloc(input->catalog_count + 1, sizeof(*run.wanted_catalogs));
	int r = run.wanted_catalogs ? pic_status_begin(&run.status) : -ENOMEM;

	if (r == 0)
		r = run_all(&run);
	pic_status_free(&run.status);
	free(run.wanted_catalogs);
	if (r < 0) {
		pic_engine_output_free(&run.output);
		return pic_error_set(err, r, "no memory to reconcile the instance %s", input->name);
	}
	run.output.next_ms = pic_gate_next(input);
	if (run.settles_ms < run.output.next_ms)
		run.output.next_ms = run.settles_ms;
	*out = run.output;
	return 0;
}
