#include "hub/engine/wake.h"

#include <stdio.h>
#include <string.h>

#include "hub/engine/engine.h"
#include "hub/engine/match.h"
#include "hub/engine/world.h"

static void wake_owner(struct pic_dirty_set *set, const struct pic_object *catalog)
{
	struct pic_engine_owner owner;

	if (!catalog || !pic_engine_catalog_owner(catalog, &owner))
		return;
	const char *target = pic_world_runtime_target(owner.instance);

	if (target)
		pic_dirty_add(set, PIC_DIRTY_TARGET, catalog->space, target);
	else
		pic_dirty_add(set, PIC_DIRTY_INSTANCE, catalog->space, owner.instance);
}

/* Owners of the catalogs of one target; space NULL: in all namespaces. */
static void wake_owners_on(struct pic_store *store, struct pic_dirty_set *set, const char *space,
			   const char *target)
{
	for (struct pic_object *catalog = pic_store_next(store, PIC_KIND_CATALOG, space, NULL);
	     catalog; catalog = pic_store_next(store, PIC_KIND_CATALOG, space, catalog)) {
		struct pic_engine_owner owner;

		if (pic_engine_catalog_owner(catalog, &owner) && strcmp(owner.target, target) == 0)
			wake_owner(set, catalog);
	}
}

/* Instances a catalog of that name could belong to: they may have waited for the name. */
static void wake_waiting(struct pic_store *store, struct pic_dirty_set *set,
			 const struct pic_object *catalog)
{
	for (struct pic_object *instance =
		     pic_store_next(store, PIC_KIND_INSTANCE, catalog->space, NULL);
	     instance;
	     instance = pic_store_next(store, PIC_KIND_INSTANCE, catalog->space, instance)) {
		size_t length = strlen(instance->name);

		if (strncmp(catalog->name, instance->name, length) == 0 &&
		    catalog->name[length] == '-')
			pic_dirty_add(set, PIC_DIRTY_INSTANCE, instance->space, instance->name);
	}
}

static void wake_matching(struct pic_store *store, struct pic_dirty_set *set,
			  const struct pic_object *target)
{
	for (struct pic_object *instance =
		     pic_store_next(store, PIC_KIND_INSTANCE, target->space, NULL);
	     instance; instance = pic_store_next(store, PIC_KIND_INSTANCE, target->space, instance))
		if (pic_match_target(pic_object_spec(instance), target))
			pic_dirty_add(set, PIC_DIRTY_INSTANCE, instance->space, instance->name);
}

static size_t entries_of(const struct pic_object *catalog)
{
	return catalog ? pic_json_count(pic_json_get(
				 pic_json_get(pic_object_spec(catalog), "properties"), "revisions"))
		       : 0;
}

/* A device has room again: whoever found it full may try. */
static void wake_for_room(struct pic_store *store, struct pic_dirty_set *set,
			  const struct pic_object *before, const struct pic_object *after)
{
	struct pic_engine_owner owner;

	if (entries_of(after) >= entries_of(before) || !pic_engine_catalog_owner(before, &owner))
		return;
	for (struct pic_object *target = pic_store_next(store, PIC_KIND_TARGET, NULL, NULL); target;
	     target = pic_store_next(store, PIC_KIND_TARGET, NULL, target))
		if (strcmp(target->name, owner.target) == 0)
			wake_matching(store, set, target);
}

static void wake_catalog(struct pic_store *store, struct pic_dirty_set *set,
			 const struct pic_object *before, const struct pic_object *after, bool own)
{
	if (!own) {
		wake_owner(set, before);
		wake_owner(set, after);
	}
	if (before)
		wake_for_room(store, set, before, after);
	if (before && !after)
		wake_waiting(store, set, before);
}

static void wake_solution(struct pic_store *store, struct pic_dirty_set *set,
			  const struct pic_object *solution)
{
	for (struct pic_object *instance =
		     pic_store_next(store, PIC_KIND_INSTANCE, solution->space, NULL);
	     instance;
	     instance = pic_store_next(store, PIC_KIND_INSTANCE, solution->space, instance)) {
		char name[PIC_OBJECT_NAME_MAX + 1];

		if (pic_match_solution(pic_object_spec(instance), name) &&
		    strcmp(name, solution->name) == 0)
			pic_dirty_add(set, PIC_DIRTY_INSTANCE, instance->space, instance->name);
	}
}

static void wake_target(struct pic_store *store, struct pic_dirty_set *set,
			const struct pic_object *target, const struct pic_object *before,
			const struct pic_object *after)
{
	bool same = before && after && before->generation == after->generation &&
		    pic_json_equal(pic_object_spec(before), pic_object_spec(after));

	pic_dirty_add(set, PIC_DIRTY_TARGET, target->space, target->name);
	if (same) /* a status; nobody else reads it */
		return;
	for (struct pic_object *instance =
		     pic_store_next(store, PIC_KIND_INSTANCE, target->space, NULL);
	     instance;
	     instance = pic_store_next(store, PIC_KIND_INSTANCE, target->space, instance)) {
		const struct pic_json *spec = pic_object_spec(instance);

		if ((before && pic_match_target(spec, before)) ||
		    (after && pic_match_target(spec, after)))
			pic_dirty_add(set, PIC_DIRTY_INSTANCE, instance->space, instance->name);
	}
	wake_owners_on(store, set, target->space, target->name);
}

static bool is_same_for_engine(const struct pic_object *before, const struct pic_object *after)
{
	static const char *const fields[] = { "report", "removedThrough", "online", "quarantine",
					      "revision" };
	const struct pic_json *old = pic_object_status(before), *new = pic_object_status(after);

	if (!before || !after)
		return false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct pic_json *a = pic_json_get(old, fields[i]);
		const struct pic_json *b = pic_json_get(new, fields[i]);

		if (a != b && !pic_json_equal(a, b))
			return false;
	}
	return pic_json_equal(pic_json_get(pic_object_spec(before), "epoch"),
			      pic_json_get(pic_object_spec(after), "epoch"));
}

static void wake_device(struct pic_store *store, struct pic_dirty_set *set,
			const struct pic_object *before, const struct pic_object *after, bool own)
{
	const char *name = after ? after->name : before->name;

	if (is_same_for_engine(before, after))
		return;
	for (struct pic_object *target = pic_store_next(store, PIC_KIND_TARGET, NULL, NULL); target;
	     target = pic_store_next(store, PIC_KIND_TARGET, NULL, target))
		if (strcmp(target->name, name) == 0)
			pic_dirty_add(set, PIC_DIRTY_TARGET, target->space, name);
	if (!own)
		wake_owners_on(store, set, NULL, name);
}

void pic_wake_approval(struct pic_dirty_set *set, const struct pic_object *approval)
{
	const struct pic_json *items = pic_json_get(pic_object_spec(approval), "items");
	const char *space = approval->space;

	for (size_t i = 0; i < pic_json_count(items); i++) {
		const char *name = pic_json_get_text(pic_json_at(items, i), "instance");
		char instance[PIC_NAME_MAX + 1], *dot;

		if (!name || strlen(name) > PIC_NAME_MAX)
			continue;
		strcpy(instance, name);
		dot = strchr(instance,
			     '.'); /* as it is called on the device: "<instance>.<namespace>" */
		if (dot && strcmp(dot + 1, space) == 0)
			*dot = '\0';
		const char *target = pic_world_runtime_target(instance);

		pic_dirty_add(set, target ? PIC_DIRTY_TARGET : PIC_DIRTY_INSTANCE, space,
			      target ? target : instance);
	}
}

void pic_wake(struct pic_store *store, struct pic_dirty_set *set, enum pic_kind kind,
	      const struct pic_object *before, const struct pic_object *after, bool own)
{
	const struct pic_object *object = after ? after : before;

	if (!object)
		return;
	switch (kind) {
	case PIC_KIND_INSTANCE:
		if (!own)
			pic_dirty_add(set, PIC_DIRTY_INSTANCE, object->space, object->name);
		return;
	case PIC_KIND_SOLUTION:
		wake_solution(store, set, object);
		return;
	case PIC_KIND_TARGET:
		if (!own)
			wake_target(store, set, object, before, after);
		return;
	case PIC_KIND_CATALOG:
		wake_catalog(store, set, before, after, own);
		return;
	case PIC_KIND_DEVICE:
		wake_device(store, set, before, after, own);
		return;
	case PIC_KIND_APPROVAL:
		if (before)
			pic_wake_approval(set, before);
		if (after)
			pic_wake_approval(set, after);
		return;
	case PIC_KIND_CAMPAIGN:
	case PIC_KIND_ACTIVATION:
	case PIC_KIND_SOLUTION_CONTAINER:
	case PIC_KIND_CATALOG_CONTAINER:
	case PIC_KIND_CAMPAIGN_CONTAINER:
	case PIC_KIND_APPROVER:
	case PIC_KIND_NAMESPACE:
	case PIC_KIND_EVENT:
	case PIC_KIND_TOKEN:
	case PIC_KIND_ARTIFACT:
	case PIC_KIND_TOMBSTONE:
	case PIC_KIND_WINDOW:
	case PIC_KIND_FIRST_BOOT:
	case PIC_KIND_COUNT:
		return;
	}
}

void pic_wake_all(struct pic_store *store, struct pic_dirty_set *set)
{
	for (struct pic_object *instance = pic_store_next(store, PIC_KIND_INSTANCE, NULL, NULL);
	     instance; instance = pic_store_next(store, PIC_KIND_INSTANCE, NULL, instance))
		pic_dirty_add(set, PIC_DIRTY_INSTANCE, instance->space, instance->name);
	for (struct pic_object *target = pic_store_next(store, PIC_KIND_TARGET, NULL, NULL); target;
	     target = pic_store_next(store, PIC_KIND_TARGET, NULL, target))
		pic_dirty_add(set, PIC_DIRTY_TARGET, target->space, target->name);
	for (struct pic_object *catalog = pic_store_next(store, PIC_KIND_CATALOG, NULL, NULL);
	     catalog; catalog = pic_store_next(store, PIC_KIND_CATALOG, NULL, catalog))
		wake_owner(set, catalog);
}
