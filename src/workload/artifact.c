#include "workload/artifact.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "crypto/copy.h"

/* Bytes of everything in the folder, what is half there included. */
static uint64_t store_size(int store)
{
	int fd = openat(store, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	uint64_t sum = folder ? 0 : UINT64_MAX;
	struct stat facts;

	for (struct dirent *item; folder && (item = readdir(folder));)
		if (fstatat(store, item->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(facts.st_mode))
			sum += (uint64_t)facts.st_size;
	if (folder)
		closedir(folder);
	return sum;
}

static int fill(int store, int to, int source, uint64_t size, const struct pic_sha256 *wanted,
		uint64_t store_max, struct pic_error *err)
{
	struct pic_sha256 is;
	int r;

	/* its size first, so that others who count see it coming */
	if (ftruncate(to, (off_t)size) < 0)
		return pic_error_errno(err, errno, "the store cannot be written");
	if (store_size(store) > store_max)
		return pic_error_set(err, -EDQUOT,
				     "the store has no room for %" PRIu64 " bytes more: remove a "
				     "workload, or raise store-max in policy.conf",
				     size);
	r = pic_sha256_copy(source, to, size, &is, err);
	if (r == 0)
		r = pic_sha256_expect(wanted, &is, "the artifact", err);
	if (r == 0 && (fchmod(to, 0444) < 0 || fsync(to) < 0))
		r = pic_error_errno(err, errno, "the store cannot be written");
	return r;
}

int pic_artifact_write(int store, int source, uint64_t size, const struct pic_sha256 *wanted,
		       uint64_t store_max, struct pic_error *err)
{
	char temporary[32] = ".pic-tmp-",
	     name[PIC_SHA256_TEXT]; /* what pic_folder_sweep looks for */
	PIC_FD int to = -1;
	int r;

	pic_random_text(8, temporary + strlen(temporary));
	pic_sha256_text(wanted, name);
	to = openat(store, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (to < 0)
		return pic_error_errno(err, errno, "the store cannot be written");
	r = fill(store, to, source, size, wanted, store_max, err);
	if (r == 0 && (renameat(store, temporary, store, name) < 0 || fsync(store) < 0))
		r = pic_error_errno(err, errno, "artifact %s cannot be stored", name);
	if (r < 0)
		unlinkat(store, temporary, 0);
	return r;
}
