/*
 * What the November 2023 definitions require and people leave out. Only adds; never changes what a
 * user wrote.
 */
#include "symphony/object.h"

static bool is_filled(const struct pic_json *spec, const char *key)
{
	const char *text = pic_json_get_text(spec, key);

	return text && *text;
}

/* A wrong type stays as it is, for validation to name. */
static void fill(struct pic_json *spec, const char *key, const char *text)
{
	const struct pic_json *value = pic_json_get(spec, key);

	if (pic_json_type(value) <= PIC_JSON_NULL ||
	    (pic_json_text(value) && !is_filled(spec, key)))
		pic_json_set_text(spec, key, text);
}

static void default_catalog(struct pic_json *spec, const char *name)
{
	fill(spec, "name", name);
	fill(spec, "siteId", "hq");
	if (is_filled(spec, "catalogType"))
		fill(spec, "type", pic_json_get_text(spec, "catalogType"));
}

void pic_object_default(enum pic_kind kind, struct pic_json *json)
{
	const char *name = pic_json_text(pic_json_find(json, "metadata", "name", NULL));
	enum pic_json_type type = pic_json_type(pic_json_get(json, "spec"));
	bool wanted = kind == PIC_KIND_TARGET || kind == PIC_KIND_SOLUTION ||
		      kind == PIC_KIND_INSTANCE || kind == PIC_KIND_CATALOG;

	if (!wanted || !name || (type > PIC_JSON_NULL && type != PIC_JSON_OBJECT))
		return;
	struct pic_json *spec = pic_json_ensure_object(json, "spec");

	if (kind == PIC_KIND_CATALOG)
		default_catalog(spec, name);
	else
		fill(spec, "displayName", name);
	if (kind == PIC_KIND_INSTANCE)
		fill(spec, "name", name);
}
