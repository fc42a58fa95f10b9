#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Formats into `out` at `used`; cuts at a character's border; answers the new length. */
static size_t append(char out[PIC_ERROR_TEXT], size_t used, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

static size_t append(char out[PIC_ERROR_TEXT], size_t used, const char *format, va_list arguments)
{
	int wanted = vsnprintf(out + used, PIC_ERROR_TEXT - used, format, arguments);

	if (wanted < 0) {
		out[used] = '\0';
		return used;
	}
	if ((size_t)wanted < PIC_ERROR_TEXT - used)
		return used + (size_t)wanted;
	used = pic_utf8_cut(out, PIC_ERROR_TEXT - 1);
	out[used] = '\0';
	return used;
}

static void append_text(char out[PIC_ERROR_TEXT], size_t used, const char *text)
{
	size_t size = strlen(text), room = PIC_ERROR_TEXT - 1 - used;

	if (size > room)
		size = pic_utf8_cut(text, room);
	memcpy(out + used, text, size);
	out[used + size] = '\0';
}

/* Built beside the old text first, since the arguments may point into it. */
static void store(struct pic_error *err, int code, const char text[PIC_ERROR_TEXT])
{
	err->code = code;
	memcpy(err->text, text, strlen(text) + 1);
}

int pic_error_set(struct pic_error *err, int code, const char *format, ...)
{
	char text[PIC_ERROR_TEXT];
	va_list arguments;

	if (!err)
		return code;
	va_start(arguments, format);
	append(text, 0, format, arguments);
	va_end(arguments);
	store(err, code, text);
	return code;
}

int pic_error_wrap(struct pic_error *err, int code, const char *format, ...)
{
	char text[PIC_ERROR_TEXT];
	va_list arguments;
	size_t used;

	if (!err)
		return code;
	if (err->code != 0)
		code = err->code;
	va_start(arguments, format);
	used = append(text, 0, format, arguments);
	va_end(arguments);
	if (err->text[0] != '\0' && used + 2 < PIC_ERROR_TEXT) {
		memcpy(text + used, ": ", 3);
		append_text(text, used + 2, err->text);
	}
	store(err, code, text);
	return code;
}

int pic_error_errno(struct pic_error *err, int saved_errno, const char *format, ...)
{
	char text[PIC_ERROR_TEXT];
	va_list arguments;
	size_t used;

	if (saved_errno < 0)
		saved_errno = -saved_errno;
	if (!err)
		return -saved_errno;
	va_start(arguments, format);
	used = append(text, 0, format, arguments);
	va_end(arguments);
	if (used + 2 < PIC_ERROR_TEXT) {
		memcpy(text + used, ": ", 3);
		append_text(text, used + 2, strerror(saved_errno));
	}
	store(err, -saved_errno, text);
	return -saved_errno;
}
