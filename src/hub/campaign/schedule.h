/*
 * When a stage starts: the earlier era's {date, time, zone} and the later one's RFC 3339, as milliseconds
 * of the wall clock. Zones are those that this machine's zone files know.
 */
#ifndef PIC_HUB_CAMPAIGN_SCHEDULE_H
#define PIC_HUB_CAMPAIGN_SCHEDULE_H

#include <stdint.h>

#include "base/json.h"

/* Reads time zones through the C library, which keeps its zone in the environment: called once, before
 * other threads read that, and schedules are read by one thread only. */
void pic_schedule_prepare(void);
/* 0 and *out_ms 0 when there is no schedule (absent, null, an empty text); -EINVAL with a sentence. */
int pic_schedule_parse(const struct pic_json *schedule, int64_t *out_ms, struct pic_error *err);

#endif
