/*
 * One component on one target as statuses show it: what was asked for beside what the device said.
 * Pure; internal to hub/engine.
 */
#ifndef PIC_HUB_ENGINE_PART_H
#define PIC_HUB_ENGINE_PART_H

#include "hub/engine/health.h"
#include "hub/engine/stage.h"
#include "hub/engine/staged.h"

struct pic_part {
	const char *target;
	const char *component;
	const char *type;
	const char *phase;
	int64_t revision; /* 0: nothing is staged */
	struct pic_health health;
	const struct pic_report_component *report; /* of the current revision, or NULL */
};

struct pic_part_frame {
	const char *target;
	const char *instance;			/* its name on the device */
	const struct pic_engine_device *device; /* NULL: none is enrolled */
	const struct pic_json
		*reported; /* without a device: what an agent of another make said, or NULL */
	uint32_t broken;
};

/* A staged or removed entry. */
struct pic_part pic_part_of_entry(const struct pic_part_frame *frame,
				  const struct pic_staged_entry *entry);
/* A component that is held back; `entry` is what was staged of it before, or NULL. */
struct pic_part pic_part_of_held(const struct pic_part_frame *frame,
				 const struct pic_wanted *wanted,
				 const struct pic_staged_entry *entry);
struct pic_json *pic_part_json(const struct pic_part *part);
/* "Running - message", the text of properties["targets.<t>.<c>"]. */
void pic_part_text(const struct pic_part *part, char *out, size_t size);

#endif
