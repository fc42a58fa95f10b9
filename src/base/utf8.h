/* UTF-8 (RFC 3629), one character at a time: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef PIC_BASE_UTF8_H
#define PIC_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at `text` (1 to 4), its number in *point; 0 when it is damaged or cut off. */
size_t pic_utf8_next(const char *text, size_t size, uint32_t *point);
/* The largest length <= `size` that does not cut a character in two. */
size_t pic_utf8_cut(const char *text, size_t size);
/* Characters that a terminal obeys or that hide what stands there: C0, DEL, C1, separators, bidi. */
bool pic_utf8_is_control(uint32_t point);

#endif
