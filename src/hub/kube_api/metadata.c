/* Rules for everything but the spec. */
#include "hub/kube_api/metadata.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "hub/kube_api/present.h"
#include "hub/kube_api/selector.h"

static const char *text_at(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

static bool check_type(const struct pic_kube_request *request, const struct pic_json *wanted,
		       struct pic_kube_answer *answer)
{
	const struct pic_kind_facts *facts = request->path.facts;
	const char *api_version = text_at(wanted, "apiVersion");
	const char *kind = text_at(wanted, "kind");
	char expected[128];

	snprintf(expected, sizeof(expected), "%s%s%s", facts->group, *facts->group ? "/" : "",
		 facts->version);
	if (strcmp(api_version, expected) != 0)
		pic_kube_fail_bad(
			answer,
			"the API version in the data (%s) does not match the expected API version (%s)",
			api_version, expected);
	else if (strcmp(kind, facts->name) != 0)
		pic_kube_fail_bad(answer,
				  "the kind in the data (%s) does not match the expected kind (%s)",
				  kind, facts->name);
	else
		return true;
	return false;
}

bool pic_kube_check_identity(const struct pic_kube_request *request, struct pic_json *wanted,
			     struct pic_kube_answer *answer)
{
	const struct pic_kube_path *path = &request->path;
	struct pic_json *metadata = pic_json_get(wanted, "metadata");

	if (pic_json_type(wanted) != PIC_JSON_OBJECT) {
		pic_kube_fail_bad(answer, "the body must be an object, not %s",
				  pic_json_type_name(wanted));
		return false;
	}
	if (!check_type(request, wanted, answer))
		return false;
	if (pic_json_type(metadata) > PIC_JSON_NULL && pic_json_type(metadata) != PIC_JSON_OBJECT) {
		pic_kube_fail_bad(answer, "metadata must be an object, not %s",
				  pic_json_type_name(metadata));
		return false;
	}
	metadata = pic_json_ensure_object(wanted, "metadata");
	const char *name = text_at(metadata, "name");
	const char *space = text_at(metadata, "namespace");
	if (*path->name && *name && strcmp(name, path->name) != 0) {
		pic_kube_fail_bad(
			answer,
			"the name of the object (%s) does not match the name on the URL (%s)", name,
			path->name);
		return false;
	}
	if (*space && strcmp(space, path->space) != 0) {
		pic_kube_fail_bad(answer, "the namespace of the provided object does not match the "
					  "namespace sent on the request");
		return false;
	}
	if (*path->name)
		pic_json_set_text(metadata, "name", path->name);
	if (*path->space)
		pic_json_set_text(metadata, "namespace", path->space);
	return true;
}

bool pic_kube_check_version(const struct pic_kube_request *request, const struct pic_object *live,
			    const struct pic_json *wanted, struct pic_kube_answer *answer)
{
	const struct pic_json *theirs = pic_json_get(wanted, "metadata");
	const struct pic_json *ours = pic_json_get(live->json, "metadata");
	const char *version = text_at(theirs, "resourceVersion");
	const char *uid = text_at(theirs, "uid");

	if ((!*version || strcmp(version, text_at(ours, "resourceVersion")) == 0) &&
	    (!*uid || strcmp(uid, live->uid) == 0))
		return true;
	pic_kube_fail_conflict(answer, pic_kube_subject(request));
	return false;
}

void pic_kube_generate_name(struct pic_json *wanted)
{
	/* no vowels, so that no word comes out; nothing that looks like something else */
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	struct pic_json *metadata = pic_json_get(wanted, "metadata");
	const char *start = text_at(metadata, "generateName");
	unsigned char random[5];
	char name[PIC_OBJECT_NAME_MAX + 1];

	if (*text_at(metadata, "name") || !*start)
		return;
	pic_random_bytes(random, sizeof(random));
	int size = snprintf(name, sizeof(name), "%.*s", PIC_OBJECT_NAME_MAX - 5, start);
	for (size_t i = 0; i < sizeof(random); i++)
		name[(size_t)size + i] = letters[random[i] % (sizeof(letters) - 1)];
	name[(size_t)size + sizeof(random)] = '\0';
	pic_json_set_text(metadata, "name", name);
}

static void drop_all_nulls(struct pic_json *value)
{
	if (pic_json_type(value) == PIC_JSON_OBJECT) {
		pic_json_each(value, i) {
			if (pic_json_type(pic_json_value(i)) == PIC_JSON_NULL)
				pic_json_delete(value, pic_json_key(i));
			else
				drop_all_nulls(pic_json_value(i));
		}
		return;
	}
	for (size_t i = 0; i < pic_json_count(value); i++)
		drop_all_nulls(pic_json_at(value, i));
}

static void drop_field_nulls(struct pic_json *object, const struct pic_field *fields)
{
	for (; pic_json_type(object) == PIC_JSON_OBJECT && fields->name; fields++) {
		struct pic_json *value = pic_json_get(object, fields->name);

		if (pic_json_type(value) == PIC_JSON_NULL)
			pic_json_delete(object, fields->name);
		else if (fields->type == PIC_FIELD_OBJECT && fields->fields)
			drop_field_nulls(value, fields->fields);
		else if (fields->type == PIC_FIELD_TEXT_MAP)
			drop_all_nulls(value);
		else if (fields->type == PIC_FIELD_MAP)
			pic_json_each(value, i)
				drop_field_nulls(pic_json_value(i), fields->fields);
		for (size_t i = 0;
		     fields->type == PIC_FIELD_LIST && fields->fields && i < pic_json_count(value);
		     i++)
			drop_field_nulls(pic_json_at(value, i), fields->fields);
	}
}

void pic_kube_drop_nulls(const struct pic_kind_facts *facts, struct pic_json *wanted)
{
	pic_json_each(wanted, i)
		if (pic_json_type(pic_json_value(i)) == PIC_JSON_NULL)
			pic_json_delete(wanted, pic_json_key(i));
	drop_all_nulls(pic_json_get(wanted, "metadata"));
	if (facts->spec)
		drop_field_nulls(pic_json_get(wanted, "spec"), facts->spec);
}

/* In `into` the member is what it is in `from`, or absent. */
static void carry(struct pic_json *into, const struct pic_json *from, const char *key)
{
	struct pic_json *value = pic_json_get(from, key);

	if (value)
		pic_json_set(into, key, pic_json_copy(value));
	else
		pic_json_delete(into, key);
}

void pic_kube_settle_metadata(const struct pic_object *live, struct pic_json *wanted)
{
	static const char *const owned[] = {
		"uid",
		"resourceVersion",
		"generation",
		"creationTimestamp",
		"deletionTimestamp",
		"deletionGracePeriodSeconds",
	};
	struct pic_json *metadata = pic_json_ensure_object(wanted, "metadata");
	const struct pic_json *before = live ? pic_json_get(live->json, "metadata") : NULL;
	struct pic_json *annotations = pic_json_get(metadata, "annotations");

	for (size_t i = 0; i < PIC_COUNT(owned); i++)
		carry(metadata, before, owned[i]);
	pic_json_delete(metadata, "managedFields");
	pic_json_delete(metadata, "selfLink");
	if (pic_json_type(annotations) == PIC_JSON_OBJECT)
		pic_json_delete(annotations, PIC_ANNOTATION_HIDDEN);
	carry(wanted, live ? live->json : NULL, PIC_KUBE_APPLIED);
}

/* Is the member the same in both; applied managers, metadata and status do not count. */
static bool counts(const char *key)
{
	return strcmp(key, "metadata") != 0 && strcmp(key, "status") != 0 &&
	       strcmp(key, PIC_KUBE_APPLIED) != 0;
}

static bool same_but_for_metadata(const struct pic_json *a, const struct pic_json *b)
{
	pic_json_each(a, i)
		if (counts(pic_json_key(i)) &&
		    !pic_json_equal(pic_json_value(i), pic_json_get(b, pic_json_key(i))))
			return false;
	return true;
}

void pic_kube_settle_generation(const struct pic_object *live, struct pic_json *wanted)
{
	struct pic_json *metadata = pic_json_get(wanted, "metadata");
	int64_t generation = live ? live->generation : 0;

	if (!live || !same_but_for_metadata(live->json, wanted) ||
	    !same_but_for_metadata(wanted, live->json))
		generation++;
	pic_json_set_integer(metadata, "generation", generation);
}

static void check_labels(const struct pic_json *labels, struct pic_json *causes)
{
	pic_json_each(labels, i) {
		const char *key = pic_json_key(i);
		const char *value = pic_json_text(pic_json_value(i));

		if (!pic_label_key_is_valid(key))
			pic_kube_cause(
				causes, "FieldValueInvalid", "metadata.labels",
				"Invalid value: \"%.100s\": a label's name is at most 63 letters, "
				"digits, -, _ and ., with an optional domain and / in front",
				key);
		else if (value && !pic_label_value_is_valid(value))
			pic_kube_cause(
				causes, "FieldValueInvalid", "metadata.labels",
				"Invalid value: \"%.100s\": the value of label %.100s must be at most "
				"63 letters, digits, -, _ and .",
				value, key);
	}
}

void pic_kube_check_metadata(const struct pic_json *wanted, struct pic_json *causes)
{
	const struct pic_json *metadata = pic_json_get(wanted, "metadata");
	const struct pic_json *annotations = pic_json_get(metadata, "annotations");
	size_t size = 0;

	check_labels(pic_json_get(metadata, "labels"), causes);
	pic_json_each(annotations, i) {
		size += strlen(pic_json_key(i)) + strlen(pic_json_text_or(pic_json_value(i), ""));
		if (!pic_label_key_is_valid(pic_json_key(i)))
			pic_kube_cause(
				causes, "FieldValueInvalid", "metadata.annotations",
				"Invalid value: \"%.100s\": this is no name of an annotation",
				pic_json_key(i));
	}
	if (size > PIC_KUBE_ANNOTATIONS_MAX)
		pic_kube_cause(causes, "FieldValueTooLong", "metadata.annotations",
			       "Too long: must have at most %d bytes", PIC_KUBE_ANNOTATIONS_MAX);
}
