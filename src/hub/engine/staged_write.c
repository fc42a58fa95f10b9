/*
 * A staged catalog in kube's form, with the fields of both eras.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hub/engine/staged.h"

static struct pic_json *list_json(const struct pic_staged *staged, bool removed)
{
	struct pic_json *list = NULL;

	for (size_t i = 0; i < staged->count; i++) {
		if (staged->entries[i].removed != removed)
			continue;
		if (!list)
			list = pic_json_new_array();
		pic_json_append(list, pic_json_ref(staged->entries[i].json));
	}
	return list ? list : pic_json_new_null();
}

static struct pic_json *revisions_json(const struct pic_staged *staged)
{
	struct pic_json *map = pic_json_new_object();

	for (size_t i = 0; i < staged->count; i++)
		pic_json_set_integer(map, staged->entries[i].name, staged->entries[i].revision);
	return map;
}

static struct pic_json *artifacts_json(const struct pic_staged *staged)
{
	struct pic_json *list = pic_json_new_array();

	for (size_t i = 0; i < staged->count; i++)
		if (staged->entries[i].hub_has_bytes)
			pic_json_append_text(list, staged->entries[i].name);
	return list;
}

static void write_properties(const struct pic_staged *staged, struct pic_json *spec)
{
	struct pic_json *properties = pic_json_ensure_object(spec, "properties");
	struct pic_json *later = pic_json_new_object();

	pic_json_set(properties, "components", list_json(staged, false));
	pic_json_set(properties, "removed-components", list_json(staged, true));
	pic_json_set(later, "components", list_json(staged, false));
	pic_json_set(later, "removed-components", list_json(staged, true));
	pic_json_set(properties, "staged", later);
	pic_json_set(properties, "revisions", revisions_json(staged));
	pic_json_set(properties, "artifacts", artifacts_json(staged));
}

static void write_reference(struct pic_json *spec)
{
	static const char *const fields[] = { "siteId", "name",	 "group",    "version",
					      "kind",	"scope", "namespace" };
	struct pic_json *reference = pic_json_new_object();

	for (size_t i = 0; i < PIC_COUNT(fields); i++)
		pic_json_set_text(reference, fields[i], "");
	pic_json_set(spec, "objectRef", reference);
}

static void write_spec(const struct pic_staged *staged, const char *name, struct pic_json *json)
{
	struct pic_json *spec = pic_json_ensure_object(json, "spec");

	pic_json_set_text(spec, "siteId", "hq");
	pic_json_set_text(spec, "name", name);
	pic_json_set_text(spec, "type", "staged");
	pic_json_set_text(spec, "catalogType", "staged");
	write_properties(staged, spec);
	write_reference(spec);
}

static void write_owner(const struct pic_object *owner, struct pic_json *metadata)
{
	const struct pic_kind_facts *facts = pic_kind_facts(owner->kind);
	struct pic_json *reference = pic_json_new_object(), *list = pic_json_new_array();
	char version[96];

	snprintf(version, sizeof(version), "%s/%s", facts->group, facts->version);
	pic_json_set_text(reference, "apiVersion", version);
	pic_json_set_text(reference, "kind", facts->name);
	pic_json_set_text(reference, "name", owner->name);
	pic_json_set_text(reference, "uid", owner->uid);
	pic_json_set_bool(reference, "controller", true);
	pic_json_append(list, reference);
	pic_json_set(metadata, "ownerReferences", list);
}

static void write_termination(const struct pic_staged_head *head, struct pic_json *metadata)
{
	char time[PIC_TIME_TEXT];

	if (!head->terminating) {
		struct pic_json *annotations = pic_json_get(metadata, "annotations");

		pic_json_delete(metadata, "deletionTimestamp");
		pic_json_delete(annotations, PIC_ENGINE_HIDDEN);
		if (annotations && pic_json_count(annotations) == 0)
			pic_json_delete(metadata, "annotations");
		return;
	}
	if (pic_json_get_text(metadata, "deletionTimestamp"))
		return;
	pic_time_format(head->now_ms, time);
	pic_json_set_text(metadata, "deletionTimestamp", time);
}

static void write_metadata(const struct pic_staged_head *head, const char *name,
			   struct pic_json *json)
{
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");

	pic_json_set_text(metadata, "name", name);
	pic_json_set_text(metadata, "namespace", head->space);
	pic_json_set_text(pic_json_ensure_object(metadata, "labels"), "staged_target",
			  head->target);
	if (head->owner)
		write_owner(head->owner, metadata);
	write_termination(head, metadata);
}

/* The generation counts what is asked for; spec.generation shows it as the first era did. */
static void write_generation(const struct pic_object *catalog, struct pic_json *json)
{
	struct pic_json *spec = pic_json_get(json, "spec");
	int64_t generation = catalog ? catalog->generation : 0;
	bool terminating = pic_json_find(json, "metadata", "deletionTimestamp", NULL) != NULL;
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, generation);
	pic_json_set_text(spec, "generation", text);
	if (catalog && generation > 0 && terminating == catalog->terminating &&
	    pic_json_equal(spec, pic_object_spec(catalog)))
		return;
	snprintf(text, sizeof(text), "%" PRId64, ++generation);
	pic_json_set_text(spec, "generation", text);
	pic_json_set_integer(pic_json_get(json, "metadata"), "generation", generation);
}

int pic_staged_write(const struct pic_staged *staged, const struct pic_object *catalog,
		     const struct pic_staged_head *head, struct pic_json **out,
		     struct pic_error *err)
{
	PIC_JSON struct pic_json *json = catalog ? pic_json_copy(catalog->json)
						 : pic_json_new_object();
	char name[2 * PIC_OBJECT_NAME_MAX + 2];

	snprintf(name, sizeof(name), "%s-%s", head->instance, head->target);
	pic_json_set_text(json, "apiVersion", "federation.symphony/v1");
	pic_json_set_text(json, "kind", "Catalog");
	write_metadata(head, name, json);
	write_spec(staged, name, json);
	if (head->status)
		pic_json_set(json, "status", pic_json_copy(head->status));
	write_generation(catalog, json);
	if (!pic_json_find(json, "spec", "properties", NULL))
		return pic_error_set(err, -ENOMEM, "no memory for the catalog %s", name);
	*out = PIC_STEAL(json);
	return 0;
}
