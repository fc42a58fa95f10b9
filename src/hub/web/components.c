#include "hub/web/components.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/engine/engine.h"

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

static struct pic_web_component *find(const struct pic_web_components *all, const char *instance,
				      const char *name)
{
	for (size_t i = 0; i < all->count; i++) {
		if (strcmp(all->items[i].instance, instance) == 0 &&
		    strcmp(all->items[i].name, name) == 0)
			return &all->items[i];
	}
	return NULL;
}

static bool make_room(struct pic_web_components *all)
{
	size_t capacity = all->capacity ? 2 * all->capacity : 16;

	all->is_cut = all->count == PIC_WEB_COMPONENTS_MAX;
	if (all->is_cut || all->count < all->capacity)
		return !all->is_cut;
	void *items = reallocarray(all->items, capacity, sizeof(*all->items));
	if (!items) {
		all->is_starved = true;
		return false;
	}
	all->items = items;
	all->capacity = capacity;
	return true;
}

/* NULL: one more than can be shown. */
static struct pic_web_component *add(struct pic_web_components *all, const char *instance,
				     const char *name, const char *type)
{
	if (!make_room(all))
		return NULL;
	struct pic_web_component *component = &all->items[all->count++];
	*component = (struct pic_web_component){ .name = name, .type = type };
	snprintf(component->instance, sizeof(component->instance), "%s", instance);
	return component;
}

static void set_words(struct pic_web_component *component, const struct pic_json *from)
{
	component->phase = text_of(from, "phase");
	component->reason = text_of(from, "reason");
	component->message = text_of(from, "message");
}

static void add_reported(struct pic_web_components *all, const struct pic_object *device)
{
	const struct pic_json *list =
		pic_json_find(pic_object_status(device), "report", "components", NULL);

	for (size_t i = 0; i < pic_json_count(list); i++) {
		const struct pic_json *report = pic_json_at(list, i);
		struct pic_web_component *component = add(all, text_of(report, "instance"),
							  text_of(report, "component"),
							  text_of(report, "type"));

		if (!component)
			return;
		component->report = report;
		set_words(component, report);
	}
}

static void add_part(struct pic_web_components *all, const char *instance,
		     const struct pic_json *part)
{
	struct pic_web_component *component = find(all, instance, text_of(part, "name"));

	if (!component)
		component = add(all, instance, text_of(part, "name"), text_of(part, "type"));
	if (!component)
		return;
	component->part = part;
	set_words(component, part);
}

static void add_asked_by(struct pic_web_components *all, const struct pic_object *object,
			 const char *device)
{
	const struct pic_json *list = pic_json_get(pic_object_status(object), "components");
	char instance[PIC_NAME_MAX + 1];

	if (!pic_engine_workload_instance(object->space, object->name, instance))
		return;
	for (size_t i = 0; i < pic_json_count(list); i++) {
		const struct pic_json *part = pic_json_at(list, i);

		if (strcmp(text_of(part, "target"), device) == 0)
			add_part(all, instance, part);
	}
}

static int by_name(const void *left, const void *right)
{
	const struct pic_web_component *a = left, *b = right;
	int order = strcmp(a->instance, b->instance);

	return order ? order : strcmp(a->name, b->name);
}

int pic_web_components_of(struct pic_store *store, const struct pic_object *device,
			  struct pic_web_components *out, struct pic_error *err)
{
	struct pic_web_components all = { .items = NULL };

	add_reported(&all, device);
	for (struct pic_object *object = pic_store_next(store, PIC_KIND_INSTANCE, NULL, NULL);
	     object; object = pic_store_next(store, PIC_KIND_INSTANCE, NULL, object))
		add_asked_by(&all, object, device->name);
	if (all.is_starved) {
		pic_web_components_free(&all);
		return pic_error_set(err, -ENOMEM, "no memory for the components of %s",
				     device->name);
	}
	if (all.count > 1)
		qsort(all.items, all.count, sizeof(*all.items), by_name);
	*out = all;
	return 0;
}

void pic_web_components_free(struct pic_web_components *components)
{
	free(components->items);
	components->items = NULL;
	components->count = components->capacity = 0;
}

const struct pic_web_component *pic_web_components_find(const struct pic_web_components *components,
							const char *instance, const char *name)
{
	return find(components, instance, name);
}

/* The device says that all is well, the engine says it is not what was asked for. */
static bool is_doubted(const struct pic_web_component *component)
{
	return component->part && component->report &&
	       strcmp(component->reason, text_of(component->report, "reason")) != 0;
}

const char *pic_web_tone(const struct pic_web_component *component)
{
	static const struct {
		const char *phase, *tone;
	} tones[] = {
		{ "Running", "good" }, { "Finished", "good" }, { "Backoff", "bad" },
		{ "Failed", "bad" },   { "Refused", "bad" },   { "Held", "calm" },
		{ "Expired", "calm" }, { "Removing", "busy" },
	};

	if (strcmp(component->reason, "AwaitingApproval") == 0)
		return "ask";
	if (strcmp(component->reason, "RolledBack") == 0)
		return "bad";
	for (size_t i = 0; i < PIC_COUNT(tones); i++) {
		if (strcmp(component->phase, tones[i].phase) == 0)
			return strcmp(tones[i].tone, "good") == 0 && is_doubted(component)
				       ? "busy"
				       : tones[i].tone;
	}
	return "busy";
}

const char *pic_web_component_text(const struct pic_web_component *component, const char *key,
				   const char *status_key)
{
	const char *text = pic_json_get_text(component->report, key);

	return text && *text ? text : pic_json_get_text(component->part, status_key);
}

const struct pic_json *pic_web_component_evidence(const struct pic_web_component *component)
{
	const struct pic_json *evidence = pic_json_get(component->report, "evidence");

	return evidence ? evidence : pic_json_get(component->part, "evidence");
}
