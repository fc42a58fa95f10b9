/*
 * Paths below an open folder, never outside it: openat2(2) with RESOLVE_BENEATH (Linux 5.6; older
 * kernels answer ENOSYS, and every path is refused). What has no such system call of its own is done
 * by opening the parent and naming the last part alone.
 */
#ifndef PIC_WORKLOAD_WASM_PATH_H
#define PIC_WORKLOAD_WASM_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "workload/wasm/wasi.h"

/* Leaving the folder, by "..", an absolute path or a symbolic link, is PIC_PATH_OUTSIDE. */
#define PIC_PATH_OUTSIDE 4000

/* A descriptor (close-on-exec) or a negative errno, -PIC_PATH_OUTSIDE among them. */
int pic_path_open(int folder, const char *path, int flags, mode_t mode);

struct pic_path {
	char text[PIC_WASI_PATH_MAX];
	char *name;	    /* last part, without slashes; inside text */
	bool folder_wanted; /* the path ended with a slash */
	int parent;	    /* O_PATH descriptor; -1 before pic_path_parent */
};

#define PIC_PATH PIC_CLEANUP(pic_path_close)
void pic_path_close(struct pic_path *path);

/* Copies the guest's text; a WASI errno. The parent is not opened yet. */
uint32_t pic_path_copy(struct pic_wasi *wasi, uint32_t offset, uint32_t size, struct pic_path *out);
/* Splits off the last part and opens what is before it; a WASI errno. */
uint32_t pic_path_parent(const struct pic_wasi_file *folder, struct pic_path *path);
/* The WASI number of what pic_path_open answered. */
uint32_t pic_path_errno(int error);

#endif
