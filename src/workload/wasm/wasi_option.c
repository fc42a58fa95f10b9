/* Socket options of the WasmEdge dialect: its level 0 is SOL_SOCKET, and there is no other. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "workload/wasm/wasi.h"

enum option {
	OPTION_REUSEADDR,
	OPTION_TYPE,
	OPTION_ERROR,
	OPTION_DONTROUTE,
	OPTION_BROADCAST,
	OPTION_SNDBUF,
	OPTION_RCVBUF,
	OPTION_KEEPALIVE,
	OPTION_OOBINLINE,
	OPTION_LINGER,
	OPTION_RCVLOWAT,
	OPTION_RCVTIMEO,
	OPTION_SNDTIMEO,
	OPTION_ACCEPTCONN,
	OPTION_BINDTODEVICE,
};

/* The options that are one number, on the host; 0: none of those. */
static int host_option(uint32_t name)
{
	static const int numbers[PIC_WASI_OPTIONS] = {
		[OPTION_REUSEADDR] = SO_REUSEADDR, [OPTION_DONTROUTE] = SO_DONTROUTE,
		[OPTION_BROADCAST] = SO_BROADCAST, [OPTION_SNDBUF] = SO_SNDBUF,
		[OPTION_RCVBUF] = SO_RCVBUF,	   [OPTION_KEEPALIVE] = SO_KEEPALIVE,
		[OPTION_OOBINLINE] = SO_OOBINLINE, [OPTION_RCVLOWAT] = SO_RCVLOWAT,
	};

	return name < PIC_WASI_OPTIONS ? numbers[name] : 0;
}

/* A linger of -1 is "off". */
bool pic_wasi_option_set(int fd, uint32_t name, int32_t value)
{
	if (name == OPTION_LINGER) {
		struct linger linger = { value >= 0, value >= 0 ? value : 0 };

		return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0;
	}
	return setsockopt(fd, SOL_SOCKET, host_option(name), &value, sizeof(value)) == 0;
}

/* A guest's time (two fields of 64 bits) as ms; what is shorter than one counts as one. */
static bool read_timeout(const unsigned char *at, uint32_t size, uint32_t *ms)
{
	uint64_t seconds, microseconds;

	if (size < 16)
		return false;
	seconds = pic_wasi_load64(at);
	microseconds = pic_wasi_load64(at + 8);
	if (seconds > 1000000 || microseconds > 999999)
		return false;
	*ms = (uint32_t)(seconds * 1000 + (microseconds + 999) / 1000);
	return true;
}

static uint32_t set_number(struct pic_wasi_file *file, uint32_t name, int32_t value)
{
	if (file->fd < 0) {
		file->socket->options[name] = value;
		file->socket->option_mask |= 1u << name;
		return PIC_WASI_SUCCESS;
	}
	return pic_wasi_option_set(file->fd, name, value) ? (uint32_t)PIC_WASI_SUCCESS
							  : pic_wasi_errno(errno);
}

static struct pic_wasi_file *option_file(struct pic_wasi *wasi, const uint64_t *cells, uint32_t *r)
{
	struct pic_wasi_file *file = pic_wasi_file(wasi, pic_wasi_u32(cells, 0));

	if (!file)
		*r = PIC_WASI_BADF;
	else if (!pic_wasi_is_socket(file))
		*r = PIC_WASI_NOTSOCK;
	else if (pic_wasi_u32(cells, 1) != 0 || pic_wasi_u32(cells, 2) >= PIC_WASI_OPTIONS)
		*r = PIC_WASI_INVAL;
	else
		return file;
	return NULL;
}

uint32_t pic_wasi_sock_setsockopt(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t r = PIC_WASI_SUCCESS, name = pic_wasi_u32(cells, 2), size = pic_wasi_u32(cells, 4);
	struct pic_wasi_file *file = option_file(wasi, cells, &r);
	const unsigned char *at = pic_wasi_memory(wasi, pic_wasi_u32(cells, 3), size);
	int32_t value;

	if (!file)
		return r;
	if (!at)
		return PIC_WASI_FAULT;
	if (name == OPTION_RCVTIMEO)
		return read_timeout(at, size, &file->receive_ms) ? PIC_WASI_SUCCESS
								 : PIC_WASI_INVAL;
	if (name == OPTION_SNDTIMEO)
		return read_timeout(at, size, &file->send_ms) ? PIC_WASI_SUCCESS : PIC_WASI_INVAL;
	if (size < 4 || (name == OPTION_LINGER && size < 8))
		return PIC_WASI_INVAL;
	value = (int32_t)pic_wasi_load32(at);
	if (name == OPTION_LINGER)
		value = value ? (int32_t)pic_wasi_load32(at + 4) : -1;
	else if (host_option(name) == 0)
		return name == OPTION_BINDTODEVICE ? PIC_WASI_PERM : PIC_WASI_NOPROTOOPT;
	return set_number(file, name, value);
}

static uint32_t get_number(const struct pic_wasi_file *file, uint32_t name, int32_t *value)
{
	int number = name == OPTION_ERROR ? SO_ERROR : host_option(name);
	socklen_t size = sizeof(*value);

	*value = 0;
	switch ((enum option)name) {
	case OPTION_TYPE:
		*value = file->filetype == PIC_WASI_TYPE_DATAGRAM ? PIC_WASI_SOCK_DATAGRAM
								  : PIC_WASI_SOCK_STREAM;
		return PIC_WASI_SUCCESS;
	case OPTION_ACCEPTCONN:
		*value = file->kind == PIC_KIND_LISTENER;
		return PIC_WASI_SUCCESS;
	default:
		break;
	}
	if (number == 0)
		return PIC_WASI_NOPROTOOPT;
	if (file->fd < 0) {
		*value = file->socket->options[name];
		return PIC_WASI_SUCCESS;
	}
	if (getsockopt(file->fd, SOL_SOCKET, number, value, &size) < 0)
		return pic_wasi_errno(errno);
	if (name == OPTION_ERROR)
		*value = (int32_t)pic_wasi_errno(*value);
	return PIC_WASI_SUCCESS;
}

static void put_timeout(unsigned char *at, uint32_t ms)
{
	pic_wasi_store64(at, ms / 1000);
	pic_wasi_store64(at + 8, ms % 1000 * 1000ull);
}

uint32_t pic_wasi_sock_getsockopt(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t r = PIC_WASI_SUCCESS, name = pic_wasi_u32(cells, 2), room, need;
	struct pic_wasi_file *file = option_file(wasi, cells, &r);
	const unsigned char *size_at = pic_wasi_memory(wasi, pic_wasi_u32(cells, 4), 4);
	unsigned char *at;
	int32_t value;

	if (!file)
		return r;
	if (!size_at)
		return PIC_WASI_FAULT;
	room = pic_wasi_load32(size_at);
	need = name == OPTION_RCVTIMEO || name == OPTION_SNDTIMEO ? 16 : 4;
	at = pic_wasi_memory(wasi, pic_wasi_u32(cells, 3), room);
	if (!at)
		return PIC_WASI_FAULT;
	if (room < need)
		return PIC_WASI_INVAL;
	if (need == 16) {
		put_timeout(at, name == OPTION_RCVTIMEO ? file->receive_ms : file->send_ms);
	} else {
		r = get_number(file, name, &value);
		if (r != PIC_WASI_SUCCESS)
			return r;
		pic_wasi_store32(at, (uint32_t)value);
	}
	pic_wasi_put32(wasi, pic_wasi_u32(cells, 4), need);
	return PIC_WASI_SUCCESS;
}
