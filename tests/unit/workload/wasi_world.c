#include "wasi_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "workload/broker_socket.h"

static void *serve(void *data)
{
	struct world *world = data;
	struct pic_broker_request request;

	while (recv(world->broker[0], &request, sizeof(request), 0) == (ssize_t)sizeof(request)) {
		int fd;

		world->last = request;
		world->asked++;
		if (world->mute)
			continue;
		fd = world->refuse ? world->refuse : pic_broker_socket(&request);
		pic_broker_reply(world->broker[0], request.sequence, fd < 0 ? fd : 0, fd);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

void world_open(struct world *world)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_workload_log *log;
	int fds[PIC_WASM_FOLDERS_MAX];

	for (unsigned i = 0; i < 2; i++) {
		world->log_fds[i] = memfd_create("log", MFD_CLOEXEC);
		assert_true(world->log_fds[i] >= 0);
	}
	assert_int_equal(pic_workload_log_new(
				 &log, (int[]){ dup(world->log_fds[0]), dup(world->log_fds[1]) },
				 64 * 1024, &err),
			 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, world->broker), 0);
	assert_int_equal(pthread_create(&world->broker_thread, NULL, serve, world), 0);
	assert_int_equal(
		pic_wasi_new(&world->wasi, &world->spec, log, "test", world->broker[1], &err), 0);
	for (uint32_t i = 0; i < world->spec.folder_count; i++) {
		fds[i] = open(world->spec.folders[i].host, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(fds[i] >= 0);
	}
	assert_int_equal(pic_wasi_add_folders(world->wasi, fds, &err), 0);
	world->wasi->memory = calloc(1, WORLD_MEMORY);
	world->wasi->memory_size = WORLD_MEMORY;
	assert_non_null(world->wasi->memory);
}

void world_close(struct world *world)
{
	struct pic_workload_log *log = world->wasi->log;

	free(world->wasi->memory);
	pic_wasi_free(world->wasi);
	pic_workload_log_free(log);
	close(world->broker[1]);
	pthread_join(world->broker_thread, NULL);
	close(world->broker[0]);
	for (unsigned i = 0; i < 2; i++)
		close(world->log_fds[i]);
}

uint32_t world_call(struct world *world, pic_wasi_handler *handler, ...)
{
	uint64_t cells[16] = { 0 }, cell;
	va_list arguments;
	unsigned n = 0;

	va_start(arguments, handler);
	while ((cell = va_arg(arguments, uint64_t)) != WORLD_END && n < 16)
		cells[n++] = cell;
	va_end(arguments);
	return handler(world->wasi, cells);
}

uint32_t world_text(struct world *world, uint32_t at, const char *text)
{
	memcpy(world->wasi->memory + at, text, strlen(text));
	return (uint32_t)strlen(text);
}

void world_vector(struct world *world, uint32_t at, uint32_t pointer, uint32_t size)
{
	world_put32(world, at, pointer);
	world_put32(world, at + 4, size);
}

uint32_t world_get32(struct world *world, uint32_t at)
{
	return pic_wasi_load32(world->wasi->memory + at);
}

uint64_t world_get64(struct world *world, uint32_t at)
{
	return pic_wasi_load64(world->wasi->memory + at);
}

void world_put32(struct world *world, uint32_t at, uint32_t value)
{
	pic_wasi_store32(world->wasi->memory + at, value);
}

void world_put64(struct world *world, uint32_t at, uint64_t value)
{
	pic_wasi_store64(world->wasi->memory + at, value);
}

char *world_log(struct world *world)
{
	struct pic_buf text = PIC_BUF_INIT(1 << 20);
	struct pic_error err = PIC_ERROR_INIT;
	uint64_t end;

	pic_workload_log_flush(world->wasi->log);
	assert_int_equal(pic_workload_log_read(world->log_fds, 0, 0, &text, &end, &err), 0);
	pic_buf_char(&text, '\0');
	return pic_buf_take(&text);
}
