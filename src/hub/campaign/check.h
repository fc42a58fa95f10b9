/*
 * What can be said of a campaign before it runs, each finding with the stage in its path: providers, names
 * of stages (in expressions too, as far as they are written out), times, windows, what an approval approves.
 * Pure.
 */
#ifndef PIC_HUB_CAMPAIGN_CHECK_H
#define PIC_HUB_CAMPAIGN_CHECK_H

#include "symphony/object.h"

/* Adds to `out`; other kinds than campaigns and activations have nothing to find. `live` is the object as
 * it is, or NULL: an activation that has begun cannot be changed. */
void pic_campaign_check(enum pic_kind kind, const struct pic_object *live,
			const struct pic_json *json, struct pic_findings *out);

#endif
