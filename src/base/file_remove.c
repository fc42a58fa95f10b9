/*
 * Removing a folder with all below it, without recursion: a stranger may have made it as deep as he
 * liked. Every folder found inside one of the top's folders is moved up into the top under a new
 * name, so that no more than two are ever open and the work only grows with the number of entries.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/file_place.h"

struct removal {
	int top;
	unsigned moved; /* names given so far */
};

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* For kernels before 5.6: sees another file system, though not a bind mount of the same one (that
 * one stops us with EBUSY when it is to be removed). */
static int open_same_device(int dirfd, const char *name)
{
	PIC_FD int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat above, here;

	if (fd < 0 || fstat(dirfd, &above) < 0 || fstat(fd, &here) < 0)
		return -errno;
	return above.st_dev == here.st_dev ? PIC_STEAL_FD(fd) : -EXDEV;
}

/* The folder `name`, when it is on the same mount; fd or -errno. */
static int open_unmounted(int dirfd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));

	if (fd >= 0)
		return (int)fd;
	return errno == ENOSYS || errno == EPERM ? open_same_device(dirfd, name) : -errno;
}

static int lift(struct removal *removal, int from, const char *name)
{
	char fresh[32];

	/* a taken name fails with one of these, or was an empty folder, which may as well go */
	do {
		snprintf(fresh, sizeof(fresh), ".pic-rm-%u", removal->moved++);
		if (renameat(from, name, removal->top, fresh) == 0)
			return 0;
	} while ((errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) &&
		 removal->moved != 0);
	return -errno;
}

typedef int entry_fn(struct removal *removal, int dirfd, const char *name);

static int for_folder(struct removal *removal, int dirfd, const char *name, entry_fn *folder)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	return errno == EISDIR ? folder(removal, dirfd, name) : -errno;
}

/* Unlinks what is no folder and gives the folders to `folder`; answers how many entries it met. */
static int each(struct removal *removal, int dirfd, entry_fn *folder)
{
	PIC_CLEANUP(pic_place_list_close) DIR *list = pic_place_list(dirfd, ".");
	struct dirent *entry;
	int met = 0;

	if (!list)
		return -errno;
	while ((entry = readdir(list))) {
		int r = is_dots(entry->d_name) ? 0
					       : for_folder(removal, dirfd, entry->d_name, folder);

		if (r < 0)
			return r;
		met += !is_dots(entry->d_name);
	}
	return met;
}

/* Passes until one meets nothing: removing while listing may make a pass overlook entries. */
static int empty(struct removal *removal, int dirfd, entry_fn *folder)
{
	int met;

	do
		met = each(removal, dirfd, folder);
	while (met > 0);
	return met;
}

static int remove_second(struct removal *removal, int dirfd, const char *name)
{
	PIC_FD int fd = open_unmounted(dirfd, name);
	int r;

	if (fd < 0)
		return fd;
	r = empty(removal, fd, lift);
	if (r < 0)
		return r;
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_tree(const struct pic_place *place)
{
	PIC_FD int top = open_unmounted(place->dirfd, place->base);
	struct removal removal = { .top = top };
	int r;

	if (top < 0)
		return top;
	r = empty(&removal, top, remove_second);
	if (r < 0)
		return r;
	return unlinkat(place->dirfd, place->base, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int pic_folder_remove(int dirfd, const char *name, struct pic_error *err)
{
	PIC_CLEANUP(pic_place_close) struct pic_place place = PIC_PLACE_INIT;
	int r = pic_place_open(dirfd, name, &place, err);

	if (r == 0)
		r = remove_tree(&place);
	else if (r != -ENOENT)
		return r;
	if (r == -ENOENT)
		return 0;
	if (r == -EXDEV || r == -EBUSY)
		return pic_error_set(err, r, "cannot remove %s: something is mounted in it", name);
	if (r == 0)
		r = pic_place_sync(&place);
	return r < 0 ? pic_error_errno(err, r, "cannot remove %s", name) : 0;
}
