#include "agent/status/merge.h"

#include <string.h>

#include "base/clock.h"

static const struct pic_report_component *find(const struct pic_report_component *list,
					       size_t count, const struct pic_workload_name *name)
{
	for (size_t i = 0; i < count; i++)
		if (pic_workload_name_compare(&list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

static bool is_trouble(enum pic_phase phase)
{
	return phase == PIC_PHASE_FAILED || phase == PIC_PHASE_REFUSED ||
	       phase == PIC_PHASE_BACKOFF;
}

static bool is_same_state(const struct pic_report_component *a,
			  const struct pic_report_component *b)
{
	return a->phase == b->phase && strcmp(a->reason, b->reason) == 0;
}

static bool is_same_news(const struct pic_report_component *a, const struct pic_report_component *b)
{
	return is_same_state(a, b) && strcmp(a->message, b->message) == 0 && a->pid == b->pid &&
	       a->end_boot_ms == b->end_boot_ms && strcmp(a->evidence, b->evidence) == 0 &&
	       a->restarts == b->restarts && a->orphaned == b->orphaned &&
	       memcmp(a->digest, b->digest, PIC_DIGEST_SIZE) == 0;
}

/* A time of 1970 would stay for ever once the clock is set. */
static bool is_from_unset_clock(int64_t since_ms, int64_t now_wall_ms)
{
	return pic_clock_wall_is_set(now_wall_ms) && !pic_clock_wall_is_set(since_ms);
}

static void carry_error(const struct pic_report_component *last, struct pic_report_component *next)
{
	if (next->last_error[0])
		return; /* the ledger's own word on how the last run ended */
	if (is_trouble(next->phase)) {
		memcpy(next->last_error, next->message, sizeof(next->last_error));
	} else if (last) {
		memcpy(next->last_error, last->last_error, sizeof(next->last_error));
		next->error_boot_ms = last->error_boot_ms;
	}
}

/* Computed once: clocks drift apart, and the same error shall not seem to be a new one. */
static void date_error(const struct pic_report_component *last, struct pic_report_component *next,
		       int64_t now_wall_ms, int64_t now_boot_ms)
{
	if (!next->last_error[0])
		return;
	if (last && last->error_boot_ms == next->error_boot_ms &&
	    strcmp(last->last_error, next->last_error) == 0 &&
	    !is_from_unset_clock(last->last_error_ms, now_wall_ms))
		next->last_error_ms = last->last_error_ms;
	else if (next->error_boot_ms)
		next->last_error_ms = now_wall_ms - (now_boot_ms - next->error_boot_ms);
	else
		next->last_error_ms = now_wall_ms;
}

bool pic_status_merge(const struct pic_report_component *last, size_t last_count,
		      struct pic_report_component *next, size_t next_count, int64_t now_wall_ms,
		      int64_t now_boot_ms)
{
	bool changed = last_count != next_count;

	for (size_t i = 0; i < next_count; i++) {
		const struct pic_report_component *before = find(last, last_count, &next[i].name);

		carry_error(before, &next[i]);
		date_error(before, &next[i], now_wall_ms, now_boot_ms);
		next[i].since_ms = now_wall_ms;
		if (before && is_same_state(before, &next[i]) &&
		    !is_from_unset_clock(before->since_ms, now_wall_ms))
			next[i].since_ms = before->since_ms;
		changed |= !before || !is_same_news(before, &next[i]);
	}
	return changed;
}
