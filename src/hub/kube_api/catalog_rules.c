/* What may be done with a staged catalog. */
#include "hub/kube_api/catalog_rules.h"

#include <string.h>

bool pic_kube_is_staged(const struct pic_json *catalog)
{
	const struct pic_json *spec = pic_json_get(catalog, "spec");

	return strcmp(pic_json_text_or(pic_json_get(spec, "type"), ""), "staged") == 0 ||
	       strcmp(pic_json_text_or(pic_json_get(spec, "catalogType"), ""), "staged") == 0;
}

/* The first owner of a kind that stages catalogs. */
static const struct pic_json *owner(const struct pic_json *catalog, enum pic_kind *kind)
{
	const struct pic_json *owners = pic_json_find(catalog, "metadata", "ownerReferences", NULL);

	for (size_t i = 0; i < pic_json_count(owners); i++) {
		const struct pic_json *one = pic_json_at(owners, i);
		const char *name = pic_json_text_or(pic_json_get(one, "kind"), "");
		bool instance = strcmp(name, "Instance") == 0;
		if (!instance && strcmp(name, "Target") != 0)
			continue;
		*kind = instance ? PIC_KIND_INSTANCE : PIC_KIND_TARGET;
		return one;
	}
	return NULL;
}

void pic_kube_catalog_owner(const struct pic_json *catalog, struct pic_buf *out)
{
	enum pic_kind kind;
	const struct pic_json *one = owner(catalog, &kind);

	if (one)
		pic_buf_format(out, "%s %s", pic_kind_facts(kind)->singular,
			       pic_json_text_or(pic_json_get(one, "name"), ""));
}

enum pic_kube_catalog_delete pic_kube_catalog_delete(const struct pic_kube_world *world,
						     const struct pic_object *catalog)
{
	enum pic_kind kind;
	const struct pic_json *one = owner(catalog->json, &kind);

	if (!pic_kube_is_staged(catalog->json) || !one)
		return PIC_KUBE_CATALOG_REMOVE;
	if (catalog->terminating)
		return PIC_KUBE_CATALOG_HIDE;
	const struct pic_object *lives = pic_kube_find(
		world, kind, catalog->space, pic_json_text_or(pic_json_get(one, "name"), ""));
	const char *uid = pic_json_text_or(pic_json_get(one, "uid"), "");
	/* another object of that name is not the owner */
	return lives && strcmp(lives->uid, uid) == 0 ? PIC_KUBE_CATALOG_REFUSE
						     : PIC_KUBE_CATALOG_HIDE;
}
