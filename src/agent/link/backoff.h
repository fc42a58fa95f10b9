/*
 * How long to wait after a failure: exponential from 1 s to 5 min with full jitter, so that a fleet does
 * not come back as one; at least as long as the server asked for.
 */
#ifndef PIC_AGENT_LINK_BACKOFF_H
#define PIC_AGENT_LINK_BACKOFF_H

#include <stdint.h>

#define PIC_BACKOFF_FIRST_MS 1000
#define PIC_BACKOFF_LONGEST_MS (5 * 60 * 1000)

/* `failures` in a row, at least 1; retry_after_ms -1: the server asked for nothing. */
int64_t pic_backoff_ms(unsigned failures, int64_t retry_after_ms);

#endif
