#include "device/agent_status.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/cleanup.h"

#define LIMIT_S 10

static int connect_to_agent(const char *run_folder, struct pic_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = LIMIT_S };
	PIC_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/agent/status.sock",
			      run_folder);

	if (length < 0 || (size_t)length >= sizeof(address.sun_path))
		return pic_error_set(err, -ENAMETOOLONG,
				     "the path of the runtime folder %s is too long", run_folder);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return pic_error_errno(err, errno, "no socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return pic_error_errno(err, errno, "no agent answers at %s; does `piccolo` run?",
				       address.sun_path);
	return PIC_STEAL_FD(fd);
}

static int read_answer(int fd, struct pic_buf *out, struct pic_error *err)
{
	ssize_t size;
	char *room;

	do {
		room = pic_buf_reserve(out, 16384);
		size = room ? read(fd, room, 16384) : 0;
		if (size < 0)
			return pic_error_set(err, -ETIMEDOUT, "the agent does not answer");
		pic_buf_commit(out, (size_t)size);
	} while (size > 0);
	return pic_buf_check(out, "the agent's answer", err);
}

int pic_device_agent_status(const char *run_folder, struct pic_buf *out, struct pic_error *err)
{
	PIC_FD int fd = connect_to_agent(run_folder, err);

	return fd < 0 ? fd : read_answer(fd, out, err);
}
