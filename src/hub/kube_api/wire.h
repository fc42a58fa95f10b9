/*
 * Protocol buffers' wire format, as far as the kube API needs it: reading length-delimited fields and
 * varints of small messages, writing texts, booleans and nested messages. No schema, no reflection.
 */
#ifndef PIC_HUB_KUBE_API_WIRE_H
#define PIC_HUB_KUBE_API_WIRE_H

#include <stdint.h>

#include "base/buffer.h"

struct pic_wire_field {
	unsigned number;
	unsigned type;	       /* 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes */
	uint64_t value;	       /* type 0 */
	struct pic_view bytes; /* type 2 */
};

/* Takes the next field off the front of `message`. 1, 0 at the end, -EBADMSG when damaged. */
int pic_wire_next(struct pic_view *message, struct pic_wire_field *out);

void pic_wire_bytes(struct pic_buf *out, unsigned number, const void *data, size_t size);
void pic_wire_text(struct pic_buf *out, unsigned number, const char *text);
void pic_wire_bool(struct pic_buf *out, unsigned number, bool value);
/* A nested message; the failure of `message` becomes that of `out`. */
void pic_wire_message(struct pic_buf *out, unsigned number, const struct pic_buf *message);

#endif
