/*
 * The cgroups of workloads: where they belong, what limits and counts them, and how they end.
 *
 * Works with the unified tree (v2), with one tree a controller (v1), and with both mounted side by
 * side. Four roles may sit in different trees: membership, memory, tasks, CPU time. A role whose
 * controller nobody offers is absent (fd -1): its limits are not enforced, its figures are 0.
 *
 * The base folder: when systemd has delegated our own cgroup, that one, and the supervisor itself
 * moves into the leaf `supervisor` below it. Otherwise a folder of the given name at the top of
 * each tree, which is the same place whoever starts the next supervisor. The base is locked: two
 * supervisors never share one. A workload is a folder below the base.
 */
#ifndef PIC_SANDBOX_CGROUP_H
#define PIC_SANDBOX_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum pic_cgroup_role {
	PIC_CGROUP_MEMBERS,
	PIC_CGROUP_MEMORY,
	PIC_CGROUP_TASKS,
	PIC_CGROUP_CPU,
	PIC_CGROUP_ROLES,
};

struct pic_cgroups {
	struct {
		int fd; /* base folder, -1: absent */
		bool unified;
	} tree[PIC_CGROUP_ROLES];
	bool delegated;
};

struct pic_cgroup_usage {
	uint64_t memory_bytes;
	uint64_t cpu_us;
	uint64_t memory_kills; /* processes killed by the memory limit */
};

/* Finds the trees, makes the base folders. -EBUSY: another supervisor owns them. */
int pic_cgroups_open(struct pic_cgroups *out, const char *folder, struct pic_error *err);
/* With `remove`, base folders that are empty go too. */
void pic_cgroups_close(struct pic_cgroups *groups, const char *folder, bool remove);
/* Calls fn for the name of each workload's folder; fn may remove it. */
void pic_cgroups_each(const struct pic_cgroups *groups, void (*fn)(void *data, const char *name),
		      void *data);
/* Makes the folder (it may exist) and sets its limits. */
int pic_cgroup_make(const struct pic_cgroups *groups, const char *name, uint64_t memory_max,
		    uint32_t tasks_max, struct pic_error *err);
/* Puts the calling process there. */
int pic_cgroup_join(const struct pic_cgroups *groups, const char *name, struct pic_error *err);
bool pic_cgroup_holds(const struct pic_cgroups *groups, const char *name, pid_t pid);
/* Kills what is in it and removes it. 0: nothing of it is left, which is proof that no process is.
 * -EBUSY: its processes are dying, ask again in some milliseconds. */
int pic_cgroup_end(const struct pic_cgroups *groups, const char *name, struct pic_error *err);
void pic_cgroup_usage(const struct pic_cgroups *groups, const char *name,
		      struct pic_cgroup_usage *out);

#endif
