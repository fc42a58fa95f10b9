/* path_open: a name below a folder becomes a descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "workload/wasm/path.h"
#include "workload/wasm/stat.h"

struct request {
	uint32_t lookup, oflags, fdflags;
	uint64_t rights, inheriting;
};

static bool wants_write(const struct request *request)
{
	return request->rights & (PIC_WASI_RIGHT_WRITE | PIC_WASI_RIGHT_ALLOCATE);
}

static bool wants_read(const struct request *request)
{
	return request->rights & (PIC_WASI_RIGHT_READ | PIC_WASI_RIGHT_READDIR);
}

static int access_mode(const struct request *request)
{
	if (request->oflags & PIC_WASI_O_DIRECTORY || !wants_write(request))
		return O_RDONLY;
	return wants_read(request) ? O_RDWR : O_WRONLY;
}

/* O_NONBLOCK always: opening a pipe must not hang the module, and a quiet trace pipe must not hang
 * its reader. On regular files it means nothing. */
static int host_flags(const struct request *request)
{
	int flags = access_mode(request) | O_NONBLOCK | O_NOCTTY;

	if (!(request->lookup & PIC_WASI_LOOKUP_FOLLOW))
		flags |= O_NOFOLLOW;
	if (request->oflags & PIC_WASI_O_CREAT)
		flags |= O_CREAT;
	if (request->oflags & PIC_WASI_O_DIRECTORY)
		flags |= O_DIRECTORY;
	if (request->oflags & PIC_WASI_O_EXCL)
		flags |= O_EXCL;
	if (request->oflags & PIC_WASI_O_TRUNC)
		flags |= O_TRUNC;
	if (request->fdflags & PIC_WASI_FD_APPEND)
		flags |= O_APPEND;
	if (request->fdflags & PIC_WASI_FD_DSYNC)
		flags |= O_DSYNC;
	if (request->fdflags & (PIC_WASI_FD_SYNC | PIC_WASI_FD_RSYNC))
		flags |= O_SYNC;
	return flags;
}

static uint32_t check_request(const struct pic_wasi_file *folder, const struct request *request)
{
	if ((request->oflags & ~(uint32_t)PIC_WASI_O_ALL) ||
	    (request->fdflags & ~(uint32_t)PIC_WASI_FD_ALL) ||
	    (request->lookup & ~PIC_WASI_LOOKUP_FOLLOW))
		return PIC_WASI_INVAL;
	if (request->oflags & PIC_WASI_O_DIRECTORY &&
	    request->oflags & (PIC_WASI_O_CREAT | PIC_WASI_O_EXCL | PIC_WASI_O_TRUNC))
		return PIC_WASI_INVAL;
	if (request->oflags & PIC_WASI_O_CREAT && !(folder->rights & PIC_WASI_RIGHT_CREATE_FILE))
		return PIC_WASI_NOTCAPABLE;
	if (request->oflags & PIC_WASI_O_TRUNC && !(folder->rights & PIC_WASI_RIGHT_PATH_SET_SIZE))
		return PIC_WASI_NOTCAPABLE;
	if (folder->read_only &&
	    (access_mode(request) != O_RDONLY || request->oflags & PIC_WASI_O_TRUNC))
		return PIC_WASI_ROFS;
	return PIC_WASI_SUCCESS;
}

/* In a read-only folder O_CREAT opens what is there, as on a file system mounted read-only. */
static uint32_t open_host(const struct pic_wasi_file *folder, const char *path,
			  const struct request *request, int *out)
{
	int flags = host_flags(request), fd;

	if (folder->read_only)
		flags &= ~(O_CREAT | O_EXCL);
	fd = pic_path_open(folder->fd, path, flags, 0666);
	if (fd == -ENOENT && folder->read_only && request->oflags & PIC_WASI_O_CREAT)
		return PIC_WASI_ROFS;
	if (fd < 0)
		return pic_path_errno(fd);
	if (folder->read_only && request->oflags & PIC_WASI_O_EXCL &&
	    request->oflags & PIC_WASI_O_CREAT) {
		close(fd);
		return PIC_WASI_EXIST;
	}
	*out = fd;
	return PIC_WASI_SUCCESS;
}

/* The rights a file or folder opened below `folder` gets. */
static void set_rights(struct pic_wasi_file *file, const struct pic_wasi_file *folder,
		       const struct request *request)
{
	file->rights = request->rights & folder->inheriting;
	file->inheriting = request->inheriting & folder->inheriting;
	if (file->kind == PIC_KIND_FOLDER)
		file->rights &=
			~(PIC_WASI_RIGHT_READ | PIC_WASI_RIGHT_WRITE | PIC_WASI_RIGHT_SEEK |
			  PIC_WASI_RIGHT_TELL | PIC_WASI_RIGHT_ALLOCATE | PIC_WASI_RIGHT_SET_SIZE);
	else
		file->rights |= PIC_WASI_RIGHT_POLL;
}

static uint32_t classify(struct pic_wasi_file *file)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return pic_wasi_errno(errno);
	file->filetype = pic_stat_filetype(st.st_mode);
	if (S_ISREG(st.st_mode))
		file->kind = PIC_KIND_FILE;
	else if (S_ISDIR(st.st_mode))
		file->kind = PIC_KIND_FOLDER;
	else if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		file->kind = PIC_KIND_PIPE;
	else
		return PIC_WASI_ACCES; /* disks are nothing for a module */
	return PIC_WASI_SUCCESS;
}

static uint32_t open_file(struct pic_wasi *wasi, const struct pic_wasi_file *folder,
			  const char *path, const struct request *request, uint32_t out)
{
	struct pic_wasi_file file = {
		.fd = -1,
		.flags = (uint16_t)request->fdflags,
		.read_only = folder->read_only,
	};
	uint32_t r = open_host(folder, path, request, &file.fd), fd;

	if (r != PIC_WASI_SUCCESS)
		return r;
	r = classify(&file);
	if (r == PIC_WASI_SUCCESS) {
		set_rights(&file, folder, request);
		r = pic_wasi_file_add(wasi, &file, &fd);
	}
	if (r != PIC_WASI_SUCCESS) {
		close(file.fd);
		return r;
	}
	pic_wasi_put32(wasi, out, fd);
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_path_open(struct pic_wasi *wasi, const uint64_t *cells)
{
	const struct request request = {
		.lookup = pic_wasi_u32(cells, 1),
		.oflags = pic_wasi_u32(cells, 4),
		.rights = cells[5],
		.inheriting = cells[6],
		.fdflags = pic_wasi_u32(cells, 7),
	};
	uint32_t out = pic_wasi_u32(cells, 8), r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *folder =
		pic_wasi_file_for(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_OPEN, &r);
	struct pic_path path;

	if (!folder)
		return r;
	if (folder->kind != PIC_KIND_FOLDER)
		return PIC_WASI_NOTDIR;
	if (!pic_wasi_memory(wasi, out, 4))
		return PIC_WASI_FAULT;
	r = check_request(folder, &request);
	if (r == PIC_WASI_SUCCESS)
		r = pic_path_copy(wasi, pic_wasi_u32(cells, 2), pic_wasi_u32(cells, 3), &path);
	return r == PIC_WASI_SUCCESS ? open_file(wasi, folder, path.text, &request, out) : r;
}
