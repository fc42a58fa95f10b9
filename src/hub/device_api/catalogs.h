/*
 * Which catalogs are of which device: a list ordered by target, made again when it is asked for after a
 * catalog has changed.
 */
#ifndef PIC_HUB_DEVICE_API_CATALOGS_H
#define PIC_HUB_DEVICE_API_CATALOGS_H

#include "hub/store/store.h"

struct pic_target_catalog {
	char target[PIC_OBJECT_NAME_MAX + 1];
	struct pic_object *catalog; /* a reference */
};

struct pic_target_catalogs {
	struct pic_target_catalog *items;
	size_t count, capacity;
	const struct pic_object **found; /* of the last look-up */
	size_t found_capacity;
	bool current;
};

/* A catalog changed. */
void pic_target_catalogs_forget(struct pic_target_catalogs *catalogs);
/* Those of one target, lent until the next call; -ENOMEM. */
int pic_target_catalogs_of(struct pic_target_catalogs *catalogs, struct pic_store *store,
			   const char *target, const struct pic_object *const **out, size_t *count);
/* Does a component in one of them have this digest in a "<type>.sha256" property? */
bool pic_target_catalogs_name(struct pic_target_catalogs *catalogs, struct pic_store *store,
			      const char *target, const char *sha256);
void pic_target_catalogs_free(struct pic_target_catalogs *catalogs);

#endif
