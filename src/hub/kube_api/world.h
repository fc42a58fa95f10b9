/*
 * The objects there are, as the pure parts of the kube API ask for them: the store behind two
 * functions, so that tests can have a world of their own. Objects are borrowed.
 */
#ifndef PIC_HUB_KUBE_API_WORLD_H
#define PIC_HUB_KUBE_API_WORLD_H

#include "symphony/object.h"

struct pic_kube_world {
	struct pic_object *(*find)(void *data, enum pic_kind kind, const char *space,
				   const char *name);
	/* By (space, name), space NULL: all; `after` NULL starts. */
	struct pic_object *(*next)(void *data, enum pic_kind kind, const char *space,
				   const struct pic_object *after);
	void *data;
	/* Milliseconds of the wall clock; NULL: it is not known what is past. */
	int64_t (*now)(void);
};

static inline struct pic_object *pic_kube_find(const struct pic_kube_world *world,
					       enum pic_kind kind, const char *space,
					       const char *name)
{
	return world->find(world->data, kind, space, name);
}

#endif
