/*
 * A small world for tests of the engine: objects by kind, devices, and one call that reconciles an
 * instance and writes what comes out back into the world, as the hub does.
 */
#ifndef PIC_TEST_HUB_ENGINE_WORLD_H
#define PIC_TEST_HUB_ENGINE_WORLD_H

#include "hub/approval/approval.h"
#include "hub/engine/engine.h"
#include "symphony/sample.h"

#define WORLD_MAX 64

struct world_device {
	char target[PIC_NAME_MAX + 1];
	bool enrolled, online;
	int64_t revision;
	struct pic_report *report; /* owned */
};

struct world {
	struct pic_object *objects[WORLD_MAX]; /* targets, solutions, instances, catalogs */
	size_t count;
	struct world_device devices[8];
	size_t device_count;
	struct pic_engine_resolution resolutions[16]; /* texts are lent */
	size_t resolution_count;
	const struct pic_approval_facts *approvals[8]; /* lent */
	size_t approval_count;
	int64_t now_ms;
	uint32_t broken;
	size_t writes; /* of the last reconcile */
	struct pic_engine_output last;
};

void world_free(struct world *world);
/* Adds or replaces; json is taken over. */
void world_put(struct world *world, enum pic_kind kind, struct pic_json *json);
void world_put_text(struct world *world, enum pic_kind kind, const char *text);
void world_delete(struct world *world, enum pic_kind kind, const char *name);
struct pic_object *world_get(const struct world *world, enum pic_kind kind, const char *name);
struct world_device *world_device(struct world *world, const char *target); /* made when absent */
/* Replaces the device's report: epoch "e", the revision; components are added by the next call. */
void world_report(struct world *world, const char *target, int64_t revision,
		  int64_t removed_through);
void world_report_component(struct world *world, const char *target, const char *instance,
			    const char *component, enum pic_phase phase);
/* Reconciles instance `name` (of namespace default) and applies the output. */
void world_reconcile(struct world *world, const char *name);

#endif
