/* Reading, and writing so that a reader sees the old bytes or the new ones, whenever power fails. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/file_place.h"
#include "base/text.h"

#define READ_STEP 16384
#define TEMPORARY_PREFIX ".pic-tmp-"
#define TEMPORARY_DIGITS 16
#define TEMPORARY_SIZE (sizeof(TEMPORARY_PREFIX) + TEMPORARY_DIGITS)

/* One step; 0 at the end of the file. A full buffer still asks for one byte, to see the end. */
static int read_step(int fd, struct pic_buf *out, const char *name, struct pic_error *err)
{
	size_t left = out->maximum - out->size;
	char probe, *room = &probe;
	size_t wanted = left < READ_STEP ? left : READ_STEP;
	ssize_t got;

	if (wanted > 0 && !(room = pic_buf_reserve(out, wanted)))
		return pic_buf_check(out, name, err);
	do
		got = read(fd, room, wanted > 0 ? wanted : 1);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return pic_error_errno(err, errno, "cannot read %s", name);
	if (got > 0 && wanted == 0)
		return pic_error_set(err, -EFBIG, "%s is larger than %zu bytes", name,
				     out->maximum);
	pic_buf_commit(out, (size_t)got);
	return got > 0;
}

static int read_all(int fd, struct pic_buf *out, const char *name, struct pic_error *err)
{
	size_t before = out->size;
	int r = pic_buf_check(out, name, err);

	if (r < 0)
		return r;
	do
		r = read_step(fd, out, name, err);
	while (r > 0);
	if (r < 0 && out->data) {
		out->size = before;
		out->data[before] = '\0';
	}
	return r;
}

static int open_failed(int saved_errno, const char *name, struct pic_error *err)
{
	if (saved_errno == ELOOP)
		return pic_error_set(err, -ELOOP, "%s is a symbolic link, which is not followed",
				     name);
	return pic_error_errno(err, saved_errno, "cannot open %s", name);
}

int pic_file_read(int dirfd, const char *name, struct pic_buf *out, struct pic_error *err)
{
	PIC_CLEANUP(pic_place_close) struct pic_place place = PIC_PLACE_INIT;
	PIC_FD int fd = -1;
	struct stat facts;
	int r = pic_place_open(dirfd, name, &place, err);

	if (r < 0)
		return r;
	/* O_NONBLOCK: a pipe that somebody put there must not hold us */
	fd = openat(place.dirfd, place.base,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return open_failed(errno, name, err);
	if (fstat(fd, &facts) < 0)
		return pic_error_errno(err, errno, "cannot look at %s", name);
	if (!S_ISREG(facts.st_mode))
		return pic_error_set(err, S_ISDIR(facts.st_mode) ? -EISDIR : -EINVAL,
				     "%s is not a regular file", name);
	return read_all(fd, out, name, err);
}

int pic_file_read_path(const char *path, struct pic_buf *out, struct pic_error *err)
{
	PIC_FD int fd = -1;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, out, "standard input", err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return pic_error_errno(err, errno, "cannot open %s", path);
	return read_all(fd, out, path, err);
}

int pic_fd_write_all(int fd, const void *data, size_t size)
{
	const char *bytes = data;

	while (size > 0) {
		ssize_t written = write(fd, bytes, size);

		if (written >= 0) {
			bytes += written;
			size -= (size_t)written;
		} else if (errno == EAGAIN) {
			struct pollfd writable = { .fd = fd, .events = POLLOUT };

			poll(&writable, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/* A random name, so that two writers never meet, under a prefix, so that pic_folder_sweep finds it. */
static int temporary_open(int dirfd, char name[TEMPORARY_SIZE])
{
	unsigned char random[TEMPORARY_DIGITS / 2];
	int fd;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	memcpy(name, TEMPORARY_PREFIX, sizeof(TEMPORARY_PREFIX));
	pic_hex_encode(random, sizeof(random), name + sizeof(TEMPORARY_PREFIX) - 1);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

/* Everything up to the rename; 0 or -errno. Closing can be where a full quota shows. */
static int fill(int *fd, mode_t mode, const void *data, size_t size, bool durable)
{
	int r = pic_fd_write_all(*fd, data, size);

	if (r == 0 && fchmod(*fd, mode) < 0)
		r = -errno;
	if (r == 0 && durable && fsync(*fd) < 0)
		r = -errno;
	if (close(PIC_STEAL_FD(*fd)) < 0 && r == 0 && errno != EINTR)
		r = -errno;
	return r;
}

static int replace(const struct pic_place *place, mode_t mode, const void *data, size_t size,
		   bool durable)
{
	char temporary[TEMPORARY_SIZE];
	int r, fd = temporary_open(place->dirfd, temporary);

	if (fd < 0)
		return fd;
	r = fill(&fd, mode, data, size, durable);
	if (r == 0 && renameat(place->dirfd, temporary, place->dirfd, place->base) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(place->dirfd, temporary, 0);
	return r;
}

int pic_file_write(int dirfd, const char *name, mode_t mode, const void *data, size_t size,
		   enum pic_file_durability durability, struct pic_error *err)
{
	PIC_CLEANUP(pic_place_close) struct pic_place place = PIC_PLACE_INIT;
	int r = pic_place_open(dirfd, name, &place, err);

	if (r < 0)
		return r;
	r = replace(&place, mode, data, size, durability == PIC_FILE_DURABLE);
	if (r == 0 && durability == PIC_FILE_DURABLE)
		r = pic_place_sync(&place);
	if (r < 0)
		return pic_error_errno(err, r, "cannot write %s", name);
	return 0;
}

int pic_file_remove(int dirfd, const char *name, struct pic_error *err)
{
	PIC_CLEANUP(pic_place_close) struct pic_place place = PIC_PLACE_INIT;
	int r = pic_place_open(dirfd, name, &place, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (unlinkat(place.dirfd, place.base, 0) < 0 && errno != ENOENT)
		return pic_error_errno(err, errno, "cannot remove %s", name);
	r = pic_place_sync(&place);
	return r < 0 ? pic_error_errno(err, r, "cannot make the removal of %s durable", name) : 0;
}

static bool is_temporary(const char *name)
{
	return pic_text_starts(name, TEMPORARY_PREFIX) && strlen(name) == TEMPORARY_SIZE - 1;
}

int pic_folder_sweep(int dirfd, struct pic_error *err)
{
	PIC_CLEANUP(pic_place_list_close) DIR *list = pic_place_list(dirfd, ".");
	struct dirent *entry;

	if (!list)
		return pic_error_errno(err, errno, "cannot list a folder");
	while ((entry = readdir(list)))
		if (is_temporary(entry->d_name) && unlinkat(dirfd, entry->d_name, 0) < 0 &&
		    errno != ENOENT && errno != EROFS) /* read-only: it stays, and harms nobody */
			return pic_error_errno(err, errno, "cannot remove %s", entry->d_name);
	return 0;
}
