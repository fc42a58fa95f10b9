#include "workload/ebpf/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define LINES_A_SECOND 100
#define SECOND_MS 1000
#define PER_WAKE 8 /* reads; then others get their turn */
#define LINE_MAX 1024
#define ROOM 4096 /* taken out of a full pipe at once */

/* A pipe that nobody reads keeps the newest lines: the oldest ones make room, up to the end of one. */
static void make_room(int pipe_fd)
{
	char old[ROOM];
	ssize_t size = read(pipe_fd, old, sizeof(old));

	for (unsigned i = 0; size > 0 && old[size - 1] != '\n' && i < LINE_MAX; i++)
		size = read(pipe_fd, old, 1);
}

static void pass_on(struct pic_ebpf_trace *trace, const char *line, size_t size)
{
	pic_workload_log_write(trace->log, 'o', line, size);
	if (write(trace->pipe_fd, line, size) >= 0 || errno != EAGAIN)
		return;
	make_room(trace->pipe_fd);
	if (write(trace->pipe_fd, line, size) < 0)
		trace->dropped++;
}

static void say_dropped(struct pic_ebpf_trace *trace)
{
	char line[64];
	int size;

	if (!trace->dropped)
		return;
	size = snprintf(line, sizeof(line), "(%" PRIu64 " lines dropped)\n", trace->dropped);
	trace->dropped = 0;
	pass_on(trace, line, (size_t)size);
}

static void begin_second(struct pic_ebpf_trace *trace, int64_t now)
{
	trace->second_ms = now;
	trace->in_second = 0;
	say_dropped(trace);
}

static void on_second(void *data)
{
	begin_second(data, pic_clock_boot_ms());
}

static void drop(struct pic_ebpf_trace *trace, uint64_t count, int64_t now)
{
	if (!trace->dropped)
		pic_timer_set(trace->timer, trace->second_ms + SECOND_MS - now);
	trace->dropped += count;
}

static void take_line(struct pic_ebpf_trace *trace, const char *line, size_t size)
{
	struct pic_ebpf_trace_line read;
	int64_t now = pic_clock_boot_ms();
	char out[LINE_MAX];
	int length;

	if (!pic_ebpf_trace_line_read(line, size, &read))
		return;
	if (now - trace->second_ms >= SECOND_MS)
		begin_second(trace, now);
	if (read.lost) {
		drop(trace, read.lost, now);
		return;
	}
	if (!pic_ebpf_heads_fit(&trace->heads, trace->prefix, &read.text))
		return;
	if (++trace->in_second > LINES_A_SECOND) {
		drop(trace, 1, now);
		return;
	}
	length = snprintf(out, sizeof(out), "%.*s: %.*s", (int)read.time.size, read.time.data,
			  (int)read.text.size, read.text.data);
	if (length >= (int)sizeof(out) - 1)
		length = (int)sizeof(out) - 2;
	out[length++] = '\n';
	pass_on(trace, out, (size_t)length);
}

static void take(struct pic_ebpf_trace *trace)
{
	char *line = trace->rest, *end = trace->rest + trace->used, *newline;

	while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
		take_line(trace, line, (size_t)(newline - line));
		line = newline + 1;
	}
	trace->used = (size_t)(end - line);
	memmove(trace->rest, line, trace->used);
	if (trace->used == sizeof(trace->rest)) /* longer than the kernel makes them */
		trace->used = 0;
}

void pic_ebpf_trace_drain(struct pic_ebpf_trace *trace)
{
	for (int i = 0; i < PER_WAKE; i++) {
		ssize_t size = read(trace->trace_fd, trace->rest + trace->used,
				    sizeof(trace->rest) - trace->used);

		if (size <= 0)
			return;
		trace->used += (size_t)size;
		take(trace);
	}
}

static void on_readable(void *data, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	pic_ebpf_trace_drain(data);
}

int pic_ebpf_trace_start(struct pic_ebpf_trace *trace, struct pic_loop *loop, struct pic_error *err)
{
	int r = pic_loop_timer(loop, on_second, trace, &trace->timer, err);

	return r < 0 ? r
		     : pic_loop_watch(loop, trace->trace_fd, EPOLLIN, on_readable, trace,
				      &trace->watch, err);
}
