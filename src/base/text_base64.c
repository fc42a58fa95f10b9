/* Base64 (RFC 4648), in both alphabets, strict: one text for one value. */
#include <errno.h>

#include "base/text.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char urlsafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(const unsigned char *bytes, size_t size, const char alphabet[64], bool padded,
		   struct pic_buf *out)
{
	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i < 3 ? size - i : 3;
		unsigned group = (unsigned)bytes[i] << 16;
		char text[4];

		if (left > 1)
			group |= (unsigned)bytes[i + 1] << 8;
		if (left > 2)
			group |= bytes[i + 2];
		text[0] = alphabet[group >> 18];
		text[1] = alphabet[group >> 12 & 63];
		text[2] = left > 1 ? alphabet[group >> 6 & 63] : '=';
		text[3] = left > 2 ? alphabet[group & 63] : '=';
		pic_buf_add(out, text, padded ? 4 : left + 1);
	}
}

void pic_base64_encode(const void *data, size_t size, struct pic_buf *out)
{
	encode(data, size, standard, true, out);
}

void pic_base64url_encode(const void *data, size_t size, struct pic_buf *out)
{
	encode(data, size, urlsafe, false, out);
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Bytes without the padding; (size_t)-1 when the padding is not what the length asks for. */
static size_t without_padding(const char *text, size_t size)
{
	size_t padding = 0;

	while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
		padding++;
	if (padding > 0 && size % 4 != 0)
		return (size_t)-1;
	return size - padding;
}

/* Up to four digits to up to three bytes; answers the count of bytes, -1 when damaged. */
static int decode_group(const char *text, size_t size, unsigned char bytes[3])
{
	unsigned group = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < size ? digit(text[i]) : 0;

		if (value < 0)
			return -1;
		group = group << 6 | (unsigned)value;
	}
	bytes[0] = (unsigned char)(group >> 16);
	bytes[1] = (unsigned char)(group >> 8);
	bytes[2] = (unsigned char)group;
	/* bits behind the last byte must be zero, else two texts mean the same */
	if (size == 1 || (size == 2 && (group & 0xffff) != 0) || (size == 3 && bytes[2] != 0))
		return -1;
	return (int)size - 1;
}

int pic_base64_decode(const char *text, size_t size, struct pic_buf *out)
{
	size_t digits = without_padding(text, size);
	size_t used = 0;
	char *room;

	if (digits == (size_t)-1)
		return -EINVAL;
	room = pic_buf_reserve(out, digits / 4 * 3 + (digits % 4 * 3) / 4);
	if (!room)
		return out->starved ? -ENOMEM : -ENOBUFS;
	for (size_t i = 0; i < digits; i += 4) {
		unsigned char bytes[3];
		int count = decode_group(text + i, digits - i < 4 ? digits - i : 4, bytes);

		if (count < 0) {
			room[0] = '\0';
			return -EINVAL;
		}
		for (int k = 0; k < count; k++)
			room[used++] = (char)bytes[k];
	}
	pic_buf_commit(out, used);
	return 0;
}
