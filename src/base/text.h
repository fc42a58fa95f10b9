/*
 * Small facts about text: names, hexadecimal, base64, URLs' percent code, and escaping of what
 * strangers wrote before a person's terminal sees it.
 */
#ifndef PIC_BASE_TEXT_H
#define PIC_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* RFC 1123 subdomain: [a-z0-9]([-a-z0-9.]*[a-z0-9])?, at most `maximum` bytes. */
bool pic_name_is_valid(const char *name, size_t maximum);
#define PIC_NAME_MAX 63 /* component, device (a label's length, so that file names stay short) */
#define PIC_OBJECT_NAME_MAX 253 /* object names at the hub */

void pic_hex_encode(const void *data, size_t size, char *out); /* 2*size+1 bytes */
int pic_hex_decode(const char *text, void *out, size_t size);  /* exactly `size` bytes; -EINVAL */
void pic_base64_encode(const void *data, size_t size, struct pic_buf *out);
void pic_base64url_encode(const void *data, size_t size, struct pic_buf *out); /* no padding */
int pic_base64_decode(const char *text, size_t size,
		      struct pic_buf *out);			/* both alphabets; -EINVAL */
void pic_percent_encode(const char *text, struct pic_buf *out); /* RFC 3986 unreserved stay */
int pic_percent_decode(const char *text, size_t size, struct pic_buf *out);

/* Control characters (and bytes that are not UTF-8) as \xNN; \n too unless keep_newlines. */
void pic_text_escape(const char *text, size_t size, bool keep_newlines, struct pic_buf *out);
/* Compares in time that depends on the length of `b` only. */
bool pic_text_equal_secret(const char *a, const char *b);
bool pic_text_starts(const char *text, const char *prefix);
bool pic_text_ends(const char *text, const char *suffix);
int pic_integer_parse(const char *text, long long minimum, long long maximum, long long *out);
/* "64M", "512k", "1G" (powers of 1024) or plain bytes. */
int pic_size_parse(const char *text, unsigned long long *bytes);

#endif
