/*
 * Validation, first half: the shape of an object against the tables of fields. What fields mean is
 * checked in validate_meaning.c. null counts as absent, as in Kubernetes.
 */
#include "symphony/object.h"

#include <string.h>

#include "symphony/findings.h"
#include "base/spelling.h"
#include "symphony/validate_meaning.h"

static void check_fields(const struct pic_field *fields, const struct pic_json *object,
			 const struct pic_path *path, struct pic_findings *out);

static const char *type_word(enum pic_json_type type)
{
	switch (type) {
	case PIC_JSON_ABSENT:
		return "nothing";
	case PIC_JSON_NULL:
		return "null";
	case PIC_JSON_BOOL:
		return "true or false";
	case PIC_JSON_NUMBER:
		return "a number";
	case PIC_JSON_TEXT:
		return "a text";
	case PIC_JSON_ARRAY:
		return "a list";
	case PIC_JSON_OBJECT:
		return "an object";
	}
	return "something else";
}

static bool is_given(const struct pic_json *value)
{
	enum pic_json_type type = pic_json_type(value);

	return type != PIC_JSON_ABSENT && type != PIC_JSON_NULL;
}

static bool expect(const struct pic_json *value, enum pic_json_type wanted,
		   const struct pic_path *path, struct pic_findings *out)
{
	enum pic_json_type type = pic_json_type(value);

	if (type == wanted)
		return true;
	bool quotes = wanted == PIC_JSON_TEXT && (type == PIC_JSON_NUMBER || type == PIC_JSON_BOOL);

	pic_finding_add(out, PIC_FINDING_TYPE, path, "must be %s, not %s%s", type_word(wanted),
			type_word(type), quotes ? ": put it in quotes" : "");
	return false;
}

static void check_text_map(const struct pic_json *map, const struct pic_path *path,
			   struct pic_findings *out)
{
	if (!expect(map, PIC_JSON_OBJECT, path, out))
		return;
	pic_json_each(map, i) {
		struct pic_path key = pic_path_key(path, pic_json_key(i));

		if (is_given(pic_json_value(i)))
			expect(pic_json_value(i), PIC_JSON_TEXT, &key, out);
	}
}

static void check_object(const struct pic_field *fields, const struct pic_json *value,
			 const struct pic_path *path, struct pic_findings *out)
{
	if (expect(value, PIC_JSON_OBJECT, path, out) && fields)
		check_fields(fields, value, path, out);
}

static void check_map(const struct pic_field *field, const struct pic_json *map,
		      const struct pic_path *path, struct pic_findings *out)
{
	if (!expect(map, PIC_JSON_OBJECT, path, out))
		return;
	pic_json_each(map, i) {
		struct pic_path key = pic_path_field(path, pic_json_key(i));

		check_object(field->fields, pic_json_value(i), &key, out);
	}
}

static void check_list(const struct pic_field *field, const struct pic_json *list,
		       const struct pic_path *path, struct pic_findings *out)
{
	if (!expect(list, PIC_JSON_ARRAY, path, out))
		return;
	for (size_t i = 0; i < pic_json_count(list); i++) {
		struct pic_path item = pic_path_item(path, i);
		const struct pic_json *value = pic_json_at(list, i);

		if (field->item == PIC_FIELD_OBJECT)
			check_object(field->fields, value, &item, out);
		else if (field->item == PIC_FIELD_TEXT)
			expect(value, PIC_JSON_TEXT, &item, out);
	}
}

static void check_integer(const struct pic_json *value, const struct pic_path *path,
			  struct pic_findings *out)
{
	long long number;

	if (expect(value, PIC_JSON_NUMBER, path, out) && !pic_json_integer(value, &number))
		pic_finding_add(out, PIC_FINDING_TYPE, path, "must be a whole number");
}

static void check_field(const struct pic_field *field, const struct pic_json *value,
			const struct pic_path *path, struct pic_findings *out)
{
	switch (field->type) {
	case PIC_FIELD_TEXT:
		expect(value, PIC_JSON_TEXT, path, out);
		return;
	case PIC_FIELD_INTEGER:
		check_integer(value, path, out);
		return;
	case PIC_FIELD_BOOL:
		expect(value, PIC_JSON_BOOL, path, out);
		return;
	case PIC_FIELD_OBJECT:
		check_object(field->fields, value, path, out);
		return;
	case PIC_FIELD_LIST:
		check_list(field, value, path, out);
		return;
	case PIC_FIELD_TEXT_MAP:
		check_text_map(value, path, out);
		return;
	case PIC_FIELD_MAP:
		check_map(field, value, path, out);
		return;
	case PIC_FIELD_PROPERTIES:
		expect(value, PIC_JSON_OBJECT, path, out);
		return;
	case PIC_FIELD_ANY:
	case PIC_FIELD_TEXT_OR_ANY:
		return;
	}
}

static const struct pic_field *find_field(const struct pic_field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (strcmp(fields->name, name) == 0)
			return fields;
	return NULL;
}

static void report_unknown(const struct pic_field *fields, const char *name,
			   const struct pic_path *path, struct pic_findings *out)
{
	struct pic_spelling spelling = { .wanted = name };

	for (; fields->name; fields++)
		pic_spelling_offer(&spelling, fields->name);
	if (spelling.nearest)
		pic_finding_add(out, PIC_FINDING_UNKNOWN, path,
				"unknown field, did you mean \"%s\"?", spelling.nearest);
	else
		pic_finding_add(out, PIC_FINDING_UNKNOWN, path, "unknown field");
}

static void check_fields(const struct pic_field *fields, const struct pic_json *object,
			 const struct pic_path *path, struct pic_findings *out)
{
	pic_json_each(object, i) {
		const char *name = pic_json_key(i);
		const struct pic_field *field = find_field(fields, name);
		struct pic_path below = pic_path_field(path, name);

		if (!field)
			report_unknown(fields, name, &below, out);
		else if (is_given(pic_json_value(i)))
			check_field(field, pic_json_value(i), &below, out);
	}
	for (const struct pic_field *field = fields; field->name; field++) {
		struct pic_path below = pic_path_field(path, field->name);

		if (field->required && !is_given(pic_json_get(object, field->name)))
			pic_finding_add(out, PIC_FINDING_REQUIRED, &below, "required value");
	}
}

static const struct pic_field metadata_fields[] = {
	{ .name = "name", .type = PIC_FIELD_TEXT },
	{ .name = "generateName", .type = PIC_FIELD_TEXT },
	{ .name = "namespace", .type = PIC_FIELD_TEXT },
	{ .name = "labels", .type = PIC_FIELD_TEXT_MAP },
	{ .name = "annotations", .type = PIC_FIELD_TEXT_MAP },
	{ .name = "ownerReferences", .type = PIC_FIELD_LIST, .item = PIC_FIELD_OBJECT },
	{ .name = "finalizers", .type = PIC_FIELD_LIST, .item = PIC_FIELD_TEXT },
	/* the server's own; what a client sends of them is accepted and without effect */
	{ .name = "uid", .type = PIC_FIELD_ANY },
	{ .name = "resourceVersion", .type = PIC_FIELD_ANY },
	{ .name = "generation", .type = PIC_FIELD_ANY },
	{ .name = "creationTimestamp", .type = PIC_FIELD_ANY },
	{ .name = "deletionTimestamp", .type = PIC_FIELD_ANY },
	{ .name = "deletionGracePeriodSeconds", .type = PIC_FIELD_ANY },
	{ .name = "managedFields", .type = PIC_FIELD_ANY },
	{ .name = "selfLink", .type = PIC_FIELD_ANY },
	{ .name = NULL },
};

static const struct pic_field top_fields[] = {
	{ .name = "apiVersion", .type = PIC_FIELD_TEXT },
	{ .name = "kind", .type = PIC_FIELD_TEXT },
	{ .name = "metadata", .type = PIC_FIELD_OBJECT, .fields = metadata_fields },
	{ .name = "spec", .type = PIC_FIELD_ANY },
	{ .name = "status", .type = PIC_FIELD_ANY },
	{ .name = NULL },
};

void pic_object_validate(enum pic_kind kind, const struct pic_json *json, struct pic_findings *out)
{
	const struct pic_kind_facts *facts = pic_kind_facts(kind);
	const struct pic_path nowhere = { "" };
	const struct pic_path spec = pic_path_root("spec");
	const struct pic_path metadata = pic_path_root("metadata");

	out->count = 0;
	if (!expect(json, PIC_JSON_OBJECT, &nowhere, out))
		return;
	if (!facts->spec) { /* events have their fields at the top */
		if (expect(pic_json_get(json, "metadata"), PIC_JSON_OBJECT, &metadata, out))
			pic_validate_names(kind, json, out);
		return;
	}
	check_fields(top_fields, json, &nowhere, out);
	if (is_given(pic_json_get(json, "spec")))
		check_object(facts->spec, pic_json_get(json, "spec"), &spec, out);
	pic_validate_names(kind, json, out);
	pic_validate_meaning(kind, json, out);
}
