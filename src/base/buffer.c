#include "base/buffer.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CAPACITY 64

void pic_buf_free(struct pic_buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->capacity = 0;
	pic_buf_clear(buf);
}

void pic_buf_clear(struct pic_buf *buf)
{
	buf->size = 0;
	buf->failed = false;
	buf->starved = false;
	if (buf->data)
		buf->data[0] = '\0';
}

/* Doubling, so that many small appends stay cheap; never past the maximum and its NUL. */
static size_t next_capacity(const struct pic_buf *buf, size_t needed)
{
	size_t capacity = buf->capacity > FIRST_CAPACITY ? buf->capacity : FIRST_CAPACITY;

	while (capacity < needed && capacity <= SIZE_MAX / 2)
		capacity *= 2;
	if (capacity < needed)
		capacity = needed;
	return capacity - 1 > buf->maximum ? buf->maximum + 1 : capacity;
}

static bool grow(struct pic_buf *buf, size_t needed)
{
	size_t capacity = next_capacity(buf, needed);
	char *data = realloc(buf->data, capacity);

	if (!data) {
		buf->failed = true;
		buf->starved = true;
		return false;
	}
	buf->data = data;
	buf->capacity = capacity;
	buf->data[buf->size] = '\0';
	return true;
}

char *pic_buf_reserve(struct pic_buf *buf, size_t size)
{
	if (buf->failed)
		return NULL;
	if (buf->size > buf->maximum || size > buf->maximum - buf->size ||
	    buf->maximum == SIZE_MAX) {
		buf->failed = true;
		return NULL;
	}
	if (buf->capacity < buf->size + size + 1 && !grow(buf, buf->size + size + 1))
		return NULL;
	return buf->data + buf->size;
}

void pic_buf_commit(struct pic_buf *buf, size_t size)
{
	if (!buf->data || size > buf->capacity - buf->size - 1)
		return;
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void pic_buf_add(struct pic_buf *buf, const void *data, size_t size)
{
	char *room = pic_buf_reserve(buf, size);

	if (!room || size == 0)
		return;
	memcpy(room, data, size);
	pic_buf_commit(buf, size);
}

void pic_buf_text_add(struct pic_buf *buf, const char *text)
{
	pic_buf_add(buf, text, strlen(text));
}

void pic_buf_char(struct pic_buf *buf, char c)
{
	pic_buf_add(buf, &c, 1);
}

void pic_buf_format(struct pic_buf *buf, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	pic_buf_vformat(buf, format, arguments);
	va_end(arguments);
}

void pic_buf_vformat(struct pic_buf *buf, const char *format, va_list arguments)
{
	va_list again;
	char *room;
	int size;

	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (size < 0) {
		buf->failed = true;
		return;
	}
	room = pic_buf_reserve(buf, (size_t)size);
	if (!room)
		return;
	vsnprintf(room, (size_t)size + 1, format, arguments);
	pic_buf_commit(buf, (size_t)size);
}

void pic_buf_consume(struct pic_buf *buf, size_t size)
{
	if (!buf->data || size == 0)
		return;
	if (size > buf->size)
		size = buf->size;
	memmove(buf->data, buf->data + size, buf->size - size + 1);
	buf->size -= size;
}

const char *pic_buf_text(const struct pic_buf *buf)
{
	return buf->data ? buf->data : "";
}

struct pic_view pic_buf_view(const struct pic_buf *buf)
{
	return (struct pic_view){ pic_buf_text(buf), buf->size };
}

int pic_buf_check(const struct pic_buf *buf, const char *what, struct pic_error *err)
{
	if (!buf->failed)
		return 0;
	if (buf->starved)
		return pic_error_set(err, -ENOMEM, "no memory for %s", what);
	return pic_error_set(err, -ENOBUFS, "%s would be larger than %zu bytes", what,
			     buf->maximum);
}

char *pic_buf_take(struct pic_buf *buf)
{
	char *data = NULL;

	if (!buf->failed)
		data = buf->data ? PIC_STEAL(buf->data) : calloc(1, 1);
	pic_buf_free(buf);
	return data;
}
