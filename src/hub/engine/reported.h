/*
 * What an agent of another make says it has applied: the list of components that Symphony's clients of later
 * years post to catalogs/status, kept in the catalog's properties.reported. It is the only word on a target
 * that no device of ours has joined. Pure; internal to hub/engine.
 */
#ifndef PIC_HUB_ENGINE_REPORTED_H
#define PIC_HUB_ENGINE_REPORTED_H

#include "hub/engine/staged.h"

enum pic_reported {
	PIC_REPORTED_NOTHING, /* the component is not in the list */
	PIC_REPORTED_OTHER, /* it is, with another type or other properties than it was staged with */
	PIC_REPORTED_SAME,
};

/* The list, or NULL when nobody has posted one. */
const struct pic_json *pic_reported_list(const struct pic_object *catalog);
enum pic_reported pic_reported_find(const struct pic_json *list,
				    const struct pic_staged_entry *entry);

#endif
