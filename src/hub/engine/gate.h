/*
 * The gate: a component that reaches into a device's kernel is staged only while an approval for exactly it is
 * open. Pure; internal to hub/engine.
 */
#ifndef PIC_HUB_ENGINE_GATE_H
#define PIC_HUB_ENGINE_GATE_H

#include "hub/engine/merge.h"

/* Whether components of that type need somebody's approval. */
bool pic_gate_is_needed(const char *type);
/* `wanted` is READY and of a type that needs one: it gets its approval, or is held back with the reason. */
int pic_gate(const struct pic_engine_input *input, const struct pic_object *target,
	     struct pic_wanted *wanted, struct pic_error *err);
/* What is staged and whose approval is not open any more is listed as removed. */
int pic_gate_close(const struct pic_merge_frame *frame, const struct pic_engine_input *input,
		   int64_t next, struct pic_staged *staged, bool *stamped, struct pic_error *err);
/* When one of the instance's approvals opens or ends next; INT64_MAX: none does. */
int64_t pic_gate_next(const struct pic_engine_input *input);

#endif
