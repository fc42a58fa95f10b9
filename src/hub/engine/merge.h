/*
 * From what a catalog has and what its target should have to what it will have. Pure; internal to
 * hub/engine.
 */
#ifndef PIC_HUB_ENGINE_MERGE_H
#define PIC_HUB_ENGINE_MERGE_H

#include "hub/engine/stage.h"
#include "hub/engine/staged.h"

struct pic_merge_frame {
	const char *target;
	const struct pic_engine_device *device; /* NULL: none is enrolled */
	uint32_t broken;
	struct pic_engine_output *output; /* gets notes */
};

/* The wanted components and nothing else; what goes is listed as removed. *stamped is true when an entry
 * got `next`, a new revision. A component that finds no room on the device is marked stuck in `wanted`. */
int pic_merge_wanted(const struct pic_merge_frame *frame, struct pic_wanted_list *wanted,
		     int64_t next, struct pic_staged *staged, bool *stamped, struct pic_error *err);
/* Nothing is wanted. */
int pic_merge_nothing(const struct pic_merge_frame *frame, int64_t next, struct pic_staged *staged,
		      bool *stamped, struct pic_error *err);
/* Drops removed entries that the device has let go of. */
int pic_merge_done(const struct pic_merge_frame *frame, struct pic_staged *staged,
		   struct pic_error *err);

int pic_engine_note_add(struct pic_engine_output *output, bool warning, const char *reason,
			struct pic_error *err, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif
