/*
 * The child's way from fork to the workload's own code. Each step takes something away; what is left
 * at the end is an unprivileged process with an empty root and a list of descriptors:
 *
 *   0 1 2  /dev/null        5 6  the log's two segments
 *   3      broker socket    7    the end note
 *   4      artifact         8... what the driver opened
 *
 * (a descriptor that this workload has no use for is /dev/null).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sandbox/privilege.h"
#include "sandbox/root.h"
#include "supervisor/context.h"
#include "workload/log.h"
#include "workload/note.h"

enum { NOTHING_0, NOTHING_1, NOTHING_2, BROKER, ARTIFACT, LOG_0, LOG_1, NOTE, FILES };

#define RUNNER_FILES 4096 /* descriptors: connections of a busy server */
#define FILE_SIZE_OVER_LOG (64 * 1024)

struct runner {
	struct pic_runner face; /* what the driver sees */
	struct pic_note note;
	int fds[FILES + PIC_RUNNER_FILES_MAX];
	unsigned count;
};

static void tell_ready(struct pic_runner *face)
{
	struct runner *runner = face->context;
	const struct pic_broker_request ready = { .operation = PIC_BROKER_READY };

	if (runner->note.ready)
		return;
	/* the note first: the supervisor may be away just now */
	runner->note.ready = 1;
	pic_note_write(runner->fds[NOTE], &runner->note);
	send(BROKER, &ready, sizeof(ready), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void tell_proved(struct pic_runner *face, const char *evidence)
{
	struct runner *runner = face->context;

	snprintf(runner->note.evidence, sizeof(runner->note.evidence), "%s", evidence);
	pic_note_write(runner->fds[NOTE], &runner->note);
}

static void tell_ended(struct pic_runner *face, enum pic_end_kind kind, int value, const char *text)
{
	struct runner *runner = face->context;

	pic_note_end(&runner->note, kind, value, text ? text : "");
	pic_note_write(runner->fds[NOTE], &runner->note);
}

static int open_at(int folder, const char *file, int number, int flags, struct pic_error *err)
{
	char name[PIC_WORKLOAD_FILE_TEXT + 2];
	int fd;

	snprintf(name, sizeof(name), number < 0 ? "%s" : "%s.%d", file, number);
	fd = openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? pic_error_errno(err, errno, "%s cannot be opened", name) : fd;
}

/* On a disk that takes no file a workload goes on without its log. */
static int open_log(const struct pic_runner_order *order, int number, int nothing,
		    struct pic_error *err)
{
	int fd = open_at(order->supervisor->folders[PIC_LOGS], order->file, number,
			 O_RDWR | O_CREAT | O_APPEND, err);

	return fd == -EROFS || fd == -ENOSPC ? nothing : fd;
}

static int open_broker(const struct pic_runner_order *order, struct pic_error *err)
{
	const struct sockaddr_un any = { .sun_family = AF_UNIX };
	PIC_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	/* bound to a number of the kernel's choice, so that it can be answered; only to its peer's words
	 * does it listen */
	if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(sa_family_t)) < 0)
		return pic_error_errno(err, errno, "a broker socket cannot be made");
	r = pic_broker_connect(order->supervisor, fd, err);
	return r < 0 ? r : PIC_STEAL_FD(fd);
}

/* Everything that needs root or a file system; each result or error lands in its place. */
static int open_all(const struct pic_runner_order *order, struct runner *runner,
		    struct pic_error *err)
{
	const struct pic_supervisor *supervisor = order->supervisor;
	const struct pic_profile *profile = &order->driver->profile;
	int nothing = runner->fds[NOTHING_0], *fds = runner->fds;
	char digest[PIC_SHA256_TEXT];

	fds[LOG_0] = open_log(order, 0, nothing, err);
	fds[LOG_1] = open_log(order, 1, nothing, err);
	pic_hex_encode(order->entry->digest, PIC_DIGEST_SIZE, digest);
	fds[ARTIFACT] = profile->needs_artifact
				? open_at(supervisor->folders[PIC_STORE], digest, -1, O_RDONLY, err)
				: nothing;
	fds[BROKER] = profile->needs_broker ? open_broker(order, err) : nothing;
	for (unsigned i = BROKER; i < FILES; i++)
		if (fds[i] < 0)
			return fds[i];
	return 0;
}

static int open_driver(const struct pic_runner_order *order, struct runner *runner,
		       struct pic_error *err)
{
	const struct pic_profile *profile = &order->driver->profile;
	struct pic_open_context context = {
		.name = &order->entry->name,
		.policy = order->supervisor->policy,
		.user = order->entry->user,
		.artifact_fd = profile->needs_artifact ? runner->fds[ARTIFACT] : -1,
		.log_fds = { runner->fds[LOG_0], runner->fds[LOG_1] },
		.end_boot_ms = order->entry->end_boot_ms,
		.grants = order->grants,
		.uplink = order->supervisor->ledger.uplink,
		.instance_fd = openat(order->supervisor->folders[PIC_INSTANCES],
				      order->entry->name.instance,
				      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
	};
	int r = 0;

	for (unsigned i = 0; i < PIC_RUNNER_FILES_MAX; i++)
		runner->face.files[i] = -1;
	if (order->driver->open)
		r = order->driver->open(order->spec, &context, runner->face.files, err);
	runner->count = FILES;
	for (unsigned i = 0; r == 0 && i < PIC_RUNNER_FILES_MAX && runner->face.files[i] >= 0;
	     i++) {
		runner->fds[runner->count] = runner->face.files[i];
		runner->face.files[i] = (int)runner->count++;
	}
	return r;
}

static int start_log(struct runner *runner, uint64_t maximum, struct pic_error *err)
{
	const int segments[2] = { LOG_0, LOG_1 };

	return pic_workload_log_new(&runner->face.log, segments, maximum, err);
}

/* From here on the descriptors have their final numbers. */
static int settle_in(const struct pic_runner_order *order, struct runner *runner,
		     struct pic_error *err)
{
	const struct pic_supervisor *supervisor = order->supervisor;
	const struct pic_driver *driver = order->driver;
	struct pic_privileges privileges = {
		.user = order->entry->user,
		.group = order->entry->user,
		.keep_capabilities = driver->profile.keep_capabilities,
		.files_max = RUNNER_FILES,
		/* what can write nothing but its log and its note shall not fill the disk with them */
		.file_size_max = driver->writes && driver->writes(order->spec)
					 ? 0
					 : supervisor->policy->log_max + FILE_SIZE_OVER_LOG,
	};
	int r = pic_descriptors_arrange(runner->fds, runner->count, err);

	for (unsigned i = 0; r == 0 && i < runner->count; i++)
		runner->fds[i] = (int)i;
	if (r == 0)
		r = start_log(runner, supervisor->policy->log_max, err);
	if (r == 0)
		pic_end_log(order->entry, runner->face.log);
	if (r == 0)
		r = pic_root_empty(supervisor->settings->run_folder, err);
	if (r == 0)
		r = pic_privileges_drop(&privileges, err);
	if (r < 0)
		return r;
	runner->face.artifact_fd = driver->profile.needs_artifact ? ARTIFACT : -1;
	runner->face.broker_fd = driver->profile.needs_broker ? BROKER : -1;
	return driver->confine ? driver->confine(&runner->face, err) : 0;
}

static int prepare(const struct pic_runner_order *order, struct runner *runner,
		   struct pic_error *err)
{
	char go;
	int r = pic_cgroup_join(&order->supervisor->cgroups, order->file, err);

	/* the end of the pipe instead of a byte: the supervisor died before the ledger knew us */
	if (read(order->gate_fd, &go, 1) != 1)
		_exit(1);
	if (r == 0)
		r = open_all(order, runner, err);
	if (r == 0)
		r = open_driver(order, runner, err);
	return r < 0 ? r : settle_in(order, runner, err);
}

void pic_runner_main(const struct pic_runner_order *order)
{
	struct runner runner = {
		.face = { .name = &order->entry->name,
			  .spec = order->spec,
			  .policy = order->supervisor->policy,
			  .ready = tell_ready,
			  .proved = tell_proved,
			  .end_boot_ms = order->entry->end_boot_ms,
			  .grants = order->grants,
			  .uplink = order->supervisor->ledger.uplink,
			  .ended = tell_ended },
	};
	struct pic_error err = PIC_ERROR_INIT;
	int nothing, r;

	/* whoever comes after the supervisor must find its sockets and its lock free */
	pic_message_server_let_go(order->supervisor->server);
	close(order->supervisor->broker_fd);
	nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	pic_signals_reset();
	setsid();
	runner.face.context = &runner;
	for (unsigned i = 0; i < FILES; i++)
		runner.fds[i] = nothing;
	runner.fds[NOTE] = open_at(order->work_fd, "end", -1, O_RDWR | O_CREAT, &err);
	r = nothing < 0 ? pic_error_set(&err, -ENXIO, "/dev/null is missing")
			: prepare(order, &runner, &err);
	if (r == 0)
		r = order->driver->run(&runner.face);
	else
		tell_ended(&runner.face,
			   r == -ENOEXEC  ? PIC_END_INVALID
			   : r == -ETIME  ? PIC_END_LEASE
			   : r == -ENODEV ? PIC_END_MISSING
					  : PIC_END_STATUS,
			   1, err.text);
	if (runner.face.log) {
		if (err.code)
			pic_workload_log_line(runner.face.log, "cannot start: %s", err.text);
		pic_workload_log_flush(runner.face.log);
	}
	_exit(r < 0 ? 1 : r);
}
