#include "symphony/yaml_scalar.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_MAX 320

/* Each in lower case, Capitalised and UPPER CASE. */
static const char *const null_words[] = { "", "~", "null", NULL };
static const char *const true_words[] = { "y", "yes", "true", "on", NULL };
static const char *const false_words[] = { "n", "no", "false", "off", NULL };

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* "yes", "Yes" and "YES", but not "yEs". */
static bool is_word(const char *text, const char *const *words)
{
	for (; *words; words++) {
		const size_t size = strlen(*words);
		size_t upper = 0;

		if (strcasecmp(text, *words) != 0)
			continue;
		for (size_t i = 0; i < size; i++)
			upper += is_upper(text[i]);
		if (upper == 0 || upper == size || (upper == 1 && is_upper(text[0])))
			return true;
	}
	return false;
}

bool pic_yaml_is_not_json(const char *text)
{
	if (*text == '+' || *text == '-')
		text++;
	return strcasecmp(text, ".inf") == 0 || strcasecmp(text, ".nan") == 0;
}

/* Without underscores, as YAML 1.1 allows them between digits. */
static bool without_underscores(const char *text, char out[NUMBER_MAX])
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '_')
			continue;
		if (n + 1 >= NUMBER_MAX)
			return false;
		out[n++] = *text;
	}
	out[n] = 0;
	return n > 0;
}

static bool all_of(const char *text, const char *set)
{
	return *text && strspn(text, set) == strlen(text);
}

static struct pic_json *based_integer(const char *digits, const char *set, int base, bool negative)
{
	unsigned long long value;

	if (!all_of(digits, set))
		return NULL;
	errno = 0;
	value = strtoull(digits, NULL, base);
	if (errno || value > (unsigned long long)INT64_MAX)
		return NULL;
	return pic_json_new_integer(negative ? -(long long)value : (long long)value);
}

static struct pic_json *integer(const char *text)
{
	const bool negative = *text == '-';
	const char *digits = text + (*text == '-' || *text == '+');

	if (digits[0] == '0' && digits[1] == 'x')
		return based_integer(digits + 2, "0123456789abcdefABCDEF", 16, negative);
	if (digits[0] == '0' && digits[1] == 'b')
		return based_integer(digits + 2, "01", 2, negative);
	if (digits[0] == '0' && digits[1] == 'o')
		return based_integer(digits + 2, "01234567", 8, negative);
	if (digits[0] == '0' && digits[1])
		return based_integer(digits + 1, "01234567", 8, negative);
	if (!all_of(digits, "0123456789"))
		return NULL;
	return pic_json_new_number(*text == '+' ? digits
						: text); /* any length: the literal is kept */
}

/* [-+]?(.digits | digits[.digits*])([eE][-+]?digits)?, written so that JSON takes it. */
static struct pic_json *real(const char *text)
{
	char out[NUMBER_MAX + 4];
	size_t n = 0;
	size_t whole, fraction = 0;

	if (strlen(text) >= NUMBER_MAX)
		return NULL;
	if (*text == '-')
		out[n++] = '-';
	text += *text == '-' || *text == '+';
	whole = strspn(text, "0123456789");
	if (whole > 1 && *text == '0') /* JSON has no leading zeros */
		return NULL;
	if (whole == 0)
		out[n++] = '0';
	memcpy(out + n, text, whole);
	n += whole;
	text += whole;
	if (*text == '.') {
		fraction = strspn(text + 1, "0123456789");
		if (fraction) {
			memcpy(out + n, text, fraction + 1);
			n += fraction + 1;
		}
		text += fraction + 1;
	}
	if (whole == 0 && fraction == 0)
		return NULL;
	if (*text == 'e' || *text == 'E') {
		const size_t sign = text[1] == '-' || text[1] == '+';

		if (!all_of(text + 1 + sign, "0123456789"))
			return NULL;
	} else if (*text) {
		return NULL;
	}
	strcpy(out + n, text);
	return pic_json_new_number(out);
}

struct pic_json *pic_yaml_plain(const char *text)
{
	char number[NUMBER_MAX];
	struct pic_json *value;

	if (is_word(text, null_words))
		return pic_json_new_null();
	if (is_word(text, true_words))
		return pic_json_new_bool(true);
	if (is_word(text, false_words))
		return pic_json_new_bool(false);
	if (!strchr("+-.0123456789", *text) || !without_underscores(text, number))
		return NULL;
	value = integer(number);
	return value ? value : real(number);
}
