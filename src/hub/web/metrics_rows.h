/*
 * The metrics of one workload out of a device's Prometheus text: the samples that carry its labels instance
 * and component. What a device sends is a stranger's text: lines that do not read are passed over. Pure.
 */
#ifndef PIC_HUB_WEB_METRICS_ROWS_H
#define PIC_HUB_WEB_METRICS_ROWS_H

#include "base/buffer.h"
#include "protocol/document.h"

#define PIC_METRICS_ROWS_MAX 1000

struct pic_metrics_row {
	struct pic_view name;
	struct pic_view labels; /* without braces, instance and component; may be empty */
	struct pic_view value;
};

typedef void pic_metrics_row_fn(void *data, const struct pic_metrics_row *row);
/* Calls `fn` for each; the number of rows. Views are lent for the call. */
size_t pic_metrics_rows(struct pic_view text, const struct pic_workload_name *name,
			pic_metrics_row_fn *fn, void *data);

#endif
