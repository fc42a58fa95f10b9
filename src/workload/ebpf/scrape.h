/*
 * Figures on demand: what the maps hold now, as Prometheus text, into the pipe that the broker's order brought.
 */
#ifndef PIC_WORKLOAD_EBPF_SCRAPE_H
#define PIC_WORKLOAD_EBPF_SCRAPE_H

#include "base/loop.h"
#include "workload/ebpf/hand.h"

struct pic_ebpf_scrape {
	struct pic_loop *loop;
	const struct pic_ebpf_hand *hand;
	const struct pic_ebpf_plan *plan;
	const int *program_fds, *map_fds; /* in the hand's order */
	int64_t end_boot_ms;

	int fd; /* of the reader that is being served; -1 */
	struct pic_buf text;
	size_t sent;
	struct pic_watch *watch;
	struct pic_timer *timer;
};

/* Fields down to end_boot_ms are set. */
int pic_ebpf_scrape_start(struct pic_ebpf_scrape *scrape, struct pic_error *err);
/* Writes as the reader takes it. `fd` (non-blocking) is taken over; a reader that is still being served loses. */
void pic_ebpf_scrape_serve(struct pic_ebpf_scrape *scrape, int fd);
/* All of it now. */
int pic_ebpf_scrape_text(const struct pic_ebpf_scrape *scrape, struct pic_buf *out,
			 struct pic_error *err);

#endif
