/* Kind table to OpenAPI schema. */
#include "hub/kube_api/schema.h"

#include <string.h>

#include "symphony/component_types.h"
#include "symphony/field_rows.h"

static const struct pic_field owner_fields[] = {
	TEXT("apiVersion", "API version of the owner."),
	TEXT("kind", "Kind of the owner."),
	TEXT("name", "Name of the owner."),
	TEXT("uid", "Identity of the owner: another object of the same name is not the owner."),
	BOOLEAN("controller", "Whether the owner wrote this object."),
	BOOLEAN("blockOwnerDeletion", "Kept, not interpreted: deleting never waits here."),
	END,
};

static const struct pic_field metadata_fields[] = {
	TEXT("name",
	     "Name, unique in its namespace and kind: lower-case letters, digits, - and dots."),
	TEXT("generateName", "When name is empty: the beginning of a name that the hub completes."),
	TEXT("namespace", "The namespace the object lives in."),
	TEXT_MAP("labels", "Short texts that selectors can ask for."),
	TEXT_MAP("annotations", "Texts that the hub keeps and does not read."),
	LIST("ownerReferences", owner_fields, "Objects that this one belongs to."),
	TEXT("uid", "Identity of this incarnation; set by the hub."),
	TEXT("resourceVersion", "Changes with each write; set by the hub."),
	NUMBER("generation", "Counts changes of what is wanted; set by the hub."),
	TEXT("creationTimestamp", "When it was created; set by the hub."),
	TEXT("deletionTimestamp", "Since when it is on its way out; set by the hub."),
	NUMBER("deletionGracePeriodSeconds", "Set by the hub."),
	TEXT_LIST("finalizers", "Kept, but nothing waits for them."),
	LIST("managedFields", NULL, "Accepted and dropped."),
	TEXT("selfLink", "Accepted and dropped."),
	END,
};

static const struct pic_field involved_fields[] = {
	TEXT("apiVersion", "API version of the object."),
	TEXT("kind", "Kind of the object."),
	TEXT("name", "Name of the object."),
	TEXT("namespace", "Namespace of the object."),
	TEXT("uid", "Identity of the object."),
	TEXT("resourceVersion", "Version of the object."),
	TEXT("fieldPath", "Part of the object."),
	END,
};

static const struct pic_field source_fields[] = {
	TEXT("component", "What says so."),
	TEXT("host", "Where it runs."),
	END,
};

const struct pic_field pic_kube_event_fields[] = {
	PART("involvedObject", involved_fields, "The object it happened to."),
	TEXT("reason", "What happened, in one word."),
	TEXT("message", "What happened, in one sentence."),
	TEXT("type", "Normal or Warning."),
	PART("source", source_fields, "Who says so."),
	TEXT("firstTimestamp", "When it happened first."),
	TEXT("lastTimestamp", "When it happened last."),
	TEXT("eventTime", "When it happened first, with fractions of a second."),
	NUMBER("count", "How often it happened."),
	TEXT("action", "What was done."),
	TEXT("reportingComponent", "Who says so."),
	TEXT("reportingInstance", "Which one of them says so."),
	END,
};

static struct pic_json *typed(const char *type)
{
	struct pic_json *schema = pic_json_new_object();

	pic_json_set_text(schema, "type", type);
	return schema;
}

/* An object of which everything below is known. */
static struct pic_json *open_object(void)
{
	struct pic_json *schema = typed("object");

	pic_json_set_bool(schema, "x-kubernetes-preserve-unknown-fields", true);
	return schema;
}

static struct pic_json *of_fields(const struct pic_field *fields);

/* What the types of components describe; every other key is accepted too. */
static struct pic_json *of_properties(void)
{
	struct pic_json *schema = open_object();
	struct pic_json *properties = pic_json_ensure_object(schema, "properties");

	for (const struct pic_component_type *type = pic_component_types; type->name; type++)
		for (const struct pic_component_property *known = type->properties;
		     known && known->name; known++) {
			struct pic_json *value = typed("string");

			pic_json_set_text(value, "description", known->help);
			pic_json_set(properties, known->name, value);
		}
	return schema;
}

static struct pic_json *of_type(enum pic_field_type type, const struct pic_field *field)
{
	struct pic_json *schema;

	switch (type) {
	case PIC_FIELD_TEXT:
		return typed("string");
	case PIC_FIELD_INTEGER:
		schema = typed("integer");
		pic_json_set_text(schema, "format", "int64");
		return schema;
	case PIC_FIELD_BOOL:
		return typed("boolean");
	case PIC_FIELD_OBJECT:
		return field->fields ? of_fields(field->fields) : open_object();
	case PIC_FIELD_LIST:
		schema = typed("array");
		/* a list of lists is in no table: its items would have no fields to tell them by */
		pic_json_set(schema, "items",
			     field->item == PIC_FIELD_LIST ? open_object()
							   : of_type(field->item, field));
		return schema;
	case PIC_FIELD_TEXT_MAP:
		schema = typed("object");
		pic_json_set(schema, "additionalProperties", typed("string"));
		return schema;
	case PIC_FIELD_MAP:
		schema = typed("object");
		pic_json_set(schema, "additionalProperties", of_fields(field->fields));
		return schema;
	case PIC_FIELD_PROPERTIES:
		return of_properties();
	case PIC_FIELD_ANY:
	case PIC_FIELD_TEXT_OR_ANY:
		schema = pic_json_new_object();
		pic_json_set_bool(schema, "x-kubernetes-preserve-unknown-fields", true);
		return schema;
	}
	return NULL;
}

static void add_fields(struct pic_json *properties, const struct pic_field *fields)
{
	for (; fields->name; fields++) {
		struct pic_json *schema = of_type(fields->type, fields);
		if (fields->help)
			pic_json_set_text(schema, "description", fields->help);
		pic_json_set(properties, fields->name, schema);
	}
}

static struct pic_json *of_fields(const struct pic_field *fields)
{
	struct pic_json *schema = typed("object");

	add_fields(pic_json_ensure_object(schema, "properties"), fields);
	return schema;
}

static void add_described(struct pic_json *properties, const char *name, struct pic_json *schema,
			  const char *help)
{
	pic_json_set_text(schema, "description", help);
	pic_json_set(properties, name, schema);
}

static struct pic_json *group_version_kind(const struct pic_kind_facts *facts)
{
	struct pic_json *gvk = pic_json_new_object();

	pic_json_set_text(gvk, "group", facts->group);
	pic_json_set_text(gvk, "kind", facts->name);
	pic_json_set_text(gvk, "version", facts->version);
	return gvk;
}

struct pic_json *pic_kube_schema(const struct pic_kind_facts *facts)
{
	struct pic_json *schema = typed("object");
	struct pic_json *properties = pic_json_ensure_object(schema, "properties");
	struct pic_json *gvk = pic_json_new_array();

	if (facts->help)
		pic_json_set_text(schema, "description", facts->help);
	add_described(properties, "apiVersion", typed("string"), "Group and version of this kind.");
	add_described(properties, "kind", typed("string"), "Name of this kind.");
	add_described(properties, "metadata", of_fields(metadata_fields),
		      "Name, labels and history.");
	if (facts->kind == PIC_KIND_EVENT)
		add_fields(properties, pic_kube_event_fields);
	if (facts->spec)
		add_described(properties, "spec", of_fields(facts->spec), "What is wanted.");
	if (facts->has_status)
		add_described(properties, "status", open_object(),
			      "What is true; written by the hub.");
	pic_json_append(gvk, group_version_kind(facts));
	pic_json_set(schema, "x-kubernetes-group-version-kind", gvk);
	return schema;
}

void pic_kube_schema_name(const struct pic_kind_facts *facts, struct pic_buf *out)
{
	for (size_t end = strlen(facts->group); end > 0;) {
		size_t start = end;
		while (start > 0 && facts->group[start - 1] != '.')
			start--;
		pic_buf_add(out, facts->group + start, end - start);
		pic_buf_char(out, '.');
		end = start > 0 ? start - 1 : 0;
	}
	pic_buf_format(out, "%s%s.%s", *facts->group ? "" : "core.", facts->version, facts->name);
}

const struct pic_kind_facts *pic_kube_next_kind(const char *group, int *i)
{
	while (*i < PIC_KIND_COUNT) {
		const struct pic_kind_facts *facts = pic_kind_facts((enum pic_kind)(*i)++);
		if (facts && facts->group && (!group || strcmp(facts->group, group) == 0))
			return facts;
	}
	return NULL;
}

void pic_kube_collection_path(const struct pic_kind_facts *facts, struct pic_buf *out)
{
	pic_buf_format(out, "/api%s%s/%s/%s%s", *facts->group ? "s/" : "", facts->group,
		       facts->version, facts->namespaced ? "namespaces/{namespace}/" : "",
		       facts->plural);
}
