#include "workload/ebpf/scrape.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/text.h"
#include "workload/ebpf/content.h"

#define PATIENCE_MS 2000 /* for a reader */
#define END_NEAR_MS 250	 /* nothing may be in the way of the end */

static void let_go(struct pic_ebpf_scrape *scrape)
{
	pic_watch_free(PIC_STEAL(scrape->watch));
	pic_close_fd(&scrape->fd);
	pic_buf_free(&scrape->text);
	scrape->sent = 0;
	pic_timer_cancel(scrape->timer);
}

static void on_patience(void *data)
{
	let_go(data);
}

int pic_ebpf_scrape_start(struct pic_ebpf_scrape *scrape, struct pic_error *err)
{
	scrape->fd = -1;
	scrape->text = (struct pic_buf)PIC_BUF_INIT(PIC_EBPF_SCRAPE_MAX);
	return pic_loop_timer(scrape->loop, on_patience, scrape, &scrape->timer, err);
}

static int fd_of(const struct pic_ebpf_scrape *scrape, const char *map)
{
	for (uint32_t i = 0; i < scrape->hand->map_count; i++)
		if (strcmp(scrape->hand->maps[i], map) == 0)
			return scrape->map_fds[i];
	return -1;
}

static const char *interface_name(void *data, uint32_t number)
{
	const struct pic_ebpf_hand *hand = data;

	for (uint32_t i = 0; i < hand->interface_count; i++)
		if (hand->interfaces[i].number == number)
			return hand->interfaces[i].name;
	return NULL;
}

/* A program's own figures; how often and how long it ran is known only where the kernel counts that. */
static void add_program(const char *name, int fd, struct pic_buf *infos, struct pic_buf *counts,
			struct pic_buf *seconds)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	char id[16], tag[2 * sizeof(info.tag) + 1];
	const struct pic_label labels[] = { { "program", name }, { "id", id }, { "tag", tag } };

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return;
	snprintf(id, sizeof(id), "%u", info.id);
	pic_hex_encode(info.tag, sizeof(info.tag), tag);
	pic_metrics_sample(infos, "piccolo_ebpf_program_info", labels, 3, 1);
	if (info.run_cnt == 0)
		return;
	pic_metrics_sample(counts, "piccolo_ebpf_run_count_total", labels, 1, (double)info.run_cnt);
	pic_metrics_sample(seconds, "piccolo_ebpf_run_seconds_total", labels, 1,
			   (double)info.run_time_ns / 1e9);
}

static void add_own(const struct pic_ebpf_scrape *scrape, struct pic_buf *out)
{
	PIC_BUF struct pic_buf counts = PIC_BUF_INIT(16384), seconds = PIC_BUF_INIT(16384);
	double left = (double)(scrape->end_boot_ms - pic_clock_boot_ms()) / 1000;

	pic_metrics_family(out, "piccolo_ebpf_program_info", "gauge",
			   "A program in the kernel, by its number there");
	for (uint32_t i = 0; i < scrape->hand->program_count; i++)
		add_program(scrape->hand->programs[i], scrape->program_fds[i], out, &counts,
			    &seconds);
	if (counts.size > 0) {
		pic_metrics_family(out, "piccolo_ebpf_run_count_total", "counter",
				   "How often a program ran while the kernel counted");
		pic_buf_add(out, counts.data, counts.size);
		pic_metrics_family(out, "piccolo_ebpf_run_seconds_total", "counter",
				   "How long a program ran while the kernel counted");
		pic_buf_add(out, seconds.data, seconds.size);
	}
	pic_metrics_family(out, "piccolo_ebpf_lease_seconds", "gauge",
			   "How long it may still stay in the kernel");
	pic_metrics_sample(out, "piccolo_ebpf_lease_seconds", NULL, 0, left > 0 ? left : 0);
}

int pic_ebpf_scrape_text(const struct pic_ebpf_scrape *scrape, struct pic_buf *out,
			 struct pic_error *err)
{
	const struct pic_ebpf_metric_names names = { interface_name,
						     (void *)(uintptr_t)scrape->hand };
	struct pic_ebpf_content contents[PIC_EBPF_PLAN_MAPS];
	uint32_t dropped = 0;
	int r;

	memset(contents, 0, sizeof(contents));
	for (uint32_t i = 0; i < scrape->plan->map_count; i++)
		pic_ebpf_content_read(&scrape->plan->maps[i],
				      fd_of(scrape, scrape->plan->maps[i].name),
				      scrape->hand->processors, &contents[i]);
	add_own(scrape, out);
	r = pic_ebpf_metrics_write(scrape->plan, contents, &names, out, &dropped, err);
	for (uint32_t i = 0; i < scrape->plan->map_count; i++)
		pic_ebpf_content_free(&contents[i]);
	if (r < 0)
		return r;
	pic_metrics_family(out, "piccolo_ebpf_series_dropped", "gauge",
			   "Series of the maps that the limits left out");
	pic_metrics_sample(out, "piccolo_ebpf_series_dropped", NULL, 0, dropped);
	return pic_buf_check(out, "the figures", err);
}

static void on_writable(void *data, int fd, uint32_t events)
{
	struct pic_ebpf_scrape *scrape = data;
	ssize_t size =
		write(fd, scrape->text.data + scrape->sent, scrape->text.size - scrape->sent);

	(void)events;
	if (size < 0 && errno == EAGAIN)
		return;
	if (size > 0)
		scrape->sent += (size_t)size;
	if (size <= 0 || scrape->sent == scrape->text.size)
		let_go(scrape);
}

void pic_ebpf_scrape_serve(struct pic_ebpf_scrape *scrape, int fd)
{
	if (scrape->fd >= 0)
		let_go(scrape);
	scrape->fd = fd;
	if (scrape->end_boot_ms - pic_clock_boot_ms() < END_NEAR_MS ||
	    pic_ebpf_scrape_text(scrape, &scrape->text, NULL) < 0 || scrape->text.size == 0 ||
	    pic_loop_watch(scrape->loop, fd, EPOLLOUT, on_writable, scrape, &scrape->watch, NULL) <
		    0)
		let_go(scrape);
	else
		pic_timer_set(scrape->timer, PATIENCE_MS);
}
