#include "protocol/ledger.h"

#include <errno.h>
#include <string.h>

static const char magic[8] = "piccolo1";

void pic_ledger_begin(struct pic_ledger_head *head, uint32_t entry_count, struct pic_buf *out)
{
	memcpy(head->magic, magic, sizeof(magic));
	head->entry_size = sizeof(struct pic_ledger_entry);
	head->entry_count = entry_count;
	pic_buf_add(out, head, sizeof(*head));
}

int pic_ledger_head_read(const struct pic_buf *file, struct pic_ledger_head *out,
			 struct pic_error *err)
{
	struct pic_ledger_head head;

	if (file->size < sizeof(head))
		return pic_error_set(err, -EBADMSG, "the ledger is cut off");
	memcpy(&head, file->data, sizeof(head));
	if (memcmp(head.magic, magic, sizeof(magic)) != 0 ||
	    head.entry_size != sizeof(struct pic_ledger_entry) ||
	    head.entry_count > PIC_LEDGER_ENTRIES_MAX || head.stamp_next >= PIC_STAMPS_MAX ||
	    file->size != sizeof(head) + head.entry_count * sizeof(struct pic_ledger_entry))
		return pic_error_set(err, -EBADMSG, "the ledger is of another version or damaged");
	*out = head;
	return 0;
}

int pic_ledger_entry_read(const struct pic_buf *file, uint32_t index, struct pic_ledger_entry *out,
			  struct pic_error *err)
{
	struct pic_ledger_entry entry;

	memcpy(&entry, file->data + sizeof(struct pic_ledger_head) + index * sizeof(entry),
	       sizeof(entry));
	if (!pic_ledger_entry_is_valid(&entry))
		return pic_error_set(err, -EBADMSG, "entry %u of the ledger is damaged", index);
	*out = entry;
	return 0;
}
