/* Protocol buffers' wire format. */
#include "hub/kube_api/wire.h"

#include <errno.h>
#include <string.h>

static bool varint(struct pic_view *message, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && message->size; shift += 7) {
		unsigned char byte = (unsigned char)*message->data++;
		message->size--;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = value;
			return true;
		}
	}
	return false;
}

static bool skip(struct pic_view *message, size_t size)
{
	if (message->size < size)
		return false;
	message->data += size;
	message->size -= size;
	return true;
}

int pic_wire_next(struct pic_view *message, struct pic_wire_field *out)
{
	uint64_t tag, size;

	if (message->size == 0)
		return 0;
	if (!varint(message, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return -EBADMSG;
	*out = (struct pic_wire_field){ .number = (unsigned)(tag >> 3), .type = tag & 7 };
	switch (out->type) {
	case 0:
		return varint(message, &out->value) ? 1 : -EBADMSG;
	case 1:
		return skip(message, 8) ? 1 : -EBADMSG;
	case 5:
		return skip(message, 4) ? 1 : -EBADMSG;
	case 2:
		if (!varint(message, &size) || size > message->size)
			return -EBADMSG;
		out->bytes = (struct pic_view){ message->data, (size_t)size };
		skip(message, (size_t)size);
		return 1;
	default: /* groups are long gone */
		return -EBADMSG;
	}
}

static void put_varint(struct pic_buf *out, uint64_t value)
{
	while (value >= 0x80) {
		pic_buf_char(out, (char)(value | 0x80));
		value >>= 7;
	}
	pic_buf_char(out, (char)value);
}

void pic_wire_bytes(struct pic_buf *out, unsigned number, const void *data, size_t size)
{
	put_varint(out, (uint64_t)number << 3 | 2);
	put_varint(out, size);
	pic_buf_add(out, data, size);
}

void pic_wire_text(struct pic_buf *out, unsigned number, const char *text)
{
	pic_wire_bytes(out, number, text, strlen(text));
}

void pic_wire_bool(struct pic_buf *out, unsigned number, bool value)
{
	put_varint(out, (uint64_t)number << 3);
	put_varint(out, value);
}

void pic_wire_message(struct pic_buf *out, unsigned number, const struct pic_buf *message)
{
	pic_wire_bytes(out, number, message->data, message->size);
	if (message->failed)
		out->failed = true;
}
