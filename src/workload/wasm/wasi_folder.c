/* Preopened folders and the names in a folder. */
#include <dirent.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload/wasm/stat.h"

#define READDIR_CHUNK 2048

uint32_t pic_wasi_fd_prestat_get(struct pic_wasi *wasi, const uint64_t *cells)
{
	const struct pic_wasi_file *file = pic_wasi_file(wasi, pic_wasi_u32(cells, 0));
	unsigned char *at = pic_wasi_memory(wasi, pic_wasi_u32(cells, 1), PIC_WASI_PRESTAT_SIZE);

	if (!file || (!file->preopen && file->kind != PIC_KIND_LISTENER))
		return PIC_WASI_BADF;
	if (!at)
		return PIC_WASI_FAULT;
	memset(at, 0, PIC_WASI_PRESTAT_SIZE);
	/* A listener is "something else" (tag 1): guests that count from 3 until an error go on behind it. */
	if (file->preopen)
		pic_wasi_store32(at + 4, (uint32_t)strlen(file->preopen));
	else
		at[0] = 1;
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_fd_prestat_dir_name(struct pic_wasi *wasi, const uint64_t *cells)
{
	const struct pic_wasi_file *file = pic_wasi_file(wasi, pic_wasi_u32(cells, 0));
	uint32_t size = pic_wasi_u32(cells, 2);
	char *at = pic_wasi_memory(wasi, pic_wasi_u32(cells, 1), size);

	if (!file)
		return PIC_WASI_BADF;
	if (!file->preopen)
		return PIC_WASI_NOTDIR;
	if (!at)
		return PIC_WASI_FAULT;
	if (size < strlen(file->preopen))
		return PIC_WASI_NAMETOOLONG;
	memcpy(at, file->preopen, strlen(file->preopen));
	return PIC_WASI_SUCCESS;
}

/* The kernel's record (getdents64(2)). */
struct host_entry {
	uint64_t inode;
	int64_t next;
	uint16_t size;
	uint8_t type;
	char name[];
};

static uint8_t entry_type(uint8_t type)
{
	return pic_stat_filetype((mode_t)DTTOIF(type));
}

/* Appends the record; what does not fit is cut, which tells the guest to ask again. */
static void put_entry(unsigned char *out, uint32_t room, uint32_t *used,
		      const struct host_entry *entry)
{
	unsigned char head[PIC_WASI_DIRENT_SIZE] = { 0 };
	size_t name_size = strlen(entry->name), left = room - *used, part;

	pic_wasi_store64(head, (uint64_t)entry->next);
	pic_wasi_store64(head + 8, entry->inode);
	pic_wasi_store32(head + 16, (uint32_t)name_size);
	head[20] = entry_type(entry->type);
	part = left < sizeof(head) ? left : sizeof(head);
	memcpy(out + *used, head, part);
	*used += (uint32_t)part;
	left -= part;
	part = left < name_size ? left : name_size;
	memcpy(out + *used, entry->name, part);
	*used += (uint32_t)part;
}

static uint32_t read_entries(int fd, unsigned char *out, uint32_t room, uint32_t *used)
{
	_Alignas(uint64_t) char chunk[READDIR_CHUNK];

	while (*used < room) {
		long n = syscall(SYS_getdents64, fd, chunk, sizeof(chunk));

		if (n < 0)
			return pic_wasi_errno(errno);
		if (n == 0)
			break;
		for (long at = 0; at < n && *used < room;) {
			const struct host_entry *entry = (const struct host_entry *)(chunk + at);

			put_entry(out, room, used, entry);
			at += entry->size;
		}
	}
	return PIC_WASI_SUCCESS;
}

/* A cookie is the kernel's own position, so nothing has to be remembered between calls. */
uint32_t pic_wasi_fd_readdir(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t room = pic_wasi_u32(cells, 2), used = 0, r = PIC_WASI_SUCCESS;
	unsigned char *out = pic_wasi_memory(wasi, pic_wasi_u32(cells, 1), room);
	struct pic_wasi_file *folder =
		pic_wasi_file_for(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_READDIR, &r);

	if (!folder)
		return r;
	if (folder->kind != PIC_KIND_FOLDER)
		return PIC_WASI_NOTDIR;
	if (!out || !pic_wasi_memory(wasi, pic_wasi_u32(cells, 4), 4))
		return PIC_WASI_FAULT;
	r = pic_wasi_file_readable(folder);
	if (r != PIC_WASI_SUCCESS)
		return r;
	if (cells[3] > INT64_MAX || lseek(folder->fd, (off_t)cells[3], SEEK_SET) < 0)
		return PIC_WASI_INVAL;
	r = read_entries(folder->fd, out, room, &used);
	if (r == PIC_WASI_SUCCESS)
		pic_wasi_put32(wasi, pic_wasi_u32(cells, 4), used);
	return r;
}
