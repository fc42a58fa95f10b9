#include "base/file_place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
/* On the way a folder must let us through, not show us what it holds. */
#define PASSING_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* O_NOFOLLOW on a link to a folder gives ENOTDIR here; the person should hear that it is a link. */
static int walk_failed(int dirfd, const char *name, const char *path, int saved_errno,
		       struct pic_error *err)
{
	struct stat facts;

	if (fstatat(dirfd, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(facts.st_mode))
		return pic_error_set(err, -ELOOP,
				     "%s in %s is a symbolic link, which is not followed", name,
				     path);
	return pic_error_errno(err, saved_errno, "cannot open folder %s", path);
}

/* Owner and mode are set on the descriptor: whatever the name means by then, we hold our own folder. */
static int dress(int fd, int parent, const struct pic_place_making *making)
{
	if ((making->uid != (uid_t)-1 || making->gid != (gid_t)-1) &&
	    fchown(fd, making->uid, making->gid) < 0)
		return -errno;
	if (fchmod(fd, making->mode) < 0)
		return -errno;
	return pic_place_sync(&(struct pic_place){ .dirfd = parent });
}

static int step(int dirfd, const char *name, const char *path,
		const struct pic_place_making *making, int *fd_out, struct pic_error *err)
{
	PIC_FD int fd = -1;
	bool made = false;
	int r;

	fd = openat(dirfd, name, PASSING_FLAGS);
	if (fd < 0 && errno == ENOENT && making->make) {
		made = mkdirat(dirfd, name, 0700) == 0;
		if (!made && errno != EEXIST)
			return pic_error_errno(err, errno, "cannot make folder %s", path);
		fd = openat(dirfd, name, FOLDER_FLAGS);
	}
	if (fd < 0)
		return walk_failed(dirfd, name, path, errno, err);
	r = made ? dress(fd, dirfd, making) : 0;
	if (r < 0)
		return pic_error_errno(err, r, "cannot set owner and mode of folder %s", path);
	*fd_out = PIC_STEAL_FD(fd);
	return 0;
}

/* Copies the next name of path[0..size) into `name`; answers the rest's offset, -1 when unfit. */
static ssize_t next_name(const char *path, size_t start, size_t size, char name[NAME_MAX + 1])
{
	size_t end;

	while (start < size && path[start] == '/')
		start++;
	for (end = start; end < size && path[end] != '/'; end++)
		;
	if (end - start > NAME_MAX)
		return -1;
	memcpy(name, path + start, end - start);
	name[end - start] = '\0';
	return (ssize_t)end;
}

static int first_folder(int dirfd, const char *path, struct pic_error *err)
{
	int fd;

	if (path[0] == '/' && dirfd != AT_FDCWD)
		return pic_error_set(err, -EINVAL, "%s must be a relative path", path);
	fd = openat(dirfd, path[0] == '/' ? "/" : ".", PASSING_FLAGS);
	return fd < 0 ? pic_error_errno(err, errno, "cannot open the folder of %s", path) : fd;
}

int pic_place_walk(int dirfd, const char *path, size_t size, const struct pic_place_making *making,
		   int *fd_out, struct pic_error *err)
{
	PIC_FD int fd = first_folder(dirfd, path, err);
	char name[NAME_MAX + 1];
	ssize_t at = 0;

	if (fd < 0)
		return fd;
	while ((at = next_name(path, (size_t)at, size, name)) >= 0 && name[0] != '\0') {
		int next = -1, r;

		if (strcmp(name, "..") == 0 && dirfd != AT_FDCWD)
			return pic_error_set(err, -EINVAL, "%s must not contain \"..\"", path);
		r = step(fd, name, path, making, &next, err);
		if (r < 0)
			return r;
		pic_close_fd(&fd);
		fd = next;
	}
	if (at < 0)
		return pic_error_set(err, -ENAMETOOLONG, "a name in %s is too long", path);
	*fd_out = PIC_STEAL_FD(fd);
	return 0;
}

int pic_place_open(int dirfd, const char *name, struct pic_place *out, struct pic_error *err)
{
	static const struct pic_place_making nothing = { .make = false };
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;
	int r;

	if (base[0] == '\0' || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
		return pic_error_set(err, -EINVAL, "\"%s\" does not name a file", name);
	if (slash) {
		r = pic_place_walk(dirfd, name, (size_t)(slash - name), &nothing, &out->dirfd, err);
		if (r < 0)
			return r;
	} else {
		out->dirfd = dirfd;
	}
	out->owned = slash != NULL;
	out->base = base;
	return 0;
}

void pic_place_close(struct pic_place *place)
{
	if (place->owned)
		pic_close_fd(&place->dirfd);
}

int pic_place_sync(const struct pic_place *place)
{
	PIC_FD int fd = openat(place->dirfd, ".", FOLDER_FLAGS);

	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

DIR *pic_place_list(int dirfd, const char *name)
{
	PIC_FD int fd = openat(dirfd, name, FOLDER_FLAGS);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (list)
		fd = -1;
	return list;
}

void pic_place_list_close(DIR **list)
{
	if (*list)
		closedir(*list);
	*list = NULL;
}

int pic_folder_open(int dirfd, const char *path, bool make, mode_t mode, uid_t uid, gid_t gid,
		    int *fd_out, struct pic_error *err)
{
	struct pic_place_making making = { make, mode, uid, gid };
	PIC_FD int passing = -1;
	int fd, r = pic_place_walk(dirfd, path, strlen(path), &making, &passing, err);

	if (r < 0)
		return r;
	fd = openat(passing, ".", FOLDER_FLAGS);
	if (fd < 0)
		return pic_error_errno(err, errno, "cannot open folder %s", path);
	*fd_out = fd;
	return 0;
}
