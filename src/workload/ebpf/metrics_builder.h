/*
 * A plan while it is being made: places in its arrays, names into its text. Internal to metrics*.c. Each function
 * that finds no room answers false and leaves the plan as it was.
 */
#ifndef PIC_WORKLOAD_EBPF_METRICS_BUILDER_H
#define PIC_WORKLOAD_EBPF_METRICS_BUILDER_H

#include "workload/ebpf/metrics.h"
#include "workload/ebpf/metrics_tag.h"

struct pic_plan_builder {
	struct pic_btf btf;
	struct pic_tags tags;
	struct pic_ebpf_plan *plan;
	uint32_t budget; /* members still looked at: structs in structs multiply */
};

/* Keeps a name; the same name is kept once. */
bool pic_plan_keep(struct pic_ebpf_plan *plan, const char *text, uint32_t *offset);
/* What no page or terminal should see becomes a question mark. */
void pic_plan_clean_text(char *text);
/* `name` with every sign that a metric or label cannot have as _, no two at its beginning, at most 127 bytes. */
void pic_plan_clean_name(const char *name, char out[128]);
/* The labels of a key of that type; false when there are too many. */
bool pic_plan_labels(struct pic_plan_builder *builder, uint32_t key_type, uint32_t *first,
		     uint32_t *count);
/* A whole number, an enum or a bool as a field; false: it is none. */
bool pic_plan_number(const struct pic_btf *btf, uint32_t type, uint32_t bit_offset,
		     uint32_t bit_size, struct pic_ebpf_plan_field *out);
/* Members that are there for the layout's sake only. */
bool pic_plan_is_padding(const char *name);

#endif
