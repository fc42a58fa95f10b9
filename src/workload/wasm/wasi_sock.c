/* Sockets that exist: accept, receive, send, shut down. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workload/broker.h"
#include "workload/wasm/wasi.h"

static struct pic_wasi_file *socket_at(struct pic_wasi *wasi, uint32_t fd, uint64_t rights,
				       uint32_t *r)
{
	struct pic_wasi_file *file = pic_wasi_file_for(wasi, fd, rights, r);

	if (!file || pic_wasi_is_socket(file))
		return file;
	*r = PIC_WASI_NOTSOCK;
	return NULL;
}

static uint32_t accept_one(struct pic_wasi_file *listener, int *fd)
{
	for (;;) {
		uint32_t r;

		*fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (*fd >= 0)
			return PIC_WASI_SUCCESS;
		if (errno != EAGAIN || listener->flags & PIC_WASI_FD_NONBLOCK)
			return pic_wasi_errno(errno);
		r = pic_wasi_wait(listener->fd, POLLIN, listener->receive_ms);
		if (r != PIC_WASI_SUCCESS)
			return r;
	}
}

static uint32_t do_accept(struct pic_wasi *wasi, uint32_t fd, uint32_t flags, uint32_t out)
{
	struct pic_wasi_file accepted = {
		.kind = PIC_KIND_STREAM,
		.filetype = PIC_WASI_TYPE_STREAM,
		.flags = (uint16_t)flags,
		.rights = PIC_WASI_RIGHTS_SOCKET & ~PIC_WASI_RIGHT_SOCK_ACCEPT,
	};
	uint32_t r = PIC_WASI_SUCCESS, number;
	struct pic_wasi_file *file = socket_at(wasi, fd, PIC_WASI_RIGHT_SOCK_ACCEPT, &r);

	if (!file)
		return r;
	if (file->kind != PIC_KIND_LISTENER || flags & ~(uint32_t)PIC_WASI_FD_ALL)
		return PIC_WASI_INVAL;
	if (!pic_wasi_memory(wasi, out, 4))
		return PIC_WASI_FAULT;
	r = accept_one(file, &accepted.fd);
	if (r != PIC_WASI_SUCCESS)
		return r;
	r = pic_wasi_file_add(wasi, &accepted, &number);
	if (r != PIC_WASI_SUCCESS) {
		close(accepted.fd);
		return r;
	}
	pic_wasi_put32(wasi, out, number);
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_sock_accept(struct pic_wasi *wasi, const uint64_t *cells)
{
	return do_accept(wasi, pic_wasi_u32(cells, 0), pic_wasi_u32(cells, 1),
			 pic_wasi_u32(cells, 2));
}

uint32_t pic_wasi_sock_accept_1(struct pic_wasi *wasi, const uint64_t *cells)
{
	return do_accept(wasi, pic_wasi_u32(cells, 0), 0, pic_wasi_u32(cells, 1));
}

/* Where the parts of an answer go in the guest's memory; address and port are 0 when not asked for. */
struct received {
	uint32_t fd, list, count, riflags;
	uint32_t address, port, size, roflags;
};

static uint32_t receive(struct pic_wasi *wasi, const struct received *call, bool with_address)
{
	struct pic_wasi_vector vector;
	struct pic_wasi_address from = { 0 };
	uint32_t r = PIC_WASI_SUCCESS, roflags = 0;
	struct pic_wasi_file *file = socket_at(wasi, call->fd, PIC_WASI_RIGHT_READ, &r);
	unsigned char *flags_at = pic_wasi_memory(wasi, call->roflags, 2);
	size_t size = 0;

	if (!file)
		return r;
	if (!flags_at || !pic_wasi_memory(wasi, call->size, 4))
		return PIC_WASI_FAULT;
	r = pic_wasi_vector(wasi, call->list, call->count, &vector);
	if (r == PIC_WASI_SUCCESS)
		r = pic_wasi_receive(file, &vector, call->riflags, &from, &size, &roflags);
	if (r != PIC_WASI_SUCCESS)
		return r;
	if (with_address && from.family) {
		r = pic_wasi_address_write(wasi, call->address, &from);
		if (r != PIC_WASI_SUCCESS)
			return r;
	}
	if (call->port && !pic_wasi_put32(wasi, call->port, from.port))
		return PIC_WASI_FAULT;
	pic_wasi_put32(wasi, call->size, (uint32_t)size);
	pic_wasi_store16(flags_at, (uint16_t)roflags);
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_sock_recv(struct pic_wasi *wasi, const uint64_t *cells)
{
	const struct received call = {
		.fd = pic_wasi_u32(cells, 0),
		.list = pic_wasi_u32(cells, 1),
		.count = pic_wasi_u32(cells, 2),
		.riflags = pic_wasi_u32(cells, 3),
		.size = pic_wasi_u32(cells, 4),
		.roflags = pic_wasi_u32(cells, 5),
	};

	return receive(wasi, &call, false);
}

uint32_t pic_wasi_sock_recv_from_1(struct pic_wasi *wasi, const uint64_t *cells)
{
	const struct received call = {
		.fd = pic_wasi_u32(cells, 0),
		.list = pic_wasi_u32(cells, 1),
		.count = pic_wasi_u32(cells, 2),
		.address = pic_wasi_u32(cells, 3),
		.riflags = pic_wasi_u32(cells, 4),
		.size = pic_wasi_u32(cells, 5),
		.roflags = pic_wasi_u32(cells, 6),
	};

	return receive(wasi, &call, true);
}

uint32_t pic_wasi_sock_recv_from(struct pic_wasi *wasi, const uint64_t *cells)
{
	const struct received call = {
		.fd = pic_wasi_u32(cells, 0),
		.list = pic_wasi_u32(cells, 1),
		.count = pic_wasi_u32(cells, 2),
		.address = pic_wasi_u32(cells, 3),
		.riflags = pic_wasi_u32(cells, 4),
		.port = pic_wasi_u32(cells, 5),
		.size = pic_wasi_u32(cells, 6),
		.roflags = pic_wasi_u32(cells, 7),
	};

	return receive(wasi, &call, true);
}

static uint32_t do_send(struct pic_wasi *wasi, struct pic_wasi_file *file, const uint64_t *cells,
			const struct pic_wasi_address *to, uint32_t out)
{
	struct pic_wasi_vector vector;
	size_t size = 0;
	uint32_t r;

	if (!pic_wasi_memory(wasi, out, 4))
		return PIC_WASI_FAULT;
	r = pic_wasi_vector(wasi, pic_wasi_u32(cells, 1), pic_wasi_u32(cells, 2), &vector);
	if (r == PIC_WASI_SUCCESS)
		r = pic_wasi_send(file, &vector, to, &size);
	if (r == PIC_WASI_SUCCESS)
		pic_wasi_put32(wasi, out, (uint32_t)size);
	return r;
}

/* A bound datagram socket that the guest "connected": the peer is ours to add. */
static const struct pic_wasi_address *fixed_peer(const struct pic_wasi_file *file)
{
	return file->kind == PIC_KIND_DATAGRAM && file->socket && file->socket->bound &&
			       file->socket->peer.family
		       ? &file->socket->peer
		       : NULL;
}

uint32_t pic_wasi_sock_send(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *file =
		socket_at(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_WRITE, &r);

	if (!file)
		return r;
	if (pic_wasi_u32(cells, 3) != 0)
		return PIC_WASI_INVAL;
	return do_send(wasi, file, cells, fixed_peer(file), pic_wasi_u32(cells, 4));
}

static bool wrote_to_us(const struct pic_wasi_socket *socket, const struct pic_wasi_address *peer)
{
	for (uint32_t i = 0; i < PIC_WASI_PEERS; i++)
		if (pic_wasi_address_equal(&socket->peers[i], peer))
			return true;
	return false;
}

/* Makes a datagram socket fit to send to `to`; *explicit tells whether the address must be given. */
static uint32_t reach(struct pic_wasi *wasi, struct pic_wasi_file *file,
		      const struct pic_wasi_address *to, bool *explicit)
{
	struct pic_wasi_socket *socket = file->socket;
	uint32_t r;

	*explicit = socket->bound;
	if (socket->bound)
		return wrote_to_us(socket, to) || pic_wasi_address_granted(wasi->spec, PIC_UDP, to)
			       ? PIC_WASI_SUCCESS
			       : PIC_WASI_ACCES;
	if (file->kind == PIC_KIND_DATAGRAM && pic_wasi_address_equal(&socket->peer, to))
		return PIC_WASI_SUCCESS;
	r = pic_wasi_make(wasi, file, PIC_BROKER_CONNECT, to, 0);
	if (r == PIC_WASI_SUCCESS)
		socket->peer = *to;
	return r;
}

uint32_t pic_wasi_sock_send_to(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct pic_wasi_address to;
	bool explicit = false;
	uint32_t r = PIC_WASI_SUCCESS;
	struct pic_wasi_file *file =
		socket_at(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_WRITE, &r);

	if (!file)
		return r;
	if (pic_wasi_u32(cells, 5) != 0)
		return PIC_WASI_INVAL;
	r = pic_wasi_address_read(wasi, pic_wasi_u32(cells, 3), pic_wasi_u32(cells, 4), &to);
	if (r != PIC_WASI_SUCCESS)
		return r;
	if (file->socket && !file->socket->stream) {
		if (to.family != file->socket->family)
			return PIC_WASI_AFNOSUPPORT;
		r = reach(wasi, file, &to, &explicit);
		if (r != PIC_WASI_SUCCESS)
			return r;
	}
	return do_send(wasi, file, cells, explicit ? &to : NULL, pic_wasi_u32(cells, 6));
}

uint32_t pic_wasi_sock_shutdown(struct pic_wasi *wasi, const uint64_t *cells)
{
	static const int how[] = { -1, SHUT_RD, SHUT_WR, SHUT_RDWR };
	uint32_t r = PIC_WASI_SUCCESS, mode = pic_wasi_u32(cells, 1);
	struct pic_wasi_file *file =
		socket_at(wasi, pic_wasi_u32(cells, 0), PIC_WASI_RIGHT_SOCK_SHUTDOWN, &r);

	if (!file)
		return r;
	if (mode == 0 || mode > 3)
		return PIC_WASI_INVAL;
	if (file->fd < 0)
		return PIC_WASI_NOTCONN;
	return shutdown(file->fd, how[mode]) < 0 ? pic_wasi_errno(errno) : PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_sock_accept_v2(struct pic_wasi *wasi, const uint64_t *cells)
{
	return pic_wasi_sock_accept(wasi, cells);
}

uint32_t pic_wasi_sock_recv_v2(struct pic_wasi *wasi, const uint64_t *cells)
{
	return pic_wasi_sock_recv(wasi, cells);
}

uint32_t pic_wasi_sock_recv_from_v2(struct pic_wasi *wasi, const uint64_t *cells)
{
	return pic_wasi_sock_recv_from(wasi, cells);
}

uint32_t pic_wasi_sock_send_v2(struct pic_wasi *wasi, const uint64_t *cells)
{
	return pic_wasi_sock_send(wasi, cells);
}

uint32_t pic_wasi_sock_send_to_v2(struct pic_wasi *wasi, const uint64_t *cells)
{
	return pic_wasi_sock_send_to(wasi, cells);
}
