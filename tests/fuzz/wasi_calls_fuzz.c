/*
 * Any calls with any arguments to everything that a module may call. The guest's memory is exactly as large as it
 * says, so the sanitizer sees what reaches outside; beside the module's two folders lies a third one, and a link to it
 * in both: when that or what may only be read has changed, somebody got out.
 *
 * Input: first some bytes of memory, then calls, a byte for the function and one for each argument, which chooses
 * among the numbers that matter.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "workload/wasm/runner.h"
#include "workload/wasm/wasi.h"

#define MEMORY 16384u
#define FROM_INPUT 64u /* bytes of memory that the input says */
#define ARGUMENTS 9
#define TEXTS 0x100u   /* a text every 32 bytes */
#define VECTORS 0x800u /* pairs of pointer and size */
#define POLLS 0xc00u   /* subscriptions */
#define RUNS_BETWEEN_CLEANUPS 200

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char *const texts[] = {
	"file",
	"..",
	"../secret",
	"../secret/key",
	"link",
	"link/key",
	"link/new",
	"sub",
	"sub/..",
	"sub/../..",
	"sub/../../secret/key",
	"/etc/passwd",
	"new",
	"sub/new",
	"up",
	"up/secret/key",
	"./file",
	"fifo",
	"loop",
	"loop/x",
	"",
	"/",
	"sub//",
	"file/",
	"....",
	"sub/link",
	"deep",
	"deep/file",
	"deep/../../ro/file",
	".",
};

static char place[] = "/tmp/piccolo-wasi-XXXXXX";
static jmp_buf would_wait;

/* Nobody waits here: the call is over then. */
int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	int n = poll(fds, count, 0);

	(void)mask;
	if (n == 0 && (!timeout || timeout->tv_sec || timeout->tv_nsec))
		longjmp(would_wait, 1);
	return n;
}

static void fail(const char *what)
{
	fprintf(stderr, "the module got out: %s in %s\n", what, place);
	abort();
}

static void put_file(int folder, const char *name, const char *text)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

static void check_file(const char *folder, const char *name, const char *text)
{
	char path[256], is[64] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", place, folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, is, sizeof(is) - 1) < 0 || strcmp(is, text) != 0)
		fail(path);
	close(fd);
}

static void check_count(const char *folder, unsigned entries)
{
	char path[256];
	DIR *list;

	snprintf(path, sizeof(path), "%s/%s", place, folder);
	list = opendir(path);
	for (unsigned i = 0; i < entries + 2; i++)
		if (!list || !readdir(list))
			fail(path);
	if (readdir(list))
		fail(path);
	closedir(list);
}

static void check_outside(void)
{
	check_count(".", 3);
	check_count("secret", 1);
	check_file("secret", "key", "secret");
	check_count("ro", 5);
	check_file("ro", "file", "read me");
}

static void fill_folder(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", place, name);
	mkdir(path, 0755);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_file(fd, "file", "read me");
	mkdirat(fd, "sub", 0755);
	if (symlinkat("../secret", fd, "link") + symlinkat("..", fd, "up") +
	    symlinkat("loop", fd, "loop"))
		abort();
	close(fd);
}

static void make_world(void)
{
	const struct rlimit small = { 1 << 20, 1 << 20 };
	char command[128], path[128];

	setrlimit(RLIMIT_FSIZE, &small);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(place))
		abort();
	snprintf(path, sizeof(path), "%s/secret", place);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/secret/key", place);
	put_file(AT_FDCWD, path, "secret");
	fill_folder("ro");
	snprintf(command, sizeof(command), "rm -rf '%s/rw'", place);
	if (system(command) != 0)
		abort();
	fill_folder("rw");
}

static void renew_folder(void)
{
	char command[128];

	snprintf(command, sizeof(command), "chmod -R u+rwx '%s/rw'; rm -rf '%s/rw'", place, place);
	if (system(command) != 0)
		abort();
	fill_folder("rw");
}

static void remove_world(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", place);
	if (system(command) != 0)
		return;
}

static void fill_memory(unsigned char *memory)
{
	static const uint32_t sizes[] = { 0, 1, 8, 100, MEMORY, UINT32_MAX };
	static const uint32_t places[] = { TEXTS, 0, MEMORY - 1, MEMORY, UINT32_MAX, 0x1000 };
	unsigned char *at = memory + VECTORS;

	for (size_t i = 0; i < PIC_COUNT(texts); i++)
		memcpy(memory + TEXTS + 32 * i, texts[i], strlen(texts[i]));
	for (size_t p = 0; p < PIC_COUNT(places); p++)
		for (size_t s = 0; s < PIC_COUNT(sizes); s++, at += 8) {
			pic_wasi_store32(at, places[p]);
			pic_wasi_store32(at + 4, sizes[s]);
		}
	for (uint32_t i = 0; i < 16; i++) {
		at = memory + POLLS + i * PIC_WASI_SUBSCRIPTION_SIZE;
		at[8] = (unsigned char)(i % 4);
		pic_wasi_store32(at + 16, i);
		pic_wasi_store64(at + 24, i % 3 ? 0 : 1u << 30);
	}
}

static uint64_t argument(unsigned char chosen)
{
	static const uint64_t numbers[] = {
		0,	    1,		2,	    4,	     8,		 9,	     14,
		15,	    16,		0x3fffffff, 1 << 20, UINT32_MAX, 0x80000000, INT64_MAX,
		UINT64_MAX, MEMORY - 4, MEMORY - 8, MEMORY,  MEMORY - 1, 0x2000,     0x1000,
		5,	    6,		7,	    3,	     10,	 11,	     12,
	};

	if (chosen < PIC_COUNT(numbers))
		return numbers[chosen];
	if (chosen < 64)
		return strlen(texts[(chosen - PIC_COUNT(numbers)) % PIC_COUNT(texts)]);
	if (chosen < 128)
		return TEXTS + 32 * (chosen - 64u) % (32 * PIC_COUNT(texts));
	if (chosen < 192)
		return VECTORS + 8 * (chosen - 128u);
	if (chosen < 208)
		return POLLS + (chosen - 192u) * PIC_WASI_SUBSCRIPTION_SIZE;
	return chosen - 208u; /* descriptors */
}

static void add_pair(struct pic_wasi *wasi, int type, enum pic_wasi_kind kind, uint8_t filetype)
{
	struct pic_wasi_file file = { .kind = (uint8_t)kind,
				      .filetype = filetype,
				      .rights = PIC_WASI_RIGHTS_SOCKET };
	int ends[2];
	uint32_t fd;

	if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		abort();
	if (write(ends[1], "from the other side", 19) != 19)
		abort();
	close(ends[1]);
	file.fd = ends[0];
	if (pic_wasi_file_add(wasi, &file, &fd) != PIC_WASI_SUCCESS)
		close(ends[0]);
}

static struct pic_wasi *open_layer(const struct pic_wasm_spec *spec, struct pic_workload_log *log)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_wasi *wasi = NULL;
	int fds[2];

	for (int i = 0; i < 2; i++)
		fds[i] = open(spec->folders[i].host, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (pic_wasi_new(&wasi, spec, log, "fuzz", -1, &err) < 0 ||
	    pic_wasi_add_folders(wasi, fds, &err) < 0)
		abort();
	add_pair(wasi, SOCK_STREAM, PIC_KIND_STREAM, PIC_WASI_TYPE_STREAM);
	add_pair(wasi, SOCK_DGRAM, PIC_KIND_DATAGRAM, PIC_WASI_TYPE_DATAGRAM);
	wasi->memory = malloc(MEMORY);
	wasi->memory_size = MEMORY;
	if (!wasi->memory)
		abort();
	memset(wasi->memory, 0, MEMORY);
	fill_memory(wasi->memory);
	return wasi;
}

static void call_all(struct pic_wasi *wasi, const unsigned char *data, size_t size)
{
	for (size_t at = 0; at < size && !wasi->exited;) {
		pic_wasi_handler *handler = pic_wasi_handler_at(
			(enum pic_wasm_host_id)(data[at++] % PIC_WASM_HOST_COUNT));
		uint64_t cells[ARGUMENTS] = { 0 };

		for (int i = 0; i < ARGUMENTS && at < size; i++)
			cells[i] = argument(data[at++]);
		if (setjmp(would_wait) == 0)
			handler(wasi, cells);
	}
}

static void say_spec(struct pic_wasm_spec *spec)
{
	static const char *const names[] = { "rw", "ro" };

	pic_wasm_spec_init(spec);
	spec->folder_count = 2;
	for (int i = 0; i < 2; i++) {
		snprintf(spec->folders[i].guest, sizeof(spec->folders[i].guest), "/%s", names[i]);
		snprintf(spec->folders[i].host, sizeof(spec->folders[i].host), "%s/%s", place,
			 names[i]);
		spec->folders[i].writable = i == 0;
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static unsigned runs;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_workload_log *log = NULL;
	struct pic_wasm_spec spec;
	struct pic_wasi *wasi;

	if (runs == 0) {
		make_world();
		atexit(remove_world);
	}
	if (++runs % RUNS_BETWEEN_CLEANUPS == 0)
		renew_folder();
	if (size < FROM_INPUT)
		return 0;
	say_spec(&spec);
	if (pic_workload_log_new_direct(&log, "fuzz", -1, -1, &err) < 0)
		return 0;
	wasi = open_layer(&spec, log);
	memcpy(wasi->memory, data, FROM_INPUT);
	call_all(wasi, data + FROM_INPUT, size - FROM_INPUT);
	check_outside();
	free(wasi->memory);
	pic_wasi_free(wasi);
	pic_workload_log_free(log);
	return 0;
}
