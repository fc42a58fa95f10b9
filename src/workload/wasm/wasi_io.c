/*
 * Reading and writing, straight into and out of the guest's memory.
 *
 * Sockets and pipes are non-blocking on the host, always; for a guest that did not ask for that, the
 * waiting is done here. SIGPIPE is ignored in a runner, so a closed peer is an error number.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "workload/wasm/wasi.h"

#define DATAGRAM_MAX 65535

uint32_t pic_wasi_vector(struct pic_wasi *wasi, uint32_t list, uint32_t count,
			 struct pic_wasi_vector *out)
{
	const unsigned char *at =
		pic_wasi_memory(wasi, list, (uint64_t)count * PIC_WASI_IOVEC_SIZE);

	out->count = 0;
	out->size = 0;
	out->cut = false;
	if (count > PIC_WASI_IOVECS_MAX)
		return PIC_WASI_INVAL;
	if (!at)
		return PIC_WASI_FAULT;
	for (uint32_t i = 0; i < count; i++, at += PIC_WASI_IOVEC_SIZE) {
		uint32_t size = pic_wasi_load32(at + 4);
		void *part = pic_wasi_memory(wasi, pic_wasi_load32(at), size);

		if (!part)
			return PIC_WASI_FAULT;
		if (size == 0)
			continue;
		if (out->count == (int)PIC_WASI_IOVECS_ONCE) {
			out->cut =
				true; /* less than asked for is an answer that every caller knows */
			break;
		}
		out->parts[out->count++] = (struct iovec){ part, size };
		out->size += size;
	}
	return PIC_WASI_SUCCESS;
}

/* Forgets the first `size` bytes. */
static void advance(struct pic_wasi_vector *vector, size_t size)
{
	int done = 0;

	vector->size -= size;
	while (done < vector->count && size >= vector->parts[done].iov_len)
		size -= vector->parts[done++].iov_len;
	vector->count -= done;
	memmove(vector->parts, vector->parts + done, (size_t)vector->count * sizeof(struct iovec));
	if (vector->count > 0) {
		vector->parts[0].iov_base = (char *)vector->parts[0].iov_base + size;
		vector->parts[0].iov_len -= size;
	}
}

uint32_t pic_wasi_wait(int fd, short events, uint32_t timeout_ms)
{
	struct timespec timeout = { timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000 };
	struct pollfd one = { .fd = fd, .events = events };
	int n;

	do {
		n = ppoll(&one, 1, timeout_ms ? &timeout : NULL, NULL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return pic_wasi_errno(errno);
	return n == 0 ? PIC_WASI_AGAIN : PIC_WASI_SUCCESS;
}

static bool must_wait(const struct pic_wasi_file *file, ssize_t n)
{
	return n < 0 && errno == EAGAIN && !(file->flags & PIC_WASI_FD_NONBLOCK);
}

static void remember_peer(struct pic_wasi_socket *socket, const struct pic_wasi_address *peer)
{
	for (uint32_t i = 0; i < PIC_WASI_PEERS; i++)
		if (pic_wasi_address_equal(&socket->peers[i], peer))
			return;
	socket->peers[socket->peer_next++ % PIC_WASI_PEERS] = *peer;
}

static ssize_t receive_once(struct pic_wasi_file *file, struct pic_wasi_vector *vector, int flags,
			    struct pic_wasi_address *from, uint32_t *roflags)
{
	struct sockaddr_storage peer = { 0 };
	struct msghdr message = {
		.msg_iov = vector->parts,
		.msg_iovlen = (size_t)vector->count,
		.msg_name = &peer,
		.msg_namelen = sizeof(peer),
	};
	ssize_t n;

	if (file->kind == PIC_KIND_STREAM && vector->count == 1)
		return recv(file->fd, vector->parts[0].iov_base, vector->parts[0].iov_len, flags);
	n = recvmsg(file->fd, &message, flags | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return n;
	if (message.msg_flags & MSG_TRUNC)
		*roflags |= PIC_WASI_RECV_TRUNCATED;
	if (file->kind == PIC_KIND_DATAGRAM) {
		struct pic_wasi_address address = { 0 };

		pic_wasi_address_from_host(&peer, &address);
		if (file->socket && address.family)
			remember_peer(file->socket, &address);
		if (from)
			*from = address;
	}
	return n;
}

uint32_t pic_wasi_receive(struct pic_wasi_file *file, struct pic_wasi_vector *vector,
			  uint32_t riflags, struct pic_wasi_address *from, size_t *size,
			  uint32_t *roflags)
{
	bool all = riflags & PIC_WASI_RECV_WAITALL && file->kind == PIC_KIND_STREAM &&
		   !(riflags & PIC_WASI_RECV_PEEK);
	size_t done = 0;
	ssize_t n;

	if (riflags & ~(PIC_WASI_RECV_PEEK | PIC_WASI_RECV_WAITALL))
		return PIC_WASI_INVAL;
	if (file->kind == PIC_KIND_UNMADE || file->kind == PIC_KIND_LISTENER)
		return PIC_WASI_NOTCONN;
	*roflags = 0;
	*size = 0;
	if (vector->size == 0 && file->kind == PIC_KIND_STREAM)
		return PIC_WASI_SUCCESS; /* nothing is asked for, so there is nothing to wait for */
	do {
		uint32_t r;

		n = receive_once(file, vector, riflags & PIC_WASI_RECV_PEEK ? MSG_PEEK : 0, from,
				 roflags);
		if (must_wait(file, n)) {
			r = pic_wasi_wait(file->fd, POLLIN, file->receive_ms);
			if (r != PIC_WASI_SUCCESS && done == 0)
				return r;
			if (r != PIC_WASI_SUCCESS)
				break;
			continue;
		}
		if (n < 0 && done == 0)
			return pic_wasi_errno(errno);
		if (n <= 0)
			break;
		done += (size_t)n;
		advance(vector, (size_t)n);
		if (!all)
			break;
	} while (vector->size > 0);
	*size = done;
	return PIC_WASI_SUCCESS;
}

static ssize_t send_datagram(int fd, const struct pic_wasi_vector *vector,
			     const struct pic_wasi_address *to)
{
	struct sockaddr_storage address;
	socklen_t length = to ? pic_wasi_address_to_host(to, &address) : 0;
	char PIC_FREE *bytes = NULL;
	size_t size = 0;

	if (vector->cut || vector->size > DATAGRAM_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	bytes = malloc(vector->size + 1);
	if (!bytes)
		return -1;
	for (int i = 0; i < vector->count; i++) {
		memcpy(bytes + size, vector->parts[i].iov_base, vector->parts[i].iov_len);
		size += vector->parts[i].iov_len;
	}
	return sendto(fd, bytes, size, MSG_NOSIGNAL, to ? (struct sockaddr *)&address : NULL,
		      length);
}

static ssize_t send_once(struct pic_wasi_file *file, const struct pic_wasi_vector *vector,
			 const struct pic_wasi_address *to)
{
	if (file->kind == PIC_KIND_DATAGRAM)
		return send_datagram(file->fd, vector, to);
	if (vector->count == 1)
		return send(file->fd, vector->parts[0].iov_base, vector->parts[0].iov_len,
			    MSG_NOSIGNAL);
	return writev(file->fd, vector->parts, vector->count);
}

/* A guest that did not ask for non-blocking expects all of it to be sent, as from a blocking socket. */
uint32_t pic_wasi_send(struct pic_wasi_file *file, const struct pic_wasi_vector *vector,
		       const struct pic_wasi_address *to, size_t *size)
{
	struct pic_wasi_vector rest = *vector;
	size_t done = 0;

	if (file->kind == PIC_KIND_UNMADE || file->kind == PIC_KIND_LISTENER)
		return PIC_WASI_NOTCONN;
	for (;;) {
		ssize_t n = send_once(file, &rest, to);
		uint32_t r;

		if (must_wait(file, n)) {
			r = pic_wasi_wait(file->fd, POLLOUT, file->send_ms);
			if (r != PIC_WASI_SUCCESS && done == 0)
				return r;
			if (r != PIC_WASI_SUCCESS)
				break;
			continue;
		}
		if (n < 0 && done == 0)
			return pic_wasi_errno(errno);
		if (n < 0)
			break;
		done += (size_t)n;
		if (file->kind == PIC_KIND_DATAGRAM || (size_t)n >= rest.size)
			break;
		advance(&rest, (size_t)n);
		if (file->flags & PIC_WASI_FD_NONBLOCK)
			break;
	}
	*size = done;
	return PIC_WASI_SUCCESS;
}

static uint32_t result(ssize_t n, size_t *size)
{
	if (n < 0)
		return pic_wasi_errno(errno);
	*size = (size_t)n;
	return PIC_WASI_SUCCESS;
}

static uint32_t read_file(struct pic_wasi_file *file, struct pic_wasi_vector *vector, size_t *size)
{
	uint32_t roflags;

	switch ((enum pic_wasi_kind)file->kind) {
	case PIC_KIND_STDIN:
		*size = 0;
		return PIC_WASI_SUCCESS;
	case PIC_KIND_FILE:
	case PIC_KIND_PIPE:
		return result(readv(file->fd, vector->parts, vector->count), size);
	case PIC_KIND_UNMADE:
	case PIC_KIND_LISTENER:
	case PIC_KIND_STREAM:
	case PIC_KIND_DATAGRAM:
		return pic_wasi_receive(file, vector, 0, NULL, size, &roflags);
	case PIC_KIND_FOLDER:
		return PIC_WASI_ISDIR;
	case PIC_KIND_FREE:
	case PIC_KIND_STDOUT:
	case PIC_KIND_STDERR:
		break;
	}
	return PIC_WASI_BADF;
}

static uint32_t write_log(struct pic_wasi *wasi, char stream, const struct pic_wasi_vector *vector,
			  size_t *size)
{
	for (int i = 0; i < vector->count; i++)
		pic_workload_log_write(wasi->log, stream, vector->parts[i].iov_base,
				       vector->parts[i].iov_len);
	*size = vector->size;
	return PIC_WASI_SUCCESS;
}

static uint32_t write_file(struct pic_wasi *wasi, struct pic_wasi_file *file,
			   const struct pic_wasi_vector *vector, size_t *size)
{
	switch ((enum pic_wasi_kind)file->kind) {
	case PIC_KIND_STDOUT:
		return write_log(wasi, 'o', vector, size);
	case PIC_KIND_STDERR:
		return write_log(wasi, 'e', vector, size);
	case PIC_KIND_FILE:
	case PIC_KIND_PIPE:
		return result(writev(file->fd, vector->parts, vector->count), size);
	case PIC_KIND_UNMADE:
	case PIC_KIND_LISTENER:
	case PIC_KIND_STREAM:
	case PIC_KIND_DATAGRAM:
		return pic_wasi_send(file, vector, NULL, size);
	case PIC_KIND_FOLDER:
		return PIC_WASI_ISDIR;
	case PIC_KIND_FREE:
	case PIC_KIND_STDIN:
		break;
	}
	return PIC_WASI_BADF;
}

/* What fd_read and fd_write have in common: descriptor, place of the result, parts. */
static uint32_t transfer(struct pic_wasi *wasi, const uint64_t *cells, uint64_t right)
{
	struct pic_wasi_vector vector;
	uint32_t r = PIC_WASI_SUCCESS, out = pic_wasi_u32(cells, 3);
	struct pic_wasi_file *file = pic_wasi_file_for(wasi, pic_wasi_u32(cells, 0), right, &r);
	size_t size = 0;

	if (!file)
		return r;
	if (!pic_wasi_memory(wasi, out, 4))
		return PIC_WASI_FAULT;
	r = pic_wasi_vector(wasi, pic_wasi_u32(cells, 1), pic_wasi_u32(cells, 2), &vector);
	if (r != PIC_WASI_SUCCESS)
		return r;
	if (right == PIC_WASI_RIGHT_READ)
		r = read_file(file, &vector, &size);
	else
		r = write_file(wasi, file, &vector, &size);
	if (r == PIC_WASI_SUCCESS)
		pic_wasi_put32(wasi, out, (uint32_t)size);
	return r;
}

uint32_t pic_wasi_fd_read(struct pic_wasi *wasi, const uint64_t *cells)
{
	return transfer(wasi, cells, PIC_WASI_RIGHT_READ);
}

uint32_t pic_wasi_fd_write(struct pic_wasi *wasi, const uint64_t *cells)
{
	return transfer(wasi, cells, PIC_WASI_RIGHT_WRITE);
}

static uint32_t transfer_at(struct pic_wasi *wasi, const uint64_t *cells, uint64_t right)
{
	struct pic_wasi_vector vector;
	uint32_t r = PIC_WASI_SUCCESS, out = pic_wasi_u32(cells, 4);
	struct pic_wasi_file *file =
		pic_wasi_file_for(wasi, pic_wasi_u32(cells, 0), right | PIC_WASI_RIGHT_SEEK, &r);
	size_t size = 0;

	if (!file)
		return r;
	if (file->kind != PIC_KIND_FILE)
		return PIC_WASI_SPIPE;
	if (!pic_wasi_memory(wasi, out, 4))
		return PIC_WASI_FAULT;
	if (cells[3] > INT64_MAX)
		return PIC_WASI_INVAL;
	r = pic_wasi_vector(wasi, pic_wasi_u32(cells, 1), pic_wasi_u32(cells, 2), &vector);
	if (r != PIC_WASI_SUCCESS)
		return r;
	if (right == PIC_WASI_RIGHT_READ)
		r = result(preadv(file->fd, vector.parts, vector.count, (off_t)cells[3]), &size);
	else
		r = result(pwritev(file->fd, vector.parts, vector.count, (off_t)cells[3]), &size);
	if (r == PIC_WASI_SUCCESS)
		pic_wasi_put32(wasi, out, (uint32_t)size);
	return r;
}

uint32_t pic_wasi_fd_pread(struct pic_wasi *wasi, const uint64_t *cells)
{
	return transfer_at(wasi, cells, PIC_WASI_RIGHT_READ);
}

uint32_t pic_wasi_fd_pwrite(struct pic_wasi *wasi, const uint64_t *cells)
{
	return transfer_at(wasi, cells, PIC_WASI_RIGHT_WRITE);
}
