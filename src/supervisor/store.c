/*
 * Artifacts: STATE/store/<sha256>, owned by root, written once, never changed. A child without powers
 * copies what the agent hands over while hashing it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "sandbox/privilege.h"
#include "sandbox/root.h"
#include "supervisor/context.h"
#include "workload/artifact.h"

#define LIMIT_MS 60000

/* One artifact being taken over. */
struct take {
	struct pic_supervisor *supervisor;
	struct pic_child **slot;
	struct pic_waiter who;
	struct pic_sha256 wanted;
	uint64_t size;
	int fd;
};

static void work(void *data, int result_fd)
{
	enum { SOURCE, STORE, RESULT };
	const struct take *take = data;
	const struct pic_supervisor *supervisor = take->supervisor;
	/* still root by number, to own what it writes, but without any of root's powers */
	const struct pic_privileges powerless = { .file_size_max = take->size,
						  .cpu_seconds_max = 60 };
	const int keep[] = {
		[SOURCE] = take->fd, [STORE] = supervisor->folders[PIC_STORE], [RESULT] = result_fd
	};
	struct pic_error err = PIC_ERROR_INIT;

	pic_signals_reset();
	if (pic_descriptors_arrange(keep, PIC_COUNT(keep), &err) == 0 &&
	    pic_root_empty(supervisor->settings->run_folder, &err) == 0 &&
	    pic_privileges_drop(&powerless, &err) == 0)
		pic_artifact_write(STORE, SOURCE, take->size, &take->wanted,
				   supervisor->policy->store_max, &err);
	pic_fd_write_all(RESULT, &err, sizeof(err));
}

static void done(void *data, const void *result, size_t size)
{
	struct take *take = data;
	struct pic_error err = PIC_ERROR_INIT;

	*take->slot = NULL;
	if (size == sizeof(err))
		memcpy(&err, result, sizeof(err));
	else /* what it left half written goes at the next start */
		pic_error_set(&err, -ETIMEDOUT, "the artifact could not be taken over in time");
	err.text[sizeof(err.text) - 1] = '\0';
	pic_reply_status(take->supervisor, &take->who, err.code, err.text, NULL);
	close(take->fd);
	free(take);
}

static int check(const struct pic_supervisor *supervisor, uint64_t size, int fd,
		 struct pic_error *err)
{
	struct stat facts;

	if (!supervisor->policy)
		return pic_error_set(err, -EPERM, "%s", supervisor->policy_error.text);
	if (size > supervisor->policy->artifact_max)
		return pic_error_set(err, -EFBIG,
				     "an artifact of %" PRIu64 " bytes is larger than %" PRIu64
				     ": raise artifact-max in policy.conf",
				     size, supervisor->policy->artifact_max);
	if (fstat(fd, &facts) < 0 || !S_ISREG(facts.st_mode) || (uint64_t)facts.st_size != size)
		return pic_error_set(err, -EINVAL,
				     "an artifact must come as a file of %" PRIu64 " bytes", size);
	return 0;
}

int pic_store_take(struct pic_supervisor *supervisor, const struct pic_waiter *who,
		   const struct pic_supervisor_request *request, int fd, struct pic_error *err)
{
	struct pic_child_order order = { .work = work, .done = done, .limit_ms = LIMIT_MS };
	int r = check(supervisor, request->size, fd, err);
	struct pic_child **slot = pic_job_slot(supervisor);
	struct take *take;

	if (r < 0)
		return r;
	if (!slot)
		return pic_error_set(err, -EAGAIN,
				     "%d artifacts are being taken over, ask again later",
				     PIC_JOBS_MAX);
	take = order.data = malloc(sizeof(*take));
	if (!take)
		return pic_error_set(err, -ENOMEM, "no memory to take an artifact");
	*take = (struct take){ supervisor, slot, *who, { { 0 } }, request->size, -1 };
	memcpy(take->wanted.bytes, request->digest, sizeof(take->wanted.bytes));
	take->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	r = pic_child_start(slot, supervisor->loop, &order, err);
	if (r < 0) {
		pic_close_fd(&take->fd);
		free(take);
	}
	return r;
}

bool pic_store_has(struct pic_supervisor *supervisor, const unsigned char digest[PIC_DIGEST_SIZE])
{
	char name[PIC_SHA256_TEXT];

	pic_hex_encode(digest, PIC_DIGEST_SIZE, name);
	return faccessat(supervisor->folders[PIC_STORE], name, F_OK, 0) == 0;
}

int pic_store_drop(struct pic_supervisor *supervisor, const unsigned char digest[PIC_DIGEST_SIZE],
		   struct pic_error *err)
{
	char name[PIC_SHA256_TEXT];

	pic_hex_encode(digest, PIC_DIGEST_SIZE, name);
	for (struct pic_workload *w = supervisor->workloads; w; w = w->next)
		if (memcmp(w->entry.digest, digest, PIC_DIGEST_SIZE) == 0)
			return pic_error_set(err, -EBUSY, "artifact %s is used by %s/%s", name,
					     w->entry.name.instance, w->entry.name.component);
	return pic_file_remove(supervisor->folders[PIC_STORE], name, err);
}
