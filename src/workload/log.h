/*
 * A workload's log: two segments (files) of half the cap each. Lines are written by the runner itself,
 * so a dead agent breaks no pipe. When one segment is full the other is emptied and written on.
 *
 * Each line: "<RFC 3339 UTC with ms> <o|e|p> <text>\n" (o: standard output, e: standard error, p: Piccolo
 * itself). Each segment starts with a header line "#<position>\n": the count of log bytes written before this
 * segment, so a reader knows their order and can ask for "what came after position N".
 */
#ifndef PIC_WORKLOAD_LOG_H
#define PIC_WORKLOAD_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct pic_workload_log;

/* The two files are open for writing (an adopted log continues where it ended); taken over. */
int pic_workload_log_new(struct pic_workload_log **out, const int segments[2], uint64_t maximum,
			 struct pic_error *err);
/* Instead of files: 'o' and 'e' bytes as they come to these descriptors (lent), escaped where one is a
 * terminal; 'p' lines, marked and with what they are about (`subject` is lent), to the second. For a module
 * that a person runs by hand. */
int pic_workload_log_new_direct(struct pic_workload_log **out, const char *subject, int output_fd,
				int error_fd, struct pic_error *err);
bool pic_workload_log_is_direct(const struct pic_workload_log *log);
void pic_workload_log_free(struct pic_workload_log *log);
/* Bytes of a stream ('o' or 'e'); cut into lines, longer ones at 4 KB; a rest waits for its newline. */
void pic_workload_log_write(struct pic_workload_log *log, char stream, const void *data,
			    size_t size);
void pic_workload_log_line(struct pic_workload_log *log, const char *format, ...) /* 'p' */
	__attribute__((format(printf, 2, 3)));
void pic_workload_log_flush(
	struct pic_workload_log *log); /* unfinished lines too, before the end */

/* Reader: the last `lines` lines (0: all), or what came after `position`; *end gets the position behind
 * the last byte read. */
int pic_workload_log_read(const int segments[2], uint64_t position, size_t lines,
			  struct pic_buf *out, uint64_t *end, struct pic_error *err);

#endif
