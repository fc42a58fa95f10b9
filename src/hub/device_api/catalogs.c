#include "hub/device_api/catalogs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/engine/engine.h"

void pic_target_catalogs_forget(struct pic_target_catalogs *catalogs)
{
	for (size_t i = 0; i < catalogs->count; i++)
		pic_object_unref(catalogs->items[i].catalog);
	catalogs->count = 0;
	catalogs->current = false;
}

void pic_target_catalogs_free(struct pic_target_catalogs *catalogs)
{
	pic_target_catalogs_forget(catalogs);
	free(catalogs->items);
	free(catalogs->found);
	*catalogs = (struct pic_target_catalogs){ .items = NULL };
}

static int compare(const void *a, const void *b)
{
	const struct pic_target_catalog *left = a, *right = b;
	int order = strcmp(left->target, right->target);

	return order ? order : strcmp(left->catalog->name, right->catalog->name);
}

static int add(struct pic_target_catalogs *catalogs, const char *target, struct pic_object *catalog)
{
	if (catalogs->count == catalogs->capacity) {
		size_t capacity = catalogs->capacity ? 2 * catalogs->capacity : 16;
		struct pic_target_catalog *items =
			reallocarray(catalogs->items, capacity, sizeof(*items));

		if (!items)
			return -ENOMEM;
		catalogs->items = items;
		catalogs->capacity = capacity;
	}
	struct pic_target_catalog *item = &catalogs->items[catalogs->count++];
	snprintf(item->target, sizeof(item->target), "%s", target);
	item->catalog = pic_object_ref(catalog);
	return 0;
}

static int refresh(struct pic_target_catalogs *catalogs, struct pic_store *store)
{
	int r = 0;

	if (catalogs->current)
		return 0;
	pic_target_catalogs_forget(catalogs);
	for (struct pic_object *catalog = pic_store_next(store, PIC_KIND_CATALOG, NULL, NULL);
	     r == 0 && catalog; catalog = pic_store_next(store, PIC_KIND_CATALOG, NULL, catalog)) {
		struct pic_engine_owner owner;

		if (pic_engine_catalog_owner(catalog, &owner))
			r = add(catalogs, owner.target, catalog);
	}
	if (r < 0) {
		pic_target_catalogs_forget(catalogs);
		return r;
	}
	if (catalogs->count)
		qsort(catalogs->items, catalogs->count, sizeof(*catalogs->items), compare);
	catalogs->current = true;
	return 0;
}

static size_t first_of(const struct pic_target_catalogs *catalogs, const char *target)
{
	size_t low = 0, high = catalogs->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(catalogs->items[middle].target, target) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int pic_target_catalogs_of(struct pic_target_catalogs *catalogs, struct pic_store *store,
			   const char *target, const struct pic_object *const **out, size_t *count)
{
	int r = refresh(catalogs, store);
	size_t first, end;

	if (r < 0)
		return r;
	first = end = first_of(catalogs, target);
	while (end < catalogs->count && strcmp(catalogs->items[end].target, target) == 0)
		end++;
	if (end - first > catalogs->found_capacity) {
		const struct pic_object **found =
			reallocarray(catalogs->found, end - first, sizeof(*found));

		if (!found)
			return -ENOMEM;
		catalogs->found = found;
		catalogs->found_capacity = end - first;
	}
	for (size_t i = first; i < end; i++)
		catalogs->found[i - first] = catalogs->items[i].catalog;
	*out = catalogs->found;
	*count = end - first;
	return 0;
}

static bool component_names(const struct pic_json *component, const char *sha256)
{
	const struct pic_json *properties = pic_json_get(component, "properties");

	pic_json_each(properties, i) {
		const char *text = pic_json_text(pic_json_value(i));

		if (text && pic_text_ends(pic_json_key(i), ".sha256") && strcmp(text, sha256) == 0)
			return true;
	}
	return false;
}

bool pic_target_catalogs_name(struct pic_target_catalogs *catalogs, struct pic_store *store,
			      const char *target, const char *sha256)
{
	const struct pic_object *const *list = NULL;
	size_t count = 0;

	if (!*sha256 || pic_target_catalogs_of(catalogs, store, target, &list, &count) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct pic_json *components =
			pic_json_find(pic_object_spec(list[i]), "properties", "components", NULL);

		for (size_t k = 0; k < pic_json_count(components); k++) {
			if (component_names(pic_json_at(components, k), sha256))
				return true;
		}
	}
	return false;
}
