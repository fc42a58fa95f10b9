#include "device/wasm_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admission/policy.h"
#include "base/cleanup.h"
#include "workload/broker_check.h"
#include "workload/broker_socket.h"
#include "workload/log.h"
#include "workload/wasm/runner.h"

/* What the flags granted is granted: there is no policy.conf here. Without --listen: TCP 8000 to 8999,
 * seen by this machine only. */
static void make_policy(const struct pic_wasm_spec *spec, struct pic_policy *out)
{
	static const char *const defaults[] = { "tcp:127.0.0.0/8:8000-8999",
						"tcp:[::1]:8000-8999" };

	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < spec->listen_count; i++)
		out->listen[out->listen_count++] = spec->listen[i];
	for (uint32_t i = 0; i < spec->connect_count; i++)
		out->connect[out->connect_count++] = spec->connect[i];
	if (spec->listen_count > 0)
		return;
	for (size_t i = 0; i < PIC_COUNT(defaults); i++)
		if (pic_ports_parse(defaults[i], strlen(defaults[i]),
				    &out->listen[out->listen_count], NULL) == 0)
			out->listen_count++;
}

static int answer(const struct pic_wasm_spec *spec, const struct pic_policy *policy,
		  const struct pic_broker_request *request)
{
	struct pic_policy_ports wanted;
	int r = pic_broker_request_check(request, &wanted, NULL);

	if (r == 0 && pic_wasm_grants(spec, (enum pic_broker_operation)request->operation, &wanted,
				      policy, NULL) < 0)
		r = -EACCES;
	return r == 0 ? pic_broker_socket(request) : r;
}

/* Until the child has closed its end. */
static void serve(int socket_fd, const struct pic_wasm_spec *spec)
{
	struct pic_broker_request request;
	struct pic_policy policy;
	ssize_t size;

	make_policy(spec, &policy);
	while ((size = recv(socket_fd, &request, sizeof(request), 0)) != 0) {
		int PIC_FD fd = -1;

		if (size < 0 && errno != EINTR)
			return;
		if (size != (ssize_t)sizeof(request))
			continue;
		fd = answer(spec, &policy, &request);
		if (pic_broker_reply(socket_fd, request.sequence, fd < 0 ? fd : 0, fd) < 0)
			return;
	}
}

static void nothing(struct pic_runner *runner)
{
	(void)runner;
}

static void nobody_asks(struct pic_runner *runner, enum pic_end_kind kind, int value,
			const char *text)
{
	(void)runner;
	(void)kind;
	(void)value;
	(void)text;
}

static int open_folders(const struct pic_wasm_spec *spec, int files[PIC_RUNNER_FILES_MAX],
			struct pic_error *err)
{
	for (uint32_t i = 0; i < spec->folder_count; i++) {
		files[i] = open(spec->folders[i].host, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (files[i] < 0)
			return pic_error_errno(err, errno, "--dir %s", spec->folders[i].host);
	}
	return 0;
}

/* The child: never returns. */
static void run_child(struct pic_runner *runner, const char *file)
{
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_workload_log_new_direct(&runner->log, file, STDOUT_FILENO, STDERR_FILENO, &err);

	/* Nobody would answer it, and nobody would see it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = pic_error_errno(&err, errno, "privileges cannot be given up");
	if (r == 0)
		r = pic_wasm_confine(runner, &err);
	if (r == 0)
		_exit(pic_wasm_run(runner));
	dprintf(STDERR_FILENO, "piccolo: %s: %s\n", file, err.text);
	_exit(1);
}

static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* As many descriptors as a server may have; a lower hard limit is obeyed. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int pic_wasm_run_here(int module_fd, const char *file, const char *name,
		      const struct pic_wasm_spec *spec, struct pic_error *err)
{
	struct pic_workload_name label = { .instance = "local" };
	struct pic_runner runner = {
		.name = &label,
		.spec = spec,
		.artifact_fd = module_fd,
		.ready = nothing,
		.ended = nobody_asks,
	};
	int pair[2], status, r;
	pid_t child;

	snprintf(label.component, sizeof(label.component), "%s", name);
	memset(runner.files, -1, sizeof(runner.files));
	r = open_folders(spec, runner.files, err);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return pic_error_errno(err, errno, "no socket to talk to the module's process");
	raise_descriptors();
	child = fork();
	if (child < 0)
		return pic_error_errno(err, errno, "no process for the module");
	runner.broker_fd = pair[1];
	if (child == 0) {
		close(pair[0]);
		run_child(&runner, file);
	}
	close(pair[1]);
	serve(pair[0], spec);
	close(pair[0]);
	status = wait_for(child);
	if (status == 128 + SIGSYS)
		dprintf(STDERR_FILENO,
			"piccolo: %s: its process was ended: it made a system call it may not make\n",
			file);
	return status < 0 ? pic_error_errno(err, status, "the module's process") : status;
}
