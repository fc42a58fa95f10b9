/*
 * Which instances and targets a change of one object concerns. Internal to hub/engine.
 */
#ifndef PIC_HUB_ENGINE_WAKE_H
#define PIC_HUB_ENGINE_WAKE_H

#include "hub/engine/dirty.h"
#include "hub/store/store.h"

/* `own`: the reconciler's own write. The engine would write the same again, so whoever it was written
 * for need not be looked at once more; only others that waited for a name or for room. */
void pic_wake(struct pic_store *store, struct pic_dirty_set *set, enum pic_kind kind,
	      const struct pic_object *before, const struct pic_object *after, bool own);
/* The instances that an approval names. */
void pic_wake_approval(struct pic_dirty_set *set, const struct pic_object *approval);
/* Everything there is. */
void pic_wake_all(struct pic_store *store, struct pic_dirty_set *set);

#endif
