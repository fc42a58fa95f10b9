#include "device/ebpf_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admission/policy.h"
#include "base/cleanup.h"
#include "sandbox/privilege.h"
#include "sandbox/root.h"
#include "workload/broker_socket.h"
#include "workload/ebpf/runner.h"
#include "workload/log.h"

enum { NOTHING, OUTPUT, ERRORS, BROKER, OBJECT, FILES };

#define RUNNER_FILES 256

/* What the child says when it ends, over its end of the broker's socket: longer than any request. */
struct farewell {
	int32_t status;
	char text[PIC_ERROR_TEXT];
};

struct child {
	struct pic_runner face;
	struct farewell last;
};

static void on_ready(struct pic_runner *runner)
{
	(void)runner;
}

static void on_proved(struct pic_runner *runner, const char *evidence)
{
	(void)runner;
	(void)evidence; /* the log shows it */
}

static void on_ended(struct pic_runner *runner, enum pic_end_kind kind, int value, const char *text)
{
	struct child *child = runner->context;

	(void)value;
	child->last.status = kind == PIC_END_ROLLED_BACK ? -ECANCELED : 0;
	snprintf(child->last.text, sizeof(child->last.text), "%s", text);
}

static bool is_never_taken(const void *data, uint32_t user)
{
	(void)data;
	(void)user;
	return false;
}

static int settle_in(struct child *child, const struct pic_ebpf_by_hand *order, uid_t user,
		     int broker_fd, struct pic_error *err)
{
	const struct pic_privileges privileges = {
		.user = user,
		.group = user,
		.keep_capabilities = pic_driver_ebpf.profile.keep_capabilities,
		.files_max = RUNNER_FILES,
	};
	int fds[FILES + PIC_EBPF_FILES] = { [NOTHING] = open("/dev/null", O_RDWR | O_CLOEXEC),
					    [OUTPUT] = STDOUT_FILENO,
					    [ERRORS] = STDERR_FILENO,
					    [BROKER] = broker_fd,
					    [OBJECT] = order->object_fd };
	int r;

	for (int i = 0; i < PIC_EBPF_FILES; i++) {
		fds[FILES + i] = child->face.files[i];
		child->face.files[i] = FILES + i;
	}
	r = pic_descriptors_arrange(fds, FILES + PIC_EBPF_FILES, err);
	if (r == 0)
		r = pic_workload_log_new_direct(&child->face.log, order->file, OUTPUT, ERRORS, err);
	if (r == 0)
		r = pic_root_empty("/proc", err);
	if (r == 0)
		r = pic_privileges_drop(&privileges, err);
	child->face.broker_fd = BROKER;
	child->face.artifact_fd = OBJECT;
	return r == 0 ? pic_ebpf_confine(&child->face, err) : r;
}

static int live(struct child *child, const struct pic_ebpf_by_hand *order, int broker_fd,
		struct pic_error *err)
{
	uint32_t user;
	int r = pic_policy_choose_user(order->policy, order->name, is_never_taken, NULL, &user,
				       err);
	struct pic_open_context context = {
		.name = child->face.name,
		.policy = order->policy,
		.instance_fd = -1,
		.user = user,
		.artifact_fd = order->object_fd,
		.log_fds = { -1, -1 }, /* a stranger's file shall not have the terminal */
		.end_boot_ms = order->end_boot_ms,
		.grants = order->policy->ebpf.grants_by_hand,
		.uplink = order->uplink,
	};

	memset(child->face.files, -1, sizeof(child->face.files));
	if (r == 0)
		r = pic_ebpf_open(order->spec, &context, child->face.files, err);
	if (r == 0)
		r = settle_in(child, order, user, broker_fd, err);
	else
		return r;
	if (r == 0)
		pic_ebpf_run(&child->face);
	return r;
}

/* The child: never returns. A signal from the keyboard is the parent's business. */
static void run_child(const struct pic_ebpf_by_hand *order, const struct pic_workload_name *name,
		      int broker_fd)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct child child = { .face = { .name = name,
					 .spec = order->spec,
					 .policy = order->policy,
					 .ready = on_ready,
					 .proved = on_proved,
					 .ended = on_ended,
					 .end_boot_ms = order->end_boot_ms,
					 .grants = order->policy->ebpf.grants_by_hand,
					 .uplink = order->uplink } };
	int r;

	pic_signals_reset();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	child.face.context = &child;
	r = live(&child, order, broker_fd, &err);
	if (r < 0) {
		child.last.status = r;
		memcpy(child.last.text, err.text, sizeof(child.last.text));
	}
	send(child.face.broker_fd > 0 ? BROKER : broker_fd, &child.last, sizeof(child.last),
	     MSG_NOSIGNAL | MSG_DONTWAIT);
	_exit(0);
}

static void serve(int socket_fd, const struct pic_uplink *uplink,
		  const struct pic_broker_request *request)
{
	struct pic_broker_request wanted = { .operation = PIC_BROKER_CONNECT,
					     .transport = PIC_TCP,
					     .family = uplink->family,
					     .port = uplink->port };
	int PIC_FD fd = -1;

	if (request->operation != PIC_BROKER_UPLINK)
		return;
	memcpy(wanted.address, uplink->address, sizeof(wanted.address));
	fd = pic_broker_socket(&wanted);
	pic_broker_reply(socket_fd, request->sequence, fd < 0 ? fd : 0, fd);
}

/* One message of the child; false: it has gone. */
static bool hear(int socket_fd, const struct pic_uplink *uplink, struct farewell *last)
{
	union {
		struct pic_broker_request request;
		struct farewell last;
	} word;
	ssize_t size = recv(socket_fd, &word, sizeof(word), 0);

	if (size == (ssize_t)sizeof(word.request))
		serve(socket_fd, uplink, &word.request);
	else if (size == (ssize_t)sizeof(word.last))
		*last = word.last;
	return size > 0 || (size < 0 && errno == EINTR);
}

static void attend(int socket_fd, int signals_fd, const struct pic_uplink *uplink,
		   struct farewell *last)
{
	struct pollfd both[] = { { .fd = socket_fd, .events = POLLIN },
				 { .fd = signals_fd, .events = POLLIN } };

	for (;;) {
		if (poll(both, 2, -1) < 0 && errno != EINTR)
			return;
		if (both[1].revents) {
			struct signalfd_siginfo info;

			/* our half is closed: the runner sees it, detaches and says goodbye */
			if (read(signals_fd, &info, sizeof(info)) > 0)
				shutdown(socket_fd, SHUT_WR);
			both[1].fd = -1;
		}
		if (both[0].revents && !hear(socket_fd, uplink, last))
			return;
	}
}

static int watch_signals(struct pic_error *err)
{
	sigset_t ours;
	int fd;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	fd = signalfd(-1, &ours, SFD_CLOEXEC);
	return fd < 0 ? pic_error_errno(err, errno, "signals cannot be waited for") : fd;
}

static int judge(int status, struct farewell *last, struct pic_error *err)
{
	if (WIFSIGNALED(status))
		return pic_error_set(err, -ECHILD, "its process was ended by signal %d (%s)",
				     WTERMSIG(status), strsignal(WTERMSIG(status)));
	last->text[sizeof(last->text) - 1] = '\0';
	return last->status < 0 ? pic_error_set(err, last->status, "%s", last->text) : 0;
}

int pic_ebpf_run_here(const struct pic_ebpf_by_hand *order, struct pic_error *err)
{
	struct pic_ledger_entry entry = { .name = { .instance = "by-hand" } };
	struct farewell last = { .status = -ECONNRESET,
				 .text = "its process ended without a word" };
	struct pic_error swept = PIC_ERROR_INIT;
	PIC_FD int signals_fd = watch_signals(err);
	int pair[2], status = 0;
	pid_t child;

	snprintf(entry.name.component, sizeof(entry.name.component), "%s", order->name);
	if (signals_fd < 0)
		return signals_fd;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return pic_error_errno(err, errno, "no socket to talk to the program's process");
	child = fork();
	if (child == 0) {
		close(pair[0]);
		run_child(order, &entry.name, pair[1]);
	}
	close(pair[1]);
	if (child > 0)
		attend(pair[0], signals_fd, &order->uplink, &last);
	close(pair[0]);
	if (child < 0)
		return pic_error_errno(err, errno, "no process for the program");
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (pic_ebpf_sweep(&entry, NULL, 0, &swept) < 0)
		fprintf(stderr, "piccolo: %s\n", swept.text);
	return judge(status, &last, err);
}
