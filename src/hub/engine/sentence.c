#include "hub/engine/sentence.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void pic_engine_vformat(char *out, size_t size, const char *format, va_list arguments)
{
	vsnprintf(out, size, format, arguments);
	out[pic_utf8_cut(out, strlen(out))] = '\0';
}

void pic_engine_format(char *out, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	pic_engine_vformat(out, size, format, arguments);
	va_end(arguments);
}
