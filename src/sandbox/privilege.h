/*
 * Becoming nobody in particular: how a child of the supervisor gives up what root can do.
 * All of it is for the calling process, between fork and its work; there is no way back.
 */
#ifndef PIC_SANDBOX_PRIVILEGE_H
#define PIC_SANDBOX_PRIVILEGE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct pic_privileges {
	uid_t user;
	gid_t group;
	uint64_t keep_capabilities; /* bits of CAP_*; 0 for nearly all */
	/* resource limits; 0: as it is now */
	uint64_t files_max;	/* open descriptors */
	uint64_t file_size_max; /* bytes of one file */
	uint64_t data_max;	/* bytes of private writable memory */
	uint64_t cpu_seconds_max;
};

/* User and group by number, no other groups, only the capabilities kept (also in the bounding set),
 * root's magic switched off for good, no_new_privs, not dumpable, no core file. */
int pic_privileges_drop(const struct pic_privileges *privileges, struct pic_error *err);

/* Keeps these bits of what the process has, gives the others up. */
int pic_capabilities_keep(uint64_t keep, struct pic_error *err);
/* None of them in force until pic_capabilities_keep takes these bits up again. */
int pic_capabilities_rest(uint64_t keep, struct pic_error *err);

/* Moves the environment to memory that a child finds empty when it is forked, at no cost for either; a
 * program that is executed in place of this one still gets all of it. */
int pic_environment_hide(struct pic_error *err);

/* Every signal handled as by default, none blocked. */
void pic_signals_reset(void);

/* Makes fds[i] descriptor i for each of `count` (at most 64) open descriptors, without close-on-exec, and
 * closes every other one. */
int pic_descriptors_arrange(const int *fds, unsigned count, struct pic_error *err);

#endif
