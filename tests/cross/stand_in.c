/*
 * Loaded into the device's programs when tests run them by qemu-user, whose kernel lacks system calls that the device's
 * kernel has. Each stand-in is named in the file of PICCOLO_STAND_IN_LOG when it was used (not from the empty root of a runner):
 *   seccomp   the list is taken and not enforced
 *   openat2   a path below a folder is walked name by name
 *   open_tree, mount_setattr   the folder itself, in the place of a mount of its own with fewer rights
 * Nothing of this is in a program that is handed out.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>
#include <linux/seccomp.h>

#define DEPTH_MAX 64
#define LINKS_MAX 40
#define PATH_SIZE 4096

struct walk {
	int folders[DEPTH_MAX];
	int depth;
	char rest[PATH_SIZE];
	int links;
	const struct open_how *how;
};

static void note(const char *name)
{
	const char *log = getenv("PICCOLO_STAND_IN_LOG");
	int fd = log ? open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;

	if (fd < 0)
		return;
	if (write(fd, name, strlen(name)) < 0)
		abort();
	close(fd);
}

static int fail(int error)
{
	errno = error;
	return -1;
}

/* 1: `name` was a link, and what it says comes before the rest. */
static int follow(struct walk *walk, const char *name)
{
	char target[PATH_SIZE];
	ssize_t size = readlinkat(walk->folders[walk->depth], name, target, sizeof(target) - 2);
	size_t rest = strlen(walk->rest) + 1;

	if (size < 0)
		return 0;
	if (size > 0 && target[0] == '/')
		return fail(EXDEV);
	if (walk->links++ == LINKS_MAX)
		return fail(ELOOP);
	if (rest > 1)
		target[size++] = '/';
	if ((size_t)size + rest > sizeof(walk->rest))
		return fail(ENAMETOOLONG);
	memmove(walk->rest + size, walk->rest, rest);
	memcpy(walk->rest, target, (size_t)size);
	return 1;
}

static int down(struct walk *walk, const char *name)
{
	int fd;

	if (walk->depth + 1 == DEPTH_MAX)
		return fail(ENAMETOOLONG);
	fd = openat(walk->folders[walk->depth], name,
		    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	walk->folders[++walk->depth] = fd;
	return 0;
}

static int up(struct walk *walk)
{
	if (walk->depth == 0)
		return fail(EXDEV);
	close(walk->folders[walk->depth--]);
	return 0;
}

static int open_here(struct walk *walk, const char *name, int more)
{
	return openat(walk->folders[walk->depth], name, (int)walk->how->flags | more,
		      (mode_t)walk->how->mode);
}

static int step(struct walk *walk)
{
	char name[256];
	size_t size = strcspn(walk->rest, "/"), after = size + strspn(walk->rest + size, "/");
	int is_last = !walk->rest[after], is_folder = after > size, r;
	int kept = (int)walk->how->flags;

	if (size >= sizeof(name))
		return fail(ENAMETOOLONG);
	memcpy(name, walk->rest, size);
	name[size] = '\0';
	memmove(walk->rest, walk->rest + after, strlen(walk->rest + after) + 1);
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		if (name[1] && up(walk) < 0)
			return -1;
		return is_last ? open_here(walk, ".", 0) : -2;
	}
	if (!is_last || is_folder || !(kept & O_NOFOLLOW || (kept & O_CREAT && kept & O_EXCL))) {
		r = follow(walk, name);
		if (r != 0)
			return r < 0 ? -1 : -2;
	}
	if (is_last)
		return open_here(walk, name, O_NOFOLLOW | (is_folder ? O_DIRECTORY : 0));
	return down(walk, name) < 0 ? -1 : -2;
}

static long open_beneath(int folder, const char *path, const struct open_how *how)
{
	struct walk walk = { .how = how };
	int fd = -2, error;

	if (how->resolve & ~(uint64_t)(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS))
		return fail(ENOSYS);
	if (!*path || *path == '/')
		return fail(*path ? EXDEV : ENOENT);
	if (strlen(path) >= sizeof(walk.rest))
		return fail(ENAMETOOLONG);
	note("openat2\n");
	strcpy(walk.rest, path);
	walk.folders[0] = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	if (walk.folders[0] < 0)
		return -1;
	while (fd == -2)
		fd = step(&walk);
	error = errno;
	for (; walk.depth >= 0; walk.depth--)
		close(walk.folders[walk.depth]);
	errno = error;
	return fd;
}

long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long args[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_openat2 && args[3] != sizeof(struct open_how))
		return fail(EINVAL); /* somebody asks whether there is such a call */
	if (number == SYS_openat2)
		return open_beneath((int)args[0], (const char *)args[1],
				    (const struct open_how *)args[2]);
	if (number == SYS_seccomp && (int)args[0] == SECCOMP_SET_MODE_FILTER) {
		note("seccomp\n");
		return 0;
	}
	if (number == SYS_open_tree && (int)args[0] == AT_FDCWD) {
		note("open_tree\n");
		return open((const char *)args[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (number == SYS_mount_setattr && (int)args[0] >= 0 && args[4] > 0) {
		note("mount_setattr\n");
		return 0;
	}
	if (!real)
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return real(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
