/*
 * Bytes of a key or value to numbers and label values. Internal to metrics*.c; pure.
 */
#ifndef PIC_WORKLOAD_EBPF_METRICS_DECODE_H
#define PIC_WORKLOAD_EBPF_METRICS_DECODE_H

#include "workload/ebpf/metrics.h"

/* A field of at most 64 bits; a signed one comes sign-extended. */
uint64_t pic_metric_number(const unsigned char *bytes, const struct pic_ebpf_plan_field *field);
/* `NAME="value"` with the value cut and escaped. */
void pic_metric_label(const struct pic_ebpf_plan *plan, const struct pic_ebpf_plan_label *label,
		      const unsigned char *key, const struct pic_ebpf_metric_names *names,
		      struct pic_buf *out);

#endif
