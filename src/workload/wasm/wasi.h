/*
 * Our WASI layer, inside: what one running module has open, and how its handlers reach its memory.
 *
 * A handler gets the guest's arguments as cells of eight bytes and answers a WASI errno. Everything in
 * them is hostile: an offset becomes a pointer only through pic_wasi_memory() with its full length, a
 * descriptor a file only through pic_wasi_file(). No pointer into its memory outlives a call: the
 * memory may move when it grows.
 *
 * Sockets have no kernel socket until the broker gave one; a runner may not make any itself.
 */
#ifndef PIC_WORKLOAD_WASM_WASI_H
#define PIC_WORKLOAD_WASM_WASI_H

#include <endian.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "admission/wasm_host.h"
#include "protocol/policy.h"
#include "workload/log.h"
#include "workload/wasm/spec.h"
#include "workload/wasm/wasi_abi.h"

#define PIC_WASI_FILES_MAX 512	  /* descriptors of one module */
#define PIC_WASI_IOVECS_MAX 1024u /* in a guest's list; what one system call takes is less */
#define PIC_WASI_IOVECS_ONCE 64u
#define PIC_WASI_SUBSCRIPTIONS_MAX 4096u
#define PIC_WASI_PATH_MAX 4096u

enum pic_wasi_kind {
	PIC_KIND_FREE, /* no such descriptor */
	PIC_KIND_STDIN,
	PIC_KIND_STDOUT,
	PIC_KIND_STDERR,
	PIC_KIND_FOLDER,
	PIC_KIND_FILE,
	PIC_KIND_PIPE,	   /* FIFO or device: never waits */
	PIC_KIND_UNMADE,   /* a socket that the broker has not made yet */
	PIC_KIND_LISTENER, /* TCP */
	PIC_KIND_STREAM,   /* TCP, connected or connecting */
	PIC_KIND_DATAGRAM, /* UDP */
};

#define PIC_WASI_OPTIONS 15
#define PIC_WASI_PEERS 16

struct pic_wasi_address {
	uint8_t family; /* 4 or 6; 0: none */
	uint16_t port;
	uint8_t bytes[16];
};

/* What only sockets have; apart, since most descriptors are none. */
struct pic_wasi_socket {
	uint8_t family; /* 4 or 6 */
	bool stream;
	bool bound;		       /* a datagram socket that the broker bound */
	struct pic_wasi_address local; /* asked for with sock_bind */
	struct pic_wasi_address peer;  /* a datagram socket's fixed peer */
	uint32_t option_mask;	       /* set before the socket was made */
	int32_t options[PIC_WASI_OPTIONS];
	uint32_t peer_next;
	struct pic_wasi_address peers[PIC_WASI_PEERS]; /* who wrote to a datagram socket lately */
};

struct pic_wasi_file {
	int fd; /* the host's; -1: none */
	uint8_t kind;
	uint8_t filetype;	      /* as the guest sees it */
	uint16_t flags;		      /* fdflags as the guest set them */
	uint32_t receive_ms, send_ms; /* how long a waiting call may wait; 0: for ever */
	bool read_only;		      /* below a read-only folder */
	bool path_only; /* an O_PATH descriptor: to be opened again before it is read */
	uint64_t rights, inheriting;
	const char *preopen; /* the guest's name of a preopened folder */
	struct pic_wasi_socket *socket;
};

struct pic_wasi {
	unsigned char *memory; /* the guest's, as long as one call lasts */
	uint64_t memory_size;
	const struct pic_wasm_spec *spec;
	struct pic_workload_log *log;
	const char *program; /* argument 0 */
	int broker_fd;
	uint32_t sequence;
	struct pic_wasi_file *files;
	uint32_t file_count;
	struct pollfd *polls;
	size_t poll_capacity;
	bool exited;
	int32_t exit_status;
	void (*on_idle)(void); /* or NULL: the module has waited for a while */
	const char *trap;      /* set by a handler: the module ends with this sentence */
};

/* wasi.c */
int pic_wasi_new(struct pic_wasi **out, const struct pic_wasm_spec *spec,
		 struct pic_workload_log *log, const char *program, int broker_fd,
		 struct pic_error *err);
void pic_wasi_free(struct pic_wasi *wasi);
/* Folders of the spec in its order: the descriptors pass to the layer. */
int pic_wasi_add_folders(struct pic_wasi *wasi, const int *fds, struct pic_error *err);
/* Listeners of the spec, asked of the broker, for modules that cannot open sockets. */
int pic_wasi_add_listeners(struct pic_wasi *wasi, struct pic_error *err);
struct pic_wasi_file *pic_wasi_file(struct pic_wasi *wasi, uint32_t fd);
/* A descriptor with all of `rights`; else *wasi_errno says why not. */
struct pic_wasi_file *pic_wasi_file_for(struct pic_wasi *wasi, uint32_t fd, uint64_t rights,
					uint32_t *wasi_errno);
/* The lowest free descriptor gets *file (whose fd passes on success only); a WASI errno. */
uint32_t pic_wasi_file_add(struct pic_wasi *wasi, const struct pic_wasi_file *file, uint32_t *fd);
void pic_wasi_file_close(struct pic_wasi_file *file);
/* An O_PATH folder becomes one that can be read. */
uint32_t pic_wasi_file_readable(struct pic_wasi_file *file);
bool pic_wasi_is_socket(const struct pic_wasi_file *file);

/* wasi_errno.c */
uint32_t pic_wasi_errno(int host_errno);

/* wasi_io.c: reading and writing, also of sockets */
struct pic_wasi_vector {
	struct iovec parts[PIC_WASI_IOVECS_ONCE];
	int count;
	size_t size;
	bool cut; /* the guest's list was longer */
};
uint32_t pic_wasi_vector(struct pic_wasi *wasi, uint32_t list, uint32_t count,
			 struct pic_wasi_vector *out);
/* Waits until the descriptor is ready for `events`, at most timeout_ms (0: for ever), then AGAIN. */
uint32_t pic_wasi_wait(int fd, short events, uint32_t timeout_ms);
uint32_t pic_wasi_receive(struct pic_wasi_file *file, struct pic_wasi_vector *vector,
			  uint32_t riflags, struct pic_wasi_address *from, size_t *size,
			  uint32_t *roflags);
uint32_t pic_wasi_send(struct pic_wasi_file *file, const struct pic_wasi_vector *vector,
		       const struct pic_wasi_address *to, size_t *size);

/* wasi_address.c */
socklen_t pic_wasi_address_to_host(const struct pic_wasi_address *address,
				   struct sockaddr_storage *out);
void pic_wasi_address_from_host(const struct sockaddr_storage *host, struct pic_wasi_address *out);
bool pic_wasi_address_equal(const struct pic_wasi_address *a, const struct pic_wasi_address *b);
void pic_wasi_address_text(const struct pic_wasi_address *address, char out[64]);
bool pic_wasi_address_granted(const struct pic_wasm_spec *spec, uint8_t transport,
			      const struct pic_wasi_address *address);

/* wasi_make.c: sockets from the broker. On failure the file is as it was. */
#define PIC_WASI_RIGHTS_SOCKET \
	(PIC_WASI_RIGHT_READ | PIC_WASI_RIGHT_WRITE | PIC_WASI_RIGHT_SET_FLAGS | \
	 PIC_WASI_RIGHT_STAT | PIC_WASI_RIGHT_POLL | PIC_WASI_RIGHT_SOCK_ACCEPT | \
	 PIC_WASI_RIGHT_SOCK_SHUTDOWN)
uint32_t pic_wasi_make(struct pic_wasi *wasi, struct pic_wasi_file *file, uint32_t operation,
		       const struct pic_wasi_address *address, uint32_t backlog);

/* wasi_option.c */
bool pic_wasi_option_set(int fd, uint32_t name, int32_t value);
/* wasi_name.c: the WasmEdge dialect's addresses in the guest's memory; a WASI errno */
uint32_t pic_wasi_address_read(struct pic_wasi *wasi, uint32_t offset, uint32_t port,
			       struct pic_wasi_address *out);
uint32_t pic_wasi_address_write(struct pic_wasi *wasi, uint32_t offset,
				const struct pic_wasi_address *address);

/* NULL when any of the `size` bytes at `offset` is outside the guest's memory. */
static inline void *pic_wasi_memory(const struct pic_wasi *wasi, uint32_t offset, uint64_t size)
{
	if (size > wasi->memory_size || offset > wasi->memory_size - size)
		return NULL;
	return wasi->memory + offset;
}

/* Argument cells: the runtime fills the low bytes of a cell with an i32, all of it with an i64. */
static inline uint32_t pic_wasi_u32(const uint64_t *cells, unsigned index)
{
	uint32_t value;

	memcpy(&value, &cells[index], sizeof(value));
	return value;
}

static inline uint16_t pic_wasi_load16(const void *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

static inline uint32_t pic_wasi_load32(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t pic_wasi_load64(const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static inline void pic_wasi_store16(void *at, uint16_t value)
{
	value = htole16(value);
	memcpy(at, &value, sizeof(value));
}

static inline void pic_wasi_store32(void *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void pic_wasi_store64(void *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

/* A result of four bytes: false when it would be outside memory. */
static inline bool pic_wasi_put32(struct pic_wasi *wasi, uint32_t offset, uint32_t value)
{
	void *at = pic_wasi_memory(wasi, offset, sizeof(value));

	if (at)
		pic_wasi_store32(at, value);
	return at != NULL;
}

static inline bool pic_wasi_put64(struct pic_wasi *wasi, uint32_t offset, uint64_t value)
{
	void *at = pic_wasi_memory(wasi, offset, sizeof(value));

	if (at)
		pic_wasi_store64(at, value);
	return at != NULL;
}

/* The handlers: one for each function of admission/wasm_host.h, in the wasi_*.c files by subject. */
typedef uint32_t pic_wasi_handler(struct pic_wasi *wasi, const uint64_t *cells);
#define X(handler, name, signature, dialect) pic_wasi_handler pic_wasi_##handler;
PIC_WASM_HOST_FUNCTIONS(X)
#undef X
/* natives.c */
pic_wasi_handler *pic_wasi_handler_at(enum pic_wasm_host_id id);

#endif
