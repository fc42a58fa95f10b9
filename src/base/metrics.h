/*
 * Prometheus text exposition format 0.0.4, written in order: a family, then its samples.
 * Names carry base units (seconds, bytes, _total). Label values are escaped here.
 */
#ifndef PIC_BASE_METRICS_H
#define PIC_BASE_METRICS_H

#include "base/buffer.h"

struct pic_label {
	const char *name, *value;
};

void pic_metrics_family(struct pic_buf *out, const char *name, const char *type, const char *help);
void pic_metrics_sample(struct pic_buf *out, const char *name, const struct pic_label *labels,
			size_t label_count, double value);

#define PIC_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
