/*
 * The instances and targets that have to be looked at, each once. Internal to hub/engine.
 */
#ifndef PIC_HUB_ENGINE_DIRTY_H
#define PIC_HUB_ENGINE_DIRTY_H

#include <stdbool.h>
#include <stddef.h>

enum pic_dirty_kind {
	PIC_DIRTY_INSTANCE,
	PIC_DIRTY_TARGET, /* its status, and what it runs on its own account */
};

struct pic_dirty {
	enum pic_dirty_kind kind;
	char *space, *name;
};

struct pic_dirty_set {
	struct pic_dirty *items; /* sorted */
	size_t count, capacity;
	bool lost; /* there was no memory for one: everything has to be looked at */
};

void pic_dirty_add(struct pic_dirty_set *set, enum pic_dirty_kind kind, const char *space,
		   const char *name);
/* Moves everything into *out. */
void pic_dirty_take(struct pic_dirty_set *set, struct pic_dirty_set *out);
void pic_dirty_free(struct pic_dirty_set *set);

#endif
