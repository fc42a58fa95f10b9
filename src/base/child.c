#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

struct pic_child {
	struct pic_child_order order;
	pid_t pid;
	int pidfd, result_fd;
	struct pic_watch *watch;
	struct pic_timer *timer;
};

static void child_free(struct pic_child *child)
{
	pic_watch_free(child->watch);
	pic_timer_free(child->timer);
	pic_close_fd(&child->pidfd);
	pic_close_fd(&child->result_fd);
	free(child);
}

void pic_child_cancel(struct pic_child *child)
{
	if (child->pid > 0) {
		kill(child->pid, SIGKILL); /* ours and not reaped: the number cannot be another's */
		waitpid(child->pid, NULL, 0);
	}
	child_free(child);
}

static void on_end(void *data, int fd, uint32_t events)
{
	struct pic_child *child = data;
	struct pic_child_order order = child->order;
	char result[PIC_CHILD_RESULT_MAX];
	ssize_t size = read(child->result_fd, result, sizeof(result));

	(void)fd;
	(void)events;
	waitpid(child->pid, NULL, 0);
	child_free(child);
	order.done(order.data, result, size > 0 ? (size_t)size : 0);
}

static void on_late(void *data)
{
	struct pic_child *child = data;

	kill(child->pid, SIGKILL);
}

static void run(const struct pic_child_order *order, pid_t parent, int result_fd)
	__attribute__((noreturn));
static void run(const struct pic_child_order *order, pid_t parent, int result_fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() == parent)
		order->work(order->data, result_fd);
	_exit(0);
}

static int start(struct pic_child *child, struct pic_loop *loop, int ends[2], struct pic_error *err)
{
	pid_t self = getpid();
	int r;

	child->pid = fork();
	if (child->pid == 0)
		run(&child->order, self, ends[1]);
	close(ends[1]);
	if (child->pid < 0)
		return pic_error_errno(err, errno, "a child process cannot be started");
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->pidfd < 0)
		return pic_error_errno(err, errno, "a child process cannot be watched");
	r = pic_loop_watch(loop, child->pidfd, EPOLLIN, on_end, child, &child->watch, err);
	if (r == 0)
		r = pic_loop_timer(loop, on_late, child, &child->timer, err);
	if (r == 0)
		pic_timer_set(child->timer, child->order.limit_ms);
	return r;
}

int pic_child_start(struct pic_child **out, struct pic_loop *loop,
		    const struct pic_child_order *order, struct pic_error *err)
{
	struct pic_child *child = calloc(1, sizeof(*child));
	int ends[2], r;

	if (!child || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		free(child);
		return pic_error_errno(err, ENOMEM, "a child process cannot be prepared");
	}
	*child = (struct pic_child){ .order = *order, .pidfd = -1, .result_fd = ends[0] };
	r = start(child, loop, ends, err);
	if (r < 0)
		pic_child_cancel(child);
	else
		*out = child;
	return r;
}

int pic_child_wait(void (*work)(void *data, int result_fd), void *data, int64_t limit_ms,
		   void *result, size_t size, struct pic_error *err)
{
	const struct pic_child_order order = { .work = work, .data = data };
	pid_t self = getpid(), pid;
	struct pollfd ready = { .events = POLLIN };
	bool whole = false;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return pic_error_errno(err, errno, "a child process cannot be prepared");
	pid = fork();
	if (pid == 0)
		run(&order, self, ends[1]);
	close(ends[1]);
	ready.fd = ends[0];
	if (pid > 0) {
		/* it writes once, so one read has it all or it is worth nothing */
		whole = poll(&ready, 1, (int)limit_ms) == 1 &&
			read(ends[0], result, size) == (ssize_t)size;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(ends[0]);
	return whole ? 0 : pic_error_set(err, -ETIMEDOUT, "a child process gave no answer in time");
}
