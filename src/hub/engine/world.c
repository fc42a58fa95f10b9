#include "hub/engine/world.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "hub/approval/approval.h"
#include "hub/device_api/record.h"
#include "hub/engine/match.h"
#include "hub/engine/staged.h"

static bool is_overlaid(const struct pic_world *world, const struct pic_object *object)
{
	for (size_t i = 0; i < world->overlay_count; i++)
		if (world->overlay[i]->kind == object->kind &&
		    strcmp(world->overlay[i]->name, object->name) == 0 &&
		    strcmp(world->overlay[i]->space, object->space) == 0)
			return true;
	return false;
}

struct pic_object *pic_world_get(const struct pic_world *world, enum pic_kind kind,
				 const char *space, const char *name)
{
	for (size_t i = 0; i < world->overlay_count; i++)
		if (world->overlay[i]->kind == kind && strcmp(world->overlay[i]->name, name) == 0 &&
		    strcmp(world->overlay[i]->space, space) == 0)
			return world->overlay[i];
	return pic_store_get(world->store, kind, space, name);
}

static int by_name(const void *a, const void *b)
{
	const struct pic_object *one = *(struct pic_object *const *)a;
	const struct pic_object *other = *(struct pic_object *const *)b;
	int order = strcmp(one->space, other->space);

	return order ? order : strcmp(one->name, other->name);
}

int pic_world_list(const struct pic_world *world, enum pic_kind kind, const char *space,
		   struct pic_object ***out, size_t *count, struct pic_error *err)
{
	size_t room = pic_store_count(world->store, kind) + world->overlay_count + 1, used = 0;
	struct pic_object **list = calloc(room, sizeof(*list));

	if (!list)
		return pic_error_set(err, -ENOMEM, "no memory to list objects");
	for (struct pic_object *object = pic_store_next(world->store, kind, space, NULL); object;
	     object = pic_store_next(world->store, kind, space, object))
		if (!is_overlaid(world, object))
			list[used++] = object;
	for (size_t i = 0; i < world->overlay_count; i++)
		if (world->overlay[i]->kind == kind &&
		    (!space || strcmp(world->overlay[i]->space, space) == 0))
			list[used++] = world->overlay[i];
	if (world->overlay_count > 0)
		qsort(list, used, sizeof(*list), by_name);
	*out = list;
	*count = used;
	return 0;
}

const char *pic_world_runtime_target(const char *instance)
{
	return pic_text_starts(instance, PIC_ENGINE_RUNTIME_PREFIX)
		       ? instance + strlen(PIC_ENGINE_RUNTIME_PREFIX)
		       : NULL;
}

void pic_gathered_free(struct pic_gathered *gathered)
{
	free(gathered->targets);
	free(gathered->own);
	free(gathered->others);
	free(gathered->devices);
	free(gathered->resolutions);
	for (size_t i = 0; i < gathered->input.approval_count; i++)
		free(gathered->approvals[i]);
	free(gathered->approvals);
	*gathered = (struct pic_gathered){ .targets = NULL };
}

const struct pic_engine_device *pic_gathered_device(const struct pic_gathered *gathered,
						    const char *target)
{
	for (size_t i = 0; i < gathered->input.device_count; i++)
		if (strcmp(gathered->devices[i].target, target) == 0)
			return &gathered->devices[i];
	return NULL;
}

static void find_owner(const struct pic_world *world, struct pic_engine_input *input)
{
	const char *target = pic_world_runtime_target(input->name);
	char solution[PIC_OBJECT_NAME_MAX + 1];

	if (target) {
		input->owner = pic_world_get(world, PIC_KIND_TARGET, input->space, target);
		input->solution = input->owner;
		return;
	}
	input->owner = pic_world_get(world, PIC_KIND_INSTANCE, input->space, input->name);
	if (pic_match_solution(pic_object_spec(input->owner), solution))
		input->solution = pic_world_get(world, PIC_KIND_SOLUTION, input->space, solution);
}

/* What a target runs on its own account goes nowhere else. */
static int find_targets(const struct pic_world *world, struct pic_gathered *out,
			struct pic_error *err)
{
	struct pic_engine_input *input = &out->input;
	int r = 0;

	if (!pic_world_runtime_target(input->name)) {
		r = pic_world_list(world, PIC_KIND_TARGET, input->space, &out->targets,
				   &input->target_count, err);
	} else if (input->owner) {
		out->targets = calloc(1, sizeof(*out->targets));
		if (!out->targets)
			return pic_error_set(err, -ENOMEM, "no memory to reconcile %s",
					     input->name);
		out->targets[0] = (struct pic_object *)input->owner;
		input->target_count = 1;
	}
	input->targets = (const struct pic_object *const *)out->targets;
	return r;
}

/* Own catalogs, and others of names that this instance's could have. */
static int sort_catalogs(struct pic_gathered *out, struct pic_object *const *all, size_t count,
			 struct pic_error *err)
{
	const char *name = out->input.name;
	size_t length = strlen(name);

	out->own = calloc(count + 1, sizeof(*out->own));
	out->others = calloc(count + 1, sizeof(*out->others));
	if (!out->own || !out->others)
		return pic_error_set(err, -ENOMEM, "no memory to reconcile %s", name);
	for (size_t i = 0; i < count; i++) {
		struct pic_engine_owner owner;

		if (strncmp(all[i]->name, name, length) != 0 || all[i]->name[length] != '-' ||
		    strcmp(all[i]->space, out->input.space) != 0)
			continue;
		if (pic_engine_catalog_owner(all[i], &owner) && strcmp(owner.instance, name) == 0)
			out->own[out->input.catalog_count++] = all[i];
		else
			out->others[out->input.other_count++] = all[i];
	}
	out->input.catalogs = out->own;
	out->input.others = out->others;
	return 0;
}

static void add_device(const struct pic_world *world, struct pic_gathered *out, const char *target)
{
	const struct pic_object *record = pic_world_get(world, PIC_KIND_DEVICE, "", target);
	long long removed_through = 0;

	if (!record || pic_gathered_device(out, target))
		return;
	pic_json_integer(pic_json_get(pic_object_status(record), "removedThrough"),
			 &removed_through);
	out->devices[out->input.device_count++] = (struct pic_engine_device){
		.target = record->name,
		.epoch = pic_record_epoch(record),
		.revision = pic_record_revision(record),
		.removed_through = removed_through,
		.online = pic_record_is_online(record),
		.report = pic_report_cache_get(world->reports, record),
	};
}

static bool is_wanted(const struct pic_engine_input *input, const struct pic_object *target)
{
	if (!input->owner)
		return false;
	if (input->owner->kind == PIC_KIND_TARGET)
		return input->owner == target;
	return pic_match_target(pic_object_spec(input->owner), target);
}

/* Devices of the targets that matter here: those that match and those that have a catalog. */
static int find_devices(const struct pic_world *world, struct pic_gathered *out,
			struct pic_error *err)
{
	struct pic_engine_input *input = &out->input;

	out->devices =
		calloc(input->target_count + input->catalog_count + 1, sizeof(*out->devices));
	if (!out->devices)
		return pic_error_set(err, -ENOMEM, "no memory to reconcile %s", input->name);
	for (size_t i = 0; i < input->target_count; i++) {
		const struct pic_object *target = input->targets[i];

		if (target && is_wanted(input, target))
			add_device(world, out, target->name);
	}
	for (size_t i = 0; i < input->catalog_count; i++) {
		const struct pic_object *catalog = input->catalogs[i];

		if (catalog)
			add_device(world, out, catalog->name + strlen(input->name) + 1);
	}
	input->devices = out->devices;
	return 0;
}

static void add_occupied(struct pic_engine_device *device, const struct pic_staged *staged)
{
	device->occupied += staged->count;
	device->occupied_bytes += pic_staged_bytes(staged);
}

/* A catalog ends with its target's name: so most are passed over without being read. */
static struct pic_engine_device *device_of(const struct pic_gathered *gathered,
					   const struct pic_object *catalog,
					   struct pic_engine_owner *owner)
{
	for (size_t i = 0; i < gathered->input.device_count; i++) {
		struct pic_engine_device *device = &gathered->devices[i];

		if (pic_text_ends(catalog->name, device->target) &&
		    pic_engine_catalog_owner(catalog, owner) &&
		    strcmp(owner->target, device->target) == 0)
			return device;
	}
	return NULL;
}

static int count_catalog(struct pic_gathered *out, const struct pic_object *catalog,
			 struct pic_error *err)
{
	struct pic_engine_owner owner;
	struct pic_staged staged = { .entries = NULL };
	struct pic_engine_device *device = device_of(out, catalog, &owner);
	int r = device ? pic_staged_read(catalog, 0, &staged, err) : 0;

	if (!device || r < 0)
		return r;
	if (pic_staged_highest(&staged) > device->revision)
		device->revision = pic_staged_highest(&staged);
	if (strcmp(owner.instance, out->input.name) != 0 ||
	    strcmp(catalog->space, out->input.space) != 0)
		add_occupied(device, &staged);
	pic_staged_free(&staged);
	return 0;
}

/* What other catalogs have on these devices: room they take, and revisions they were given. A record
 * that is younger than its catalogs knows less than they do. */
static int count_others(struct pic_gathered *out, struct pic_object *const *all, size_t count,
			struct pic_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = count_catalog(out, all[i], err);
	return r;
}

static bool read_resolution(const struct pic_json *json, struct pic_engine_resolution *out)
{
	const char *digest = pic_json_get_text(json, "sha256");
	long long generation = 0;

	out->component = pic_json_get_text(json, "component");
	out->url = pic_json_get_text(json, "url");
	out->failure = pic_json_get_text(json, "error");
	if (!out->component || !out->url ||
	    !pic_json_integer(pic_json_get(json, "generation"), &generation))
		return false;
	out->generation = generation;
	return out->failure || (digest && pic_sha256_parse(digest, &out->digest) == 0);
}

static int read_resolutions(struct pic_gathered *out, struct pic_error *err)
{
	const struct pic_json *list =
		pic_json_get(pic_object_status(out->input.solution), "resolved");
	size_t count = pic_json_type(list) == PIC_JSON_ARRAY ? pic_json_count(list) : 0;

	out->resolutions = calloc(count + 1, sizeof(*out->resolutions));
	if (!out->resolutions)
		return pic_error_set(err, -ENOMEM, "no memory to reconcile %s", out->input.name);
	for (size_t i = 0; i < count; i++)
		if (read_resolution(pic_json_at(list, i),
				    &out->resolutions[out->input.resolution_count]))
			out->input.resolution_count++;
	out->input.resolutions = out->resolutions;
	return 0;
}

/* Cheap, because most approvals are somebody else's. */
static bool names_instance(const struct pic_object *approval, const char *instance)
{
	const struct pic_json *items = pic_json_get(pic_object_spec(approval), "items");

	for (size_t i = 0; i < pic_json_count(items); i++) {
		const char *name = pic_json_get_text(pic_json_at(items, i), "instance");

		if (name && strcmp(name, instance) == 0)
			return true;
	}
	return false;
}

static int find_approvals(const struct pic_world *world, struct pic_gathered *out,
			  struct pic_error *err)
{
	struct pic_engine_input *input = &out->input;
	char instance[PIC_NAME_MAX + 1];
	size_t room = pic_store_count(world->store, PIC_KIND_APPROVAL);

	if (room == 0 || !pic_engine_workload_instance(input->space, input->name, instance))
		return 0;
	out->approvals = calloc(room, sizeof(struct pic_approval_facts *));
	if (!out->approvals)
		return pic_error_set(err, -ENOMEM, "no memory to reconcile %s", input->name);
	input->approvals = (const struct pic_approval_facts *const *)out->approvals;
	for (struct pic_object *object =
		     pic_store_next(world->store, PIC_KIND_APPROVAL, input->space, NULL);
	     object;
	     object = pic_store_next(world->store, PIC_KIND_APPROVAL, input->space, object)) {
		struct pic_approval_facts *facts;

		if (!names_instance(object, instance))
			continue;
		facts = malloc(sizeof(*facts));
		if (!facts)
			return pic_error_set(err, -ENOMEM, "no memory to reconcile %s",
					     input->name);
		if (pic_approval_read(object, facts, NULL) == 0)
			out->approvals[input->approval_count++] = facts;
		else /* a damaged one allows nothing */
			free(facts);
	}
	return 0;
}

int pic_world_gather(const struct pic_world *world, const char *space, const char *name,
		     int64_t now_ms, struct pic_gathered *out, struct pic_error *err)
{
	struct pic_gathered gathered = {
		.input = { .space = space, .name = name, .now_ms = now_ms },
	};
	PIC_FREE struct pic_object **catalogs = NULL;
	size_t count = 0;
	int r;

	find_owner(world, &gathered.input);
	r = find_targets(world, &gathered, err);
	if (r == 0)
		r = pic_world_list(world, PIC_KIND_CATALOG, NULL, &catalogs, &count, err);
	if (r == 0)
		r = sort_catalogs(&gathered, catalogs, count, err);
	if (r == 0)
		r = find_devices(world, &gathered, err);
	if (r == 0)
		r = count_others(&gathered, catalogs, count, err);
	if (r == 0)
		r = read_resolutions(&gathered, err);
	if (r == 0)
		r = find_approvals(world, &gathered, err);
	if (r < 0) {
		pic_gathered_free(&gathered);
		return r;
	}
	*out = gathered;
	return 0;
}
