#include "workload/wasm/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int pic_path_open(int folder, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	/* EAGAIN: a rename raced with "..", the kernel asks to try again. */
	for (unsigned tries = 0; tries < 16; tries++) {
		long fd = syscall(SYS_openat2, folder, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	return errno == EXDEV ? -PIC_PATH_OUTSIDE : -errno;
}

uint32_t pic_path_errno(int error)
{
	return error == -PIC_PATH_OUTSIDE ? (uint32_t)PIC_WASI_NOTCAPABLE : pic_wasi_errno(error);
}

void pic_path_close(struct pic_path *path)
{
	if (path->parent >= 0)
		close(path->parent);
	path->parent = -1;
}

uint32_t pic_path_copy(struct pic_wasi *wasi, uint32_t offset, uint32_t size, struct pic_path *out)
{
	const char *text = pic_wasi_memory(wasi, offset, size);

	out->parent = -1;
	out->name = NULL;
	out->folder_wanted = false;
	if (!text)
		return PIC_WASI_FAULT;
	if (size >= sizeof(out->text))
		return PIC_WASI_NAMETOOLONG;
	if (memchr(text, '\0', size))
		return PIC_WASI_ILSEQ;
	memcpy(out->text, text, size);
	out->text[size] = '\0';
	return PIC_WASI_SUCCESS;
}

static void strip_slashes(struct pic_path *path)
{
	size_t size = strlen(path->text);

	while (size > 1 && path->text[size - 1] == '/') {
		path->text[--size] = '\0';
		path->folder_wanted = true;
	}
}

/* A name with a slash behind it must be a folder; asked here, since the kernel, given the slash, would
 * follow a symbolic link. */
static uint32_t check_folder(const struct pic_path *path)
{
	struct stat st;

	if (!path->folder_wanted)
		return PIC_WASI_SUCCESS;
	if (fstatat(path->parent, path->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? (uint32_t)PIC_WASI_SUCCESS : pic_wasi_errno(errno);
	return S_ISDIR(st.st_mode) ? PIC_WASI_SUCCESS : PIC_WASI_NOTDIR;
}

uint32_t pic_path_parent(const struct pic_wasi_file *folder, struct pic_path *path)
{
	const char *before = ".";
	char *slash;

	strip_slashes(path);
	if (path->text[0] == '\0')
		return PIC_WASI_NOENT;
	if (path->text[0] == '/')
		return PIC_WASI_NOTCAPABLE;
	slash = strrchr(path->text, '/');
	path->name = slash ? slash + 1 : path->text;
	if (strcmp(path->name, "..") == 0)
		return PIC_WASI_NOTCAPABLE;
	if (strcmp(path->name, ".") == 0)
		return PIC_WASI_INVAL;
	if (slash) {
		*slash = '\0';
		before = path->text;
	}
	path->parent = pic_path_open(folder->fd, before, O_PATH | O_DIRECTORY, 0);
	if (path->parent < 0)
		return pic_path_errno(path->parent);
	return check_folder(path);
}
