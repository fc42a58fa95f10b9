/*
 * The ledger as a file: header with stamps, bindings, entries, all of fixed size. Pure; the supervisor reads
 * and writes the file.
 */
#ifndef PIC_PROTOCOL_LEDGER_H
#define PIC_PROTOCOL_LEDGER_H

#include "base/buffer.h"
#include "protocol/supervisor.h"

#define PIC_STAMPS_MAX 64
#define PIC_LEDGER_ENTRIES_MAX 1024
#define PIC_BINDINGS_MAX 64

struct pic_stamp {
	unsigned char bytes[PIC_STAMP_SIZE];
	int64_t boot_ms; /* when it was made */
};

struct pic_ledger_head {
	char magic[8];
	uint32_t entry_size, entry_count;
	uint32_t binding_size, binding_count;
	uint32_t stamp_next; /* the oldest one, to be overwritten */
	struct pic_uplink uplink;
	struct pic_stamp stamps[PIC_STAMPS_MAX];
};

#define PIC_LEDGER_SIZE_MAX \
	(sizeof(struct pic_ledger_head) + PIC_BINDINGS_MAX * sizeof(struct pic_binding) + \
	 PIC_LEDGER_ENTRIES_MAX * sizeof(struct pic_ledger_entry))

/* Fills in magic and sizes and begins the file; entries are then appended with pic_buf_add. */
void pic_ledger_begin(struct pic_ledger_head *head, const struct pic_binding *bindings,
		      uint32_t entry_count, struct pic_buf *out);
/* -EBADMSG: another version, cut off or damaged. */
int pic_ledger_head_read(const struct pic_buf *file, struct pic_ledger_head *out,
			 struct pic_error *err);
/* Binding `index` (below binding_count), checked. */
int pic_ledger_binding_read(const struct pic_buf *file, uint32_t index, struct pic_binding *out,
			    struct pic_error *err);
/* Entry `index` (below entry_count), checked. */
int pic_ledger_entry_read(const struct pic_buf *file, uint32_t index, struct pic_ledger_entry *out,
			  struct pic_error *err);

#endif
