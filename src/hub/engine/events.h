/*
 * Events: core/v1 Event objects about what happened to an object, as `kubectl describe` and `kubectl get
 * events` show them. The same thing again is the same event with a higher count. Bounded: at most
 * PIC_EVENTS_MAX, none older than PIC_EVENTS_AGE_MS; the oldest goes first.
 */
#ifndef PIC_HUB_ENGINE_EVENTS_H
#define PIC_HUB_ENGINE_EVENTS_H

#include "hub/engine/engine.h"
#include "hub/store/store.h"

#define PIC_EVENTS_MAX 500
#define PIC_EVENTS_AGE_MS (60 * 60 * 1000)

/* The object an event is about; it need not exist any more. */
struct pic_event_subject {
	enum pic_kind kind;
	const char *space, *name, *uid;
};

/* Adds the event to the change. -ENOMEM only. */
int pic_events_add(struct pic_store *store, struct pic_change *change,
		   const struct pic_event_subject *subject, const struct pic_engine_note *note,
		   int64_t now_ms, struct pic_error *err);
/* Adds the deletion of what is too old, tombstones of catalogs too; *count tells how many went, *next_ms
 * when the next one will be (INT64_MAX: none is left). */
void pic_events_expire(struct pic_store *store, struct pic_change *change, int64_t now_ms,
		       size_t *count, int64_t *next_ms);
/* A tombstone for a catalog that goes with this change. */
int pic_events_bury(struct pic_change *change, const char *space, const char *name, int64_t now_ms,
		    struct pic_error *err);

#endif
