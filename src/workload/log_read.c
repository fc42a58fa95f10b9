/* The reader's side of a workload's log. The writer may be at work meanwhile. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "workload/log.h"
#include "workload/log_segment.h"

#define TRIES 4

bool pic_log_segment_read(int fd, struct pic_log_segment *out)
{
	char header[PIC_LOG_HEADER_MAX] = "", last = '\n', *end;
	struct stat st;
	ssize_t n = pread(fd, header, sizeof(header) - 1, 0);

	if (n < 3 || header[0] != '#' || header[1] < '0' || header[1] > '9')
		return false;
	errno = 0;
	out->position = strtoull(header + 1, &end, 10);
	if (errno != 0 || *end != '\n' || fstat(fd, &st) < 0)
		return false;
	out->header_size = (size_t)(end + 1 - header);
	out->size = (uint64_t)st.st_size > out->header_size
			    ? (uint64_t)st.st_size - out->header_size
			    : 0;
	if (out->size > 0)
		(void)!pread(fd, &last, 1, st.st_size - 1);
	out->torn = last != '\n';
	return true;
}

/* Appends what a segment holds from `position` on. */
static int append(int fd, const struct pic_log_segment *segment, uint64_t position,
		  struct pic_buf *out)
{
	uint64_t skip = position > segment->position ? position - segment->position : 0;
	uint64_t size = skip < segment->size ? segment->size - skip : 0;
	char *at;
	ssize_t n;

	if (size == 0)
		return 0;
	at = pic_buf_reserve(out, size);
	if (!at)
		return -ENOMEM;
	n = pread(fd, at, size, (off_t)(segment->header_size + skip));
	if (n < 0)
		return -errno;
	pic_buf_commit(out, (size_t)n);
	return 0;
}

/* One look at both segments. -EAGAIN: the writer changed over meanwhile. */
static int look(const int segments[2], uint64_t position, struct pic_buf *out, uint64_t *end)
{
	struct pic_log_segment found[2], again;
	bool there[2];
	unsigned first;
	int r;

	for (unsigned i = 0; i < 2; i++)
		there[i] = pic_log_segment_read(segments[i], &found[i]);
	first = there[0] && there[1] && found[1].position < found[0].position;
	*end = 0;
	/* A position that the log never reached belongs to an earlier log of that name. */
	for (unsigned i = 0; i < 2; i++)
		if (there[i] && found[i].position + found[i].size > *end)
			*end = found[i].position + found[i].size;
	if (position > *end)
		position = 0;
	if (*end - position > out->maximum) /* the newest part counts */
		position = *end - out->maximum;
	for (unsigned n = 0; n < 2; n++) {
		unsigned i = first ^ n;

		if (!there[i])
			continue;
		r = append(segments[i], &found[i], position, out);
		if (r < 0)
			return r;
		if (!pic_log_segment_read(segments[i], &again) ||
		    again.position != found[i].position)
			return -EAGAIN;
	}
	return 0;
}

static void keep_last(struct pic_buf *out, size_t lines)
{
	size_t at = out->size;

	if (at > 0 && out->data[at - 1] == '\n')
		at--;
	for (; at > 0; at--)
		if (out->data[at - 1] == '\n' && --lines == 0)
			break;
	pic_buf_consume(out, at);
}

int pic_workload_log_read(const int segments[2], uint64_t position, size_t lines,
			  struct pic_buf *out, uint64_t *end, struct pic_error *err)
{
	int r = -EAGAIN;

	for (unsigned tries = 0; tries < TRIES && r == -EAGAIN; tries++) {
		pic_buf_clear(out);
		r = look(segments, position, out, end);
	}
	if (r < 0)
		return pic_error_errno(err, r, "the workload's log cannot be read");
	if (lines > 0)
		keep_last(out, lines);
	return 0;
}
