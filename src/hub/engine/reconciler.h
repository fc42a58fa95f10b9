/*
 * The shell around the engine: listens to the store, remembers which instances and targets a change
 * concerns, and looks at each of them once before the loop sleeps again. So a change is in the
 * documents of the devices in the same turn of the loop, and a thousand changes at once are one look.
 *
 * At the start everything is looked at once: what the engine would write again is already there, so
 * nothing happens, and what a crash left half done is finished.
 *
 * When a write fails (disk full) the store takes it back, and the reconciler waits before it tries again.
 */
#ifndef PIC_HUB_ENGINE_RECONCILER_H
#define PIC_HUB_ENGINE_RECONCILER_H

#include "hub/hub.h"

struct pic_reconciler;

/* Needs loop, store, artifacts and public_url of the hub. */
int pic_reconciler_open(struct pic_reconciler **out, struct pic_hub *hub, struct pic_error *err);
/* No more looks, fetches or events; before pic_store_close. */
void pic_reconciler_stop(struct pic_reconciler *reconciler);
/* After pic_store_close, whose last commits are still told here. */
void pic_reconciler_close(struct pic_reconciler *reconciler);
/* Looks at everything that waits, now; what pic_loop_run does before it sleeps. */
void pic_reconciler_run(struct pic_reconciler *reconciler);

struct pic_reconciler_facts {
	uint64_t reconciles; /* of instances and targets */
	uint64_t writes;     /* changes that came out of them */
	uint64_t failures;   /* changes the disk refused */
	size_t waiting;	     /* to be looked at */
};
void pic_reconciler_facts(const struct pic_reconciler *reconciler,
			  struct pic_reconciler_facts *out);

#endif
