/*
 * Files that survive a power cut. The only place that writes by "temporary file, fsync, rename, fsync
 * of the folder". All names are relative to an open folder; symbolic links are never followed.
 */
#ifndef PIC_BASE_FILE_H
#define PIC_BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

enum pic_file_durability {
	PIC_FILE_DURABLE,  /* fsync of file and folder */
	PIC_FILE_VOLATILE, /* atomic, not synced: for a folder that is gone with the boot */
};

/* Opens (makes, with parents, when `make`) a folder. Mode and owner are set only when it is made;
 * uid/gid -1 leave the owner. */
int pic_folder_open(int dirfd, const char *path, bool make, mode_t mode, uid_t uid, gid_t gid,
		    int *fd_out, struct pic_error *err);
/* Whole file into `out` (bounded by its maximum). -ENOENT when absent, with a sentence too. */
int pic_file_read(int dirfd, const char *name, struct pic_buf *out, struct pic_error *err);
int pic_file_write(int dirfd, const char *name, mode_t mode, const void *data, size_t size,
		   enum pic_file_durability durability, struct pic_error *err);
/* Unlink; absent is success. The folder is synced. */
int pic_file_remove(int dirfd, const char *name, struct pic_error *err);
/* Removes a folder and all below it, never crossing a mount. Absent is success. */
int pic_folder_remove(int dirfd, const char *name, struct pic_error *err);
/* Removes what writes that a power cut interrupted have left in a folder. At start, before any write. */
int pic_folder_sweep(int dirfd, struct pic_error *err);
/* For a file that a person names on a command line: links are followed, "-" is standard input. */
int pic_file_read_path(const char *path, struct pic_buf *out, struct pic_error *err);
/* Loops until all is written; -errno. */
int pic_fd_write_all(int fd, const void *data, size_t size);

#endif
