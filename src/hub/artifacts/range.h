/*
 * The Range header of RFC 9110, section 14.2: one range of bytes. Pure.
 */
#ifndef PIC_HUB_ARTIFACTS_RANGE_H
#define PIC_HUB_ARTIFACTS_RANGE_H

#include <stdint.h>

enum pic_range_answer {
	PIC_RANGE_ALL,	/* no header, another unit, several ranges, bad syntax: the whole */
	PIC_RANGE_PART, /* 206 */
	PIC_RANGE_NONE, /* 416: nothing of it is there */
};

/* `header` may be NULL. For PART: `count` > 0 bytes from `first` on, all within `size`. */
enum pic_range_answer pic_range_parse(const char *header, uint64_t size, uint64_t *first,
				      uint64_t *count);

#endif
