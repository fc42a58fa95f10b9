#include "base/json_carry.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/json_number.h"
#include "base/text.h"

/* Bytes that a carried literal is longer: two quotes and the mark. */
#define CARRIED_EXTRA (PIC_JSON_MARK_SIZE + 2)
/* So many objects and arrays any text may have, and one more for so many of its bytes. */
#define CONTAINERS_FREE 16384
#define CONTAINER_BYTES 16

enum token_kind {
	TOKEN_OTHER,
	TOKEN_TEXT,
	TOKEN_NUMBER,
	TOKEN_CARRIED, /* a number that must travel as a text */
	TOKEN_OPEN,
	TOKEN_CLOSE,
};

/* One step through the text. Anything damaged is passed on for the library to complain about. */
struct token {
	enum token_kind kind;
	size_t start, end;
};

static size_t text_end(const char *text, size_t size, size_t at)
{
	for (at++; at < size; at++) {
		if (text[at] == '\\')
			at++;
		else if (text[at] == '"')
			return at + 1;
	}
	return size;
}

static bool is_number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static struct token number(const char *text, size_t size, size_t at)
{
	struct token token = { TOKEN_NUMBER, at, at };
	long long value;

	while (token.end < size && is_number_char(text[token.end]))
		token.end++;
	if (pic_json_number_kind(text + at, token.end - at, &value) == PIC_JSON_NUMBER_LITERAL)
		token.kind = TOKEN_CARRIED;
	return token;
}

static struct token word(const char *text, size_t size, size_t at)
{
	struct token token = { TOKEN_OTHER, at, at };

	while (token.end < size && isalpha((unsigned char)text[token.end]))
		token.end++;
	return token;
}

static struct token next(const char *text, size_t size, size_t at)
{
	switch (text[at]) {
	case '"':
		return (struct token){ TOKEN_TEXT, at, text_end(text, size, at) };
	case '{':
	case '[':
		return (struct token){ TOKEN_OPEN, at, at + 1 };
	case '}':
	case ']':
		return (struct token){ TOKEN_CLOSE, at, at + 1 };
	case '-':
	case '0' ... '9':
		return number(text, size, at);
	case 'a' ... 'z':
	case 'A' ... 'Z':
		return word(text, size, at);
	default:
		return (struct token){ TOKEN_OTHER, at, at + 1 };
	}
}

static struct pic_json_spot locate(const char *text, size_t at)
{
	struct pic_json_spot spot = { .at = at, .line = 1, .column = 1 };

	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\n') {
			spot.line++;
			spot.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			spot.column++;
		}
	}
	return spot;
}

static int refuse(const char *text, size_t at, const char *why, struct pic_error *err)
{
	struct pic_json_spot spot = locate(text, at);

	return pic_error_set(err, -EINVAL, "%s at line %zu, column %zu", why, spot.line,
			     spot.column);
}

/* The mark itself, or one of its two escapes. */
static bool begins_with_mark(const char *text, size_t size)
{
	if (size > PIC_JSON_MARK_SIZE && memcmp(text + 1, PIC_JSON_MARK, PIC_JSON_MARK_SIZE) == 0)
		return true;
	return size > 6 && strncasecmp(text + 1, "\\ufdd0", 6) == 0;
}

static void carry_number(const char *text, size_t size, struct pic_buf *out)
{
	pic_buf_text_add(out, "\"" PIC_JSON_MARK);
	pic_buf_add(out, text, size);
	pic_buf_char(out, '"');
}

struct nesting {
	int depth;
	size_t count, count_max; /* objects and arrays */
};

static int check_open(const char *text, size_t at, struct nesting *nesting, struct pic_error *err)
{
	if (++nesting->depth > PIC_JSON_DEPTH_MAX)
		return refuse(text, at, "nested too deeply", err);
	if (++nesting->count > nesting->count_max)
		return refuse(text, at, "too many objects and arrays", err);
	return 0;
}

static int check_token(const char *text, struct token token, struct nesting *nesting,
		       struct pic_error *err)
{
	size_t size = token.end - token.start;

	if (token.kind == TOKEN_OPEN)
		return check_open(text, token.start, nesting, err);
	if (token.kind == TOKEN_CLOSE)
		nesting->depth--;
	if (token.kind == TOKEN_CARRIED && size > PIC_JSON_NUMBER_MAX)
		return refuse(text, token.start, "a number is too long", err);
	if (token.kind == TOKEN_TEXT && begins_with_mark(text + token.start, size))
		return refuse(text, token.start, "a text begins with the noncharacter U+FDD0", err);
	return 0;
}

int pic_json_carry(const char *text, size_t size, struct pic_buf *out, struct pic_error *err)
{
	size_t copied = 0; /* text[0..copied) is in `out` */
	struct nesting nesting = { .count_max = CONTAINERS_FREE + size / CONTAINER_BYTES };

	for (size_t at = 0; at < size;) {
		struct token token = next(text, size, at);
		int r = check_token(text, token, &nesting, err);

		if (r < 0)
			return r;
		if (token.kind == TOKEN_CARRIED) {
			pic_buf_add(out, text + copied, token.start - copied);
			carry_number(text + token.start, token.end - token.start, out);
			copied = token.end;
		}
		at = token.end;
	}
	if (copied > 0)
		pic_buf_add(out, text + copied, size - copied);
	return pic_buf_check(out, "JSON text", err);
}

struct pic_json_spot pic_json_spot(const char *text, size_t size, size_t carried)
{
	size_t text_at = 0, shift = 0, at = 0;
	struct pic_json_spot spot;

	while (at < size) {
		struct token token = next(text, size, at);
		size_t longer = token.kind == TOKEN_CARRIED ? CARRIED_EXTRA : 0;

		if (token.kind == TOKEN_TEXT)
			text_at = token.start;
		if (token.end + shift + longer >= carried)
			break;
		shift += longer;
		at = token.end;
	}
	spot = locate(text, at);
	spot.text_at = text_at;
	return spot;
}

static bool is_marked(const char *text, size_t size)
{
	return size >= CARRIED_EXTRA && memcmp(text + 1, PIC_JSON_MARK, PIC_JSON_MARK_SIZE) == 0;
}

void pic_json_uncarry(struct pic_buf *buf, size_t from)
{
	size_t kept = from;

	if (!buf->data ||
	    !memmem(buf->data + from, buf->size - from, PIC_JSON_MARK, PIC_JSON_MARK_SIZE))
		return;
	for (size_t at = from; at < buf->size;) {
		struct token token = next(buf->data, buf->size, at);
		size_t size = token.end - token.start;

		if (token.kind == TOKEN_TEXT && is_marked(buf->data + at, size)) {
			size -= CARRIED_EXTRA;
			memmove(buf->data + kept, buf->data + at + PIC_JSON_MARK_SIZE + 1, size);
		} else {
			memmove(buf->data + kept, buf->data + at, size);
		}
		kept += size;
		at = token.end;
	}
	buf->size = kept;
	buf->data[kept] = '\0';
}
