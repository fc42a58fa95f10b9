/* The table of what a module has open. */
#include "workload/wasm/wasi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "workload/broker.h"
#include "workload/wasm/path.h"

#define RIGHTS_STDIO (PIC_WASI_RIGHT_SET_FLAGS | PIC_WASI_RIGHT_STAT | PIC_WASI_RIGHT_POLL)
/* Rights of a folder: all but what makes no sense there. wasi-libc takes a folder that could be read
 * or written as a file for one. */
#define RIGHTS_FOLDER \
	(PIC_WASI_RIGHTS_ALL & \
	 ~(PIC_WASI_RIGHT_READ | PIC_WASI_RIGHT_WRITE | PIC_WASI_RIGHT_SEEK | \
	   PIC_WASI_RIGHT_TELL | PIC_WASI_RIGHT_ALLOCATE | PIC_WASI_RIGHT_ADVISE | \
	   PIC_WASI_RIGHT_SET_SIZE | PIC_WASI_RIGHT_SOCK_ACCEPT | PIC_WASI_RIGHT_SOCK_SHUTDOWN))

static void add_stdio(struct pic_wasi *wasi)
{
	static const struct pic_wasi_file stdio[] = {
		{ .fd = -1,
		  .kind = PIC_KIND_STDIN,
		  .filetype = PIC_WASI_TYPE_CHARACTER,
		  .rights = RIGHTS_STDIO | PIC_WASI_RIGHT_READ },
		{ .fd = -1,
		  .kind = PIC_KIND_STDOUT,
		  .filetype = PIC_WASI_TYPE_CHARACTER,
		  .flags = PIC_WASI_FD_APPEND,
		  .rights = RIGHTS_STDIO | PIC_WASI_RIGHT_WRITE },
		{ .fd = -1,
		  .kind = PIC_KIND_STDERR,
		  .filetype = PIC_WASI_TYPE_CHARACTER,
		  .flags = PIC_WASI_FD_APPEND,
		  .rights = RIGHTS_STDIO | PIC_WASI_RIGHT_WRITE },
	};

	memcpy(wasi->files, stdio, sizeof(stdio));
}

int pic_wasi_new(struct pic_wasi **out, const struct pic_wasm_spec *spec,
		 struct pic_workload_log *log, const char *program, int broker_fd,
		 struct pic_error *err)
{
	struct pic_wasi *wasi = calloc(1, sizeof(*wasi));
	struct pic_wasi_file *files = calloc(16, sizeof(*files));

	if (!wasi || !files) {
		free(wasi);
		free(files);
		return pic_error_set(err, -ENOMEM, "no memory for the module's descriptors");
	}
	wasi->spec = spec;
	wasi->log = log;
	wasi->program = program;
	wasi->broker_fd = broker_fd;
	wasi->files = files;
	wasi->file_count = 16;
	add_stdio(wasi);
	*out = wasi;
	return 0;
}

void pic_wasi_free(struct pic_wasi *wasi)
{
	if (!wasi)
		return;
	for (uint32_t i = 0; i < wasi->file_count; i++)
		pic_wasi_file_close(&wasi->files[i]);
	free(wasi->files);
	free(wasi->polls);
	free(wasi);
}

struct pic_wasi_file *pic_wasi_file(struct pic_wasi *wasi, uint32_t fd)
{
	if (fd >= wasi->file_count || wasi->files[fd].kind == PIC_KIND_FREE)
		return NULL;
	return &wasi->files[fd];
}

struct pic_wasi_file *pic_wasi_file_for(struct pic_wasi *wasi, uint32_t fd, uint64_t rights,
					uint32_t *wasi_errno)
{
	struct pic_wasi_file *file = pic_wasi_file(wasi, fd);

	if (!file)
		*wasi_errno = PIC_WASI_BADF;
	else if ((file->rights & rights) != rights)
		*wasi_errno = PIC_WASI_NOTCAPABLE;
	else
		return file;
	return NULL;
}

static uint32_t grow(struct pic_wasi *wasi)
{
	uint32_t count = wasi->file_count * 2;
	struct pic_wasi_file *files;

	if (count > PIC_WASI_FILES_MAX)
		return PIC_WASI_MFILE;
	files = realloc(wasi->files, count * sizeof(*files));
	if (!files)
		return PIC_WASI_NOMEM;
	memset(files + wasi->file_count, 0, (count - wasi->file_count) * sizeof(*files));
	wasi->files = files;
	wasi->file_count = count;
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_file_add(struct pic_wasi *wasi, const struct pic_wasi_file *file, uint32_t *fd)
{
	uint32_t i = 0, r;

	while (i < wasi->file_count && wasi->files[i].kind != PIC_KIND_FREE)
		i++;
	if (i == wasi->file_count) {
		r = grow(wasi);
		if (r != PIC_WASI_SUCCESS)
			return r;
	}
	wasi->files[i] = *file;
	*fd = i;
	return PIC_WASI_SUCCESS;
}

void pic_wasi_file_close(struct pic_wasi_file *file)
{
	if (file->kind == PIC_KIND_FREE)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file->socket);
	memset(file, 0, sizeof(*file));
}

uint32_t pic_wasi_file_readable(struct pic_wasi_file *file)
{
	int fd;

	if (!file->path_only)
		return PIC_WASI_SUCCESS;
	fd = pic_path_open(file->fd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return pic_wasi_errno(fd);
	close(file->fd);
	file->fd = fd;
	file->path_only = false;
	return PIC_WASI_SUCCESS;
}

bool pic_wasi_is_socket(const struct pic_wasi_file *file)
{
	return file->kind >= PIC_KIND_UNMADE && file->kind <= PIC_KIND_DATAGRAM;
}

int pic_wasi_add_folders(struct pic_wasi *wasi, const int *fds, struct pic_error *err)
{
	for (uint32_t i = 0; i < wasi->spec->folder_count; i++) {
		const struct pic_wasm_folder *folder = &wasi->spec->folders[i];
		struct pic_wasi_file file = {
			.fd = fds[i],
			.kind = PIC_KIND_FOLDER,
			.filetype = PIC_WASI_TYPE_DIRECTORY,
			.read_only = !folder->writable,
			.path_only = true,
			.rights = RIGHTS_FOLDER,
			.inheriting = PIC_WASI_RIGHTS_ALL,
			.preopen = folder->guest,
		};
		uint32_t fd;

		if (file.fd < 0)
			return pic_error_set(err, -EBADF, "folder %s was not opened",
					     folder->guest);
		if (pic_wasi_file_add(wasi, &file, &fd) != PIC_WASI_SUCCESS)
			return pic_error_set(err, -EMFILE, "too many folders for one module");
	}
	return 0;
}

static int add_listener(struct pic_wasi *wasi, const struct pic_policy_ports *ports,
			struct pic_error *err)
{
	struct pic_wasi_address address = {
		.family = ports->network.family == 6 ? 6 : 4,
		.port = ports->first,
	};
	struct pic_wasi_file file = {
		.fd = -1,
		.kind = PIC_KIND_UNMADE,
		.filetype = PIC_WASI_TYPE_STREAM,
		.flags = PIC_WASI_FD_NONBLOCK,
		.rights = PIC_WASI_RIGHTS_SOCKET,
		.inheriting = PIC_WASI_RIGHTS_ALL,
	};
	uint32_t r, fd;
	char text[64];

	memcpy(address.bytes, ports->network.address, sizeof(address.bytes));
	file.socket = calloc(1, sizeof(*file.socket));
	if (!file.socket)
		return pic_error_set(err, -ENOMEM, "no memory for a listener");
	file.socket->family = address.family;
	file.socket->stream = true;
	r = pic_wasi_make(wasi, &file, PIC_BROKER_LISTEN, &address, 128);
	if (r == PIC_WASI_SUCCESS)
		r = pic_wasi_file_add(wasi, &file, &fd);
	if (r != PIC_WASI_SUCCESS) {
		pic_wasi_file_close(&file);
		pic_wasi_address_text(&address, text);
		return pic_error_set(err, r == PIC_WASI_ACCES ? -EACCES : -EADDRINUSE,
				     "wasm.listen: cannot listen on %s: %s", text,
				     r == PIC_WASI_ACCES       ? "it is not granted"
				     : r == PIC_WASI_ADDRINUSE ? "the port is in use"
							       : "the broker refused");
	}
	return 0;
}

int pic_wasi_add_listeners(struct pic_wasi *wasi, struct pic_error *err)
{
	int r;

	for (uint32_t i = 0; i < wasi->spec->listen_count; i++) {
		const struct pic_policy_ports *ports = &wasi->spec->listen[i];

		/* A range is room for a module that chooses; this kind of module cannot. */
		if (ports->transport != PIC_TCP || ports->first != ports->last)
			continue;
		r = add_listener(wasi, ports, err);
		if (r < 0)
			return r;
	}
	return 0;
}
