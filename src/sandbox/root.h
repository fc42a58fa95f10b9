/*
 * File systems: the empty root of a runner, and folders that a runner gets without the world around them.
 */
#ifndef PIC_SANDBOX_ROOT_H
#define PIC_SANDBOX_ROOT_H

#include <stdbool.h>

#include "base/error.h"

/* Gives the calling process a root folder without a single file, read-only, in a mount namespace of
 * its own. `at` is any existing folder, used for a moment. Descriptors that are open stay usable.
 * Needs CAP_SYS_ADMIN; fails, with the remedy, in a chroot whose root is not a mount point. */
int pic_root_empty(const char *at, struct pic_error *err);

/* A descriptor of a folder that has no way up: a mount of its own, seen by nobody else, without
 * set-user-id programs and devices, read-only unless `writable`. Links in `path` are followed. Needs
 * CAP_SYS_ADMIN. Returns the descriptor or a negative errno. */
int pic_folder_clone(const char *path, bool writable, struct pic_error *err);

#endif
