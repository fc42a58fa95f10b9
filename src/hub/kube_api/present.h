/*
 * A stored object as clients see it: without what the hub keeps beside it for itself. Pure.
 */
#ifndef PIC_HUB_KUBE_API_PRESENT_H
#define PIC_HUB_KUBE_API_PRESENT_H

#include "symphony/object.h"

/* Top-level member of a stored object that never leaves the hub: what each server-side apply manager
 * applied last, {"<manager>": {configuration}} (server_apply.h). */
#define PIC_KUBE_APPLIED "applied"

/* Does anybody see it? A catalog that was deleted before its device let go of it is not. */
bool pic_kube_is_visible(const struct pic_object *object);
/* The public form, a new reference; members may be shared with the stored object: read only. */
struct pic_json *pic_kube_present(const struct pic_object *object);
/* The same with another resourceVersion: for the event of a deletion. */
struct pic_json *pic_kube_present_at(const struct pic_object *object, int64_t revision);

#endif
