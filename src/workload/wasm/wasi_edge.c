/* The WasmEdge dialect: sockets that a guest opens, binds, listens on and connects itself. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "workload/broker.h"
#include "workload/wasm/wasi.h"

#define BACKLOG_MAX 4096u

uint32_t pic_wasi_sock_open(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t family = pic_wasi_u32(cells, 0), type = pic_wasi_u32(cells, 1), r, fd;
	bool stream = type == PIC_WASI_SOCK_STREAM;
	struct pic_wasi_file file = {
		.fd = -1,
		.kind = PIC_KIND_UNMADE,
		.filetype = stream ? PIC_WASI_TYPE_STREAM : PIC_WASI_TYPE_DATAGRAM,
		.rights = PIC_WASI_RIGHTS_SOCKET,
		.inheriting = PIC_WASI_RIGHTS_ALL,
	};

	if (family != PIC_WASI_FAMILY_INET4 && family != PIC_WASI_FAMILY_INET6)
		return PIC_WASI_INVAL;
	if (!stream && type != PIC_WASI_SOCK_DATAGRAM)
		return PIC_WASI_INVAL;
	if (!pic_wasi_memory(wasi, pic_wasi_u32(cells, 2), 4))
		return PIC_WASI_FAULT;
	file.socket = calloc(1, sizeof(*file.socket));
	if (!file.socket)
		return PIC_WASI_NOMEM;
	file.socket->family = family == PIC_WASI_FAMILY_INET6 ? 6 : 4;
	file.socket->stream = stream;
	r = pic_wasi_file_add(wasi, &file, &fd);
	if (r != PIC_WASI_SUCCESS) {
		free(file.socket);
		return r;
	}
	pic_wasi_put32(wasi, pic_wasi_u32(cells, 2), fd);
	return PIC_WASI_SUCCESS;
}

/* A socket of this dialect and the address of a call that names one. */
static uint32_t socket_and_address(struct pic_wasi *wasi, const uint64_t *cells,
				   struct pic_wasi_file **file, struct pic_wasi_address *address)
{
	uint32_t r;

	*file = pic_wasi_file(wasi, pic_wasi_u32(cells, 0));
	if (!*file)
		return PIC_WASI_BADF;
	if (!pic_wasi_is_socket(*file))
		return PIC_WASI_NOTSOCK;
	if (!(*file)->socket)
		return PIC_WASI_ISCONN; /* it was accepted */
	r = pic_wasi_address_read(wasi, pic_wasi_u32(cells, 1), pic_wasi_u32(cells, 2), address);
	if (r == PIC_WASI_SUCCESS && address->family != (*file)->socket->family)
		return PIC_WASI_AFNOSUPPORT;
	return r;
}

uint32_t pic_wasi_sock_bind(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_wasi_address address;
	struct pic_wasi_file *file;
	uint32_t r = socket_and_address(wasi, cells, &file, &address);

	if (r != PIC_WASI_SUCCESS)
		return r;
	if (file->kind != PIC_KIND_UNMADE || file->socket->local.family)
		return PIC_WASI_INVAL;
	/* "Any port" of a datagram client is found when it is known whom it talks to. */
	if (!file->socket->stream && address.port != 0) {
		r = pic_wasi_make(wasi, file, PIC_BROKER_BIND, &address, 0);
		if (r != PIC_WASI_SUCCESS)
			return r;
		file->socket->bound = true;
	}
	file->socket->local = address;
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_sock_listen(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_wasi_file *file = pic_wasi_file(wasi, pic_wasi_u32(cells, 0));
	uint32_t backlog = pic_wasi_u32(cells, 1);

	if (!file)
		return PIC_WASI_BADF;
	if (!pic_wasi_is_socket(file))
		return PIC_WASI_NOTSOCK;
	if (file->kind == PIC_KIND_LISTENER)
		return PIC_WASI_SUCCESS;
	if (file->kind != PIC_KIND_UNMADE || !file->socket->stream)
		return PIC_WASI_INVAL;
	/* The kernel would pick a port; nobody granted that one. */
	if (!file->socket->local.family)
		return PIC_WASI_INVAL;
	return pic_wasi_make(wasi, file, PIC_BROKER_LISTEN, &file->socket->local,
			     backlog > BACKLOG_MAX ? BACKLOG_MAX : backlog);
}

static uint32_t pending_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return pic_wasi_errno(errno);
	return pic_wasi_errno(error);
}

/* The connection is under way: its end now, for a guest that waits, else INPROGRESS. */
static uint32_t connect_outcome(const struct pic_wasi_file *file)
{
	struct pollfd one = { .fd = file->fd, .events = POLLOUT };
	const struct timespec now = { 0 };
	uint32_t r;

	if (ppoll(&one, 1, &now, NULL) == 1)
		return pending_error(file->fd);
	if (file->flags & PIC_WASI_FD_NONBLOCK)
		return PIC_WASI_INPROGRESS;
	r = pic_wasi_wait(file->fd, POLLOUT, file->send_ms);
	if (r != PIC_WASI_SUCCESS)
		return r == PIC_WASI_AGAIN ? (uint32_t)PIC_WASI_TIMEDOUT : r;
	return pending_error(file->fd);
}

static uint32_t connect_datagram(struct pic_wasi *wasi, struct pic_wasi_file *file,
				 const struct pic_wasi_address *address)
{
	uint32_t r = PIC_WASI_SUCCESS;

	if (file->socket->bound)
		r = pic_wasi_address_granted(wasi->spec, PIC_UDP, address) ? PIC_WASI_SUCCESS
									   : PIC_WASI_ACCES;
	else
		r = pic_wasi_make(wasi, file, PIC_BROKER_CONNECT, address, 0);
	if (r == PIC_WASI_SUCCESS)
		file->socket->peer = *address;
	return r;
}

uint32_t pic_wasi_sock_connect(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_wasi_address address;
	struct pic_wasi_file *file;
	uint32_t r = socket_and_address(wasi, cells, &file, &address);

	if (r != PIC_WASI_SUCCESS)
		return r;
	if (!file->socket->stream)
		return connect_datagram(wasi, file, &address);
	if (file->kind != PIC_KIND_UNMADE)
		return PIC_WASI_ISCONN;
	r = pic_wasi_make(wasi, file, PIC_BROKER_CONNECT, &address, 0);
	return r == PIC_WASI_SUCCESS ? connect_outcome(file) : r;
}

uint32_t pic_wasi_sock_open_v2(struct pic_wasi *wasi, const uint64_t *cells)
{
	return pic_wasi_sock_open(wasi, cells);
}

uint32_t pic_wasi_sock_bind_v2(struct pic_wasi *wasi, const uint64_t *cells)
{
	return pic_wasi_sock_bind(wasi, cells);
}

uint32_t pic_wasi_sock_listen_v2(struct pic_wasi *wasi, const uint64_t *cells)
{
	return pic_wasi_sock_listen(wasi, cells);
}

uint32_t pic_wasi_sock_connect_v2(struct pic_wasi *wasi, const uint64_t *cells)
{
	return pic_wasi_sock_connect(wasi, cells);
}
