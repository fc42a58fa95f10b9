#include "sandbox/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mount.h>

#include "base/cleanup.h"

#define EMPTY_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

int pic_root_empty(const char *at, struct pic_error *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return pic_error_errno(err, errno, "a mount namespace cannot be made");
	/* nothing that is mounted here may show up in the world outside */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return pic_error_errno(err, errno,
				       "the root folder is not a mount point: bind-mount it onto "
				       "itself before chroot");
	if (mount("none", at, "tmpfs", EMPTY_FLAGS, "size=4k,nr_inodes=2,mode=555") < 0 ||
	    chdir(at) < 0)
		return pic_error_errno(err, errno, "an empty root cannot be mounted on %s", at);
	/* the old root ends up on top of the new one, and is let go from there */
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return pic_error_errno(
			err, errno,
			"the root cannot be changed: when this is a chroot, bind-mount "
			"its folder onto itself before");
	if (chdir("/") < 0 ||
	    mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | EMPTY_FLAGS, NULL) < 0)
		return pic_error_errno(err, errno, "the empty root cannot be made read-only");
	return 0;
}

int pic_folder_clone(const char *path, bool writable, struct pic_error *err)
{
	struct mount_attr wanted = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
			    (writable ? 0 : MOUNT_ATTR_RDONLY),
	};
	PIC_FD int mount_fd =
		(int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int fd;

	if (mount_fd < 0)
		return pic_error_errno(err, errno, "%s cannot be opened", path);
	if (syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH, &wanted, sizeof(wanted)) < 0)
		return pic_error_errno(err, errno, "%s cannot be made safe to hand out", path);
	/* what open_tree gives is a mere place (O_PATH): open the folder in it for reading */
	fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return pic_error_errno(err, errno, "%s cannot be read", path);
	return fd;
}
