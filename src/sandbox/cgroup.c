#include "sandbox/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "sandbox/cgroup_file.h"

#define LOCK_WAIT_MS 2000
#define KILL_PASSES 16

int pic_cgroup_file_open(int base, const char *group, const char *file, int flags)
{
	char path[320];

	if (base < 0)
		return -ENODEV;
	if (snprintf(path, sizeof(path), "%s/%s", group, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	base = openat(base, path, flags | O_CLOEXEC | O_NOFOLLOW);
	return base < 0 ? -errno : base;
}

int pic_cgroup_file_write(int base, const char *group, const char *file, const char *text)
{
	PIC_FD int fd = pic_cgroup_file_open(base, group, file, O_WRONLY);

	if (fd < 0)
		return fd;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

void pic_cgroup_file_read(int base, const char *group, const char *file, char *out, size_t size)
{
	PIC_FD int fd = pic_cgroup_file_open(base, group, file, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);

	out[n > 0 ? n : 0] = '\0';
}

static int write_number(int base, const char *group, const char *file, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return pic_cgroup_file_write(base, group, file, text);
}

/* The number behind `key` at the start of a line; without a key the file's first one. */
static uint64_t read_number(int base, const char *group, const char *file, const char *key)
{
	char text[2048];
	const char *at = text;

	pic_cgroup_file_read(base, group, file, text, sizeof(text));
	while (at && strncmp(at, key, strlen(key)) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static int lock(int fd)
{
	const struct timespec pause = { 0, 10 * 1000000L };

	/* a child of a supervisor that was just killed may hold the lock for some ms more */
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += 10) {
		if (errno != EWOULDBLOCK || waited >= LOCK_WAIT_MS)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int pic_cgroups_open(struct pic_cgroups *out, const char *folder, struct pic_error *err)
{
	struct pic_cgroups groups = { .delegated = false };
	int r;

	for (int role = 0; role < PIC_CGROUP_ROLES; role++)
		groups.tree[role].fd = -1;
	r = pic_cgroups_find(&groups, folder, true);
	if (r == 0)
		r = pic_cgroups_find(&groups, folder, false);
	if (r < 0)
		return pic_error_errno(err, -r, "/proc/self/mountinfo cannot be read, mount /proc");
	if (groups.tree[PIC_CGROUP_MEMBERS].fd < 0)
		return pic_error_set(
			err, -ENODEV,
			"no cgroup tree is mounted where one can be used: mount cgroup2 "
			"on /sys/fs/cgroup");
	r = lock(groups.tree[PIC_CGROUP_MEMBERS].fd);
	if (r < 0) {
		pic_cgroups_close(&groups, folder, false);
		return pic_error_set(err, -EBUSY,
				     "another supervisor owns the cgroup %s: stop it, or choose "
				     "another --run-dir",
				     folder);
	}
	*out = groups;
	return 0;
}

void pic_cgroups_close(struct pic_cgroups *groups, const char *folder, bool remove)
{
	char path[128];

	snprintf(path, sizeof(path), "../%s", folder);
	for (int role = 0; role < PIC_CGROUP_ROLES; role++) {
		bool ours = !groups->tree[role].unified || !groups->delegated;

		/* the same folder may play several roles; one that is not empty stays */
		if (remove && ours && groups->tree[role].fd >= 0)
			unlinkat(groups->tree[role].fd, path, AT_REMOVEDIR);
		pic_close_fd(&groups->tree[role].fd);
	}
}

void pic_cgroups_each(const struct pic_cgroups *groups, void (*fn)(void *data, const char *name),
		      void *data)
{
	int fd = openat(groups->tree[PIC_CGROUP_MEMBERS].fd, ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (!folder)
		return;
	for (struct dirent *item; (item = readdir(folder));)
		if (item->d_type == DT_DIR && strchr(item->d_name, '~'))
			fn(data, item->d_name);
	closedir(folder);
}

int pic_cgroup_make(const struct pic_cgroups *groups, const char *name, uint64_t memory_max,
		    uint32_t tasks_max, struct pic_error *err)
{
	int memory = groups->tree[PIC_CGROUP_MEMORY].fd;
	int tasks = groups->tree[PIC_CGROUP_TASKS].fd;
	int r = 0;

	for (int role = 0; role < PIC_CGROUP_ROLES; role++) {
		int fd = groups->tree[role].fd;

		if (fd >= 0 && mkdirat(fd, name, 0755) < 0 && errno != EEXIST)
			return pic_error_errno(err, errno, "cgroup %s cannot be made", name);
	}
	if (memory >= 0 && groups->tree[PIC_CGROUP_MEMORY].unified) {
		r = write_number(memory, name, "memory.max", memory_max);
		pic_cgroup_file_write(memory, name, "memory.swap.max",
				      "0"); /* only where there is swap */
		pic_cgroup_file_write(memory, name, "memory.oom.group", "1");
	} else if (memory >= 0) {
		r = write_number(memory, name, "memory.limit_in_bytes", memory_max);
		write_number(memory, name, "memory.memsw.limit_in_bytes", memory_max);
	}
	if (r == 0 && tasks >= 0)
		r = write_number(tasks, name, "pids.max", tasks_max);
	if (r < 0)
		return pic_error_errno(err, -r, "the limits of cgroup %s cannot be set", name);
	return 0;
}

int pic_cgroup_join(const struct pic_cgroups *groups, const char *name, struct pic_error *err)
{
	for (int role = 0; role < PIC_CGROUP_ROLES; role++) {
		int r = pic_cgroup_file_write(groups->tree[role].fd, name, "cgroup.procs", "0");

		if (r < 0 && r != -ENODEV)
			return pic_error_errno(err, -r, "cgroup %s cannot be joined", name);
	}
	return 0;
}

/* Calls fn for every process of the group; returns how many there were. */
static int each_process(const struct pic_cgroups *groups, const char *name,
			void (*fn)(void *data, pid_t pid), void *data)
{
	char text[4096], *at = text, *end;
	int count = 0;

	/* a long list is cut; callers that need all of it come again */
	pic_cgroup_file_read(groups->tree[PIC_CGROUP_MEMBERS].fd, name, "cgroup.procs", text,
			     sizeof(text));
	for (long pid; (pid = strtol(at, &end, 10)) > 0 && *end == '\n'; at = end + 1, count++)
		fn(data, (pid_t)pid);
	return count;
}

static void compare_process(void *data, pid_t pid)
{
	pid_t *wanted = data;

	if (*wanted == pid)
		*wanted = 0;
}

bool pic_cgroup_holds(const struct pic_cgroups *groups, const char *name, pid_t pid)
{
	return pid > 0 && each_process(groups, name, compare_process, &pid) > 0 && pid == 0;
}

static void kill_process(void *data, pid_t pid)
{
	(void)data;
	kill(pid, SIGKILL);
}

int pic_cgroup_end(const struct pic_cgroups *groups, const char *name, struct pic_error *err)
{
	/* in one move where the kernel can (5.14), else again and again: a fork can slip through a pass */
	if (pic_cgroup_file_write(groups->tree[PIC_CGROUP_MEMBERS].fd, name, "cgroup.kill", "1") <
	    0)
		for (int i = 0; i < KILL_PASSES && each_process(groups, name, kill_process, NULL);
		     i++)
			;
	for (int role = 0; role < PIC_CGROUP_ROLES; role++) {
		int fd = groups->tree[role].fd;

		if (fd >= 0 && unlinkat(fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return pic_error_errno(err, errno, "cgroup %s still has processes", name);
	}
	return 0;
}

void pic_cgroup_usage(const struct pic_cgroups *groups, const char *name,
		      struct pic_cgroup_usage *out)
{
	int memory = groups->tree[PIC_CGROUP_MEMORY].fd;
	int cpu = groups->tree[PIC_CGROUP_CPU].fd;

	if (groups->tree[PIC_CGROUP_MEMORY].unified) {
		out->memory_bytes = read_number(memory, name, "memory.current", "");
		out->memory_kills = read_number(memory, name, "memory.events", "oom_kill ");
	} else {
		out->memory_bytes = read_number(memory, name, "memory.usage_in_bytes", "");
		out->memory_kills = read_number(memory, name, "memory.oom_control", "oom_kill ");
	}
	out->cpu_us = groups->tree[PIC_CGROUP_CPU].unified
			      ? read_number(cpu, name, "cpu.stat", "usage_usec ")
			      : read_number(cpu, name, "cpuacct.usage", "") / 1000;
}
