#include "base/utf8.h"

static bool is_tail(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Length that the first byte promises, and the bits of the number that it carries. */
static size_t lead(unsigned char byte, uint32_t *bits)
{
	if (byte < 0x80) {
		*bits = byte;
		return 1;
	}
	if (byte >= 0xc2 && byte <= 0xdf) {
		*bits = byte & 0x1f;
		return 2;
	}
	if ((byte & 0xf0) == 0xe0) {
		*bits = byte & 0x0f;
		return 3;
	}
	if (byte >= 0xf0 && byte <= 0xf4) {
		*bits = byte & 0x07;
		return 4;
	}
	return 0;
}

static bool is_allowed(uint32_t point, size_t length)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (point < smallest[length] || point > 0x10ffff)
		return false;
	return point < 0xd800 || point > 0xdfff;
}

size_t pic_utf8_next(const char *text, size_t size, uint32_t *point)
{
	const unsigned char *bytes = (const unsigned char *)text;
	uint32_t value = 0;
	size_t length = size > 0 ? lead(bytes[0], &value) : 0;

	if (length == 0 || length > size)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (!is_tail(bytes[i]))
			return 0;
		value = value << 6 | (bytes[i] & 0x3f);
	}
	if (!is_allowed(value, length))
		return 0;
	*point = value;
	return length;
}

size_t pic_utf8_cut(const char *text, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t start = size;
	uint32_t bits;

	while (start > 0 && size - start < 3 && is_tail(bytes[start - 1]))
		start--;
	if (start == 0)
		return size;
	/* bytes[start - 1] begins the last character (or is rubbish, which may stay) */
	return lead(bytes[start - 1], &bits) > size - start + 1 ? start - 1 : size;
}

bool pic_utf8_is_control(uint32_t point)
{
	if (point < 0x20 || (point >= 0x7f && point <= 0x9f))
		return true;
	return (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}
