/*
 * The store as the engine wants to see it: everything one instance depends on, gathered into an
 * engine input. With an overlay of objects that are not stored, so that a plan can be made for them.
 *
 * What is gathered borrows from the store: use it before the store changes.
 */
#ifndef PIC_HUB_ENGINE_WORLD_H
#define PIC_HUB_ENGINE_WORLD_H

#include "hub/engine/engine.h"
#include "hub/store/store.h"

/* Parsed reports, so that a report is read once and not at each reconcile. */
struct pic_report_cache;
struct pic_report_cache *pic_report_cache_new(void);
void pic_report_cache_free(struct pic_report_cache *cache);
/* The last report in a device's record, NULL when there is none that can be read. */
const struct pic_report *pic_report_cache_get(struct pic_report_cache *cache,
					      const struct pic_object *device);
void pic_report_cache_forget(struct pic_report_cache *cache, const char *device);

struct pic_world {
	struct pic_store *store;
	struct pic_report_cache *reports;
	struct pic_object *const *overlay; /* in place of the store's, or beside them */
	size_t overlay_count;
};

struct pic_object *pic_world_get(const struct pic_world *world, enum pic_kind kind,
				 const char *space, const char *name);
/* All of a kind, by name, the overlay's instead of the store's; free() the array. space NULL: all. */
int pic_world_list(const struct pic_world *world, enum pic_kind kind, const char *space,
		   struct pic_object ***out, size_t *count, struct pic_error *err);

/* Everything about one instance. `name` may be "target-runtime-<target>". */
struct pic_gathered {
	struct pic_engine_input input;
	struct pic_object **targets;
	const struct pic_object **own, **others;
	struct pic_engine_device *devices;
	struct pic_engine_resolution *resolutions;
	struct pic_approval_facts **approvals;
};
int pic_world_gather(const struct pic_world *world, const char *space, const char *name,
		     int64_t now_ms, struct pic_gathered *out, struct pic_error *err);
void pic_gathered_free(struct pic_gathered *gathered);
const struct pic_engine_device *pic_gathered_device(const struct pic_gathered *gathered,
						    const char *target);

/* The target's name in "target-runtime-<target>", or NULL. */
const char *pic_world_runtime_target(const char *instance);

#endif
