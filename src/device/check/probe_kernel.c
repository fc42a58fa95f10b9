/* What the kernel offers and what is mounted, seen without changing anything. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/seccomp.h>

#include "base/clock.h"
#include "base/file.h"
#include "device/check/check.h"
#include "sandbox/cgroup.h"
#include "sandbox/root.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#define LANDLOCK_VERSION 1 /* LANDLOCK_CREATE_RULESET_VERSION */

/* A call that the kernel has answers anything but ENOSYS, even to nonsense. */
static bool has_call(long number)
{
	if (number == SYS_close_range) /* refused for its order, so it closes nothing */
		return syscall(number, 1, 0, 0) == 0 || errno != ENOSYS;
	return syscall(number, -1, -1, -1, -1, -1) >= 0 || errno != ENOSYS;
}

static void look_at_calls(struct pic_check_facts *facts)
{
	static const struct {
		const char *name;
		long number;
		const char *since;
	} calls[] = {
		{ "pidfd_open", SYS_pidfd_open, "5.3" },
		{ "openat2", SYS_openat2, "5.6" },
		{ "pidfd_getfd", SYS_pidfd_getfd, "5.6" },
		{ "close_range", SYS_close_range, "5.9" },
		{ "mount_setattr", SYS_mount_setattr, "5.12" },
	};

	for (size_t i = 0; i < PIC_COUNT(calls); i++) {
		if (!has_call(calls[i].number)) {
			facts->missing_call = calls[i].name;
			facts->missing_since = calls[i].since;
		}
	}
}

/* A number out of a small file of /proc; `otherwise` when it cannot be read. */
static long number_in(const char *path, long otherwise)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(64);

	return pic_file_read_path(path, &text, NULL) == 0 ? strtol(pic_buf_text(&text), NULL, 10)
							  : otherwise;
}

static void look_at_bpf(struct pic_check_facts *facts)
{
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
	};
	PIC_FD int fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));

	facts->bpf_error = fd < 0 ? -errno : 0;
	facts->jit = number_in("/proc/sys/net/core/bpf_jit_enable", -1);
}

static enum pic_seen seen(bool there)
{
	return there ? PIC_YES : PIC_NO;
}

/* "nodev\tbpf\n" and the like, one a line. */
static bool knows_file_system(const char *list, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = strstr(list, name); at; at = strstr(at + 1, name))
		if (at > list && at[-1] == '\t' && at[size] == '\n')
			return true;
	return false;
}

static void take_controllers(struct pic_check_facts *facts, const char *list, char separator,
			     enum pic_controller version)
{
	const struct {
		const char *name;
		enum pic_controller *where;
	} wanted[] = { { "memory", &facts->memory },
		       { "pids", &facts->pids },
		       { "cpu", &facts->cpu } };

	for (const char *at = list; *at;
	     at += strcspn(at, (char[]){ separator, '\n', '\0' }), at += *at != '\0')
		for (size_t i = 0; i < PIC_COUNT(wanted); i++)
			if (strcspn(at, (char[]){ separator, '\n', '\0' }) ==
				    strlen(wanted[i].name) &&
			    strncmp(at, wanted[i].name, strlen(wanted[i].name)) == 0)
				*wanted[i].where = version;
}

static void take_unified(struct pic_check_facts *facts, const char *point)
{
	PIC_BUF struct pic_buf list = PIC_BUF_INIT(4096);
	char path[600];

	facts->cgroup_v2 = PIC_YES;
	snprintf(path, sizeof(path), "%s/cgroup.controllers", point);
	if (pic_file_read_path(path, &list, NULL) == 0)
		take_controllers(facts, pic_buf_text(&list), ' ', PIC_CONTROLLER_V2);
}

static void look_at_mounts(struct pic_check_facts *facts)
{
	FILE *file = fopen("/proc/self/mounts", "re");
	char point[512], kind[64], options[512];

	facts->bpffs_mounted = facts->tracefs_mounted = facts->cgroup_v1 = facts->cgroup_v2 =
		PIC_NO;
	while (file && fscanf(file, "%*s %511s %63s %511s %*d %*d", point, kind, options) == 3) {
		if (strcmp(kind, "bpf") == 0)
			facts->bpffs_mounted = PIC_YES;
		else if (strcmp(kind, "tracefs") == 0)
			facts->tracefs_mounted = PIC_YES;
		else if (strcmp(kind, "cgroup2") == 0)
			take_unified(facts, point);
		else if (strcmp(kind, "cgroup") == 0) {
			facts->cgroup_v1 = PIC_YES;
			take_controllers(facts, options, ',', PIC_CONTROLLER_V1);
		}
	}
	if (file)
		fclose(file);
}

static void look_at_file_systems(struct pic_check_facts *facts)
{
	PIC_BUF struct pic_buf list = PIC_BUF_INIT(64 * 1024);

	if (pic_file_read_path("/proc/filesystems", &list, NULL) < 0)
		return;
	facts->bpffs = seen(knows_file_system(pic_buf_text(&list), "bpf"));
	facts->tracefs = seen(knows_file_system(pic_buf_text(&list), "tracefs"));
}

static void try_cgroups(struct pic_check_facts *facts)
{
	struct pic_cgroups groups;
	char folder[32];

	snprintf(folder, sizeof(folder), "piccolo-check-%d", (int)getpid());
	facts->cgroup_tried = PIC_YES;
	if (pic_cgroups_open(&groups, folder, &facts->cgroup_error) == 0)
		pic_cgroups_close(&groups, folder, true);
}

/* Tried for real, by a child that keeps the change to itself. */
static void try_root(struct pic_check_facts *facts)
{
	struct pic_error why = PIC_ERROR_INIT;
	int ends[2], status;
	pid_t pid;

	if (pipe(ends) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		pic_root_empty("/dev", &why);
		pic_fd_write_all(ends[1], &why, sizeof(why));
		_exit(0);
	}
	close(ends[1]);
	if (pid > 0 && read(ends[0], &facts->root_error, sizeof(why)) != (ssize_t)sizeof(why))
		pic_error_set(&facts->root_error, -EIO,
			      "the trial of an empty root ended without an answer");
	facts->root_tried = pid > 0 ? PIC_YES : PIC_UNSEEN;
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
}

static void look_at_clock(struct pic_check_facts *facts)
{
	struct timex state = { .modes = 0 };
	int r = adjtimex(&state);

	facts->now_ms = pic_clock_wall_ms();
	facts->synchronised = r < 0 ? PIC_UNSEEN
				    : seen(r != TIME_ERROR && !(state.status & STA_UNSYNC));
}

void pic_check_look_kernel(struct pic_check_facts *facts, int flags)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;
	struct utsname name;
	long landlock;

	uname(&name);
	snprintf(facts->release, sizeof(facts->release), "%s", name.release);
	snprintf(facts->machine, sizeof(facts->machine), "%s", name.machine);
	look_at_calls(facts);
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		facts->seccomp_error = -errno;
	landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
	facts->landlock = landlock < 0 ? -errno : (int)landlock;
	facts->btf = seen(access("/sys/kernel/btf/vmlinux", R_OK) == 0);
	if (access("/sys/bus/event_source/devices", F_OK) == 0)
		facts->kprobes = seen(access("/sys/bus/event_source/devices/kprobe", F_OK) == 0);
	facts->user_namespaces = number_in("/proc/sys/user/max_user_namespaces", -1);
	look_at_file_systems(facts);
	look_at_mounts(facts);
	look_at_clock(facts);
	if (flags & PIC_CHECK_LOCAL)
		return;
	look_at_bpf(facts);
	if (facts->is_root) {
		try_cgroups(facts);
		try_root(facts);
	}
}
