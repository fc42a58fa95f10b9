/* Facts of open descriptors: type, size, times, flags, rights. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "workload/wasm/stat.h"

#define NS_PER_SECOND 1000000000ull

uint8_t pic_stat_filetype(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return PIC_WASI_TYPE_REGULAR;
	case S_IFDIR:
		return PIC_WASI_TYPE_DIRECTORY;
	case S_IFLNK:
		return PIC_WASI_TYPE_SYMLINK;
	case S_IFCHR:
		return PIC_WASI_TYPE_CHARACTER;
	case S_IFBLK:
		return PIC_WASI_TYPE_BLOCK;
	case S_IFSOCK:
		return PIC_WASI_TYPE_STREAM;
	default:
		return PIC_WASI_TYPE_UNKNOWN;
	}
}

static uint64_t ns(const struct timespec *t)
{
	return t->tv_sec < 0 ? 0 : (uint64_t)t->tv_sec * NS_PER_SECOND + (uint64_t)t->tv_nsec;
}

uint32_t pic_stat_put(struct pic_wasi *wasi, uint32_t offset, const struct stat *st)
{
	unsigned char *at = pic_wasi_memory(wasi, offset, PIC_WASI_FILESTAT_SIZE);

	if (!at)
		return PIC_WASI_FAULT;
	memset(at, 0, PIC_WASI_FILESTAT_SIZE);
	pic_wasi_store64(at, st->st_dev);
	pic_wasi_store64(at + 8, st->st_ino);
	at[16] = pic_stat_filetype(st->st_mode);
	pic_wasi_store64(at + 24, st->st_nlink);
	pic_wasi_store64(at + 32, (uint64_t)st->st_size);
	pic_wasi_store64(at + 40, ns(&st->st_atim));
	pic_wasi_store64(at + 48, ns(&st->st_mtim));
	pic_wasi_store64(at + 56, ns(&st->st_ctim));
	return PIC_WASI_SUCCESS;
}

static uint32_t one_time(uint64_t value, bool set, bool now, struct timespec *out)
{
	if (set && now)
		return PIC_WASI_INVAL;
	out->tv_sec = set ? (time_t)(value / NS_PER_SECOND) : 0;
	out->tv_nsec = set ? (long)(value % NS_PER_SECOND) : now ? UTIME_NOW : UTIME_OMIT;
	return PIC_WASI_SUCCESS;
}

uint32_t pic_stat_times(uint64_t access_ns, uint64_t modify_ns, uint32_t flags,
			struct timespec out[2])
{
	uint32_t r;

	if (flags & ~(uint32_t)PIC_WASI_SET_ALL)
		return PIC_WASI_INVAL;
	r = one_time(access_ns, flags & PIC_WASI_SET_ATIM, flags & PIC_WASI_SET_ATIM_NOW, &out[0]);
	if (r != PIC_WASI_SUCCESS)
		return r;
	return one_time(modify_ns, flags & PIC_WASI_SET_MTIM, flags & PIC_WASI_SET_MTIM_NOW,
			&out[1]);
}

uint32_t pic_wasi_fd_filestat_get(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *file =
		pic_wasi_file_for(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_STAT, &r);
	struct stat st = { 0 };

	if (!file)
		return r;
	if (file->fd >= 0 && !pic_wasi_is_socket(file)) {
		if (fstat(file->fd, &st) < 0)
			return pic_wasi_errno(errno);
		return pic_stat_put(wasi, pic_wasi_u32(cells, 1), &st);
	}
	r = pic_stat_put(wasi, pic_wasi_u32(cells, 1), &st);
	if (r == PIC_WASI_SUCCESS)
		wasi->memory[pic_wasi_u32(cells, 1) + 16u] = file->filetype;
	return r;
}

/* A regular file that may be changed. */
static struct pic_wasi_file *changeable(struct pic_wasi *wasi, uint32_t fd, uint64_t rights,
					uint32_t *r)
{
	struct pic_wasi_file *file = pic_wasi_file_for(wasi, fd, rights, r);

	if (!file)
		return NULL;
	if (file->kind != PIC_KIND_FILE && file->kind != PIC_KIND_FOLDER)
		*r = PIC_WASI_INVAL;
	else if (file->read_only)
		*r = PIC_WASI_ROFS;
	else
		return file;
	return NULL;
}

uint32_t pic_wasi_fd_filestat_set_size(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *file =
		changeable(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_SET_SIZE, &r);

	if (!file)
		return r;
	if (cells[1] > INT64_MAX)
		return PIC_WASI_INVAL;
	return ftruncate(file->fd, (off_t)cells[1]) < 0 ? pic_wasi_errno(errno) : PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_fd_filestat_set_times(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct timespec times[2];
	uint32_t r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *file =
		changeable(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_SET_TIMES, &r);

	if (!file)
		return r;
	r = pic_stat_times(cells[1], cells[2], pic_wasi_u32(cells, 3), times);
	if (r == PIC_WASI_SUCCESS)
		r = pic_wasi_file_readable(file);
	if (r != PIC_WASI_SUCCESS)
		return r;
	return futimens(file->fd, times) < 0 ? pic_wasi_errno(errno) : PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_fd_allocate(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *file =
		changeable(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_ALLOCATE, &r);

	if (!file)
		return r;
	if (cells[1] > INT64_MAX || cells[2] > INT64_MAX - cells[1] || cells[2] == 0)
		return PIC_WASI_INVAL;
	return fallocate(file->fd, 0, (off_t)cells[1], (off_t)cells[2]) < 0 ? pic_wasi_errno(errno)
									    : PIC_WASI_SUCCESS;
}

/* Advice may be ignored, and is. */
uint32_t pic_wasi_fd_advise(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *file =
		pic_wasi_file_for(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_ADVISE, &r);

	if (!file)
		return r;
	if (pic_wasi_u32(cells, 3) > 5 || cells[1] > INT64_MAX || cells[2] > INT64_MAX)
		return PIC_WASI_INVAL;
	return file->kind == PIC_KIND_FILE ? PIC_WASI_SUCCESS : PIC_WASI_SPIPE;
}

static uint32_t sync_file(struct pic_wasi *wasi, const uint64_t *cells, uint64_t right,
			  int (*how)(int fd))
{
	uint32_t r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *file = pic_wasi_file_for(wasi, pic_wasi_u32(cells, 0), right, &r);

	if (!file)
		return r;
	if (file->kind != PIC_KIND_FILE && file->kind != PIC_KIND_FOLDER)
		return PIC_WASI_INVAL;
	r = pic_wasi_file_readable(file);
	if (r != PIC_WASI_SUCCESS)
		return r;
	return how(file->fd) < 0 ? pic_wasi_errno(errno) : PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_fd_sync(struct pic_wasi *wasi, const uint64_t *cells)
{
	return sync_file(wasi, cells, PIC_WASI_RIGHT_SYNC, fsync);
}

uint32_t pic_wasi_fd_datasync(struct pic_wasi *wasi, const uint64_t *cells)
{
	return sync_file(wasi, cells, PIC_WASI_RIGHT_DATASYNC, fdatasync);
}

uint32_t pic_wasi_fd_fdstat_get(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_wasi_file *file = pic_wasi_file(wasi, pic_wasi_u32(cells, 0));
	unsigned char *at = pic_wasi_memory(wasi, pic_wasi_u32(cells, 1), PIC_WASI_FDSTAT_SIZE);

	if (!file)
		return PIC_WASI_BADF;
	if (!at)
		return PIC_WASI_FAULT;
	memset(at, 0, PIC_WASI_FDSTAT_SIZE);
	at[0] = file->filetype;
	pic_wasi_store16(at + 2, file->flags);
	pic_wasi_store64(at + 8, file->rights);
	pic_wasi_store64(at + 16, file->inheriting);
	return PIC_WASI_SUCCESS;
}

/* O_NONBLOCK stays set on the host's side of sockets and pipes: waiting is done by us (wasi_io.c). */
uint32_t pic_wasi_fd_fdstat_set_flags(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t flags = pic_wasi_u32(cells, 1), r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *file =
		pic_wasi_file_for(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_SET_FLAGS, &r);

	if (!file)
		return r;
	if (flags & ~(uint32_t)PIC_WASI_FD_ALL)
		return PIC_WASI_INVAL;
	if ((flags ^ file->flags) & PIC_WASI_FD_APPEND && file->kind == PIC_KIND_FILE &&
	    fcntl(file->fd, F_SETFL, O_NONBLOCK | (flags & PIC_WASI_FD_APPEND ? O_APPEND : 0)) < 0)
		return pic_wasi_errno(errno);
	file->flags = (uint16_t)flags;
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_fd_fdstat_set_rights(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_wasi_file *file = pic_wasi_file(wasi, pic_wasi_u32(cells, 0));

	if (!file)
		return PIC_WASI_BADF;
	if ((cells[1] & ~file->rights) || (cells[2] & ~file->inheriting))
		return PIC_WASI_NOTCAPABLE;
	file->rights = cells[1];
	file->inheriting = cells[2];
	return PIC_WASI_SUCCESS;
}
