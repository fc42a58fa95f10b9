/*
 * Where a file lies: the open folder that holds it and its last name. Internal to base/file*.c.
 *
 * A path is walked one name at a time and no symbolic link is followed. Under an open folder the walk
 * never leaves it: ".." and absolute paths are refused; with AT_FDCWD they are a person's own path.
 */
#ifndef PIC_BASE_FILE_PLACE_H
#define PIC_BASE_FILE_PLACE_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct pic_place {
	int dirfd;
	bool owned; /* dirfd is ours to close */
	const char *base;
};

#define PIC_PLACE_INIT \
	{ \
		-1, false, "" \
	}

/* What to do with a folder on the way that is not there. */
struct pic_place_making {
	bool make;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* `base` is lent from `name`. */
int pic_place_open(int dirfd, const char *name, struct pic_place *out, struct pic_error *err);
void pic_place_close(struct pic_place *place);
/* Makes the folder's entries durable; 0 or -errno. */
int pic_place_sync(const struct pic_place *place);
/* The first `size` bytes of `path` as a folder; the descriptor is only for passing through (O_PATH). */
int pic_place_walk(int dirfd, const char *path, size_t size, const struct pic_place_making *making,
		   int *fd_out, struct pic_error *err);
DIR *pic_place_list(int dirfd, const char *name); /* NULL and errno */
void pic_place_list_close(DIR **list);

#endif
