/*
 * Reading and writing the kernel's cgroup files: one line each way, relative to a base folder. Only for
 * the two cgroup sources.
 */
#ifndef PIC_SANDBOX_CGROUP_FILE_H
#define PIC_SANDBOX_CGROUP_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* `group` is a folder below `base` ("." for the base itself). Negative errno; -ENODEV when base is -1. */
int pic_cgroup_file_open(int base, const char *group, const char *file, int flags);
int pic_cgroup_file_write(int base, const char *group, const char *file, const char *text);
/* The file's start as text; "" when it cannot be read. */
void pic_cgroup_file_read(int base, const char *group, const char *file, char *out, size_t size);

/* Finds what plays each role that is still absent in the mounted trees of one kind; cgroup_find.c. */
struct pic_cgroups;
int pic_cgroups_find(struct pic_cgroups *groups, const char *folder, bool unified);
extern const char *const pic_cgroup_controllers[];
/* "+" or "-": lets the groups below `group` use the controllers, or no longer. */
void pic_cgroup_hand_on(int base, const char *group, const char *sign);

#endif
