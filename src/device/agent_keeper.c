#include "device/agent_keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "device/verbs.h"
#include "sandbox/privilege.h"

#define WAIT_FIRST_MS 500
#define WAIT_MAX_MS 30000
#define PATIENCE_MS 5000
#define LASTED_MS 60000 /* an agent that ran so long starts over with the first wait */

/* The signal comes when the parent dies; when it has died already, nobody is needed here. */
static void end_with_parent(pid_t parent, int signo)
{
	prctl(PR_SET_PDEATHSIG, signo, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
}

static pid_t start_agent(struct pic_device_options *options)
{
	pid_t self = getpid(), pid = fork();

	if (pid == 0) {
		pic_signals_reset();
		end_with_parent(self, SIGTERM);
		_exit(pic_verb_agent(options, 0, NULL));
	}
	return pid;
}

/* The agent's status when it has ended; asked to end, it is asked too, and then this does not return. */
static int wait_for_agent(pid_t pid, const sigset_t *signals)
{
	int status = -1, signo;

	while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0) {
		signo = sigwaitinfo(signals, NULL);
		if (signo != SIGTERM)
			continue;
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
		_exit(0);
	}
	return status;
}

static void keep(struct pic_device_options *options) __attribute__((noreturn));
static void keep(struct pic_device_options *options)
{
	int64_t wait_ms = WAIT_FIRST_MS;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGINT, SIG_IGN); /* Ctrl-C is the supervisor's, which ends us by SIGTERM */
	for (;;) {
		int64_t began_ms = pic_clock_boot_ms();
		int status = wait_for_agent(start_agent(options), &signals);
		struct timespec pause;

		if (pic_clock_boot_ms() - began_ms > LASTED_MS)
			wait_ms = WAIT_FIRST_MS;
		pic_log(PIC_LOG_WARNING, "agent-ended",
			PIC_NUMBER("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
			PIC_NUMBER("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
			PIC_NUMBER("again-in-ms", wait_ms));
		pause = (struct timespec){ wait_ms / 1000, wait_ms % 1000 * 1000000 };
		if (sigtimedwait(&signals, NULL, &pause) == SIGTERM)
			_exit(0);
		wait_ms = 2 * wait_ms < WAIT_MAX_MS ? 2 * wait_ms : WAIT_MAX_MS;
	}
}

void pic_agent_keeper_start(void *data, uid_t user, gid_t group)
{
	const struct pic_privileges unprivileged = { .user = user, .group = group };
	struct pic_agent_keeper *keeper = data;
	const int streams[] = { 0, 1, 2 };
	struct pic_error err = PIC_ERROR_INIT;
	pid_t self = getpid();

	keeper->pid = fork();
	if (keeper->pid < 0)
		pic_log(PIC_LOG_ERROR, "agent-not-started", PIC_TEXT("why", strerror(errno)));
	if (keeper->pid != 0)
		return;
	pic_signals_reset();
	if (pic_descriptors_arrange(streams, PIC_COUNT(streams), &err) < 0 ||
	    pic_privileges_drop(&unprivileged, &err) < 0) {
		pic_log(PIC_LOG_ERROR, "agent-not-started", PIC_TEXT("why", err.text));
		_exit(1);
	}
	end_with_parent(self, SIGKILL); /* after the change of user, which would clear it */
	keep(keeper->options);
}

void pic_agent_keeper_end(void *data)
{
	struct pic_agent_keeper *keeper = data;
	struct pollfd ended = { .events = POLLIN };

	if (keeper->pid <= 0)
		return;
	ended.fd = (int)syscall(SYS_pidfd_open, keeper->pid, 0);
	kill(keeper->pid, SIGTERM);
	if (poll(&ended, 1, PATIENCE_MS) != 1) {
		pic_log(PIC_LOG_WARNING, "agent-killed", PIC_NUMBER("pid", keeper->pid));
		kill(keeper->pid, SIGKILL); /* its child, the agent, gets SIGTERM by that */
	}
	while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	pic_close_fd(&ended.fd);
	keeper->pid = 0;
}
