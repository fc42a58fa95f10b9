/*
 * Objects: the JSON tree and the few facts everybody asks for, read once.
 */
#include "symphony/object.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static int64_t decimal(const struct pic_json *value)
{
	long long number = 0;

	if (pic_json_integer(value, &number) && number >= 0)
		return number;
	const char *text = pic_json_text(value);
	if (text && pic_integer_parse(text, 0, INT64_MAX, &number) == 0)
		return number;
	return 0;
}

static void read_facts(struct pic_object *object)
{
	const struct pic_json *metadata = pic_json_get(object->json, "metadata");
	const struct pic_json *deleted = pic_json_get(metadata, "deletionTimestamp");

	object->name = pic_json_get_text(metadata, "name");
	object->space = pic_json_text_or(pic_json_get(metadata, "namespace"), "");
	object->uid = pic_json_text_or(pic_json_get(metadata, "uid"), "");
	object->revision = decimal(pic_json_get(metadata, "resourceVersion"));
	object->generation = decimal(pic_json_get(metadata, "generation"));
	object->terminating = pic_json_type(deleted) == PIC_JSON_TEXT;
}

/* Namespaced objects always say their namespace, others never do. */
static int settle_namespace(const struct pic_kind_facts *facts, struct pic_json *json)
{
	struct pic_json *metadata = pic_json_get(json, "metadata");

	if (!facts->namespaced) {
		pic_json_delete(metadata, "namespace");
		return 0;
	}
	const char *space = pic_json_get_text(metadata, "namespace");
	if (space && *space)
		return 0;
	return pic_json_set_text(metadata, "namespace", "default");
}

int pic_object_new(struct pic_object **out, enum pic_kind kind, struct pic_json *json,
		   struct pic_error *err)
{
	PIC_JSON struct pic_json *owned = json;
	const struct pic_kind_facts *facts = pic_kind_facts(kind);
	const char *name = pic_json_get_text(pic_json_get(json, "metadata"), "name");

	if (!facts)
		return pic_error_set(err, -EINVAL, "there is no kind number %d", (int)kind);
	if (!name || !*name)
		return pic_error_set(err, -EINVAL, "the %s has no metadata.name", facts->name);
	if (strlen(name) > PIC_OBJECT_NAME_MAX)
		return pic_error_set(err, -EINVAL,
				     "the name of the %s %.32s... is longer than %d bytes",
				     facts->name, name, PIC_OBJECT_NAME_MAX);
	struct pic_object *object = calloc(1, sizeof(*object));
	if (!object || settle_namespace(facts, owned) < 0) {
		free(object);
		return pic_error_set(err, -ENOMEM, "no memory for the %s %s", facts->name, name);
	}
	object->references = 1;
	object->kind = kind;
	object->json = PIC_STEAL(owned);
	read_facts(object);
	*out = object;
	return 0;
}

struct pic_object *pic_object_ref(struct pic_object *object)
{
	if (object)
		object->references++;
	return object;
}

void pic_object_unref(struct pic_object *object)
{
	if (!object || --object->references > 0)
		return;
	pic_json_unref(object->json);
	free(object);
}

struct pic_json *pic_object_spec(const struct pic_object *object)
{
	return object ? pic_json_get(object->json, "spec") : NULL;
}

struct pic_json *pic_object_status(const struct pic_object *object)
{
	return object ? pic_json_get(object->json, "status") : NULL;
}

const char *pic_object_annotation(const struct pic_object *object, const char *key)
{
	if (!object)
		return NULL;
	return pic_json_text(pic_json_find(object->json, "metadata", "annotations", key, NULL));
}
