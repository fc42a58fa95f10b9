#include "hub/store/journal.h"

#include <errno.h>
#include <string.h>

/* Length first, so that no two different rows have the same bytes. */
static void add_text(struct pic_sha256_stream *stream, const char *text)
{
	uint64_t size = strlen(text);
	unsigned char length[8];

	for (int i = 0; i < 8; i++)
		length[i] = (unsigned char)(size >> (8 * i));
	pic_sha256_add(stream, length, sizeof(length));
	pic_sha256_add(stream, text, size);
}

static void add_number(struct pic_sha256_stream *stream, int64_t number)
{
	unsigned char bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)number >> (8 * i));
	pic_sha256_add(stream, bytes, sizeof(bytes));
}

int pic_journal_extend(const struct pic_journal_head *head, const struct pic_journal_row *row,
		       struct pic_journal_head *out)
{
	struct pic_sha256_stream *stream = pic_sha256_start();

	if (!stream)
		return -ENOMEM;
	pic_sha256_add(stream, head->hash.bytes, sizeof(head->hash.bytes));
	add_number(stream, head->sequence + 1);
	add_number(stream, row->time_ms);
	add_text(stream, row->who);
	add_text(stream, row->where);
	add_text(stream, row->verb);
	add_text(stream, row->object);
	add_text(stream, row->text);
	out->sequence = head->sequence + 1;
	pic_sha256_end(stream, &out->hash);
	return 0;
}
