/*
 * Real modules, run by the driver in a child with its list of system calls: how they end, what their log says, and
 * what the process may still do.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "workload/log.h"
#include "workload/wasm/inspect.h"
#include "workload/wasm/runner.h"

#define MODULES PIC_TEST_BUILD_DIR "/samples/test-"

struct ending {
	int ready; /* how often */
	enum pic_end_kind kind;
	int value;
	char text[200];
	int exit_status; /* of the process; 1000 + signal */
	char log[16384];
};

static struct ending *shared; /* with the child */

static void on_ready(struct pic_runner *runner)
{
	(void)runner;
	shared->ready++;
}

static void on_ended(struct pic_runner *runner, enum pic_end_kind kind, int value, const char *text)
{
	(void)runner;
	shared->kind = kind;
	shared->value = value;
	snprintf(shared->text, sizeof(shared->text), "%s", text ? text : "");
}

static void child(struct pic_runner *runner, int (*instead)(void))
{
	const struct pic_driver *driver = pic_driver_find("wasm");
	struct pic_error err = PIC_ERROR_INIT;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || driver->confine(runner, &err) < 0)
		_exit(99);
	_exit(instead ? instead() : driver->run(runner));
}

static void run_fd(int fd, const struct pic_wasm_spec *spec, int (*instead)(void),
		   struct ending *out)
{
	static const struct pic_workload_name name = { "instance", "module" };
	struct pic_runner runner = { .name = &name,
				     .spec = spec,
				     .artifact_fd = fd,
				     .broker_fd = -1,
				     .ready = on_ready,
				     .ended = on_ended };
	int logs[2] = { memfd_create("a", 0), memfd_create("b", 0) }, status;
	struct pic_buf text = PIC_BUF_INIT(sizeof(out->log) - 1);
	uint64_t end;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	for (uint32_t i = 0; i < PIC_RUNNER_FILES_MAX; i++)
		runner.files[i] = i < spec->folder_count
					  ? open(spec->folders[i].host, O_PATH | O_DIRECTORY)
					  : -1;
	assert_int_equal(pic_workload_log_new(&runner.log, (int[]){ dup(logs[0]), dup(logs[1]) },
					      65536, NULL),
			 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(&runner, instead);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	shared->exit_status = WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
	assert_int_equal(pic_workload_log_read(logs, 0, 0, &text, &end, NULL), 0);
	snprintf(shared->log, sizeof(shared->log), "%s", pic_buf_text(&text));
	*out = *shared;
	pic_buf_free(&text);
	pic_workload_log_free(runner.log);
	for (uint32_t i = 0; i < spec->folder_count; i++)
		close(runner.files[i]);
	close(logs[0]);
	close(logs[1]);
}

static void run(const char *module, const struct pic_wasm_spec *spec, struct ending *out)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), MODULES "%s.wasm", module);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		fail_msg("%s is not built", path);
	run_fd(fd, spec, NULL, out);
	close(fd);
}

static struct pic_wasm_spec spec_with(const char *argument)
{
	struct pic_wasm_spec spec;

	pic_wasm_spec_init(&spec);
	if (argument)
		assert_int_equal(pic_wasm_spec_argument(&spec, argument, NULL), 0);
	return spec;
}

static void says_hello(void **state)
{
	struct pic_wasm_spec spec = spec_with("a b");
	struct ending end;

	(void)state;
	assert_int_equal(pic_wasm_spec_environment(&spec, "WHO=test", NULL), 0);
	run("hello", &spec, &end);
	assert_int_equal(end.exit_status, 0);
	assert_int_equal(end.kind, PIC_END_STATUS);
	assert_int_equal(end.value, 0);
	assert_int_equal(end.ready, 1);
	assert_non_null(strstr(end.log, " o hello test\n"));
	assert_non_null(strstr(end.log, " o argument 0: module\n"));
	assert_non_null(strstr(end.log, " o argument 1: a b\n"));
	assert_non_null(strstr(end.log, " o standard input: empty\n"));
	assert_non_null(strstr(end.log, " e to standard error\n"));
	assert_non_null(strstr(end.log, " p ended: exit status 0\n"));
}

static void passes_the_status_on(void **state)
{
	struct pic_wasm_spec spec = spec_with("7");
	struct ending end;

	(void)state;
	run("exit", &spec, &end);
	assert_int_equal(end.kind, PIC_END_STATUS);
	assert_int_equal(end.value, 7);
	assert_int_equal(end.exit_status, 7);
}

static void names_the_trap(void **state)
{
	static const struct {
		const char *how, *says;
	} cases[] = {
		{ "memory", "out of bounds memory access in read_far_away" },
		{ "divide", "integer divide by zero in divide_by_nothing" },
#ifdef __LP64__
		{ "deep", "wasm operand stack overflow in go_deeper" },
#else
		/* the interpreter's frames are smaller there: the stack in the module's memory ends first */
		{ "deep", "out of bounds memory access in go_deeper" },
#endif
		{ "other", "unreachable in give_up" },
	};
	struct ending end;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pic_wasm_spec spec = spec_with(cases[i].how);

		run("trap", &spec, &end);
		assert_string_equal(end.text, cases[i].says);
		assert_int_equal(end.kind, PIC_END_TRAP);
		assert_int_equal(end.exit_status, 134);
		assert_non_null(strstr(end.log, cases[i].says));
	}
}

static void obeys_its_memory(void **state)
{
	struct pic_wasm_spec spec = spec_with(NULL);
	struct ending end;

	(void)state;
	spec.memory_max = 8 * 1024 * 1024;
	run("hog", &spec, &end);
	assert_int_equal(end.exit_status, 0);
	assert_non_null(strstr(end.log, " o 7 megabytes\n"));
	spec.memory_max = 65536; /* less than it starts with */
	run("hog", &spec, &end);
	assert_int_equal(end.kind, PIC_END_INVALID);
	assert_non_null(strstr(end.text, "wasm.memory allows 64 KiB"));
	assert_int_equal(end.ready, 0);
}

static void refuses_what_cannot_run(void **state)
{
	struct pic_wasm_spec spec = spec_with(NULL);
	struct ending end;
	int fd;

	(void)state;
	run("missing", &spec, &end);
	assert_int_equal(end.kind, PIC_END_INVALID);
	assert_non_null(strstr(end.text, "env.open_the_pod_bay_doors"));
	assert_int_equal(end.ready, 0);
	fd = memfd_create("empty", 0);
	run_fd(fd, &spec, NULL, &end);
	assert_int_equal(end.kind, PIC_END_INVALID);
	assert_non_null(strstr(end.text, "empty"));
	assert_int_equal(write(fd, "<html>captive portal</html>", 27), 27);
	run_fd(fd, &spec, NULL, &end);
	assert_int_equal(end.kind, PIC_END_INVALID);
	assert_non_null(strstr(end.text, "web page"));
	close(fd);
}

/* Cut off at every 97th byte: a sentence each time, never a crash. */
static void survives_truncation(void **state)
{
	struct pic_wasm_spec spec = spec_with(NULL);
	struct ending end;
	char path[512], bytes[32768];
	ssize_t size;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), MODULES "exit.wasm");
	fd = open(path, O_RDONLY);
	size = read(fd, bytes, sizeof(bytes));
	close(fd);
	assert_in_range(size, 1000, sizeof(bytes));
	for (ssize_t cut = 1; cut < size - 3000; cut += 97) { /* the last part is custom sections */
		fd = memfd_create("cut", 0);
		assert_int_equal(write(fd, bytes, (size_t)cut), cut);
		run_fd(fd, &spec, NULL, &end);
		close(fd);
		assert_int_equal(end.kind, PIC_END_INVALID);
		assert_int_equal(end.exit_status, 1);
		assert_int_not_equal(end.text[0], '\0');
	}
}

static void uses_its_folder(void **state)
{
	char folder[] = "/tmp/piccolo-run-XXXXXX", word[64];
	struct pic_wasm_spec spec = spec_with("tour");
	struct ending end;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(word, sizeof(word), "/w:%s:rw", folder);
	assert_int_equal(pic_wasm_spec_folder(&spec, word, NULL), 0);
	run("files", &spec, &end);
	assert_int_equal(end.exit_status, 0);
	assert_non_null(strstr(end.log, " o 303 names\n"));
	assert_non_null(strstr(end.log, " o tour done\n"));
	spec.folders[0].writable = false;
	run("files", &spec, &end);
	assert_int_equal(end.exit_status, 1);
	assert_non_null(strstr(end.log, "Read-only file system"));
	assert_int_equal(rmdir(folder), 0);
}

static int make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? 1 : 2;
}

static int open_a_file(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 ? 1 : 2;
}

static int run_a_program(void)
{
	char *const words[] = { (char *)"/bin/true", NULL };

	return execv("/bin/true", words);
}

static int make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? 1
		       : 2;
}

static int fork_off(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0 ? 1 : 2;
}

static int look_below(void)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = { O_RDONLY | O_DIRECTORY, 0, 0 };

	return syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)) < 0 ? 1 : 2;
}

static int send_somewhere(void)
{
	struct sockaddr address = { .sa_family = AF_INET };

	return sendto(1, "x", 1, 0, &address, sizeof(address)) < 0 ? 1 : 2;
}

static int control_something(void)
{
	int number = 0;

	return syscall(SYS_ioctl, 0, 0x5401, &number) < 0 ? 1 : 2; /* TCGETS */
}

static int nothing_special(void)
{
	return 0;
}

/* What a guest that broke out of the engine would try. */
static void is_confined(void **state)
{
	static int (*const attempts[])(void) = {
		make_socket, run_a_program,  make_code,		fork_off,
		look_below,  send_somewhere, control_something,
#ifndef __SANITIZE_ADDRESS__
		open_a_file,
#endif
	};
	struct pic_wasm_spec spec = spec_with(NULL);
	struct ending end;

	(void)state;
	(void)open_a_file;
	run_fd(-1, &spec, nothing_special, &end);
	assert_int_equal(end.exit_status, 0);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		run_fd(-1, &spec, attempts[i], &end);
		if (end.exit_status != 1000 + SIGSYS)
			fail_msg("attempt %zu ended with %d", i, end.exit_status);
	}
	/* a folder brings openat2, a granted datagram port an address to send to */
	assert_int_equal(pic_wasm_spec_folder(&spec, "/t:/tmp", NULL), 0);
	assert_int_equal(pic_wasm_spec_listen(&spec, "udp:5000", NULL), 0);
	run_fd(-1, &spec, look_below, &end);
	assert_int_equal(end.exit_status, 2);
	run_fd(-1, &spec, send_somewhere, &end);
	assert_int_equal(end.exit_status, 1);
}

static void is_admitted(void **state)
{
	struct pic_wasm_spec spec = spec_with(NULL);
	struct pic_error err = PIC_ERROR_INIT;
	int fd = open(MODULES "hello.wasm", O_RDONLY);

	(void)state;
	assert_int_equal(pic_wasm_admit(fd, &spec, &err), 0);
	close(fd);
	fd = open(MODULES "missing.wasm", O_RDONLY);
	assert_int_equal(pic_wasm_admit(fd, &spec, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "open_the_pod_bay_doors"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_hello),
		cmocka_unit_test(passes_the_status_on),
		cmocka_unit_test(names_the_trap),
		cmocka_unit_test(obeys_its_memory),
		cmocka_unit_test(refuses_what_cannot_run),
		cmocka_unit_test(survives_truncation),
		cmocka_unit_test(uses_its_folder),
		cmocka_unit_test(is_confined),
		cmocka_unit_test(is_admitted),
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return shared == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
