/* A sentence into an array that may be too short for it: cut where a character ends. */
#ifndef PIC_AGENT_SENTENCE_H
#define PIC_AGENT_SENTENCE_H

#include <string.h>

#include "base/utf8.h"

static inline void pic_sentence_copy(char *out, size_t size, const char *text)
{
	size_t length = strlen(text) < size ? strlen(text) : pic_utf8_cut(text, size - 1);

	memcpy(out, text, length);
	out[length] = '\0';
}

#endif
