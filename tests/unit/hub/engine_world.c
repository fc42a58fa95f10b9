#include "hub/engine_world.h"

#include <stdio.h>

void world_free(struct world *world)
{
	for (size_t i = 0; i < world->count; i++)
		pic_object_unref(world->objects[i]);
	for (size_t i = 0; i < world->device_count; i++)
		pic_report_free(world->devices[i].report);
	pic_engine_output_free(&world->last);
}

static size_t find(const struct world *world, enum pic_kind kind, const char *name)
{
	for (size_t i = 0; i < world->count; i++)
		if (world->objects[i]->kind == kind && strcmp(world->objects[i]->name, name) == 0)
			return i;
	return WORLD_MAX;
}

struct pic_object *world_get(const struct world *world, enum pic_kind kind, const char *name)
{
	size_t index = find(world, kind, name);

	return index < WORLD_MAX ? world->objects[index] : NULL;
}

void world_put(struct world *world, enum pic_kind kind, struct pic_json *json)
{
	struct pic_object *object = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_object_new(&object, kind, json, &err) < 0)
		fail_msg("%s", err.text);
	size_t index = find(world, kind, object->name);

	if (index < WORLD_MAX) {
		pic_object_unref(world->objects[index]);
		world->objects[index] = object;
		return;
	}
	assert_true(world->count < WORLD_MAX);
	world->objects[world->count++] = object;
}

void world_put_text(struct world *world, enum pic_kind kind, const char *text)
{
	world_put(world, kind, sample_json(text));
}

void world_delete(struct world *world, enum pic_kind kind, const char *name)
{
	size_t index = find(world, kind, name);

	if (index == WORLD_MAX)
		return;
	pic_object_unref(world->objects[index]);
	world->objects[index] = world->objects[--world->count];
}

struct world_device *world_device(struct world *world, const char *target)
{
	for (size_t i = 0; i < world->device_count; i++)
		if (strcmp(world->devices[i].target, target) == 0)
			return &world->devices[i];
	struct world_device *device = &world->devices[world->device_count++];

	snprintf(device->target, sizeof(device->target), "%s", target);
	device->enrolled = device->online = true;
	return device;
}

void world_report(struct world *world, const char *target, int64_t revision,
		  int64_t removed_through)
{
	struct world_device *device = world_device(world, target);

	pic_report_free(device->report);
	device->report = calloc(1, sizeof(*device->report));
	snprintf(device->report->device, sizeof(device->report->device), "%s", target);
	strcpy(device->report->epoch, "e");
	device->report->revision = revision;
	device->report->removed_through = removed_through;
	device->report->components = calloc(64, sizeof(*device->report->components));
}

void world_report_component(struct world *world, const char *target, const char *instance,
			    const char *component, enum pic_phase phase)
{
	struct pic_report *report = world_device(world, target)->report;
	struct pic_report_component *out = &report->components[report->component_count++];

	snprintf(out->name.instance, sizeof(out->name.instance), "%s", instance);
	snprintf(out->name.component, sizeof(out->name.component), "%s", component);
	out->phase = phase;
	out->since_ms = 1000;
}

struct lists {
	const struct pic_object *targets[WORLD_MAX], *own[WORLD_MAX], *others[WORLD_MAX];
	struct pic_engine_device devices[8];
};

static size_t entries_of(const struct pic_object *catalog)
{
	return pic_json_count(
		pic_json_find(catalog->json, "spec", "properties", "revisions", NULL));
}

static void gather(const struct world *world, struct pic_engine_input *input, struct lists *lists)
{
	for (size_t i = 0; i < world->device_count; i++) {
		const struct world_device *device = &world->devices[i];

		if (!device->enrolled)
			continue;
		lists->devices[input->device_count++] = (struct pic_engine_device){
			.target = device->target,
			.epoch = "e",
			.revision = device->revision,
			.removed_through = device->report ? device->report->removed_through : 0,
			.online = device->online,
			.report = device->report,
		};
	}
	for (size_t i = 0; i < world->count; i++) {
		const struct pic_object *object = world->objects[i];
		struct pic_engine_owner owner;

		if (object->kind == PIC_KIND_TARGET)
			lists->targets[input->target_count++] = object;
		if (object->kind != PIC_KIND_CATALOG)
			continue;
		bool staged = pic_engine_catalog_owner(object, &owner);

		if (staged && strcmp(owner.instance, input->name) == 0) {
			lists->own[input->catalog_count++] = object;
			continue;
		}
		lists->others[input->other_count++] = object;
		for (size_t j = 0; staged && j < input->device_count; j++)
			if (strcmp(lists->devices[j].target, owner.target) == 0)
				lists->devices[j].occupied += entries_of(object);
	}
	input->targets = lists->targets;
	input->catalogs = lists->own;
	input->others = lists->others;
	input->devices = lists->devices;
}

static void apply(struct world *world, const char *name)
{
	struct pic_engine_output *output = &world->last;
	struct pic_object *owner = world_get(world, PIC_KIND_INSTANCE, name);

	for (size_t i = 0; i < output->catalog_count; i++) {
		const struct pic_engine_catalog *catalog = &output->catalogs[i];
		struct world_device *device = world_device(world, catalog->target);

		if (catalog->revision > device->revision)
			device->revision = catalog->revision;
		world_put(world, PIC_KIND_CATALOG, pic_json_ref(catalog->json));
	}
	for (size_t i = 0; i < output->forget_count; i++)
		world_delete(world, PIC_KIND_CATALOG, output->forget[i]);
	world->writes = output->catalog_count + output->forget_count;
	if (!owner || pic_json_equal(output->status, pic_object_status(owner)))
		return;
	struct pic_json *json = pic_json_copy(owner->json);

	pic_json_set(json, "status", pic_json_ref(output->status));
	world_put(world, PIC_KIND_INSTANCE, json);
	world->writes++;
}

void world_reconcile(struct world *world, const char *name)
{
	struct pic_object *owner = world_get(world, PIC_KIND_INSTANCE, name);
	const char *solution = pic_json_get_text(pic_object_spec(owner), "solution");
	struct lists lists = { .targets = { NULL } };
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_engine_input input = {
		.space = "default",
		.name = name,
		.owner = owner,
		.solution = solution ? world_get(world, PIC_KIND_SOLUTION, solution) : NULL,
		.resolutions = world->resolutions,
		.resolution_count = world->resolution_count,
		.approvals = world->approvals,
		.approval_count = world->approval_count,
		.now_ms = world->now_ms,
		.broken = world->broken,
	};

	gather(world, &input, &lists);
	pic_engine_output_free(&world->last);
	if (pic_engine_reconcile(&input, &world->last, &err) < 0)
		fail_msg("%s", err.text);
	apply(world, name);
}
