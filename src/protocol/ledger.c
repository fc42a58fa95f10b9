#include "protocol/ledger.h"

#include <errno.h>
#include <string.h>

static const char magic[8] = "piccolo2";

void pic_ledger_begin(struct pic_ledger_head *head, const struct pic_binding *bindings,
		      uint32_t entry_count, struct pic_buf *out)
{
	memcpy(head->magic, magic, sizeof(magic));
	head->entry_size = sizeof(struct pic_ledger_entry);
	head->entry_count = entry_count;
	head->binding_size = sizeof(*bindings);
	pic_buf_add(out, head, sizeof(*head));
	pic_buf_add(out, bindings, head->binding_count * sizeof(*bindings));
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
	    head.binding_size != sizeof(struct pic_binding) ||
	    head.binding_count > PIC_BINDINGS_MAX || head.entry_count > PIC_LEDGER_ENTRIES_MAX ||
	    head.stamp_next >= PIC_STAMPS_MAX ||
	    file->size != sizeof(head) + head.binding_count * sizeof(struct pic_binding) +
				  head.entry_count * sizeof(struct pic_ledger_entry))
		return pic_error_set(err, -EBADMSG, "the ledger is of another version or damaged");
	*out = head;
	return 0;
}

int pic_ledger_binding_read(const struct pic_buf *file, uint32_t index, struct pic_binding *out,
			    struct pic_error *err)
{
	struct pic_binding binding;

	memcpy(&binding, file->data + sizeof(struct pic_ledger_head) + index * sizeof(binding),
	       sizeof(binding));
	if (!pic_binding_is_valid(&binding))
		return pic_error_set(err, -EBADMSG, "binding %u of the ledger is damaged", index);
	*out = binding;
	return 0;
}

int pic_ledger_entry_read(const struct pic_buf *file, uint32_t index, struct pic_ledger_entry *out,
			  struct pic_error *err)
{
	struct pic_ledger_entry entry;
	struct pic_ledger_head head;

	memcpy(&head, file->data, sizeof(head));
	memcpy(&entry,
	       file->data + sizeof(head) + head.binding_count * sizeof(struct pic_binding) +
		       index * sizeof(entry),
	       sizeof(entry));
	if (!pic_ledger_entry_is_valid(&entry))
		return pic_error_set(err, -EBADMSG, "entry %u of the ledger is damaged", index);
	*out = entry;
	return 0;
}
