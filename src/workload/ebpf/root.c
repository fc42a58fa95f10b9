/*
 * The driver's only code that runs as root: the timer of the end, the loader's parent with the few things that only
 * root can do for it, and the removal of what outlived its owner.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "workload/ebpf/loader.h"
#include "workload/ebpf/runner.h"

#define PIPE_BYTES 16384 /* of lines that nobody has read yet */
#define SWEPT_MAX 64	 /* filters of one interface */

/* -- the loader's parent ------------------------------------------------------------------------ */

struct opening {
	const struct pic_open_context *context;
	const struct pic_ebpf_terms *terms;
	struct pic_ebpf_mark mark;
	int tracefs;
	int *files;
	bool filters, traced;
};

/* A mount that nobody else sees, whether there is one already or not. */
static int tracefs_open(struct pic_error *err)
{
	PIC_FD int fs = fsopen("tracefs", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return pic_error_errno(err, errno, "the kernel's trace events cannot be reached");
	fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? pic_error_errno(err, errno, "the kernel's trace events cannot be reached")
		      : fd;
}

static int tracefs(struct opening *opening, struct pic_error *err)
{
	if (opening->tracefs < 0)
		opening->tracefs = tracefs_open(err);
	return opening->tracefs;
}

/* "category/event", nothing else of a path. */
static bool is_event(const char *text)
{
	size_t category = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_-");
	const char *event = text + category + 1;

	return category > 0 && text[category] == '/' && *event &&
	       event[strspn(event, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_-")] == '\0';
}

static int open_event(struct opening *opening, const char *event, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(64);
	struct perf_event_attr attributes = { .type = PERF_TYPE_TRACEPOINT,
					      .size = sizeof(attributes),
					      .sample_period = 1,
					      .wakeup_events = 1 };
	char path[PIC_EBPF_TARGET_MAX + 16];
	int folder, fd;

	if (!(opening->context->grants & PIC_GRANT_KERNEL_READ))
		return pic_error_set(err, -EPERM, "event %.100s: kernel-read was not granted",
				     event);
	if (strlen(event) > PIC_EBPF_TARGET_MAX || !is_event(event))
		return pic_error_set(err, -EINVAL, "there is no trace event \"%.100s\"", event);
	folder = tracefs(opening, err);
	if (folder < 0)
		return folder;
	snprintf(path, sizeof(path), "events/%s/id", event);
	if (pic_file_read(folder, path, &text, NULL) < 0)
		return pic_error_set(err, -ENOENT, "this kernel has no trace event %s", event);
	attributes.config = strtoull(pic_buf_text(&text), NULL, 10);
	/* of any process; the program hangs on the event itself, so one processor stands for all */
	fd = (int)syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? pic_error_errno(err, errno, "trace event %s cannot be opened", event) : fd;
}

static int write_at(int folder, const char *base, const char *name, const char *text)
{
	char path[PIC_EBPF_MARK_TEXT + 64];
	PIC_FD int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", base, name);
	fd = openat(folder, path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Its own buffer of what programs print: the kernel's common one has only one reader. */
static int open_trace(struct opening *opening, struct pic_error *err)
{
	char base[PIC_EBPF_MARK_TEXT + 16], mark[PIC_EBPF_MARK_TEXT];
	char path[sizeof(base) + 16];
	int folder, r;

	if (opening->traced)
		return pic_error_set(err, -EEXIST, "there is a trace instance already");
	folder = tracefs(opening, err);
	if (folder < 0)
		return folder;
	pic_ebpf_mark_write(&opening->mark, mark);
	snprintf(base, sizeof(base), "instances/%s", mark);
	snprintf(path, sizeof(path), "%s/trace_pipe", base);
	if (mkdirat(folder, base, 0700) < 0)
		return pic_error_errno(err, errno, "a trace instance cannot be made");
	opening->traced = true;
	r = write_at(folder, base, "buffer_size_kb", "64");
	if (r == 0)
		r = write_at(folder, base, "events/bpf_trace/bpf_trace_printk/enable", "1");
	if (r < 0)
		return pic_error_errno(err, -r, "the trace instance cannot be set up");
	r = openat(folder, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (r < 0)
		return pic_error_errno(err, errno, "the trace instance cannot be read");
	opening->files[PIC_EBPF_FILE_TRACE] = r;
	return 0;
}

/* What the modules of the instance read in place of the kernel's trace. Open both ways, so that lines wait for a
 * reader as long as there is a runner. */
static int open_pipe(struct opening *opening, struct pic_error *err)
{
	int folder = opening->context->instance_fd;
	PIC_FD int fd = -1;
	struct stat is;

	if (folder < 0)
		return 0; /* by hand: no instance */
	if (mkfifoat(folder, "trace_pipe", 0644) < 0 && errno != EEXIST)
		return pic_error_errno(err, errno, "trace_pipe cannot be made");
	fd = openat(folder, "trace_pipe", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &is) < 0)
		return pic_error_errno(err, errno, "trace_pipe cannot be opened");
	if (!S_ISFIFO(is.st_mode) || fchmod(fd, 0644) < 0)
		return pic_error_set(err, -EEXIST, "trace_pipe is no pipe of ours");
	fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	opening->files[PIC_EBPF_FILE_PIPE] = PIC_STEAL_FD(fd);
	return 0;
}

static int find_owner(uint32_t id, char name[PIC_ERROR_TEXT])
{
	union bpf_attr attributes;
	struct bpf_prog_info info;
	PIC_FD int fd = -1;

	memset(&attributes, 0, sizeof(attributes));
	memset(&info, 0, sizeof(info));
	attributes.prog_id = id;
	fd = (int)syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attributes, sizeof(attributes));
	memset(&attributes, 0, sizeof(attributes));
	attributes.info.bpf_fd = (uint32_t)fd;
	attributes.info.info_len = sizeof(info);
	attributes.info.info = (uintptr_t)&info;
	if (fd < 0 || syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attributes, sizeof(attributes)) < 0)
		return -errno;
	snprintf(name, PIC_ERROR_TEXT, "%.*s", (int)sizeof(info.name), info.name);
	return 0;
}

/* Only a queue that was declared, and that policy lets programs sit at. A section alone never means this hook. */
static int may_filter(const struct opening *opening, uint32_t number, bool egress,
		      struct pic_error *err)
{
	const struct pic_ebpf_terms *terms = opening->terms;
	bool declared = false;
	char name[IF_NAMESIZE];

	if (!if_indextoname(number, name))
		return pic_error_set(err, -ENODEV, "there is no network interface %u", number);
	for (uint32_t i = 0; i < terms->attach_count; i++) {
		const struct pic_ebpf_attach *one = &terms->attach[i];

		declared |= one->hook == PIC_EBPF_CLSACT &&
			    (one->mode == PIC_EBPF_EGRESS) == egress &&
			    (!*one->target || strcmp(one->target, name) == 0);
	}
	return declared ? pic_ebpf_admit_interface(opening->context->policy, name, err)
			: pic_error_set(err, -EPERM, "no filter at %s was declared", name);
}

/* What the kernel would not undo by itself is made here, under our mark. */
static int make_filter(struct opening *opening, struct pic_ebpf_word *word, int program_fd,
		       struct pic_error *err)
{
	int *fd = &opening->files[PIC_EBPF_FILE_NETLINK];
	int r = may_filter(opening, word->number, word->egress != 0, err);

	if (r == 0 && *fd < 0)
		r = *fd = pic_ebpf_netlink_open(err);
	if (r < 0)
		return r;
	opening->filters = true;
	return pic_ebpf_filter_make(*fd, word->number, word->egress != 0, program_fd,
				    &opening->mark, &word->filter, err);
}

/* Answers one question; 0, or why the loader is not worth listening to any more. */
static int serve(struct opening *opening, int socket_fd, struct pic_ebpf_word *word, int come)
{
	struct pic_error err = PIC_ERROR_INIT;
	int r = 0, sent;
	PIC_FD int fd = -1;

	switch (word->kind) {
	case PIC_EBPF_ASK_EVENT:
		r = fd = open_event(opening, word->text, &err);
		break;
	case PIC_EBPF_ASK_TRACE:
		r = open_trace(opening, &err);
		if (r == 0)
			r = open_pipe(opening, &err);
		break;
	case PIC_EBPF_ASK_OWNER:
		r = find_owner(word->number, word->text);
		break;
	case PIC_EBPF_ASK_FILTER:
		r = make_filter(opening, word, come, &err);
		break;
	default:
		return -EPROTO;
	}
	if (r < 0)
		memcpy(word->text, err.text, sizeof(word->text));
	word->status = r < 0 ? r : 0;
	sent = pic_ebpf_word_send(socket_fd, word, fd);
	return sent;
}

static int wait_readable(int socket_fd, int timer_fd, int64_t limit_ms)
{
	struct pollfd both[] = { { .fd = socket_fd, .events = POLLIN },
				 { .fd = timer_fd, .events = POLLIN } };
	int64_t left = limit_ms - pic_clock_boot_ms();

	if (left <= 0)
		return -ETIMEDOUT;
	if (poll(both, 2, (int)left) < 0)
		return errno == EINTR ? 0 : -errno;
	return both[1].revents ? -ETIME : both[0].revents ? 1 : 0;
}

/* Until the loader has said how it ended, or is not to be waited for any more. */
static int attend(struct opening *opening, int socket_fd, int timer_fd, struct pic_error *err)
{
	int64_t limit_ms = pic_clock_boot_ms() + PIC_EBPF_LOAD_LIMIT_MS;
	struct pic_ebpf_word word;
	unsigned asked = 0;
	int r = 0;

	while (r >= 0) {
		PIC_FD int come = -1;

		r = wait_readable(socket_fd, timer_fd, limit_ms);
		if (r <= 0)
			continue;
		r = pic_ebpf_word_receive(socket_fd, &word, &come);
		if (r == 0 && word.kind == PIC_EBPF_SAY_END)
			return word.status < 0 ? pic_error_set(err, word.status, "%s", word.text)
					       : 0;
		if (r == 0)
			r = ++asked > PIC_EBPF_ASKS_MAX ? -EPROTO
							: serve(opening, socket_fd, &word, come);
	}
	if (r == -ETIME)
		return pic_error_set(err, r, "its time was over before it was loaded");
	if (r == -ETIMEDOUT)
		return pic_error_set(
			err, -EINVAL,
			"the kernel's verifier was not through with it after %d s: bound "
			"its loops",
			PIC_EBPF_LOAD_LIMIT_MS / 1000);
	return pic_error_set(err, -ECONNRESET, "the loader ended without a word");
}

/* Ends it when it has not ended; what its end says beats a mere silence. */
static int reap(pid_t loader, int r, struct pic_error *err)
{
	int status;

	if (r < 0) /* one that says nonsense may live on, and wait for ever */
		kill(loader, SIGKILL);
	while (waitpid(loader, &status, 0) < 0)
		if (errno != EINTR)
			return pic_error_errno(err, errno, "the loader is lost");
	if (r == -ECONNRESET && WIFSIGNALED(status))
		return pic_error_set(
			err, -EINVAL,
			"the loader was ended by signal %d (%s) while it read the object: "
			"it is damaged, or hostile",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		return pic_error_set(err, -ECONNRESET, "the loader left nothing to run");
	return r;
}

static int start_loader(const struct pic_ebpf_order *order, pid_t *out, struct pic_error *err)
{
	pid_t loader = fork();

	if (loader < 0)
		return pic_error_errno(err, errno, "no process to load the object");
	if (loader == 0)
		pic_ebpf_loader_main(order);
	*out = loader;
	return 0;
}

static int arm(int64_t end_boot_ms, struct pic_error *err)
{
	const struct itimerspec end = { .it_value = { .tv_sec = end_boot_ms / 1000,
						      .tv_nsec = end_boot_ms % 1000 * 1000000 } };
	PIC_FD int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	if (end_boot_ms <= 0)
		return pic_error_set(err, -EINVAL, "it has no end, and runs never without one");
	if (fd < 0 || timerfd_settime(fd, TFD_TIMER_ABSTIME, &end, NULL) < 0)
		return pic_error_errno(err, errno, "the timer of its end cannot be set");
	return PIC_STEAL_FD(fd);
}

static uint64_t process_space(void)
{
	struct stat is;

	return stat("/proc/self/ns/pid", &is) == 0 ? is.st_ino : 0;
}

static void make_mark(const struct pic_open_context *context, struct pic_ebpf_mark *out)
{
	struct pic_process self = { 0 };

	pic_process_look(getpid(), &self);
	*out = (struct pic_ebpf_mark){ .space = process_space(),
				       .pid = getpid(),
				       .pid_start = self.start,
				       .end_boot_ms = context->end_boot_ms,
				       .name = *context->name };
}

/* Only what another time may be different is worth another start. */
static int verdict(int r)
{
	return r == -EBUSY || r == -ENOMEM || r == -EAGAIN || r == -ENODEV || r == -ECONNRESET ||
			       r == -ETIME
		       ? r
		       : -ENOEXEC;
}

static int load(struct opening *opening, const void *spec, struct pic_error *err)
{
	const struct pic_open_context *context = opening->context;
	struct pic_ebpf_order order = { .spec = spec,
					.policy = context->policy,
					.grants = context->grants,
					.uplink = context->uplink,
					.user = context->user,
					.artifact_fd = context->artifact_fd,
					.log_fds = { context->log_fds[0], context->log_fds[1] } };
	PIC_FD int its_end = -1;
	int pair[2], r;
	pid_t loader;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return pic_error_errno(err, errno, "no socket to talk to the loader");
	opening->files[PIC_EBPF_FILE_HAND] = pair[0];
	its_end = order.socket_fd = pair[1];
	r = start_loader(&order, &loader, err);
	if (r < 0)
		return r;
	pic_close_fd(&its_end); /* so that its death is heard */
	r = attend(opening, pair[0], opening->files[PIC_EBPF_FILE_END], err);
	return reap(loader, r, err);
}

static void give_up(struct opening *opening)
{
	struct pic_ledger_entry self = { .name = *opening->context->name };

	for (unsigned i = 0; i < PIC_EBPF_FILES; i++)
		pic_close_fd(&opening->files[i]);
	if (opening->filters || opening->traced)
		pic_ebpf_sweep(&self, NULL, 0, NULL);
}

static int fill_up(struct opening *opening, struct pic_error *err)
{
	for (unsigned i = 0; i < PIC_EBPF_FILES; i++)
		if (opening->files[i] < 0)
			opening->files[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* the right to undo filters stays only with who has some */
	if (!opening->filters && prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN, 0, 0, 0) < 0)
		return pic_error_errno(err, errno, "a capability cannot be given up");
	return 0;
}

int pic_ebpf_open(const void *spec, const struct pic_open_context *context,
		  int files[PIC_RUNNER_FILES_MAX], struct pic_error *err)
{
	struct opening opening = { .context = context,
				   .terms = &((const struct pic_ebpf_spec *)spec)->terms,
				   .tracefs = -1,
				   .files = files };
	int r;

	/* armed before anything is attached */
	r = files[PIC_EBPF_FILE_END] = arm(context->end_boot_ms, err);
	if (r < 0)
		return verdict(r);
	make_mark(context, &opening.mark);
	r = load(&opening, spec, err);
	pic_close_fd(&opening.tracefs);
	if (r == 0)
		r = fill_up(&opening, err);
	if (r == 0)
		return 0;
	give_up(&opening);
	return verdict(r);
}

/* -- what outlived its owner -------------------------------------------------------------------- */

static bool is_ownerless(const char *text, const struct pic_ebpf_swept *swept,
			 struct pic_ebpf_mark *mark)
{
	struct pic_ebpf_owner owner = { .space = process_space(),
					.now_boot_ms = pic_clock_boot_ms() };
	struct pic_process process;

	if (!pic_ebpf_mark_read(text, mark))
		return false;
	owner.alive = mark->pid != getpid() && pic_process_look(mark->pid, &process) &&
		      process.start == mark->pid_start && !process.is_zombie;
	return pic_ebpf_mark_is_ownerless(mark, &owner, swept);
}

struct found {
	const struct pic_ebpf_swept *swept;
	struct pic_ebpf_filter filters[SWEPT_MAX];
	unsigned count;
};

static void on_filter(void *data, const struct pic_ebpf_filter *filter, const char *name)
{
	struct found *found = data;
	struct pic_ebpf_mark mark;

	if (found->count == SWEPT_MAX || !is_ownerless(name, found->swept, &mark))
		return;
	found->filters[found->count] = *filter;
	found->filters[found->count++].made_qdisc = mark.made_qdisc;
}

static int sweep_filters(const struct pic_ebpf_swept *swept, struct pic_error *err)
{
	struct if_nameindex *all = if_nameindex();
	PIC_FD int fd = pic_ebpf_netlink_open(err);
	int r = fd < 0 ? fd : 0;

	for (const struct if_nameindex *one = all; r == 0 && one && one->if_index; one++) {
		struct found found = { .swept = swept };

		r = pic_ebpf_filters_each(fd, one->if_index, on_filter, &found, err);
		for (unsigned i = 0; r == 0 && i < found.count; i++)
			r = pic_ebpf_filter_remove(fd, &found.filters[i], err);
	}
	if (all)
		if_freenameindex(all);
	return r;
}

static int sweep_traces(const struct pic_ebpf_swept *swept, struct pic_error *err)
{
	PIC_FD int tracefs = tracefs_open(NULL);
	int folder = tracefs < 0 ? -1
				 : openat(tracefs, "instances", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = folder < 0 ? NULL : fdopendir(folder);
	int r = 0;

	if (!list) { /* a kernel without them has none that is left */
		pic_close_fd(&folder);
		return 0;
	}
	for (const struct dirent *one; (one = readdir(list));) {
		struct pic_ebpf_mark mark;

		if (is_ownerless(one->d_name, swept, &mark) &&
		    unlinkat(folder, one->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			r = pic_error_errno(err, errno, "trace instance %s cannot be removed",
					    one->d_name);
	}
	closedir(list);
	return r;
}

int pic_ebpf_sweep(const struct pic_ledger_entry *gone, const struct pic_ledger_entry *live,
		   size_t live_count, struct pic_error *err)
{
	const struct pic_ebpf_swept swept = { gone, live, live_count };
	int filters = sweep_filters(&swept, err);
	int traces = sweep_traces(&swept, filters < 0 ? NULL : err);

	return filters < 0 ? filters : traces;
}
