/*
 * Bytes: a borrowed view, and a growing buffer that has a maximum from birth.
 *
 * A buffer owns its memory and keeps a NUL behind its last byte, so `data` can be used as text. An
 * append that would pass the maximum, or finds no memory, leaves the buffer as it was and marks it
 * failed; later appends do nothing. Build in a row, ask pic_buf_check once at the end.
 */
#ifndef PIC_BASE_BUFFER_H
#define PIC_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

struct pic_view {
	const char *data;
	size_t size;
};

struct pic_buf {
	char *data; /* NULL only before the first append; use pic_buf_text for a text that is never NULL */
	size_t size;
	size_t capacity;
	size_t maximum;
	bool failed;
	bool starved; /* failed for want of memory, not of room */
};

#define PIC_BUF_INIT(max) \
	{ \
		NULL, 0, 0, (max), false, false \
	}

void pic_buf_free(struct pic_buf *buf);	 /* empties; the buffer can be used again */
void pic_buf_clear(struct pic_buf *buf); /* size 0, memory kept, failure forgotten */
void pic_buf_add(struct pic_buf *buf, const void *data, size_t size);
void pic_buf_text_add(struct pic_buf *buf, const char *text);
void pic_buf_char(struct pic_buf *buf, char c);
void pic_buf_format(struct pic_buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void pic_buf_vformat(struct pic_buf *buf, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
/* Room for at least `size` more bytes; NULL when it cannot be had. Follow with pic_buf_commit. */
char *pic_buf_reserve(struct pic_buf *buf, size_t size);
void pic_buf_commit(struct pic_buf *buf, size_t size);
/* Remove `size` bytes from the front. */
void pic_buf_consume(struct pic_buf *buf, size_t size);
const char *pic_buf_text(const struct pic_buf *buf); /* "" when empty */
struct pic_view pic_buf_view(const struct pic_buf *buf);
/* 0, or -ENOBUFS/-ENOMEM with a sentence that names `what`. */
int pic_buf_check(const struct pic_buf *buf, const char *what, struct pic_error *err);
/* Hand the memory (NUL-terminated, free() it) to the caller; the buffer is empty afterwards. */
char *pic_buf_take(struct pic_buf *buf);

#define PIC_BUF PIC_CLEANUP(pic_buf_free)

#endif
