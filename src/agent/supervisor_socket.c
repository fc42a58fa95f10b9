#include "agent/supervisor_socket.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"

union control {
	char bytes[CMSG_SPACE(2 * sizeof(int))];
	struct cmsghdr align;
};

int pic_supervisor_connect(const char *run_folder, struct pic_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	PIC_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/supervisor.sock",
			      run_folder);

	if (length < 0 || (size_t)length >= sizeof(address.sun_path))
		return pic_error_set(err, -ENAMETOOLONG,
				     "the path of the runtime folder %s is too long", run_folder);
	if (fd < 0)
		return pic_error_errno(err, errno, "no socket for %s", address.sun_path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return pic_error_errno(err, errno, "no supervisor answers at %s", address.sun_path);
	return PIC_STEAL_FD(fd);
}

/* The part of a request before its spec, and the spec's size: only these bytes travel. */
static struct pic_supervisor_request *assemble(uint64_t id, const struct pic_supervisor_call *call,
					       size_t *size)
{
	struct pic_supervisor_request *request;

	*size = offsetof(struct pic_supervisor_request, spec) + call->spec_size;
	request = call->spec_size <= PIC_SPEC_MAX ? calloc(1, *size) : NULL;
	if (!request)
		return NULL;
	request->version = PIC_SUPERVISOR_VERSION;
	request->operation = call->operation;
	request->id = id;
	request->size = call->size;
	request->flags = call->flags;
	request->spec_size = (uint32_t)call->spec_size;
	if (call->name)
		request->name = *call->name;
	if (call->type)
		snprintf(request->type, sizeof(request->type), "%s", call->type);
	if (call->digest)
		memcpy(request->digest, call->digest, PIC_DIGEST_SIZE);
	if (call->spec_size > 0)
		memcpy(request->spec, call->spec, call->spec_size);
	return request;
}

static void attach(struct msghdr *message, union control *control, int fd)
{
	message->msg_control = control->bytes;
	message->msg_controllen = CMSG_SPACE(sizeof(int));
	*CMSG_FIRSTHDR(message) = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(message)), &fd, sizeof(int));
}

int pic_supervisor_send(int fd, uint64_t id, const struct pic_supervisor_call *call,
			struct pic_error *err)
{
	union control control = { .bytes = { 0 } };
	size_t size = 0;
	PIC_FREE struct pic_supervisor_request *request = assemble(id, call, &size);
	struct iovec part = { request, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (!request)
		return pic_error_set(err, -ENOMEM, "no memory for a request to the supervisor");
	if (call->operation == PIC_SUPERVISOR_TAKE)
		attach(&message, &control, call->fd);
	if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		return pic_error_errno(err, errno, "the supervisor cannot be asked");
	return 0;
}

static void take_descriptors(struct msghdr *header, int fds[2])
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && count <= 2)
			memcpy(fds, CMSG_DATA(c), count * sizeof(int));
	}
}

/* Texts end inside their arrays, whoever sent them. */
static bool is_message(const struct pic_supervisor_message *message, ssize_t size)
{
	const struct pic_ledger_entry *entry = &message->entry;

	if (size != sizeof(*message) || message->version != PIC_SUPERVISOR_VERSION ||
	    !memchr(message->text, 0, sizeof(message->text)))
		return false;
	if (message->kind == PIC_SUPERVISOR_BINDING)
		return pic_binding_is_valid(&message->binding);
	return memchr(entry->evidence, 0, sizeof(entry->evidence)) &&
	       memchr(entry->name.instance, 0, sizeof(entry->name.instance)) &&
	       memchr(entry->name.component, 0, sizeof(entry->name.component)) &&
	       memchr(entry->type, 0, sizeof(entry->type)) &&
	       memchr(entry->end_text, 0, sizeof(entry->end_text));
}

int pic_supervisor_receive(int fd, struct pic_supervisor_message *message, int fds[2])
{
	union control control;
	struct iovec part = { message, sizeof(*message) };
	struct msghdr header = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control) };
	ssize_t size = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	fds[0] = fds[1] = -1;
	if (size < 0)
		return -errno;
	if (size == 0)
		return 0;
	take_descriptors(&header, fds);
	if (is_message(message, size))
		return 1;
	pic_close_fd(&fds[0]);
	pic_close_fd(&fds[1]);
	return -EPROTO;
}

/* The reply to request 1; other messages may come first. */
static int wait_reply(int fd, int64_t until_ms, struct pic_supervisor_message *reply, int fds[2],
		      struct pic_error *err)
{
	for (;;) {
		struct pollfd item = { .fd = fd, .events = POLLIN };
		int64_t left = until_ms - pic_clock_boot_ms();
		int r;

		if (left <= 0 || poll(&item, 1, (int)left) == 0)
			return pic_error_set(err, -ETIMEDOUT, "the supervisor does not answer");
		r = pic_supervisor_receive(fd, reply, fds);
		if (r == 0 || (r < 0 && r != -EAGAIN && r != -EINTR))
			return pic_error_set(
				err, r ? r : -ECONNRESET,
				"the supervisor closed the connection; does it allow this user?");
		if (r == 1 && reply->kind == PIC_SUPERVISOR_REPLY && reply->id == 1)
			return 0;
	}
}

int pic_supervisor_perform(const char *run_folder, const struct pic_supervisor_call *call,
			   int64_t limit_ms, struct pic_supervisor_message *reply, int fds[2],
			   struct pic_error *err)
{
	PIC_FD int fd = pic_supervisor_connect(run_folder, err);
	int r = fd < 0 ? fd : pic_supervisor_send(fd, 1, call, err);

	return r < 0 ? r : wait_reply(fd, pic_clock_boot_ms() + limit_ms, reply, fds, err);
}
