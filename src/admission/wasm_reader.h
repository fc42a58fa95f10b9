/*
 * A place in a module's bytes, moving forward. A read that would pass the end, or finds what cannot
 * be, marks the reader failed with one sentence; later reads answer zeros. Ask once, at the end.
 */
#ifndef PIC_ADMISSION_WASM_READER_H
#define PIC_ADMISSION_WASM_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct pic_wasm_reader {
	const unsigned char *bytes; /* of the whole module, so that places are those of the file */
	size_t at, end;
	const char *failed; /* NULL, or what is wrong */
	size_t failed_at;
};

void pic_wasm_reader_fail(struct pic_wasm_reader *reader, size_t at, const char *what);
uint8_t pic_wasm_reader_byte(struct pic_wasm_reader *reader);
uint32_t pic_wasm_reader_u32(struct pic_wasm_reader *reader); /* LEB128 */
uint64_t pic_wasm_reader_u64(struct pic_wasm_reader *reader);
struct pic_view pic_wasm_reader_bytes(struct pic_wasm_reader *reader, size_t size);
/* Length, then UTF-8. */
struct pic_view pic_wasm_reader_name(struct pic_wasm_reader *reader);
/* A count of things that take at least `smallest` bytes each: more than can be there is an error. */
uint32_t pic_wasm_reader_count(struct pic_wasm_reader *reader, size_t smallest);
/* The next `size` bytes as a reader of their own. */
struct pic_wasm_reader pic_wasm_reader_part(struct pic_wasm_reader *reader, size_t size);

#endif
