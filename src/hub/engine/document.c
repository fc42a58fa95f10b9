/*
 * From a device's catalogs to its document, and whose catalog one is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "hub/engine/staged.h"
#include "symphony/component_types.h"

static const char default_space[] = "default";

bool pic_engine_workload_instance(const char *space, const char *instance,
				  char out[PIC_NAME_MAX + 1])
{
	bool elsewhere = strcmp(space, default_space) != 0;
	int size = snprintf(out, PIC_NAME_MAX + 1, "%s%s%s", instance, elsewhere ? "." : "",
			    elsewhere ? space : "");

	return size > 0 && pic_name_is_valid(out, PIC_NAME_MAX) && size <= PIC_NAME_MAX;
}

/* The name has to be "<instance>-<target>" with a target behind the instance. */
static bool split_name(const struct pic_object *catalog, const char *instance,
		       struct pic_engine_owner *out)
{
	size_t length = strlen(instance);

	if (length == 0 || length > PIC_OBJECT_NAME_MAX ||
	    strncmp(catalog->name, instance, length) != 0 || catalog->name[length] != '-' ||
	    !catalog->name[length + 1])
		return false;
	memcpy(out->instance, instance, length + 1);
	out->target = catalog->name + length + 1;
	return true;
}

static bool owner_by_reference(const struct pic_object *catalog, struct pic_engine_owner *out)
{
	const struct pic_json *reference =
		pic_json_at(pic_json_find(catalog->json, "metadata", "ownerReferences", NULL), 0);
	const char *kind = pic_json_get_text(reference, "kind");
	const char *name = pic_json_get_text(reference, "name");
	char instance[PIC_OBJECT_NAME_MAX + 32];

	if (!kind || !name || strlen(name) > PIC_OBJECT_NAME_MAX)
		return false;
	if (strcmp(kind, "Target") == 0)
		snprintf(instance, sizeof(instance), PIC_ENGINE_RUNTIME_PREFIX "%s", name);
	else if (strcmp(kind, "Instance") == 0)
		snprintf(instance, sizeof(instance), "%s", name);
	else
		return false;
	return split_name(catalog, instance, out);
}

/* Somebody took the reference away: label and name still tell. */
static bool owner_by_label(const struct pic_object *catalog, struct pic_engine_owner *out)
{
	const char *target = pic_json_text(
		pic_json_find(catalog->json, "metadata", "labels", "staged_target", NULL));
	size_t size = strlen(catalog->name), tail = target ? strlen(target) : 0;
	char instance[PIC_OBJECT_NAME_MAX + 1];

	if (tail == 0 || size < tail + 2 || strcmp(catalog->name + size - tail, target) != 0 ||
	    catalog->name[size - tail - 1] != '-')
		return false;
	snprintf(instance, sizeof(instance), "%.*s", (int)(size - tail - 1), catalog->name);
	return split_name(catalog, instance, out);
}

bool pic_engine_catalog_owner(const struct pic_object *catalog, struct pic_engine_owner *out)
{
	const char *type = pic_json_get_text(pic_object_spec(catalog), "type");

	if (!type || strcmp(type, "staged") != 0)
		return false;
	return owner_by_reference(catalog, out) || owner_by_label(catalog, out);
}

static void document_free_pointer(struct pic_document **document)
{
	pic_document_free(*document);
}

static int copy_dependencies(const struct pic_json *list, struct pic_document_component *out)
{
	size_t count = pic_json_count(list);

	if (pic_json_type(list) != PIC_JSON_ARRAY || count == 0)
		return 0;
	out->dependencies = calloc(count, sizeof(*out->dependencies));
	if (!out->dependencies)
		return -ENOMEM;
	for (size_t i = 0; i < count && out->dependency_count < PIC_DOCUMENT_DEPENDENCIES_MAX;
	     i++) {
		const char *name = pic_json_text(pic_json_at(list, i));

		if (!name || !pic_name_is_valid(name, PIC_NAME_MAX))
			continue;
		strcpy(out->dependencies[out->dependency_count++], name);
	}
	return 0;
}

static int set_bytes(const struct pic_staged_entry *entry, const char *public_url,
		     struct pic_document_component *out)
{
	char key[PIC_TYPE_MAX + 16], digest[PIC_SHA256_TEXT];
	struct pic_sha256 sha256;
	int r = 0;

	snprintf(key, sizeof(key), "%s.sha256", out->type);
	const char *given = pic_json_get_text(out->properties, key);

	snprintf(key, sizeof(key), "%s.url", out->type);
	const char *url = pic_json_get_text(out->properties, key);

	out->has_digest = given && pic_sha256_parse(given, &sha256) == 0;
	if (out->has_digest)
		memcpy(out->digest, sha256.bytes, sizeof(out->digest));
	bool usable = url && pic_component_url_is_valid(url) && !pic_component_url_is_own(url);

	/* One URL that a device cannot read would make it refuse the whole document. */
	if (out->has_digest && (entry->hub_has_bytes || !usable)) {
		pic_sha256_text(&sha256, digest);
		r = asprintf(&out->url, "%s/artifacts/%s", public_url, digest);
	} else if (usable) {
		out->url = strdup(url);
		r = out->url ? 0 : -1;
	}
	if (r < 0)
		out->url = NULL;
	return r < 0 ? -ENOMEM : 0;
}

static int add_component(const struct pic_staged_entry *entry, const char *instance,
			 const char *public_url, struct pic_document *document,
			 struct pic_error *err)
{
	struct pic_document_component *out = &document->components[document->component_count];
	const char *type = pic_json_get_text(entry->json, "type");
	struct pic_json *properties = pic_json_get(entry->json, "properties");

	if (!type || !pic_name_is_valid(type, PIC_TYPE_MAX))
		return 0;
	document->component_count++;
	strcpy(out->name.instance, instance);
	strcpy(out->name.component, entry->name);
	strcpy(out->type, type);
	out->revision = entry->revision;
	out->properties = pic_json_type(properties) == PIC_JSON_OBJECT ? pic_json_ref(properties)
								       : pic_json_new_object();
	int r = copy_dependencies(pic_json_get(entry->json, "dependencies"), out);
	const char *approval = pic_json_text(pic_json_find(entry->json, "approval", "id", NULL));

	out->has_approval = approval &&
			    pic_hex_decode(approval, out->approval, sizeof(out->approval)) == 0;

	if (r == 0)
		r = set_bytes(entry, public_url, out);
	return r < 0 ? pic_error_set(err, r, "no memory for the document of %s", document->device)
		     : 0;
}

static void add_removed(const struct pic_staged_entry *entry, const char *instance,
			struct pic_document *document)
{
	struct pic_document_removed *out = &document->removed[document->removed_count++];

	strcpy(out->name.instance, instance);
	strcpy(out->name.component, entry->name);
	out->revision = entry->revision;
}

static int add_catalog(const struct pic_object *catalog, const char *target, const char *public_url,
		       struct pic_document *document, struct pic_error *err)
{
	struct pic_engine_owner owner;
	struct pic_staged staged = { .entries = NULL };
	char instance[PIC_NAME_MAX + 1];

	if (!pic_engine_catalog_owner(catalog, &owner) || strcmp(owner.target, target) != 0 ||
	    !pic_engine_workload_instance(catalog->space, owner.instance, instance))
		return 0;
	int r = pic_staged_read(catalog, 0, &staged, err);

	for (size_t i = 0; r == 0 && i < staged.count; i++) {
		const struct pic_staged_entry *entry = &staged.entries[i];

		if (document->component_count + document->removed_count >=
		    PIC_DOCUMENT_COMPONENTS_MAX)
			r = pic_error_set(err, -E2BIG,
					  "the document of %s would have more than %d entries",
					  target, PIC_DOCUMENT_COMPONENTS_MAX);
		else if (entry->revision <= 0)
			continue; /* damaged by hand; the engine is about to give it a revision */
		else if (entry->removed)
			add_removed(entry, instance, document);
		else
			r = add_component(entry, instance, public_url, document, err);
		if (r == 0 && entry->revision > document->revision)
			document->revision = entry->revision;
	}
	pic_staged_free(&staged);
	return r;
}

static int by_component(const void *a, const void *b)
{
	return pic_workload_name_compare(&((const struct pic_document_component *)a)->name,
					 &((const struct pic_document_component *)b)->name);
}

static int by_removed(const void *a, const void *b)
{
	return pic_workload_name_compare(&((const struct pic_document_removed *)a)->name,
					 &((const struct pic_document_removed *)b)->name);
}

int pic_engine_document(const struct pic_engine_device *device, const char *public_url,
			const struct pic_object *const *catalogs, size_t catalog_count,
			int64_t issued_at_ms, struct pic_document **out, struct pic_error *err)
{
	PIC_CLEANUP(document_free_pointer)
	struct pic_document *document = calloc(1, sizeof(*document));
	int r = 0;

	if (!document)
		return pic_error_set(err, -ENOMEM, "no memory for the document of %s",
				     device->target);
	document->components = calloc(PIC_DOCUMENT_COMPONENTS_MAX, sizeof(*document->components));
	document->removed = calloc(PIC_DOCUMENT_COMPONENTS_MAX, sizeof(*document->removed));
	if (!document->components || !document->removed)
		return pic_error_set(err, -ENOMEM, "no memory for the document of %s",
				     device->target);
	snprintf(document->epoch, sizeof(document->epoch), "%s", device->epoch);
	snprintf(document->device, sizeof(document->device), "%s", device->target);
	document->revision = device->revision;
	document->issued_at_ms = issued_at_ms;
	for (size_t i = 0; r == 0 && i < catalog_count; i++)
		r = add_catalog(catalogs[i], device->target, public_url, document, err);
	if (r < 0)
		return r;
	qsort(document->components, document->component_count, sizeof(*document->components),
	      by_component);
	qsort(document->removed, document->removed_count, sizeof(*document->removed), by_removed);
	*out = PIC_STEAL(document);
	return 0;
}
