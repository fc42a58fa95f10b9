/*
 * Staged catalogs: written by the hub out of an instance, and its memory of what a device has to remove.
 * Users may read, label and annotate them; this says what else. Pure.
 */
#ifndef PIC_HUB_KUBE_API_CATALOG_RULES_H
#define PIC_HUB_KUBE_API_CATALOG_RULES_H

#include "hub/kube_api/world.h"

/* By its type, in either era's field. */
bool pic_kube_is_staged(const struct pic_json *catalog);
/* "instance tiny-app": who owns the catalog; nothing when nobody does. */
void pic_kube_catalog_owner(const struct pic_json *catalog, struct pic_buf *out);

enum pic_kube_catalog_delete {
	PIC_KUBE_CATALOG_REMOVE, /* nobody staged it: it goes */
	PIC_KUBE_CATALOG_HIDE,	 /* its owner is gone, its device has not let go yet */
	PIC_KUBE_CATALOG_REFUSE, /* its owner lives */
};
enum pic_kube_catalog_delete pic_kube_catalog_delete(const struct pic_kube_world *world,
						     const struct pic_object *catalog);

#endif
