/*
 * The broker: runners cannot create sockets, so they ask here. Who asks is known from the kernel
 * (process and user of the datagram), what it may have from its driver, its spec and policy.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/message.h"
#include "supervisor/context.h"
#include "workload/broker_check.h"
#include "workload/broker_socket.h"

#define PER_WAKE 32 /* then others get their turn */
#define MINUTE_MS 60000
#define TOLD_A_MINUTE 16

static int make_socket(const struct pic_broker_request *request, struct pic_error *err)
{
	int r = pic_broker_socket(request);

	return r < 0 ? pic_broker_failure(request, -r, err) : r;
}

static int judge(const struct pic_workload *workload, const struct pic_broker_request *request,
		 struct pic_error *err)
{
	const struct pic_driver *driver = pic_driver_find(workload->entry.type);
	const struct pic_policy *policy = workload->supervisor->policy;
	PIC_BUF struct pic_buf spec = PIC_BUF_INIT(PIC_SPEC_MAX);
	struct pic_policy_ports wanted;
	int r = pic_broker_request_check(request, &wanted, err);

	if (r < 0)
		return r;
	if (!driver || !driver->grants || !policy)
		return pic_error_set(err, -EACCES, "no policy says who may have sockets");
	r = pic_workload_spec(workload, driver, &spec, err);
	if (r == 0 && driver->grants(spec.data, (enum pic_broker_operation)request->operation,
				     &wanted, policy, err) < 0)
		r = -EACCES;
	return r;
}

static int uplink_socket(const struct pic_workload *workload)
{
	const struct pic_driver *driver = pic_driver_find(workload->entry.type);
	const struct pic_uplink *uplink = &workload->supervisor->ledger.uplink;
	struct pic_broker_request request = { .operation = PIC_BROKER_CONNECT,
					      .transport = PIC_TCP,
					      .family = uplink->family,
					      .port = uplink->port };

	if (!driver || !driver->profile.asks_uplink)
		return -EACCES;
	memcpy(request.address, uplink->address, sizeof(request.address));
	return uplink->family ? pic_broker_socket(&request) : -ENOENT;
}

/* A runner may ask for thousands of ports; neither log nor ledger nor subscribers get all of it. */
static bool may_tell(struct pic_workload *workload)
{
	int64_t now = pic_clock_boot_ms();

	if (now - workload->told_since_ms >= MINUTE_MS) {
		workload->told_since_ms = now;
		workload->told = 0;
	}
	return workload->told++ < TOLD_A_MINUTE;
}

/* What a workload was not given shows in its entry, once. */
static void explain(struct pic_workload *workload, const struct pic_error *why)
{
	char *text = workload->entry.end_text;
	size_t size = sizeof(workload->entry.end_text);

	if (strncmp(text, why->text, size - 1) == 0)
		return;
	workload->entry.end_kind =
		PIC_END_NONE; /* news of this run, not of the end of the last one */
	snprintf(text, size, "%.*s", (int)size - 1, why->text);
	if (!may_tell(workload))
		return;
	pic_log(PIC_LOG_WARNING, "socket-refused", PIC_TEXT("workload", workload->file),
		PIC_TEXT("why", why->text));
	pic_workload_changed(workload);
}

static struct pic_workload *sender(struct pic_supervisor *supervisor,
				   const struct pic_message *message)
{
	for (struct pic_workload *w = supervisor->workloads; w; w = w->next)
		if (w->pidfd >= 0 && w->entry.pid == message->pid && w->entry.user == message->user)
			return w;
	return NULL;
}

static void serve(struct pic_supervisor *supervisor, struct pic_workload *workload,
		  const struct pic_broker_request *request, const struct pic_message *question)
{
	struct pic_broker_answer text = { .sequence = request->sequence };
	struct pic_message answer = { .data = &text,
				      .size = sizeof(text),
				      .address = question->address,
				      .address_size = question->address_size };
	struct pic_error err = PIC_ERROR_INIT;
	bool uplink = request->operation == PIC_BROKER_UPLINK;
	int r = uplink ? uplink_socket(workload) : judge(workload, request, &err);

	if (r == 0 && !uplink)
		r = make_socket(request, &err);
	if (r >= 0) {
		answer.fds[0] = r;
		answer.fd_count = 1;
	} else {
		text.status = r;
		if (!uplink)
			explain(workload, &err);
	}
	/* a runner that does not read its answers waits in vain; nobody else does */
	pic_message_send(supervisor->broker_fd, &answer);
	pic_message_close(&answer);
}

static void on_readable(void *data, int fd, uint32_t events)
{
	struct pic_supervisor *supervisor = data;
	struct pic_broker_request request;
	struct pic_message message;

	(void)events;
	for (int i = 0; i < PER_WAKE; i++) {
		struct pic_workload *workload;

		message = (struct pic_message){ .data = &request, .size = sizeof(request) };
		if (pic_message_receive(fd, &message) == -EAGAIN)
			return;
		workload = sender(supervisor, &message);
		if (!workload || message.size != sizeof(request) || message.fd_count)
			pic_message_close(&message);
		else if (request.operation == PIC_BROKER_READY)
			pic_workload_ready(workload);
		else
			serve(supervisor, workload, &request, &message);
	}
}

int pic_broker_connect(struct pic_supervisor *supervisor, int fd, struct pic_error *err)
{
	struct sockaddr_un address;
	int r = pic_unix_address(supervisor->settings->run_folder, "broker.sock", &address, err);

	if (r == 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return pic_error_errno(err, errno, "the broker cannot be reached");
	return r;
}

int pic_broker_open(struct pic_supervisor *supervisor, struct pic_error *err)
{
	PIC_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	const int on = 1;
	int r = pic_unix_address(supervisor->settings->run_folder, "broker.sock", &address, err);

	if (r < 0)
		return r;
	unlink(address.sun_path);
	/* umask 0077 is in force: only root can send here by name, and root connects the runners */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return pic_error_errno(err, errno, "%s cannot be made", address.sun_path);
	r = pic_loop_watch(supervisor->loop, fd, EPOLLIN, on_readable, supervisor,
			   &supervisor->broker_watch, err);
	if (r == 0)
		supervisor->broker_fd = PIC_STEAL_FD(fd);
	return r;
}

int pic_broker_scrape(struct pic_workload *workload, int *out, struct pic_error *err)
{
	static const struct pic_broker_order scrape = { .kind = PIC_BROKER_SCRAPE };
	const struct pic_driver *driver = pic_driver_find(workload->entry.type);
	PIC_FD int fd = (int)syscall(SYS_pidfd_getfd, workload->pidfd, PIC_BROKER_FD, 0);
	struct pic_message order = { .data = (void *)&scrape,
				     .size = sizeof(scrape),
				     .address_size = sizeof(order.address) };
	PIC_FD int read_end = -1;
	int ends[2], r;

	/* where it listens is asked of the socket itself, so that it is the same for an adopted one */
	if (!driver || !driver->profile.tells_metrics || fd < 0 ||
	    getsockname(fd, (struct sockaddr *)&order.address, &order.address_size) < 0 ||
	    order.address.sun_family != AF_UNIX || order.address_size <= sizeof(sa_family_t) ||
	    pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return pic_error_set(err, -ENOTSUP, "%s has no figures of its own", workload->file);
	read_end = ends[0];
	order.fds[0] = ends[1];
	order.fd_count = 1;
	r = pic_message_send(workload->supervisor->broker_fd, &order);
	pic_message_close(&order);
	if (r < 0)
		return pic_error_set(err, r, "%s cannot be asked for its figures", workload->file);
	*out = PIC_STEAL_FD(read_end);
	return 0;
}

int pic_broker_adopt(struct pic_workload *workload, struct pic_error *err)
{
	/* the runner's own open socket: connecting our copy of it connects the runner */
	PIC_FD int fd = (int)syscall(SYS_pidfd_getfd, workload->pidfd, PIC_BROKER_FD, 0);

	if (fd < 0)
		return pic_error_errno(err, errno, "the broker socket of %s cannot be had",
				       workload->file);
	return pic_broker_connect(workload->supervisor, fd, err);
}
