/*
 * The ledger file in the runtime folder (gone with the boot, as the processes are), rewritten as a
 * whole and atomically at each change.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "supervisor/context.h"

static int write_file(struct pic_supervisor *supervisor, struct pic_error *err)
{
	PIC_BUF struct pic_buf file = PIC_BUF_INIT(PIC_LEDGER_SIZE_MAX);
	int r;

	pic_ledger_begin(&supervisor->ledger, supervisor->bindings, supervisor->workload_count,
			 &file);
	for (struct pic_workload *w = supervisor->workloads; w; w = w->next)
		pic_buf_add(&file, &w->entry, sizeof(w->entry));
	r = pic_buf_check(&file, "the ledger", err);
	if (r < 0)
		return r;
	return pic_file_write(supervisor->run_fd, "ledger", 0600, file.data, file.size,
			      PIC_FILE_VOLATILE, err);
}

int pic_ledger_write(struct pic_supervisor *supervisor, struct pic_error *err)
{
	struct pic_error why = PIC_ERROR_INIT;
	int r = write_file(supervisor, &why);

	if (r == 0) {
		supervisor->closing_unwritten = false;
		return 0;
	}
	pic_log(PIC_LOG_ERROR, "ledger-not-written", PIC_TEXT("why", why.text));
	return pic_error_set(err, r, "%s", why.text);
}

int pic_ledger_read(struct pic_supervisor *supervisor, struct pic_error *err)
{
	PIC_BUF struct pic_buf file = PIC_BUF_INIT(PIC_LEDGER_SIZE_MAX);
	int r = pic_file_read(supervisor->run_fd, "ledger", &file, err);

	if (r == 0)
		r = pic_ledger_head_read(&file, &supervisor->ledger, err);
	for (uint32_t i = 0; r == 0 && i < supervisor->ledger.binding_count; i++)
		r = pic_ledger_binding_read(&file, i, &supervisor->bindings[i], err);
	for (uint32_t i = 0; r == 0 && i < supervisor->ledger.entry_count; i++) {
		struct pic_ledger_entry entry;
		struct pic_workload *w;

		r = pic_ledger_entry_read(&file, i, &entry, err);
		if (r < 0)
			break;
		w = pic_workload_get(supervisor, &entry.name, err);
		if (!w)
			return -ENOMEM;
		w->entry = entry;
	}
	return r;
}

int pic_stamp_make(struct pic_supervisor *supervisor, unsigned char out[PIC_STAMP_SIZE],
		   struct pic_error *err)
{
	struct pic_ledger_head *ledger = &supervisor->ledger;
	struct pic_stamp *stamp = &ledger->stamps[ledger->stamp_next];
	int r;

	pic_random_bytes(stamp->bytes, sizeof(stamp->bytes));
	stamp->boot_ms = pic_clock_boot_ms();
	ledger->stamp_next = (ledger->stamp_next + 1) % PIC_STAMPS_MAX;
	r = pic_ledger_write(supervisor, err);
	if (r == 0)
		memcpy(out, stamp->bytes, sizeof(stamp->bytes));
	return r;
}
