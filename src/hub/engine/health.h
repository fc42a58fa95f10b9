/*
 * How well something is: the worst of its parts, with the first sentence that says why. And conditions,
 * whose times of transition are kept. Pure; internal to hub/engine.
 */
#ifndef PIC_HUB_ENGINE_HEALTH_H
#define PIC_HUB_ENGINE_HEALTH_H

#include "hub/engine/engine.h"

enum pic_health_level {
	PIC_HEALTH_GOOD,
	PIC_HEALTH_OVER, /* a permission has ended: nothing is wrong, and not all that is wanted runs */
	PIC_HEALTH_UNDER_WAY,
	PIC_HEALTH_STOPPED, /* as a person at the device wants it */
	PIC_HEALTH_BAD,	    /* will not get better by itself */
};

struct pic_health {
	enum pic_health_level level;
	char reason[PIC_ENGINE_REASON_MAX]; /* "" when good */
	char message[PIC_ENGINE_MESSAGE_MAX];
};

void pic_health_set(struct pic_health *health, enum pic_health_level level, const char *reason,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The worse one stays; of two equals the earlier one. */
void pic_health_add(struct pic_health *health, const struct pic_health *part);
const char *pic_health_status(
	const struct pic_health *health); /* Succeeded, Expired, Reconciling, Stopped, Failed */

/* What conditions are made from. */
struct pic_condition_frame {
	const struct pic_json *before; /* the old status */
	int64_t generation;
	int64_t now_ms;
	uint32_t broken;
};
/* Ready, Reconciling and Stalled for `health`; `good_reason` and `good_message` when all is well. */
struct pic_json *pic_conditions(const struct pic_condition_frame *frame,
				const struct pic_health *health, const char *good_reason,
				const char *good_message);
/* "True" now but not before. */
bool pic_condition_turned_true(const struct pic_json *before, const struct pic_json *after,
			       const char *type);

#endif
