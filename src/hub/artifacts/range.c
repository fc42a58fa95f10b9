#include "hub/artifacts/range.h"

#include <stdbool.h>
#include <string.h>

/* Digits at *text; false when there is none or the number does not fit. */
static bool take_number(const char **text, uint64_t *out)
{
	uint64_t value = 0;
	const char *start = *text;

	for (; **text >= '0' && **text <= '9'; (*text)++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(**text - '0'), &value))
			return false;
	}
	*out = value;
	return *text != start;
}

enum pic_range_answer pic_range_parse(const char *header, uint64_t size, uint64_t *first,
				      uint64_t *count)
{
	static const char unit[] = "bytes=";
	uint64_t from = 0, to = 0;

	if (!header || strncmp(header, unit, sizeof(unit) - 1) != 0)
		return PIC_RANGE_ALL;
	const char *text = header + sizeof(unit) - 1;
	bool has_from = take_number(&text, &from);
	if (*text++ != '-')
		return PIC_RANGE_ALL;
	bool has_to = take_number(&text, &to);
	if (*text || (!has_from && !has_to) || (has_from && has_to && to < from))
		return PIC_RANGE_ALL;

	if (!has_from) { /* the last `to` bytes */
		from = to < size ? size - to : 0;
		has_to = false;
		if (to == 0)
			return PIC_RANGE_NONE;
	}
	if (from >= size)
		return PIC_RANGE_NONE;
	if (!has_to || to >= size)
		to = size - 1;
	*first = from;
	*count = to - from + 1;
	return PIC_RANGE_PART;
}
