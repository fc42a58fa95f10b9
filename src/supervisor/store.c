/*
 * Artifacts: STATE/store/<sha256>, owned by root, written once, never changed. A child copies what the
 * agent hands over while hashing it; only what has the promised digest gets the name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "crypto/copy.h"
#include "sandbox/privilege.h"
#include "sandbox/root.h"
#include "supervisor/context.h"

#define TAKES_MAX 4
#define LIMIT_MS 60000

/* One artifact being taken over, seen from the supervisor. */
struct pic_take {
	struct pic_supervisor *supervisor;
	struct pic_waiter who;
	int pidfd, result_fd;
	struct pic_watch *watch;
	struct pic_timer *timer;
};

/* -- in the child ----------------------------------------------------------------------------- */

enum { SOURCE, STORE, OUT };

/* Bytes of everything in the store, what is half there included. */
static uint64_t store_size(void)
{
	int fd = openat(STORE, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	uint64_t sum = folder ? 0 : UINT64_MAX;
	struct stat facts;

	for (struct dirent *item; folder && (item = readdir(folder));)
		if (fstatat(STORE, item->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(facts.st_mode))
			sum += (uint64_t)facts.st_size;
	return sum;
}

static int copy(const struct pic_supervisor_request *request, uint64_t store_max,
		const char *temporary, struct pic_error *err)
{
	PIC_FD int to = openat(STORE, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	struct pic_sha256 wanted, is;
	char name[PIC_SHA256_TEXT];
	int r;

	/* its size first, so that others who count see it coming */
	if (to < 0 || ftruncate(to, (off_t)request->size) < 0)
		return pic_error_errno(err, errno, "the store cannot be written");
	if (store_size() > store_max)
		return pic_error_set(err, -EDQUOT,
				     "the store has no room for %" PRIu64 " bytes more: remove a "
				     "workload, or raise store-max in policy.conf", request->size);
	memcpy(wanted.bytes, request->digest, sizeof(wanted.bytes));
	r = pic_sha256_copy(SOURCE, to, request->size, &is, err);
	if (r == 0)
		r = pic_sha256_expect(&wanted, &is, "the artifact", err);
	if (r < 0)
		return r;
	pic_sha256_text(&is, name);
	if (fchmod(to, 0444) < 0 || fsync(to) < 0 || renameat(STORE, temporary, STORE, name) < 0 ||
	    fsync(STORE) < 0)
		return pic_error_errno(err, errno, "artifact %s cannot be stored", name);
	return 0;
}

static void child(struct pic_supervisor *supervisor, const struct pic_supervisor_request *request,
		  const int keep[3], pid_t parent) __attribute__((noreturn));
static void child(struct pic_supervisor *supervisor, const struct pic_supervisor_request *request,
		  const int keep[3], pid_t parent)
{
	/* still root by number, to own what it writes, but without any of root's powers */
	const struct pic_privileges powerless = { .file_size_max = request->size,
						  .cpu_seconds_max = 60 };
	char temporary[32] = ".pic-tmp-"; /* what pic_folder_sweep looks for */
	struct pic_error err = PIC_ERROR_INIT;

	pic_signals_reset();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	pic_random_text(8, temporary + strlen(temporary));
	if (getppid() == parent && pic_descriptors_arrange(keep, 3, &err) == 0 &&
	    pic_root_empty(supervisor->settings->run_folder, &err) == 0 &&
	    pic_privileges_drop(&powerless, &err) == 0 &&
	    copy(request, supervisor->policy->store_max, temporary, &err) < 0)
		unlinkat(STORE, temporary, 0);
	pic_fd_write_all(OUT, &err, sizeof(err));
	_exit(0);
}

/* -- in the supervisor ------------------------------------------------------------------------ */

static void take_free(struct pic_take *take)
{
	take->supervisor->take_count--;
	pic_watch_free(take->watch);
	pic_timer_free(take->timer);
	pic_close_fd(&take->pidfd);
	pic_close_fd(&take->result_fd);
	free(take);
}

static void on_end(void *data, int fd, uint32_t events)
{
	struct pic_take *take = data;
	struct pic_supervisor *supervisor = take->supervisor;
	struct pic_error err;
	siginfo_t info;

	(void)events;
	waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG);
	if (read(take->result_fd, &err, sizeof(err)) != sizeof(err))
		pic_error_set(&err, -ETIMEDOUT, "the artifact could not be taken over in time");
	err.text[sizeof(err.text) - 1] = '\0';
	pic_reply_status(supervisor, &take->who, err.code, err.text, NULL);
	take_free(take);
	if (err.code == -ETIMEDOUT && supervisor->take_count == 0)
		pic_folder_sweep(supervisor->store_fd, NULL); /* its half, and nobody else's */
}

static void on_late(void *data)
{
	struct pic_take *take = data;

	syscall(SYS_pidfd_send_signal, take->pidfd, SIGKILL, NULL, 0);
}

static int check(struct pic_supervisor *supervisor, uint64_t size, int fd, struct pic_error *err)
{
	struct stat facts;

	if (!supervisor->policy)
		return pic_error_set(err, -EPERM, "%s", supervisor->policy_error.text);
	if (size > supervisor->policy->artifact_max)
		return pic_error_set(err, -EFBIG,
				     "an artifact of %" PRIu64 " bytes is larger than %" PRIu64
				     ": raise artifact-max in policy.conf", size,
				     supervisor->policy->artifact_max);
	if (fstat(fd, &facts) < 0 || !S_ISREG(facts.st_mode) || (uint64_t)facts.st_size != size)
		return pic_error_set(err, -EINVAL, "an artifact must come as a file of %" PRIu64 " bytes",
				     size);
	if (supervisor->take_count >= TAKES_MAX)
		return pic_error_set(err, -EAGAIN, "%d artifacts are being taken over, ask again later",
				     TAKES_MAX);
	return 0;
}

static int spawn(struct pic_take *take, const struct pic_supervisor_request *request, int fd,
		 struct pic_error *err)
{
	struct pic_supervisor *supervisor = take->supervisor;
	pid_t self = getpid(), pid;
	PIC_FD int out = -1;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return pic_error_errno(err, errno, "an artifact cannot be taken over");
	take->result_fd = ends[0];
	out = ends[1];
	pid = fork();
	if (pid == 0)
		child(supervisor, request, (const int[]){ fd, supervisor->store_fd, out }, self);
	take->pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (take->pidfd < 0)
		return pic_error_errno(err, errno, "an artifact cannot be taken over");
	r = pic_loop_timer(supervisor->loop, on_late, take, &take->timer, err);
	if (r == 0)
		r = pic_loop_watch(supervisor->loop, take->pidfd, EPOLLIN, on_end, take, &take->watch, err);
	if (r < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	} else {
		pic_timer_set(take->timer, LIMIT_MS);
	}
	return r;
}

int pic_store_take(struct pic_supervisor *supervisor, const struct pic_waiter *who,
		   const struct pic_supervisor_request *request, int fd, struct pic_error *err)
{
	struct pic_take *take;
	int r = check(supervisor, request->size, fd, err);

	if (r < 0)
		return r;
	take = malloc(sizeof(*take));
	if (!take)
		return pic_error_set(err, -ENOMEM, "no memory to take an artifact");
	*take = (struct pic_take){ supervisor, *who, -1, -1, NULL, NULL };
	supervisor->take_count++;
	r = spawn(take, request, fd, err);
	if (r < 0)
		take_free(take);
	return r;
}

bool pic_store_has(struct pic_supervisor *supervisor, const unsigned char digest[PIC_DIGEST_SIZE])
{
	char name[PIC_SHA256_TEXT];

	pic_hex_encode(digest, PIC_DIGEST_SIZE, name);
	return faccessat(supervisor->store_fd, name, F_OK, 0) == 0;
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
	return pic_file_remove(supervisor->store_fd, name, err);
}
