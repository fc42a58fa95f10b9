#include "base/json_number.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/text.h"

#define EXPONENT_MAX \
	1000000000LL /* larger ones are all the same to us: no text holds their digits */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits(const char *text, size_t size, size_t at)
{
	while (at < size && is_digit(text[at]))
		at++;
	return at;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)? */
static bool is_number(const char *text, size_t size)
{
	size_t at = size > 0 && text[0] == '-', start = at;

	at = digits(text, size, at);
	if (at == start || (text[start] == '0' && at > start + 1))
		return false;
	if (at < size && text[at] == '.') {
		start = ++at;
		at = digits(text, size, at);
		if (at == start)
			return false;
	}
	if (at < size && (text[at] == 'e' || text[at] == 'E')) {
		at++;
		if (at < size && (text[at] == '+' || text[at] == '-'))
			at++;
		start = at;
		at = digits(text, size, at);
		if (at == start)
			return false;
	}
	return at == size;
}

enum pic_json_number_kind pic_json_number_kind(const char *text, size_t size, long long *value)
{
	char copy[24];

	if (!is_number(text, size))
		return PIC_JSON_NUMBER_BAD;
	/* "-0" would come back as "0" */
	if (size >= sizeof(copy) || (size == 2 && memcmp(text, "-0", 2) == 0))
		return PIC_JSON_NUMBER_LITERAL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (pic_integer_parse(copy, LLONG_MIN, LLONG_MAX, value) < 0)
		return PIC_JSON_NUMBER_LITERAL;
	return PIC_JSON_NUMBER_INTEGER;
}

/* A literal as 0.DIGITS * 10^exponent: `digits` lies in the literal, with a dot in it perhaps. */
struct decimal {
	bool negative;
	const char *digits;
	size_t count; /* significant digits; 0: the number is zero */
	long long exponent;
};

static long long parse_exponent(const char *text)
{
	bool negative = *text == '-';
	long long value = 0;

	if (*text == '-' || *text == '+')
		text++;
	for (; is_digit(*text) && value < EXPONENT_MAX; text++)
		value = value * 10 + (*text - '0');
	return negative ? -value : value;
}

static struct decimal decompose(const char *text)
{
	struct decimal out = { .negative = *text == '-' };
	bool fraction = false;
	size_t seen = 0; /* digits since the first that is not zero, trailing zeros too */

	for (text += out.negative; is_digit(*text) || *text == '.'; text++) {
		if (*text == '.') {
			fraction = true;
			continue;
		}
		if (seen == 0 && *text == '0') {
			out.exponent -= fraction;
			continue;
		}
		if (seen++ == 0)
			out.digits = text;
		out.exponent += !fraction;
		if (*text != '0')
			out.count = seen;
	}
	if (*text == 'e' || *text == 'E')
		out.exponent += parse_exponent(text + 1);
	return out;
}

bool pic_json_number_equal(const char *a, const char *b)
{
	struct decimal x = decompose(a), y = decompose(b);

	if (x.count == 0 || y.count == 0)
		return x.count == y.count;
	if (x.negative != y.negative || x.count != y.count || x.exponent != y.exponent)
		return false;
	for (size_t i = 0; i < x.count; i++, x.digits++, y.digits++) {
		x.digits += *x.digits == '.';
		y.digits += *y.digits == '.';
		if (*x.digits != *y.digits)
			return false;
	}
	return true;
}
