/*
 * Campaigns: durable state machines over stage providers (symphony-protocol.md section 7). A Campaign
 * object says the stages, an Activation object runs it; the position, inputs, outputs and timers are in the
 * Activation's status, written in the same change as a stage's effect, so that after kill -9 each effect
 * has happened exactly once. What a window has to undo is an internal object of its own (windows.c), so
 * that it also outlives its activation: deleting the activation closes the window.
 *
 * The machine (machine.c) is pure: (activation, what happened, now) -> next status and one action. The
 * shell (campaigns.c) does the actions through provider rows (provider.h) and feeds results back.
 */
#ifndef PIC_HUB_CAMPAIGN_CAMPAIGN_H
#define PIC_HUB_CAMPAIGN_CAMPAIGN_H

#include "hub/hub.h"

struct pic_campaigns;
int pic_campaigns_open(struct pic_campaigns **out, struct pic_hub *hub, struct pic_error *err);
/* No more stages or requests; before pic_store_close. */
void pic_campaigns_stop(struct pic_campaigns *campaigns);
/* After pic_store_close, whose last commits are still told here. */
void pic_campaigns_close(struct pic_campaigns *campaigns);

#endif
