/*
 * How exact numbers pass through the JSON library, which knows only integers of 64 bits and doubles.
 * Internal to base/json*.c.
 *
 * Before parsing, a number literal that would lose something becomes a text: a private mark (U+FDD0, a
 * character that Unicode promises never to assign) and the literal. After writing, such texts become
 * literals again. A text of a stranger's that begins with the mark is refused, so it can never turn
 * into a number.
 */
#ifndef PIC_BASE_JSON_CARRY_H
#define PIC_BASE_JSON_CARRY_H

#include "base/buffer.h"
#include "base/error.h"

#define PIC_JSON_MARK "\xEF\xB7\x90"
#define PIC_JSON_MARK_SIZE 3

struct pic_json_spot {
	size_t at;	     /* offset in the original text */
	size_t text_at;	     /* offset of the last text (its quote) that began before it */
	size_t line, column; /* from 1; columns count characters */
};

/* The text for the library; `out` stays empty when that is the original. Also refuses what is too deep or
 * has too many objects and arrays, and texts that begin with the mark. */
int pic_json_carry(const char *text, size_t size, struct pic_buf *out, struct pic_error *err);
/* The token of the original that the first `carried` bytes of the carried text end in. */
struct pic_json_spot pic_json_spot(const char *text, size_t size, size_t carried);
/* Undoes the marks in buf[from..], which is well-formed JSON. */
void pic_json_uncarry(struct pic_buf *buf, size_t from);

#endif
