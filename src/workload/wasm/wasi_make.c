/* Sockets come from the broker, by policy; what the module hears is an error number, the log says why. */
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workload/broker.h"
#include "workload/wasm/wasi.h"

static const char *verb(uint32_t operation)
{
	return operation == PIC_BROKER_LISTEN ? "listen on"
	       : operation == PIC_BROKER_BIND ? "bind"
					      : "connect to";
}

static const char *property(uint32_t operation)
{
	return operation == PIC_BROKER_CONNECT ? "wasm.connect" : "wasm.listen";
}

static void tell_refusal(struct pic_wasi *wasi, uint32_t operation, bool stream,
			 const struct pic_wasi_address *address, int error)
{
	const char *transport = stream ? "tcp" : "udp";
	char text[64];

	pic_wasi_address_text(address, text);
	if (error == -EACCES)
		pic_workload_log_line(wasi->log,
				      "cannot %s %s:%s: not granted by %s or the device's policy",
				      verb(operation), transport, text, property(operation));
	else
		pic_workload_log_line(wasi->log, "cannot %s %s:%s: %s", verb(operation), transport,
				      text, strerror(-error));
}

/* Answers in small pieces would otherwise wait 40 ms for an acknowledgement, and the guest has no way
 * to ask for this. What a listener accepts inherits it. */
static void set_no_delay(int fd)
{
	int on = 1;

	/* Fails for a connection that is gone already; its next use will tell. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void finish(struct pic_wasi_file *file, uint32_t operation, int fd)
{
	struct pic_wasi_socket *socket = file->socket;

	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
	if (socket->stream)
		set_no_delay(fd);
	for (uint32_t i = 0; i < PIC_WASI_OPTIONS; i++)
		if (socket->option_mask & 1u << i)
			(void)pic_wasi_option_set(fd, i, socket->options[i]);
	socket->option_mask = 0;
	if (!socket->stream)
		file->kind = PIC_KIND_DATAGRAM;
	else
		file->kind = operation == PIC_BROKER_LISTEN ? PIC_KIND_LISTENER : PIC_KIND_STREAM;
}

uint32_t pic_wasi_make(struct pic_wasi *wasi, struct pic_wasi_file *file, uint32_t operation,
		       const struct pic_wasi_address *address, uint32_t backlog)
{
	struct pic_broker_request request = {
		.operation = operation,
		.sequence = ++wasi->sequence,
		.transport = file->socket->stream ? PIC_TCP : PIC_UDP,
		.family = address->family,
		.port = address->port,
		.backlog = backlog,
	};
	int fd;

	memcpy(request.address, address->bytes, sizeof(request.address));
	fd = pic_broker_ask(wasi->broker_fd, &request);
	if (fd < 0) {
		tell_refusal(wasi, operation, file->socket->stream, address, fd);
		return pic_wasi_errno(fd);
	}
	finish(file, operation, fd);
	return PIC_WASI_SUCCESS;
}
