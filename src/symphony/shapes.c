/*
 * Symphony's wire shapes. Out: the 2023 state {id, spec, status} with the later era's metadata and
 * field names beside it, in the form that the original's strict agent reads (symphony-protocol.md 4.4).
 * In: a bare spec or a full state of either era, or kube's own form.
 */
#include "symphony/object.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define VALUE_MAX (256 * 1024) /* bytes of one property written as text */

static void copy_member(struct pic_json *to, const struct pic_json *from, const char *key)
{
	struct pic_json *value = pic_json_get(from, key);

	if (value)
		pic_json_set(to, key, pic_json_ref(value));
}

static void set_decimal(struct pic_json *object, const char *key, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	pic_json_set_text(object, key, text);
}

static struct pic_json *metadata_out(const struct pic_object *object)
{
	static const char *const kept[] = { "namespace",   "name", "labels",
					    "annotations", "uid",  "ownerReferences" };
	const struct pic_json *from = pic_json_get(object->json, "metadata");
	struct pic_json *to = pic_json_new_object();

	for (size_t i = 0; i < PIC_COUNT(kept); i++)
		copy_member(to, from, kept[i]);
	const char *message = pic_json_get_text(pic_object_status(object), "statusMessage");
	if (object->kind == PIC_KIND_ACTIVATION && message) {
		struct pic_json *labels = pic_json_copy(pic_json_get(to, "labels"));

		pic_json_set(to, "labels", labels ? labels : pic_json_new_object());
		pic_json_set_text(pic_json_get(to, "labels"), "statusMessage", message);
	}
	set_decimal(to, "etag", object->revision);
	/* sic: the wire has it without the t */
	pic_json_set_integer(to, "objGeneraion", object->generation);
	return to;
}

/* Both names of a field that was renamed, when one of them is given. */
static void mirror(struct pic_json *spec, const char *one, const char *other)
{
	if (pic_json_get(spec, one) && !pic_json_get(spec, other))
		pic_json_set(spec, other, pic_json_ref(pic_json_get(spec, one)));
	else if (pic_json_get(spec, other) && !pic_json_get(spec, one))
		pic_json_set(spec, one, pic_json_ref(pic_json_get(spec, other)));
}

/* The original's agent reads text values only; one other value makes it skip every record. */
static void texts_only(struct pic_json *properties)
{
	pic_json_each(properties, i) {
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(VALUE_MAX);

		if (pic_json_text(pic_json_value(i)))
			continue;
		if (pic_json_write(pic_json_value(i), PIC_JSON_COMPACT, &text) == 0)
			pic_json_set_text(properties, pic_json_key(i), pic_buf_text(&text));
	}
}

static void components_out(struct pic_json *properties, const char *key)
{
	struct pic_json *list = pic_json_get(properties, key);

	for (size_t i = 0; i < pic_json_count(list); i++) {
		struct pic_json *component = pic_json_at(list, i);

		if (pic_json_type(component) != PIC_JSON_OBJECT)
			continue;
		if (!pic_json_get_text(component, "type"))
			pic_json_set_text(component, "type", "");
		if (pic_json_type(pic_json_get(component, "properties")) == PIC_JSON_OBJECT)
			texts_only(pic_json_get(component, "properties"));
		else
			pic_json_delete(component, "properties");
	}
}

static void reference_out(struct pic_json *spec)
{
	static const char *const fields[] = { "siteId", "name",	 "group",    "version",
					      "kind",	"scope", "namespace" };
	struct pic_json *reference = pic_json_ensure_object(spec, "objectRef");

	for (size_t i = 0; i < PIC_COUNT(fields); i++)
		if (!pic_json_get_text(reference, fields[i]))
			pic_json_set_text(reference, fields[i], "");
}

static void catalog_out(const struct pic_object *object, struct pic_json *spec)
{
	struct pic_json *properties = pic_json_ensure_object(spec, "properties");
	const char *type = NULL;

	mirror(spec, "type", "catalogType");
	type = pic_json_get_text(spec, "type");
	if (!type)
		pic_json_set_text(spec, "type", "");
	if (!pic_json_get_text(spec, "name"))
		pic_json_set_text(spec, "name", object->name);
	if (!pic_json_get_text(spec, "siteId"))
		pic_json_set_text(spec, "siteId", "hq");
	if (type && strcmp(type, "staged") == 0) {
		components_out(properties, "components");
		components_out(properties, "removed-components");
	}
	reference_out(spec);
}

static struct pic_json *spec_out(const struct pic_object *object)
{
	struct pic_json *spec = pic_json_copy(pic_object_spec(object));

	if (pic_json_type(spec) != PIC_JSON_OBJECT) {
		pic_json_unref(spec);
		spec = pic_json_new_object();
	}
	if (object->kind == PIC_KIND_CATALOG)
		catalog_out(object, spec);
	if (object->kind == PIC_KIND_INSTANCE)
		mirror(spec, "solution", "solutionversion");
	if (object->kind == PIC_KIND_ACTIVATION)
		mirror(spec, "campaign", "campaignversion");
	if (object->kind != PIC_KIND_SOLUTION && object->kind != PIC_KIND_CAMPAIGN)
		set_decimal(spec, "generation", object->generation);
	return spec;
}

/* The 2023 status of targets and instances is a flat map of texts; the later one keeps it in
 * `properties`. Both are there. */
static struct pic_json *status_out(const struct pic_object *object)
{
	struct pic_json *status = pic_json_copy(pic_object_status(object));

	if (pic_json_type(status) != PIC_JSON_OBJECT) {
		pic_json_unref(status);
		status = pic_json_new_object();
	}
	if (object->kind == PIC_KIND_CATALOG && !pic_json_get(status, "properties"))
		pic_json_set(status, "properties", pic_json_new_null());
	if (object->kind == PIC_KIND_ACTIVATION)
		pic_json_delete(status, "run"); /* the machine's own memory */
	if (object->kind != PIC_KIND_TARGET && object->kind != PIC_KIND_INSTANCE)
		return status;
	const struct pic_json *properties = pic_json_get(status, "properties");

	pic_json_each(properties, i) {
		if (!pic_json_get(status, pic_json_key(i)))
			pic_json_set(status, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	}
	return status;
}

struct pic_json *pic_object_to_symphony(const struct pic_object *object)
{
	struct pic_json *state = pic_json_new_object();

	pic_json_set_text(state, "id", object->name);
	pic_json_set(state, "metadata", metadata_out(object));
	pic_json_set(state, "spec", spec_out(object));
	pic_json_set(state, "status", status_out(object));
	return state;
}

static int check_name(const char *name, const struct pic_json *body, struct pic_error *err)
{
	const char *inside = pic_json_text(pic_json_find(body, "metadata", "name", NULL));

	if (!inside || !*inside)
		inside = pic_json_get_text(body, "id");
	if (inside && *inside && strcmp(inside, name) != 0)
		return pic_error_set(
			err, -EINVAL,
			"the body names the object \"%.80s\", the address names it \"%.80s\"",
			inside, name);
	return 0;
}

static struct pic_json *metadata_in(const char *name, const struct pic_json *body)
{
	static const char *const kept[] = { "namespace", "labels", "annotations" };
	const struct pic_json *from = pic_json_get(body, "metadata");
	struct pic_json *to = pic_json_new_object();

	pic_json_set_text(to, "name", name);
	for (size_t i = 0; i < PIC_COUNT(kept); i++)
		if (pic_json_type(pic_json_get(from, kept[i])) > PIC_JSON_NULL)
			copy_member(to, from, kept[i]);
	return to;
}

int pic_object_from_symphony(enum pic_kind kind, const char *name, const struct pic_json *body,
			     struct pic_json **out, struct pic_error *err)
{
	const struct pic_kind_facts *facts = pic_kind_facts(kind);
	char version[96];

	if (!facts || !facts->group)
		return pic_error_set(err, -EINVAL, "objects of kind %d do not travel", (int)kind);
	if (pic_json_type(body) != PIC_JSON_OBJECT)
		return pic_error_set(err, -EINVAL, "the body must be an object, not %s",
				     pic_json_type_name(body));
	const struct pic_json *spec = pic_json_get(body, "spec");
	bool full = spec != NULL;
	int r = full ? check_name(name, body, err) : 0;

	if (r < 0)
		return r;
	if (full && pic_json_type(spec) != PIC_JSON_NULL && pic_json_type(spec) != PIC_JSON_OBJECT)
		return pic_error_set(err, -EINVAL, "spec must be an object, not %s",
				     pic_json_type_name(spec));
	struct pic_json *json = pic_json_new_object();

	snprintf(version, sizeof(version), "%s%s%s", facts->group, *facts->group ? "/" : "",
		 facts->version);
	pic_json_set_text(json, "apiVersion", version);
	pic_json_set_text(json, "kind", facts->name);
	pic_json_set(json, "metadata", metadata_in(name, full ? body : NULL));
	if (!full)
		spec = body;
	pic_json_set(json, "spec",
		     pic_json_type(spec) == PIC_JSON_NULL ? pic_json_new_object()
							  : pic_json_copy(spec));
	if (!pic_json_get(json, "spec")) {
		pic_json_unref(json);
		return pic_error_set(err, -ENOMEM, "no memory for the %s %.80s", facts->name, name);
	}
	*out = json;
	return 0;
}
