/* Names below a folder: making, removing, renaming, linking, asking about them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "workload/wasm/path.h"
#include "workload/wasm/stat.h"

/* The folder at descriptor `fd`, with rights, and writable when `change`. */
static struct pic_wasi_file *folder_at(struct pic_wasi *wasi, uint32_t fd, uint64_t rights,
				       bool change, uint32_t *r)
{
	struct pic_wasi_file *folder = pic_wasi_file_for(wasi, fd, rights, r);

	if (!folder)
		return NULL;
	if (folder->kind != PIC_KIND_FOLDER)
		*r = PIC_WASI_NOTDIR;
	else if (change && folder->read_only)
		*r = PIC_WASI_ROFS;
	else
		return folder;
	return NULL;
}

/* Everything before the change itself: folder, path, parent. */
static uint32_t prepare(struct pic_wasi *wasi, uint32_t fd, uint64_t rights, bool change,
			uint32_t text, uint32_t size, struct pic_path *path)
{
	uint32_t r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *folder;

	path->parent = -1;
	folder = folder_at(wasi, fd, rights, change, &r);
	if (!folder)
		return r;
	r = pic_path_copy(wasi, text, size, path);
	return r == PIC_WASI_SUCCESS ? pic_path_parent(folder, path) : r;
}

static uint32_t result(int r)
{
	return r < 0 ? pic_wasi_errno(errno) : (uint32_t)PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_path_create_directory(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_path PIC_PATH path;
	uint32_t r = prepare(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_CREATE_DIRECTORY, true,
			     pic_wasi_u32(cells, 1), pic_wasi_u32(cells, 2), &path);

	return r == PIC_WASI_SUCCESS ? result(mkdirat(path.parent, path.name, 0777)) : r;
}

uint32_t pic_wasi_path_remove_directory(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_path PIC_PATH path;
	uint32_t r = prepare(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_REMOVE_DIRECTORY, true,
			     pic_wasi_u32(cells, 1), pic_wasi_u32(cells, 2), &path);

	return r == PIC_WASI_SUCCESS ? result(unlinkat(path.parent, path.name, AT_REMOVEDIR)) : r;
}

uint32_t pic_wasi_path_unlink_file(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_path PIC_PATH path;
	uint32_t r = prepare(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_UNLINK, true,
			     pic_wasi_u32(cells, 1), pic_wasi_u32(cells, 2), &path);

	return r == PIC_WASI_SUCCESS ? result(unlinkat(path.parent, path.name, 0)) : r;
}

uint32_t pic_wasi_path_rename(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_path PIC_PATH from;
	struct pic_path PIC_PATH to;
	uint32_t r;

	to.parent = -1;
	r = prepare(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_RENAME_SOURCE, true,
		    pic_wasi_u32(cells, 1), pic_wasi_u32(cells, 2), &from);
	if (r == PIC_WASI_SUCCESS)
		r = prepare(wasi, pic_wasi_u32(cells, 3), PIC_WASI_RIGHT_RENAME_TARGET, true,
			    pic_wasi_u32(cells, 4), pic_wasi_u32(cells, 5), &to);
	return r == PIC_WASI_SUCCESS ? result(renameat(from.parent, from.name, to.parent, to.name))
				     : r;
}

/* A link to what a symbolic link points at would need a path outside our hands: refused. */
static uint32_t check_link_source(const struct pic_path *path, uint32_t lookup)
{
	struct stat st;

	if (!(lookup & PIC_WASI_LOOKUP_FOLLOW))
		return PIC_WASI_SUCCESS;
	if (fstatat(path->parent, path->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pic_wasi_errno(errno);
	return S_ISLNK(st.st_mode) ? PIC_WASI_INVAL : PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_path_link(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_path PIC_PATH from;
	struct pic_path PIC_PATH to;
	uint32_t r;

	to.parent = -1;
	/* The source too must be writable: the new name could be written through. */
	r = prepare(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_LINK_SOURCE, true,
		    pic_wasi_u32(cells, 2), pic_wasi_u32(cells, 3), &from);
	if (r == PIC_WASI_SUCCESS)
		r = check_link_source(&from, pic_wasi_u32(cells, 1));
	if (r == PIC_WASI_SUCCESS)
		r = prepare(wasi, pic_wasi_u32(cells, 4), PIC_WASI_RIGHT_LINK_TARGET, true,
			    pic_wasi_u32(cells, 5), pic_wasi_u32(cells, 6), &to);
	return r == PIC_WASI_SUCCESS ? result(linkat(from.parent, from.name, to.parent, to.name, 0))
				     : r;
}

uint32_t pic_wasi_path_symlink(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_path target;
	struct pic_path PIC_PATH path;
	uint32_t r;

	path.parent = -1;
	r = pic_path_copy(wasi, pic_wasi_u32(cells, 0), pic_wasi_u32(cells, 1), &target);
	if (r != PIC_WASI_SUCCESS)
		return r;
	r = prepare(wasi, pic_wasi_u32(cells, 2), PIC_WASI_RIGHT_SYMLINK, true,
		    pic_wasi_u32(cells, 3), pic_wasi_u32(cells, 4), &path);
	if (r != PIC_WASI_SUCCESS)
		return r;
	/* The host's own programs would follow it out of the folder. */
	if (target.text[0] == '/')
		return PIC_WASI_NOTCAPABLE;
	return result(symlinkat(target.text, path.parent, path.name));
}

uint32_t pic_wasi_path_readlink(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t size = pic_wasi_u32(cells, 4), r;
	struct pic_path PIC_PATH path;
	char *out;
	ssize_t n;

	r = prepare(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_READLINK, false,
		    pic_wasi_u32(cells, 1), pic_wasi_u32(cells, 2), &path);
	if (r != PIC_WASI_SUCCESS)
		return r;
	out = pic_wasi_memory(wasi, pic_wasi_u32(cells, 3), size);
	if (!out || !pic_wasi_memory(wasi, pic_wasi_u32(cells, 5), 4))
		return PIC_WASI_FAULT;
	if (size == 0)
		return PIC_WASI_INVAL;
	n = readlinkat(path.parent, path.name, out, size);
	if (n < 0)
		return pic_wasi_errno(errno);
	pic_wasi_put32(wasi, pic_wasi_u32(cells, 5), (uint32_t)n);
	return PIC_WASI_SUCCESS;
}

/* Opens a name for its facts alone. */
static int open_facts(const struct pic_wasi_file *folder, const struct pic_path *path,
		      uint32_t lookup)
{
	int flags = O_PATH | (lookup & PIC_WASI_LOOKUP_FOLLOW ? 0 : O_NOFOLLOW);

	return pic_path_open(folder->fd, path->text, flags, 0);
}

uint32_t pic_wasi_path_filestat_get(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *folder =
		folder_at(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_PATH_STAT, false, &r);
	struct pic_path path;
	int PIC_FD fd = -1;
	struct stat st;

	if (!folder)
		return r;
	r = pic_path_copy(wasi, pic_wasi_u32(cells, 2), pic_wasi_u32(cells, 3), &path);
	if (r != PIC_WASI_SUCCESS)
		return r;
	fd = open_facts(folder, &path, pic_wasi_u32(cells, 1));
	if (fd < 0)
		return pic_path_errno(fd);
	if (fstat(fd, &st) < 0)
		return pic_wasi_errno(errno);
	return pic_stat_put(wasi, pic_wasi_u32(cells, 4), &st);
}

uint32_t pic_wasi_path_filestat_set_times(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct timespec times[2];
	uint32_t r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *folder =
		folder_at(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_PATH_SET_TIMES, true, &r);
	struct pic_path path;
	int PIC_FD fd = -1;

	if (!folder)
		return r;
	r = pic_stat_times(cells[4], cells[5], pic_wasi_u32(cells, 6), times);
	if (r == PIC_WASI_SUCCESS)
		r = pic_path_copy(wasi, pic_wasi_u32(cells, 2), pic_wasi_u32(cells, 3), &path);
	if (r != PIC_WASI_SUCCESS)
		return r;
	fd = open_facts(folder, &path, pic_wasi_u32(cells, 1));
	if (fd < 0)
		return pic_path_errno(fd);
	return result(utimensat(fd, "", times, AT_EMPTY_PATH));
}
