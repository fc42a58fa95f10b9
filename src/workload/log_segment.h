/* One file of a workload's log: its header line and what follows. Shared by writer and reader. */
#ifndef PIC_WORKLOAD_LOG_SEGMENT_H
#define PIC_WORKLOAD_LOG_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIC_LOG_HEADER_MAX 24 /* "#<20 digits>\n" and NUL */

struct pic_log_segment {
	uint64_t position; /* log bytes before this segment */
	size_t header_size;
	uint64_t size; /* of what follows the header */
	bool torn;     /* does not end with a newline */
};

/* False: empty, or no segment of ours. */
bool pic_log_segment_read(int fd, struct pic_log_segment *out);

#endif
