#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/utf8.h"

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Each label between dots begins and ends with a letter or digit, as Kubernetes wants it too. */
bool pic_name_is_valid(const char *name, size_t maximum)
{
	size_t size = name ? strnlen(name, maximum + 1) : 0;

	if (size == 0 || size > maximum)
		return false;
	for (size_t i = 0; i < size; i++) {
		bool border = i == 0 || i == size - 1 || name[i - 1] == '.' || name[i + 1] == '.';

		if (is_name_char(name[i]))
			continue;
		if (border || (name[i] != '-' && name[i] != '.'))
			return false;
	}
	return true;
}

void pic_hex_encode(const void *data, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int hex_byte(const char *text)
{
	int high = hex_digit(text[0]);
	int low = high < 0 ? -1 : hex_digit(text[1]);

	return low < 0 ? -1 : high << 4 | low;
}

int pic_hex_decode(const char *text, void *out, size_t size)
{
	unsigned char *bytes = out;

	/* looked through first: the output stays untouched on failure */
	for (size_t i = 0; i < 2 * size; i++)
		if (hex_digit(text[i]) < 0)
			return -EINVAL;
	if (text[2 * size] != '\0')
		return -EINVAL;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)hex_byte(text + 2 * i);
	return 0;
}

static bool is_unreserved(char c)
{
	return is_name_char(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

void pic_percent_encode(const char *text, struct pic_buf *out)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (is_unreserved(*text)) {
			pic_buf_char(out, *text);
		} else {
			char code[3] = { '%', digits[byte >> 4], digits[byte & 15] };

			pic_buf_add(out, code, sizeof(code));
		}
	}
}

/* A coded NUL is refused: what comes out is used as text. */
int pic_percent_decode(const char *text, size_t size, struct pic_buf *out)
{
	char *room = pic_buf_reserve(out, size);
	size_t used = 0;

	if (!room)
		return out->starved ? -ENOMEM : -ENOBUFS;
	for (size_t i = 0; i < size; i++) {
		int byte = (unsigned char)text[i];

		if (byte == '%') {
			byte = size - i > 2 ? hex_byte(text + i + 1) : -1;
			i += 2;
		}
		if (byte <= 0) {
			room[0] = '\0';
			return -EINVAL;
		}
		room[used++] = (char)byte;
	}
	pic_buf_commit(out, used);
	return 0;
}

static void escape_bytes(const char *bytes, size_t count, struct pic_buf *out)
{
	for (size_t i = 0; i < count; i++)
		pic_buf_format(out, "\\x%02x", (unsigned)(unsigned char)bytes[i]);
}

void pic_text_escape(const char *text, size_t size, bool keep_newlines, struct pic_buf *out)
{
	for (size_t i = 0, length; i < size; i += length) {
		uint32_t point = 0;
		bool plain;

		length = pic_utf8_next(text + i, size - i, &point);
		plain = length > 0 && !pic_utf8_is_control(point);
		if (length == 0)
			length = 1;
		if (plain || (keep_newlines && text[i] == '\n'))
			pic_buf_add(out, text + i, length);
		else
			escape_bytes(text + i, length, out);
	}
}

bool pic_text_equal_secret(const char *a, const char *b)
{
	size_t position = 0;
	unsigned difference = 0;

	for (; *b != '\0'; b++) {
		difference |= (unsigned)(unsigned char)(a[position] ^ *b);
		position += a[position] != '\0'; /* stays on the end: no read behind it */
	}
	difference |= (unsigned)(unsigned char)a[position];
	return difference == 0;
}

bool pic_text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool pic_text_ends(const char *text, const char *suffix)
{
	size_t size = strlen(text), tail = strlen(suffix);

	return size >= tail && memcmp(text + size - tail, suffix, tail) == 0;
}

/* Digits only; counts down from zero so that the smallest number fits. */
static int parse_negated(const char *digits, long long *out)
{
	long long value = 0;

	if (*digits == '\0')
		return -EINVAL;
	for (const char *c = digits; *c != '\0'; c++)
		if (*c < '0' || *c > '9')
			return -EINVAL;
	for (; *digits != '\0'; digits++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, *digits - '0', &value))
			return -ERANGE;
	}
	*out = value;
	return 0;
}

int pic_integer_parse(const char *text, long long minimum, long long maximum, long long *out)
{
	bool negative = text[0] == '-';
	long long value;
	int r = parse_negated(text + negative, &value);

	if (r < 0)
		return r;
	if (!negative && value == LLONG_MIN)
		return -ERANGE;
	if (!negative)
		value = -value;
	if (value < minimum || value > maximum)
		return -ERANGE;
	*out = value;
	return 0;
}

static int size_shift(char suffix)
{
	switch (suffix) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	case 't':
	case 'T':
		return 40;
	default:
		return 0;
	}
}

int pic_size_parse(const char *text, unsigned long long *bytes)
{
	size_t size = strnlen(text, 24);
	int shift = size > 0 ? size_shift(text[size - 1]) : 0;
	char digits[24];
	long long value;
	int r;

	if (size == 0 || size >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, size);
	digits[shift > 0 ? size - 1 : size] = '\0';
	if (digits[0] == '-')
		return -EINVAL;
	r = pic_integer_parse(digits, 0, LLONG_MAX, &value);
	if (r < 0)
		return r;
	if (value > LLONG_MAX >> shift)
		return -ERANGE;
	*bytes = (unsigned long long)value << shift;
	return 0;
}
