/* The WasmEdge dialect's addresses: of a call, of a socket, and from a name. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/text.h"
#include "workload/wasm/wasi.h"

#define LONG_FORM 128u /* the buffer of version 2: a family, then the address */

/* The guest's {pointer, length} of an address buffer. */
static unsigned char *address_buffer(struct pic_wasi *wasi, uint32_t offset, uint32_t *size)
{
	const unsigned char *record = pic_wasi_memory(wasi, offset, 8);

	if (!record)
		return NULL;
	*size = pic_wasi_load32(record + 4);
	return pic_wasi_memory(wasi, pic_wasi_load32(record), *size);
}

uint32_t pic_wasi_address_read(struct pic_wasi *wasi, uint32_t offset, uint32_t port,
			       struct pic_wasi_address *out)
{
	uint32_t size, family;
	const unsigned char *at = address_buffer(wasi, offset, &size);

	memset(out, 0, sizeof(*out));
	if (!at)
		return PIC_WASI_FAULT;
	if (port > 65535)
		return PIC_WASI_INVAL;
	out->port = (uint16_t)port;
	if (size == LONG_FORM) {
		family = pic_wasi_load16(at);
		at += 2;
		size = family == PIC_WASI_FAMILY_INET4	 ? 4
		       : family == PIC_WASI_FAMILY_INET6 ? 16
							 : 0;
	}
	if (size != 4 && size != 16)
		return PIC_WASI_INVAL;
	out->family = size == 4 ? 4 : 6;
	memcpy(out->bytes, at, size);
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_address_write(struct pic_wasi *wasi, uint32_t offset,
				const struct pic_wasi_address *address)
{
	uint32_t size, need = address->family == 6 ? 16 : 4;
	unsigned char *at = address_buffer(wasi, offset, &size);

	if (!at)
		return PIC_WASI_FAULT;
	if (size == LONG_FORM) {
		pic_wasi_store16(at, address->family == 6 ? PIC_WASI_FAMILY_INET6
							  : PIC_WASI_FAMILY_INET4);
		at += 2;
	} else if (size < need) {
		return PIC_WASI_INVAL;
	}
	memcpy(at, address->bytes, need);
	return PIC_WASI_SUCCESS;
}

typedef int name_function(int fd, struct sockaddr *address, socklen_t *size);

static uint32_t host_name(const struct pic_wasi_file *file, name_function *get,
			  struct pic_wasi_address *out)
{
	struct sockaddr_storage host = { 0 };
	socklen_t size = sizeof(host);

	if (file->fd < 0) {
		if (get == getpeername)
			return PIC_WASI_NOTCONN;
		*out = file->socket->local;
		out->family = file->socket->family;
		return PIC_WASI_SUCCESS;
	}
	if (get(file->fd, (struct sockaddr *)&host, &size) < 0)
		return pic_wasi_errno(errno);
	pic_wasi_address_from_host(&host, out);
	return out->family ? PIC_WASI_SUCCESS : PIC_WASI_AFNOSUPPORT;
}

static uint32_t get_name(struct pic_wasi *wasi, uint32_t fd, name_function *get,
			 struct pic_wasi_address *out)
{
	const struct pic_wasi_file *file = pic_wasi_file(wasi, fd);

	if (!file)
		return PIC_WASI_BADF;
	return pic_wasi_is_socket(file) ? host_name(file, get, out) : PIC_WASI_NOTSOCK;
}

/* Version 1: the family as 4 or 6 in a place of its own. */
static uint32_t name_1(struct pic_wasi *wasi, const uint64_t *cells, name_function *get)
{
	struct pic_wasi_address address = { 0 };
	uint32_t r = get_name(wasi, pic_wasi_u32(cells, 0), get, &address);

	if (r == PIC_WASI_SUCCESS)
		r = pic_wasi_address_write(wasi, pic_wasi_u32(cells, 1), &address);
	if (r == PIC_WASI_SUCCESS &&
	    (!pic_wasi_put32(wasi, pic_wasi_u32(cells, 2), address.family) ||
	     !pic_wasi_put32(wasi, pic_wasi_u32(cells, 3), address.port)))
		r = PIC_WASI_FAULT;
	return r;
}

static uint32_t name_2(struct pic_wasi *wasi, const uint64_t *cells, name_function *get)
{
	struct pic_wasi_address address = { 0 };
	uint32_t r = get_name(wasi, pic_wasi_u32(cells, 0), get, &address);

	if (r == PIC_WASI_SUCCESS)
		r = pic_wasi_address_write(wasi, pic_wasi_u32(cells, 1), &address);
	if (r == PIC_WASI_SUCCESS && !pic_wasi_put32(wasi, pic_wasi_u32(cells, 2), address.port))
		r = PIC_WASI_FAULT;
	return r;
}

uint32_t pic_wasi_sock_getlocaladdr_1(struct pic_wasi *wasi, const uint64_t *cells)
{
	return name_1(wasi, cells, getsockname);
}

uint32_t pic_wasi_sock_getpeeraddr_1(struct pic_wasi *wasi, const uint64_t *cells)
{
	return name_1(wasi, cells, getpeername);
}

uint32_t pic_wasi_sock_getlocaladdr(struct pic_wasi *wasi, const uint64_t *cells)
{
	return name_2(wasi, cells, getsockname);
}

uint32_t pic_wasi_sock_getpeeraddr(struct pic_wasi *wasi, const uint64_t *cells)
{
	return name_2(wasi, cells, getpeername);
}

uint32_t pic_wasi_sock_getlocaladdr_v2(struct pic_wasi *wasi, const uint64_t *cells)
{
	return name_2(wasi, cells, getsockname);
}

uint32_t pic_wasi_sock_getpeeraddr_v2(struct pic_wasi *wasi, const uint64_t *cells)
{
	return name_2(wasi, cells, getpeername);
}

/* A short text of the guest, without the NUL that some guests count. False: outside memory or too long. */
static bool short_text(struct pic_wasi *wasi, uint32_t offset, uint32_t size, char out[64])
{
	const char *at = pic_wasi_memory(wasi, offset, size);

	if (!at || size >= 64)
		return false;
	memcpy(out, at, size);
	out[size] = '\0';
	return true;
}

/* No resolver in here: addresses as numbers, and "localhost". */
static bool number_to_address(const char *node, uint32_t family, struct pic_wasi_address *out)
{
	if (family != PIC_WASI_FAMILY_INET6) {
		out->family = 4;
		if (inet_pton(AF_INET,
			      strcmp(node, "localhost") == 0 ? "127.0.0.1"
			      : node[0] == '\0'		     ? "0.0.0.0"
							     : node,
			      out->bytes) == 1)
			return true;
	}
	if (family != PIC_WASI_FAMILY_INET4) {
		out->family = 6;
		if (inet_pton(AF_INET6,
			      strcmp(node, "localhost") == 0 ? "::1"
			      : node[0] == '\0'		     ? "::"
							     : node,
			      out->bytes) == 1)
			return true;
	}
	return false;
}

/* Fills the guest's prepared addrinfo record (28 bytes), its sockaddr (12) and that one's data. */
static uint32_t put_info(struct pic_wasi *wasi, uint32_t offset, uint32_t type,
			 const struct pic_wasi_address *address)
{
	uint32_t family = address->family == 6 ? PIC_WASI_FAMILY_INET6 : PIC_WASI_FAMILY_INET4;
	uint32_t need = address->family == 6 ? 26 : 14;
	unsigned char *info = pic_wasi_memory(wasi, offset, 28), *name, *data;

	if (!info)
		return PIC_WASI_FAULT;
	name = pic_wasi_memory(wasi, pic_wasi_load32(info + 12), 12);
	if (!name)
		return PIC_WASI_FAULT;
	data = pic_wasi_memory(wasi, pic_wasi_load32(name + 8), need);
	if (!data)
		return PIC_WASI_FAULT;
	info[2] = (unsigned char)family;
	info[3] = (unsigned char)type;
	info[4] = type == PIC_WASI_SOCK_DATAGRAM ? 2 : 1;
	pic_wasi_store32(info + 8, need + 2);
	name[0] = (unsigned char)family;
	pic_wasi_store32(name + 4, need);
	memset(data, 0, need);
	data[0] = (unsigned char)(address->port >> 8);
	data[1] = (unsigned char)address->port;
	memcpy(data + (address->family == 6 ? 6 : 2), address->bytes,
	       address->family == 6 ? 16 : 4);
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_sock_getaddrinfo(struct pic_wasi *wasi, const uint64_t *cells)
{
	const unsigned char *hints = pic_wasi_memory(wasi, pic_wasi_u32(cells, 4), 28);
	const unsigned char *first = pic_wasi_memory(wasi, pic_wasi_u32(cells, 5), 4);
	struct pic_wasi_address address = { 0 };
	char node[64], service[64];
	uint32_t type, family, r;
	long long port = 0;

	if (!hints || !first || !pic_wasi_memory(wasi, pic_wasi_u32(cells, 7), 4))
		return PIC_WASI_FAULT;
	family = hints[2];
	type = hints[3] ? hints[3] : PIC_WASI_SOCK_STREAM;
	if (family > PIC_WASI_FAMILY_INET6)
		return PIC_WASI_AIFAMILY;
	if (type > PIC_WASI_SOCK_STREAM)
		return PIC_WASI_AISOCKTYPE;
	if (!short_text(wasi, pic_wasi_u32(cells, 0), pic_wasi_u32(cells, 1), node) ||
	    !number_to_address(node, family, &address))
		return PIC_WASI_AINONAME;
	if (!short_text(wasi, pic_wasi_u32(cells, 2), pic_wasi_u32(cells, 3), service) ||
	    (service[0] != '\0' && pic_integer_parse(service, 0, 65535, &port) < 0))
		return PIC_WASI_AISERVICE;
	address.port = (uint16_t)port;
	if (pic_wasi_u32(cells, 6) == 0)
		return PIC_WASI_INVAL;
	r = put_info(wasi, pic_wasi_load32(first), type, &address);
	if (r == PIC_WASI_SUCCESS)
		pic_wasi_put32(wasi, pic_wasi_u32(cells, 7), 1);
	return r;
}
