/*
 * What is carried from one view of the workloads to the next: since when a workload is in its phase, and
 * the last error it had and when. Pure.
 */
#ifndef PIC_AGENT_STATUS_MERGE_H
#define PIC_AGENT_STATUS_MERGE_H

#include "protocol/report.h"

/* Completes `next` from `last`; true when something changed that others want to hear of (not figures). */
bool pic_status_merge(const struct pic_report_component *last, size_t last_count,
		      struct pic_report_component *next, size_t next_count, int64_t now_wall_ms,
		      int64_t now_boot_ms);

#endif
