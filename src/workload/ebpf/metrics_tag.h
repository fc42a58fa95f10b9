/*
 * A declaration's tag: btf_decl_tag("pcl:KIND KEY=VALUE KEY=\"quoted\" ..."). Internal to metrics*.c; plain values.
 */
#ifndef PIC_WORKLOAD_EBPF_METRICS_TAG_H
#define PIC_WORKLOAD_EBPF_METRICS_TAG_H

#include "admission/btf.h"

#define PIC_TAG_VALUE_MAX 160
#define PIC_TAGS_MAX 512

enum pic_tag_kind {
	PIC_TAG_NONE,  /* no tag of ours */
	PIC_TAG_PLAIN, /* a tag that says no kind */
	PIC_TAG_COUNTER,
	PIC_TAG_GAUGE,
	PIC_TAG_HISTOGRAM,
	PIC_TAG_LABEL,
	PIC_TAG_IGNORE,
	PIC_TAG_OTHER, /* a kind that is none of metrics' business: param, events, info */
};

struct pic_tag {
	enum pic_tag_kind kind;
	const char *text; /* what follows the kind, lent */
};

/* All tags of ours in an object, found once. */
struct pic_tags {
	const struct pic_btf *btf;
	uint32_t ids[PIC_TAGS_MAX];
	uint32_t count;
};

void pic_tags_read(const struct pic_btf *btf, struct pic_tags *out);
/* The tag of a variable (component -1) or of a member. */
struct pic_tag pic_tag_find(const struct pic_tags *tags, uint32_t type, int32_t component);
/* The value of a key, cut to what fits; false: the tag has no such key. */
bool pic_tag_get(const struct pic_tag *tag, const char *key, char out[PIC_TAG_VALUE_MAX]);

#endif
