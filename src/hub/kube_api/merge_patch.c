/* JSON merge patch, RFC 7386. Depth is bounded by that of the two trees. */
#include "hub/kube_api/merge_patch.h"

#include <errno.h>

static int merge_members(struct pic_json *into, const struct pic_json *patch);

/* The patch value as it lands where nothing is yet: nulls inside new objects vanish. */
static struct pic_json *fresh(const struct pic_json *patch)
{
	if (pic_json_type(patch) != PIC_JSON_OBJECT)
		return pic_json_copy(patch);
	PIC_JSON struct pic_json *made = pic_json_new_object();
	if (merge_members(made, patch) < 0)
		return NULL;
	return PIC_STEAL(made);
}

static int merge_member(struct pic_json *into, const char *key, const struct pic_json *patch)
{
	struct pic_json *old = pic_json_get(into, key);

	if (pic_json_type(patch) == PIC_JSON_NULL) {
		pic_json_delete(into, key);
		return 0;
	}
	if (pic_json_type(patch) == PIC_JSON_OBJECT && pic_json_type(old) == PIC_JSON_OBJECT)
		return merge_members(old, patch);
	return pic_json_set(into, key, fresh(patch));
}

static int merge_members(struct pic_json *into, const struct pic_json *patch)
{
	if (!into)
		return -ENOMEM;
	pic_json_each(patch, i) {
		int r = merge_member(into, pic_json_key(i), pic_json_value(i));
		if (r < 0)
			return r;
	}
	return 0;
}

struct pic_json *pic_kube_merge(const struct pic_json *target, const struct pic_json *patch)
{
	if (pic_json_type(patch) != PIC_JSON_OBJECT || pic_json_type(target) != PIC_JSON_OBJECT)
		return fresh(patch);
	PIC_JSON struct pic_json *merged = pic_json_copy(target);
	if (merge_members(merged, patch) < 0)
		return NULL;
	return PIC_STEAL(merged);
}
