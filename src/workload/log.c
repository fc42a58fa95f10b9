#include "workload/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "workload/log_segment.h"

#define LINE_MAX_BYTES 4096
#define MAXIMUM_AT_LEAST (16 * 1024)
#define PREFIX_SIZE 27 /* "2026-11-24T14:00:00.000Z o " */

/* The bytes of a line whose end has not come yet. */
struct rest {
	char *data; /* LINE_MAX_BYTES, made when it is needed */
	size_t size;
};

struct pic_workload_log {
	bool direct;
	int fds[2];	     /* segments; direct: output and error */
	bool terminal[2];    /* direct */
	const char *subject; /* direct */
	unsigned current;
	uint64_t maximum;  /* of one segment */
	uint64_t size;	   /* of the current one */
	uint64_t position; /* log bytes written so far */
	bool torn;	   /* the last write stopped inside a line */
	struct rest output, error;
};

static size_t put_prefix(char out[PREFIX_SIZE + 1], char stream)
{
	int64_t now = pic_clock_wall_ms();
	char time[PIC_TIME_TEXT];

	pic_time_format(now, time);
	return (size_t)snprintf(out, PREFIX_SIZE + 1, "%.19s.%03dZ %c ", time, (int)(now % 1000),
				stream);
}

static void start_segment(struct pic_workload_log *log)
{
	char header[PIC_LOG_HEADER_MAX];
	int length = snprintf(header, sizeof(header), "#%llu\n", (unsigned long long)log->position);

	log->size = 0;
	if (ftruncate(log->fds[log->current], 0) < 0)
		return;
	if (write(log->fds[log->current], header, (size_t)length) == length)
		log->size = (uint64_t)length;
	log->torn = false;
}

/* Where an earlier runner of this workload stopped. */
static void continue_segments(struct pic_workload_log *log)
{
	struct pic_log_segment a, b;
	bool has_a = pic_log_segment_read(log->fds[0], &a);
	bool has_b = pic_log_segment_read(log->fds[1], &b);
	const struct pic_log_segment *newest;

	if (!has_a && !has_b) {
		start_segment(log);
		return;
	}
	log->current = has_b && (!has_a || b.position > a.position);
	newest = log->current ? &b : &a;
	log->position = newest->position + newest->size;
	log->size = newest->header_size + newest->size;
	log->torn = newest->torn;
}

int pic_workload_log_new(struct pic_workload_log **out, const int segments[2], uint64_t maximum,
			 struct pic_error *err)
{
	struct pic_workload_log *log = calloc(1, sizeof(*log));
	char prefix[PREFIX_SIZE + 1];

	if (!log)
		return pic_error_set(err, -ENOMEM, "there is no memory for the workload's log");
	/* libc reads its time zone's file at the first date, and later this process may open none. */
	put_prefix(prefix, 'p');
	if (maximum < MAXIMUM_AT_LEAST)
		maximum = MAXIMUM_AT_LEAST;
	log->fds[0] = segments[0];
	log->fds[1] = segments[1];
	log->maximum = maximum / 2;
	continue_segments(log);
	*out = log;
	return 0;
}

int pic_workload_log_new_direct(struct pic_workload_log **out, const char *subject, int output_fd,
				int error_fd, struct pic_error *err)
{
	struct pic_workload_log *log = calloc(1, sizeof(*log));

	if (!log)
		return pic_error_set(err, -ENOMEM, "there is no memory for the module's output");
	log->direct = true;
	log->subject = subject;
	log->fds[0] = output_fd;
	log->fds[1] = error_fd;
	for (unsigned i = 0; i < 2; i++) /* now: later this process may not ask */
		log->terminal[i] = isatty(log->fds[i]);
	*out = log;
	return 0;
}

bool pic_workload_log_is_direct(const struct pic_workload_log *log)
{
	return log->direct;
}

void pic_workload_log_free(struct pic_workload_log *log)
{
	if (!log)
		return;
	pic_workload_log_flush(log);
	for (unsigned i = 0; i < 2 && !log->direct; i++)
		close(log->fds[i]);
	free(log->output.data);
	free(log->error.data);
	free(log);
}

/* One line, without its newline. A full disk loses lines; the next one that fits starts afresh. */
static void put_line(struct pic_workload_log *log, char stream, const char *text, size_t size)
{
	char prefix[PREFIX_SIZE + 1];
	size_t prefix_size = put_prefix(prefix, stream);
	size_t total = prefix_size + size + 1;
	struct iovec parts[] = {
		{ (char *)"\n", log->torn },
		{ prefix, prefix_size },
		{ (char *)text, size },
		{ (char *)"\n", 1 },
	};
	ssize_t n;

	if (log->size + total + 1 > log->maximum || log->size == 0) {
		log->current ^= log->size > 0;
		start_segment(log);
		parts[0].iov_len = 0;
	}
	total += parts[0].iov_len;
	n = writev(log->fds[log->current], parts, PIC_COUNT(parts));
	if (n <= 0)
		return;
	log->torn = (size_t)n < total;
	log->size += (uint64_t)n;
	log->position += (uint64_t)n;
}

static void put_direct(const struct pic_workload_log *log, unsigned to, const char *data,
		       size_t size)
{
	struct pic_buf PIC_BUF text = PIC_BUF_INIT(1024 * 1024);

	if (log->terminal[to]) {
		pic_text_escape(data, size, true, &text);
		data = pic_buf_text(&text);
		size = text.size;
	}
	/* Whoever reads has gone: the module goes on, as with a log that is full. */
	(void)pic_fd_write_all(log->fds[to], data, size);
}

static bool make_rest(struct rest *rest)
{
	if (!rest->data)
		rest->data = malloc(LINE_MAX_BYTES);
	return rest->data != NULL;
}

static void add_rest(struct pic_workload_log *log, char stream, struct rest *rest, const char *data,
		     size_t size)
{
	while (size > 0 && make_rest(rest)) {
		size_t room = LINE_MAX_BYTES - rest->size, part = size < room ? size : room;

		memcpy(rest->data + rest->size, data, part);
		rest->size += part;
		data += part;
		size -= part;
		if (rest->size == LINE_MAX_BYTES) {
			put_line(log, stream, rest->data, rest->size);
			rest->size = 0;
		}
	}
}

static void end_line(struct pic_workload_log *log, char stream, struct rest *rest, const char *data,
		     size_t size)
{
	if (rest->size == 0 && size <= LINE_MAX_BYTES) {
		put_line(log, stream, data, size);
		return;
	}
	add_rest(log, stream, rest, data, size);
	if (rest->size > 0)
		put_line(log, stream, rest->data, rest->size);
	rest->size = 0;
}

void pic_workload_log_write(struct pic_workload_log *log, char stream, const void *data,
			    size_t size)
{
	struct rest *rest = stream == 'e' ? &log->error : &log->output;
	const char *at = data, *end = at + size;

	if (log->direct) {
		put_direct(log, stream == 'e', data, size);
		return;
	}
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (!newline) {
			add_rest(log, stream, rest, at, (size_t)(end - at));
			break;
		}
		end_line(log, stream, rest, at, (size_t)(newline - at));
		at = newline + 1;
	}
}

void pic_workload_log_line(struct pic_workload_log *log, const char *format, ...)
{
	struct pic_buf PIC_BUF text = PIC_BUF_INIT(LINE_MAX_BYTES);
	va_list arguments;

	if (log->direct)
		pic_buf_format(&text, "piccolo: %s: ", log->subject);
	va_start(arguments, format);
	pic_buf_vformat(&text, format, arguments);
	va_end(arguments);
	if (log->direct) {
		pic_buf_char(&text, '\n');
		put_direct(log, 1, text.data, text.size);
		return;
	}
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] == '\n')
			text.data[i] = ' ';
	put_line(log, 'p', pic_buf_text(&text), text.size);
}

void pic_workload_log_flush(struct pic_workload_log *log)
{
	if (log->output.size > 0)
		put_line(log, 'o', log->output.data, log->output.size);
	if (log->error.size > 0)
		put_line(log, 'e', log->error.data, log->error.size);
	log->output.size = 0;
	log->error.size = 0;
}
