/* Descriptors as such: close, move, position. */
#include <errno.h>
#include <unistd.h>

#include "workload/wasm/wasi.h"

uint32_t pic_wasi_fd_close(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_wasi_file *file = pic_wasi_file(wasi, pic_wasi_u32(cells, 0));

	if (!file)
		return PIC_WASI_BADF;
	pic_wasi_file_close(file);
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_fd_renumber(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_wasi_file *from = pic_wasi_file(wasi, pic_wasi_u32(cells, 0));
	struct pic_wasi_file *to = pic_wasi_file(wasi, pic_wasi_u32(cells, 1));

	if (!from || !to)
		return PIC_WASI_BADF;
	if (from == to)
		return PIC_WASI_SUCCESS;
	pic_wasi_file_close(to);
	*to = *from;
	memset(from, 0, sizeof(*from));
	return PIC_WASI_SUCCESS;
}

static uint32_t seek(struct pic_wasi *wasi, struct pic_wasi_file *file, int64_t offset, int whence,
		     uint32_t out)
{
	off_t at;

	if (file->kind != PIC_KIND_FILE)
		return file->kind == PIC_KIND_FOLDER ? PIC_WASI_BADF : PIC_WASI_SPIPE;
	if (!pic_wasi_memory(wasi, out, 8))
		return PIC_WASI_FAULT;
	at = lseek(file->fd, offset, whence);
	if (at < 0)
		return pic_wasi_errno(errno);
	pic_wasi_put64(wasi, out, (uint64_t)at);
	return PIC_WASI_SUCCESS;
}

/* Rights of position are not asked for: guests probe stdout with fd_seek and want SPIPE then. */
uint32_t pic_wasi_fd_seek(struct pic_wasi *wasi, const uint64_t *cells)
{
	static const int whence[] = { SEEK_SET, SEEK_CUR, SEEK_END };
	struct pic_wasi_file *file = pic_wasi_file(wasi, pic_wasi_u32(cells, 0));
	uint32_t how = pic_wasi_u32(cells, 2);

	if (!file)
		return PIC_WASI_BADF;
	if (how > 2)
		return PIC_WASI_INVAL;
	return seek(wasi, file, (int64_t)cells[1], whence[how], pic_wasi_u32(cells, 3));
}

uint32_t pic_wasi_fd_tell(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_wasi_file *file = pic_wasi_file(wasi, pic_wasi_u32(cells, 0));

	if (!file)
		return PIC_WASI_BADF;
	return seek(wasi, file, 0, SEEK_CUR, pic_wasi_u32(cells, 1));
}
