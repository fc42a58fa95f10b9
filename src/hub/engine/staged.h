/*
 * The lists of one staged catalog as entries: read, changed, written. Pure; internal to hub/engine.
 *
 * In the catalog's spec.properties:
 *   components, removed-components   the two lists; a name is in one of them; null when empty
 *   staged                           the same two for the later era
 *   revisions                        name -> document revision in which the entry changed last
 *   artifacts                        names of components whose bytes the hub keeps
 */
#ifndef PIC_HUB_ENGINE_STAGED_H
#define PIC_HUB_ENGINE_STAGED_H

#include "hub/engine/engine.h"

struct pic_staged_entry {
	const char *name;      /* lent from json */
	struct pic_json *json; /* the component, owned */
	int64_t revision;      /* 0: unknown, gets a new one */
	bool removed;
	bool hub_has_bytes;
};

struct pic_staged {
	struct pic_staged_entry *entries;
	size_t count;
};

/* `catalog` may be NULL. Entries that cannot be read are left out, what is listed twice loses its
 * revision. */
int pic_staged_read(const struct pic_object *catalog, uint32_t broken, struct pic_staged *out,
		    struct pic_error *err);
void pic_staged_free(struct pic_staged *staged);
struct pic_staged_entry *pic_staged_find(const struct pic_staged *staged, const char *name);
int64_t pic_staged_highest(const struct pic_staged *staged);
/* About what a component takes in a document, and all entries together. */
size_t pic_staged_json_bytes(const struct pic_json *component);
size_t pic_staged_bytes(const struct pic_staged *staged);
/* A new entry, or `entry` with something else in it. json is shared. */
int pic_staged_put(struct pic_staged *staged, struct pic_staged_entry *entry, struct pic_json *json,
		   bool hub_has_bytes, int64_t revision, struct pic_error *err);
void pic_staged_drop(struct pic_staged *staged, size_t index);

/* What the catalog object says about itself besides its lists. */
struct pic_staged_head {
	const char *space, *instance, *target;
	const struct pic_object *owner; /* NULL: it is gone, what the catalog says of it stays */
	bool terminating;
	int64_t now_ms;
	const struct pic_json *status; /* NULL: as it was */
};
/* The whole catalog in kube's form. generation rises when spec or termination changes. */
int pic_staged_write(const struct pic_staged *staged, const struct pic_object *catalog,
		     const struct pic_staged_head *head, struct pic_json **out,
		     struct pic_error *err);

#endif
