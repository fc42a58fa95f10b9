/*
 * Sentences of a fixed size, cut between characters when they are too long. Internal to hub/engine.
 */
#ifndef PIC_HUB_ENGINE_SENTENCE_H
#define PIC_HUB_ENGINE_SENTENCE_H

#include <stdarg.h>
#include <stddef.h>

void pic_engine_format(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void pic_engine_vformat(char *out, size_t size, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

#endif
