/*
 * Where the cgroups of workloads belong on this machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "sandbox/cgroup.h"
#include "sandbox/cgroup_file.h"

#define LEAF "supervisor"

const char *const pic_cgroup_controllers[PIC_CGROUP_ROLES] = {
	[PIC_CGROUP_MEMBERS] = "pids", /* in a tree of its own (v1), as good as any */
	[PIC_CGROUP_MEMORY] = "memory",
	[PIC_CGROUP_TASKS] = "pids",
	[PIC_CGROUP_CPU] = "cpuacct",
};

struct mount {
	char root[256];	   /* the part of the tree that is mounted */
	char point[256];   /* where */
	char options[256]; /* of the file system: v1 names its controllers here */
};

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static bool mount_parse(const char *line, bool unified, struct mount *out)
{
	const char *tail = strstr(line, unified ? " - cgroup2 " : " - cgroup ");

	return tail && sscanf(line, "%*s %*s %*s %255s %255s", out->root, out->point) == 2 &&
	       sscanf(tail, " - %*s %*s %255s", out->options) == 1;
}

static bool has_word(const char *list, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
		if ((at == list || strchr(" ,", at[-1])) && (!at[size] || strchr(" ,\n", at[size])))
			return true;
	return false;
}

void pic_cgroup_hand_on(int base, const char *group, const char *sign)
{
	char text[16];

	/* what is not on offer here shows by its absence from the file afterwards */
	for (int role = PIC_CGROUP_MEMORY; role <= PIC_CGROUP_TASKS; role++) {
		snprintf(text, sizeof(text), "%s%s", sign, pic_cgroup_controllers[role]);
		pic_cgroup_file_write(base, group, "cgroup.subtree_control", text);
	}
}

/* Our own group in the unified tree, as the mount shows it; the parent when we sit in the leaf, or in the one where systemd
 * starts what ExecStopPost= names. */
static void own_group(const struct mount *mount, char *out, size_t size)
{
	PIC_CLEANUP(close_file) FILE *file = fopen("/proc/self/cgroup", "re");
	size_t hidden = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);
	char line[512] = "";
	char *leaf;

	while (file && fgets(line, sizeof(line), file) && strncmp(line, "0::", 3) != 0)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	leaf = strrchr(line, '/');
	if (leaf && (strcmp(leaf, "/" LEAF) == 0 || strcmp(leaf, "/.control") == 0))
		*leaf = '\0';
	snprintf(out, size, "%s%s", mount->point,
		 strlen(line) > 3 + hidden ? line + 3 + hidden : "");
}

static int open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* Our own group when systemd has handed it over (it marks such a folder); -1 otherwise. */
static int open_delegated(const struct mount *mount)
{
	char path[768], mark = '0';
	PIC_FD int fd = -1;

	own_group(mount, path, sizeof(path));
	fd = open_folder(path);
	if (fd < 0 ||
	    (fgetxattr(fd, "user.delegate", &mark, 1) != 1 &&
	     fgetxattr(fd, "trusted.delegate", &mark, 1) != 1) ||
	    mark != '1')
		return -1;
	/* a group that has processes of its own may not hand controllers on */
	if ((mkdirat(fd, LEAF, 0755) < 0 && errno != EEXIST) ||
	    pic_cgroup_file_write(fd, LEAF, "cgroup.procs", "0") < 0)
		return -1;
	return PIC_STEAL_FD(fd);
}

static int open_own(const struct mount *mount, const char *folder, bool unified)
{
	PIC_FD int top = open_folder(mount->point);

	if (unified)
		pic_cgroup_hand_on(top, ".", "+");
	if (mkdirat(top, folder, 0755) < 0 && errno != EEXIST)
		return -1;
	return openat(top, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static bool plays(const struct pic_cgroups *groups, int role, const char *offered)
{
	return groups->tree[role].fd < 0 && has_word(offered, pic_cgroup_controllers[role]);
}

static void take_role(struct pic_cgroups *groups, int role, int fd, bool unified)
{
	groups->tree[role].fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	groups->tree[role].unified = unified;
}

static void take_tree(struct pic_cgroups *groups, const struct mount *mount, const char *folder,
		      bool unified)
{
	PIC_FD int fd = unified ? open_delegated(mount) : -1;
	char offered[256];

	groups->delegated |= fd >= 0;
	if (fd < 0)
		fd = open_own(mount, folder, unified);
	if (fd < 0)
		return;
	snprintf(offered, sizeof(offered), "%s", mount->options);
	if (unified) {
		pic_cgroup_hand_on(fd, ".", "+");
		pic_cgroup_file_read(fd, ".", "cgroup.subtree_control", offered, sizeof(offered));
		take_role(groups, PIC_CGROUP_MEMBERS, fd, unified);
		take_role(groups, PIC_CGROUP_CPU, fd, unified); /* every group counts its time */
	}
	for (int role = 0; role < PIC_CGROUP_ROLES; role++)
		if (plays(groups, role, offered))
			take_role(groups, role, fd, unified);
}

int pic_cgroups_find(struct pic_cgroups *groups, const char *folder, bool unified)
{
	PIC_CLEANUP(close_file) FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[1024];
	struct mount mount;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		bool wanted = unified && groups->tree[PIC_CGROUP_MEMBERS].fd < 0;

		if (!mount_parse(line, unified, &mount))
			continue;
		for (int role = 0; role < PIC_CGROUP_ROLES && !unified; role++)
			wanted |= plays(groups, role, mount.options);
		if (wanted)
			take_tree(groups, &mount, folder, unified);
	}
	return 0;
}
