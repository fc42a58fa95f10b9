#include <string.h>

#include "hub/expression/tree.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Bytes of one character, so that a foreign letter is one identifier. */
static size_t character(struct pic_view source, size_t at)
{
	size_t size = 1;

	while (at + size < source.size && ((unsigned char)source.data[at + size] & 0xc0) == 0x80)
		size++;
	return size;
}

static size_t word(struct pic_view source, size_t at)
{
	size_t end = at;

	while (end < source.size && (is_letter(source.data[end]) || is_digit(source.data[end])))
		end++;
	return end - at;
}

static size_t digits(struct pic_view source, size_t at)
{
	size_t end = at;

	while (end < source.size && is_digit(source.data[end]))
		end++;
	return end - at;
}

/* An open quote takes everything to the end. */
static size_t quoted(struct pic_view source, size_t at)
{
	const char *end = memchr(source.data + at + 1, source.data[at], source.size - at - 1);

	return end ? (size_t)(end - (source.data + at)) + 1 : source.size - at;
}

struct pic_token pic_token_next(struct pic_view source, size_t *at)
{
	struct pic_token token = { .kind = PIC_TOKEN_END };
	size_t size;

	while (*at < source.size && is_blank(source.data[*at]))
		(*at)++;
	if (*at >= source.size)
		return token;
	char c = source.data[*at];

	if (is_digit(c)) {
		token.kind = PIC_TOKEN_INTEGER;
		size = digits(source, *at);
	} else if (is_letter(c)) {
		token.kind = PIC_TOKEN_IDENTIFIER;
		size = word(source, *at);
	} else if (c == '\'' || c == '"') {
		token.kind = PIC_TOKEN_QUOTED;
		size = quoted(source, *at);
	} else if (c && strchr("$()[]{}+-*/\\,.:?=&~", c)) {
		token.kind = PIC_TOKEN_MARK;
		size = 1;
	} else {
		token.kind = PIC_TOKEN_IDENTIFIER;
		size = character(source, *at);
	}
	token.text = (struct pic_view){ source.data + *at, size };
	*at += size;
	return token;
}
