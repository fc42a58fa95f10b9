#include "agent/admit/admit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "workload/ebpf/inspect.h"
#include "workload/wasm/inspect.h"

#define CPU_SECONDS 10
#define WALL_MS 20000
#define MEMORY_MAX (768UL * 1024 * 1024) /* a module of 64 MB, loaded */

enum { CHILD_ARTIFACT = 3, CHILD_RESULT = 4 };

/* What the child writes, in one go. */
struct result {
	int code;
	char text[PIC_ERROR_TEXT];
};

struct pic_admission {
	pid_t pid;
	int pipe; /* its end of file is the child's end */
	struct pic_watch *watch;
	struct pic_timer *timer;
	bool too_slow;
	pic_admit_fn *done;
	void *data;
};

/* Types of which nobody can tell before they run are admitted. */
static int look(const char *type, const void *spec, int fd, struct pic_error *err)
{
	if (strcmp(type, "wasm") == 0)
		return pic_wasm_admit(fd, spec, err);
	if (strcmp(type, "ebpf") == 0)
		return pic_ebpf_admit_object(fd, spec, err);
	return 0;
}

static void set_limit(int resource, rlim_t value)
{
	/* processor time: SIGXCPU first, so that its reason is seen */
	const struct rlimit limit = { value, resource == RLIMIT_CPU ? value + 2 : value };

	if (setrlimit((__rlimit_resource_t)resource, &limit) < 0)
		_exit(1);
}

static void limit_child(void)
{
	set_limit(RLIMIT_CPU, CPU_SECONDS);
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_FSIZE, 4096); /* a pipe is no file; nothing else is to be written */
	set_limit(RLIMIT_NPROC, 0);
	set_limit(RLIMIT_NOFILE,
		  CHILD_RESULT + 1); /* no file and no socket can be opened any more */
#if !defined(__SANITIZE_ADDRESS__)   /* whose shadow memory alone is larger */
	set_limit(RLIMIT_AS, MEMORY_MAX);
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		_exit(1);
}

/* Of the agent's descriptors (its hub, its supervisor) the child keeps none. */
static void arrange_descriptors(int artifact, int out)
{
	int high_artifact = fcntl(artifact, F_DUPFD, 64), high_out = fcntl(out, F_DUPFD, 64);

	if (dup2(high_artifact, CHILD_ARTIFACT) < 0 || dup2(high_out, CHILD_RESULT) < 0 ||
	    syscall(SYS_close_range, CHILD_RESULT + 1, ~0U, 0) < 0)
		_exit(1);
}

static void child(const struct pic_admit_order *order, int out) __attribute__((noreturn));

static void child(const struct pic_admit_order *order, int out)
{
	struct result result = { .code = 0 };
	struct pic_error err = PIC_ERROR_INIT;
	sigset_t none;

	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	arrange_descriptors(order->fd, out);
	limit_child();
	result.code = look(order->type, order->spec, CHILD_ARTIFACT, &err);
	memcpy(result.text, err.text, sizeof(result.text));
	_exit(write(CHILD_RESULT, &result, sizeof(result)) == sizeof(result) ? 0 : 1);
}

static void admission_free(struct pic_admission *admission)
{
	pic_watch_free(admission->watch);
	pic_timer_free(admission->timer);
	pic_close_fd(&admission->pipe);
	free(admission);
}

/* What a child that left no result says about the module. */
static void explain_end(const struct pic_admission *admission, int status, struct result *out)
{
	out->code = -EINVAL;
	if (admission->too_slow || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
		snprintf(out->text, sizeof(out->text),
			 "looking at it takes more than %d s, so it is not run", CPU_SECONDS);
	else if (WIFSIGNALED(status))
		snprintf(out->text, sizeof(out->text),
			 "looking at it ended with signal %d (%s), so it is not run",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else {
		out->code = -EIO;
		snprintf(out->text, sizeof(out->text),
			 "the child that looks at it could not begin");
	}
}

/* Trouble of this machine's is no verdict. */
static int verdict_of(int code)
{
	if (code == 0 || code == -ENOMEM || code == -EIO)
		return code;
	return -EINVAL;
}

static void on_result(void *data, int fd, uint32_t events)
{
	struct pic_admission *admission = data;
	pic_admit_fn *done = admission->done;
	void *context = admission->data;
	struct result result;
	ssize_t size = read(fd, &result, sizeof(result));
	int status = 0;

	(void)events;
	while (waitpid(admission->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (size != sizeof(result))
		explain_end(admission, status, &result);
	result.text[sizeof(result.text) - 1] = '\0';
	admission_free(admission);
	done(context, verdict_of(result.code), result.text);
}

static void on_too_slow(void *data)
{
	struct pic_admission *admission = data;

	admission->too_slow = true;
	kill(admission->pid, SIGKILL);
}

int pic_admit_start(struct pic_admission **out, struct pic_loop *loop,
		    const struct pic_admit_order *order, struct pic_error *err)
{
	struct pic_admission *admission = calloc(1, sizeof(*admission));
	PIC_FD int child_end = -1;
	int ends[2];

	if (!admission)
		return pic_error_set(err, -ENOMEM, "no memory for an admission");
	*admission = (struct pic_admission){ .pipe = -1, .done = order->done, .data = order->data };
	if (pipe2(ends, O_CLOEXEC) < 0) {
		free(admission);
		return pic_error_errno(err, errno, "the artifact cannot be looked at");
	}
	admission->pipe = ends[0];
	child_end = ends[1];
	if (pic_loop_timer(loop, on_too_slow, admission, &admission->timer, err) < 0 ||
	    pic_loop_watch(loop, ends[0], EPOLLIN, on_result, admission, &admission->watch, err) <
		    0) {
		admission_free(admission);
		return -ENOMEM;
	}
	admission->pid = fork();
	if (admission->pid == 0)
		child(order, child_end);
	if (admission->pid < 0) {
		int saved = errno;

		admission_free(admission);
		return pic_error_errno(err, saved, "the artifact cannot be looked at");
	}
	pic_timer_set(admission->timer, WALL_MS);
	*out = admission;
	return 0;
}

void pic_admit_cancel(struct pic_admission *admission)
{
	if (!admission)
		return;
	kill(admission->pid, SIGKILL);
	while (waitpid(admission->pid, NULL, 0) < 0 && errno == EINTR)
		;
	admission_free(admission);
}
