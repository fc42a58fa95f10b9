/* Stored objects to public ones. */
#include "hub/kube_api/present.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool pic_kube_is_visible(const struct pic_object *object)
{
	return object && !pic_object_is_hidden(object);
}

/* The same members in a new object, but for one. */
static struct pic_json *without(const struct pic_json *object, const char *key)
{
	struct pic_json *made = pic_json_new_object();

	pic_json_each(object, i)
		if (strcmp(pic_json_key(i), key) != 0)
			pic_json_set(made, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	return made;
}

struct pic_json *pic_kube_present(const struct pic_object *object)
{
	if (!pic_json_get(object->json, PIC_KUBE_APPLIED))
		return pic_json_ref(object->json);
	return without(object->json, PIC_KUBE_APPLIED);
}

struct pic_json *pic_kube_present_at(const struct pic_object *object, int64_t revision)
{
	struct pic_json *made = without(object->json, PIC_KUBE_APPLIED);
	struct pic_json *metadata =
		without(pic_json_get(object->json, "metadata"), "resourceVersion");
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, revision);
	pic_json_set_text(metadata, "resourceVersion", text);
	pic_json_set(made, "metadata", metadata);
	return made;
}
