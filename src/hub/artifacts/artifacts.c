#include "hub/artifacts/artifacts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

#define NAME_PREFIX "name:"
#define NAME_MAX_SIZE 200

struct pic_artifacts {
	struct pic_store *store;
	int folder_fd;
	uint64_t one_max;
};

static const struct pic_actor hub_actor = { "piccolo-hub", "", "artifact" };

static struct pic_object *record_of(struct pic_artifacts *artifacts, const char *hex)
{
	return pic_store_get(artifacts->store, PIC_KIND_ARTIFACT, "", hex);
}

/* Opening: the store says what is here. A file that it does not know was never acknowledged. */

static bool is_digest(const char *text)
{
	struct pic_sha256 digest;

	return strlen(text) == 2 * PIC_SHA256_SIZE && pic_sha256_parse(text, &digest) == 0;
}

static int drop_unknown_files(struct pic_artifacts *artifacts, struct pic_error *err)
{
	int fd = openat(artifacts->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!list) {
		r = pic_error_errno(err, errno, "cannot read the folder of artifacts");
		pic_close_fd(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(list))) {
		if (!is_digest(entry->d_name) || record_of(artifacts, entry->d_name))
			continue;
		r = pic_file_remove(artifacts->folder_fd, entry->d_name, err);
	}
	closedir(list);
	return r;
}

static void drop_lost_records(struct pic_artifacts *artifacts)
{
	struct pic_change *change = pic_change_new(artifacts->store, &hub_actor);
	struct stat status;

	for (struct pic_object *object =
		     pic_store_next(artifacts->store, PIC_KIND_ARTIFACT, NULL, NULL);
	     object; object = pic_store_next(artifacts->store, PIC_KIND_ARTIFACT, NULL, object)) {
		if (!is_digest(object->name) ||
		    fstatat(artifacts->folder_fd, object->name, &status, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		pic_log(PIC_LOG_ERROR, "artifact-lost", PIC_TEXT("sha256", object->name));
		pic_change_delete(change, PIC_KIND_ARTIFACT, "", object->name);
	}
	pic_change_commit(change, NULL, NULL);
}

int pic_artifacts_open(struct pic_artifacts **out, struct pic_store *store, const char *folder,
		       uint64_t one_max, struct pic_error *err)
{
	struct pic_artifacts *artifacts = calloc(1, sizeof(*artifacts));
	char path[512];
	int r = 0;

	if (!artifacts)
		return pic_error_set(err, -ENOMEM, "no memory for the artifacts");
	artifacts->store = store;
	artifacts->one_max = one_max;
	artifacts->folder_fd = -1;
	if (snprintf(path, sizeof(path), "%s/artifacts", folder) >= (int)sizeof(path))
		r = pic_error_set(err, -ENAMETOOLONG, "the name of the state folder is too long");
	if (r == 0)
		r = pic_folder_open(AT_FDCWD, path, true, 0700, (uid_t)-1, (gid_t)-1,
				    &artifacts->folder_fd, err);
	if (r == 0)
		r = drop_unknown_files(artifacts, err);
	if (r < 0) {
		pic_artifacts_close(artifacts);
		return r;
	}
	drop_lost_records(artifacts);
	*out = artifacts;
	return 0;
}

void pic_artifacts_close(struct pic_artifacts *artifacts)
{
	if (!artifacts)
		return;
	pic_close_fd(&artifacts->folder_fd);
	free(artifacts);
}

/* Finding. */

bool pic_artifacts_has(struct pic_artifacts *artifacts, const struct pic_sha256 *digest,
		       uint64_t *size)
{
	char hex[PIC_SHA256_TEXT];
	long long recorded = 0;

	pic_sha256_text(digest, hex);
	const struct pic_object *record = record_of(artifacts, hex);
	if (!record)
		return false;
	pic_json_integer(pic_json_get(pic_object_spec(record), "size"), &recorded);
	if (size)
		*size = (uint64_t)recorded;
	return true;
}

int pic_artifacts_fd(struct pic_artifacts *artifacts, const struct pic_sha256 *digest,
		     uint64_t *size, struct pic_error *err)
{
	char hex[PIC_SHA256_TEXT];
	struct stat status;

	pic_sha256_text(digest, hex);
	if (!record_of(artifacts, hex))
		return pic_error_set(err, -ENOENT, "there is no artifact %s", hex);
	PIC_FD int fd = openat(artifacts->folder_fd, hex, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &status) < 0)
		return pic_error_errno(err, errno, "cannot open the artifact %s", hex);
	*size = (uint64_t)status.st_size;
	return PIC_STEAL_FD(fd);
}

/* Keeping. */

int pic_artifacts_temporary(struct pic_artifacts *artifacts, struct pic_error *err)
{
	/* It has no name until it is whole, so nothing is left of it after a crash. */
	int fd = openat(artifacts->folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return pic_error_errno(err, errno, "cannot make a file for an artifact");
	return fd;
}

static int link_file(struct pic_artifacts *artifacts, int fd, const char *hex)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, artifacts->folder_fd, hex, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	/* Of a change that the disk refused: nobody knows whether all of it is there. */
	if (unlinkat(artifacts->folder_fd, hex, 0) < 0)
		return -errno;
	return linkat(AT_FDCWD, path, artifacts->folder_fd, hex, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

static struct pic_json *record_for(const char *hex, uint64_t size, const char *origin)
{
	struct pic_json *json = pic_json_new_object();

	pic_json_set_text(pic_json_ensure_object(json, "metadata"), "name", hex);
	struct pic_json *spec = pic_json_ensure_object(json, "spec");
	pic_json_set_integer(spec, "size", (long long)size);
	pic_json_set_text(spec, "origin", origin ? origin : "");
	return json;
}

/* File and folder are made durable before the record is. */
static int record(struct pic_artifacts *artifacts, int fd, const char *hex, uint64_t size,
		  const char *origin, struct pic_error *err)
{
	struct pic_change *change = pic_change_new(artifacts->store, &hub_actor);
	int folder_fd = openat(artifacts->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int file_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int r = 0;

	if (folder_fd < 0 || file_fd < 0)
		r = pic_error_errno(err, errno, "cannot keep the artifact %s", hex);
	if (r == 0)
		r = pic_change_put(change, PIC_KIND_ARTIFACT, record_for(hex, size, origin), err);
	if (r < 0) {
		pic_change_drop(change);
		pic_close_fd(&folder_fd);
		pic_close_fd(&file_fd);
		return r;
	}
	pic_change_sync(change, file_fd);
	pic_change_sync(change, folder_fd);
	pic_change_commit(change, NULL, NULL);
	return 0;
}

static int check_size(const struct pic_artifacts *artifacts, uint64_t size, const char *origin,
		      struct pic_error *err)
{
	if (size <= artifacts->one_max)
		return 0;
	return pic_error_set(
		err, -EFBIG,
		"the artifact %s has %llu bytes, more than the %llu that --artifact-max allows",
		origin ? origin : "", (unsigned long long)size,
		(unsigned long long)artifacts->one_max);
}

int pic_artifacts_keep(struct pic_artifacts *artifacts, int temporary_fd, const char *origin,
		       struct pic_sha256 *digest, uint64_t *size, struct pic_error *err)
{
	PIC_FD int fd = temporary_fd;
	char hex[PIC_SHA256_TEXT];
	struct pic_sha256 computed;
	struct stat status;
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0 || fstat(fd, &status) < 0)
		return pic_error_errno(err, errno, "cannot read back an artifact");
	r = check_size(artifacts, (uint64_t)status.st_size, origin, err);
	if (r == 0)
		r = pic_sha256_of_fd(fd, &computed, err);
	if (r < 0)
		return r;
	pic_sha256_text(&computed, hex);
	if (!record_of(artifacts, hex)) {
		r = link_file(artifacts, fd, hex);
		if (r < 0)
			return pic_error_errno(err, -r, "cannot keep the artifact %s", hex);
		r = record(artifacts, fd, hex, (uint64_t)status.st_size, origin, err);
		if (r < 0)
			return r;
	}
	*digest = computed;
	if (size)
		*size = (uint64_t)status.st_size;
	return 0;
}

int pic_artifacts_put(struct pic_artifacts *artifacts, const void *data, size_t size,
		      const char *origin, struct pic_sha256 *digest, struct pic_error *err)
{
	int r = check_size(artifacts, size, origin, err);

	if (r < 0)
		return r;
	int fd = pic_artifacts_temporary(artifacts, err);
	if (fd < 0)
		return fd;
	r = pic_fd_write_all(fd, data, size);
	if (r < 0) {
		close(fd);
		return pic_error_errno(err, -r, "cannot write the artifact %s",
				       origin ? origin : "");
	}
	return pic_artifacts_keep(artifacts, fd, origin, digest, NULL, err);
}

/* Names. */

/* Letters, digits, dot, dash and underscore; never what could be a digest. */
static bool is_name(const char *name)
{
	size_t size = strlen(name);

	return size > 0 && size <= NAME_MAX_SIZE && *name != '.' && !is_digest(name) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       size;
}

static void name_key(const char *name, char out[NAME_MAX_SIZE + sizeof(NAME_PREFIX)])
{
	snprintf(out, NAME_MAX_SIZE + sizeof(NAME_PREFIX), NAME_PREFIX "%s", name);
}

static struct pic_json *name_record(const char *key, const struct pic_sha256 *digest)
{
	struct pic_json *json = pic_json_new_object();
	char hex[PIC_SHA256_TEXT];

	pic_sha256_text(digest, hex);
	pic_json_set_text(pic_json_ensure_object(json, "metadata"), "name", key);
	pic_json_set_text(pic_json_ensure_object(json, "spec"), "sha256", hex);
	return json;
}

int pic_artifacts_publish(struct pic_artifacts *artifacts, const struct pic_actor *actor,
			  const char *name, const struct pic_sha256 *digest,
			  pic_change_done_fn *done, void *data, struct pic_error *err)
{
	char key[NAME_MAX_SIZE + sizeof(NAME_PREFIX)];

	if (!is_name(name))
		return pic_error_set(
			err, -EINVAL,
			"\"%.80s\" cannot be the name of an artifact: letters, digits, dot, dash "
			"and underscore, at most %d",
			name, NAME_MAX_SIZE);
	name_key(name, key);
	struct pic_change *change = pic_change_new(artifacts->store, actor);
	int r = pic_change_put(change, PIC_KIND_ARTIFACT, name_record(key, digest), err);
	if (r < 0) {
		pic_change_drop(change);
		return r;
	}
	pic_change_commit(change, done, data);
	return 0;
}

int pic_artifacts_named(struct pic_artifacts *artifacts, const char *name,
			struct pic_sha256 *digest)
{
	char key[NAME_MAX_SIZE + sizeof(NAME_PREFIX)];
	const char *hex;

	if (!is_name(name))
		return -ENOENT;
	name_key(name, key);
	hex = pic_json_get_text(pic_object_spec(record_of(artifacts, key)), "sha256");
	return hex && pic_sha256_parse(hex, digest) == 0 ? 0 : -ENOENT;
}
