/* A workload's log: lines, turning over, what an earlier runner left, and reading while it is written. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "workload/log.h"

struct files {
	int fds[2];
};

static int set_up(void **state)
{
	struct files *files = calloc(1, sizeof(*files));

	for (unsigned i = 0; i < 2; i++) {
		char name[] = "/tmp/piccolo-log-XXXXXX";
		int fd = mkstemp(name);

		files->fds[i] = open(name, O_RDWR | O_APPEND |
						   O_CLOEXEC); /* as the supervisor opens them */
		close(fd);
		unlink(name);
	}
	*state = files;
	return 0;
}

static int tear_down(void **state)
{
	struct files *files = *state;

	close(files->fds[0]);
	close(files->fds[1]);
	free(files);
	return 0;
}

static struct pic_workload_log *open_log(struct files *files, uint64_t maximum)
{
	struct pic_workload_log *log;
	int copies[2] = { dup(files->fds[0]), dup(files->fds[1]) };

	assert_int_equal(pic_workload_log_new(&log, copies, maximum, NULL), 0);
	return log;
}

static char *read_log(struct files *files, uint64_t position, size_t lines, uint64_t *end)
{
	struct pic_buf text = PIC_BUF_INIT(4 * 1024 * 1024);
	uint64_t ignored;

	assert_int_equal(pic_workload_log_read(files->fds, position, lines, &text,
					       end ? end : &ignored, NULL),
			 0);
	pic_buf_char(&text, '\0');
	return pic_buf_take(&text);
}

static void cuts_into_lines(void **state)
{
	struct pic_workload_log *log = open_log(*state, 65536);
	char *text;

	pic_workload_log_write(log, 'o', "one\ntw", 6);
	pic_workload_log_write(log, 'e', "error ", 6);
	pic_workload_log_write(log, 'o', "o\n\n", 3);
	pic_workload_log_write(log, 'e', "line\nrest", 9);
	pic_workload_log_line(log, "number %d\nsame line", 5);
	pic_workload_log_free(log);
	text = read_log(*state, 0, 0, NULL);
	assert_non_null(strstr(text, "Z o one\n"));
	assert_non_null(strstr(text, "Z o two\n"));
	assert_non_null(strstr(text, "Z o \n"));
	assert_non_null(strstr(text, "Z e error line\n"));
	assert_non_null(strstr(text, "Z e rest\n")); /* written before the end */
	assert_non_null(strstr(text, "Z p number 5 same line\n"));
	assert_true(strstr(text, "two") > strstr(text, "one"));
	assert_int_equal(text[4], '-');
	assert_int_equal(text[19], '.');
	assert_int_equal(text[23], 'Z');
	free(text);
}

static void cuts_long_lines(void **state)
{
	struct pic_workload_log *log = open_log(*state, 65536);
	char *bytes = malloc(10000), *text;
	unsigned lines = 0;

	memset(bytes, 'x', 10000);
	pic_workload_log_write(log, 'o', bytes, 10000);
	pic_workload_log_write(log, 'o', "\n", 1);
	bytes[9999] = '\n';
	pic_workload_log_write(log, 'o', bytes, 10000);
	pic_workload_log_free(log);
	text = read_log(*state, 0, 0, NULL);
	for (char *at = text; (at = strchr(at, '\n')); at++) {
		lines++;
		assert_true(strcspn(at + 1, "\n") <= 4096 + 27);
	}
	assert_int_equal(lines, 6);
	free(text);
	free(bytes);
}

static void turns_over(void **state)
{
	struct files *files = *state;
	struct pic_workload_log *log = open_log(files, 32768);
	uint64_t end, position, last = 0;
	char line[64], *text;
	struct stat st;

	for (int i = 0; i < 20000; i++) {
		int size = snprintf(line, sizeof(line), "line %d\n", i);

		pic_workload_log_write(log, 'o', line, (size_t)size);
		if (i % 1000 == 0) {
			free(read_log(files, 0, 1, &position));
			assert_true(position > last);
			last = position;
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(fstat(files->fds[i], &st), 0);
		assert_in_range(st.st_size, 1, 16384);
	}
	text = read_log(files, 0, 0, &end);
	/* a row without a gap, up to the last one */
	assert_non_null(strstr(text, "line 19999\n"));
	assert_true(strlen(text) > 16384);
	{
		int first = atoi(strstr(text, " o line ") + 8), n = 0;

		for (char *at = text; (at = strstr(at, " o line ")); at++, n++)
			assert_int_equal(atoi(at + 8), first + n);
	}
	free(text);
	/* what came after a position, nothing, and the last lines */
	text = read_log(files, end - 40, 0, &position);
	assert_int_equal(strlen(text), 40);
	assert_int_equal(position, end);
	free(text);
	text = read_log(files, end, 0, &position);
	assert_string_equal(text, "");
	free(text);
	text = read_log(files, 0, 3, &position);
	assert_non_null(strstr(text, "line 19997\n"));
	assert_null(strstr(text, "line 19996\n"));
	free(text);
	/* a position this log never reached belongs to another one */
	text = read_log(files, end + 1000000, 0, &position);
	assert_true(strlen(text) > 16384);
	free(text);
	pic_workload_log_free(log);
}

static void goes_on_where_it_ended(void **state)
{
	struct files *files = *state;
	struct pic_workload_log *log;
	uint64_t before, after;
	char *text;

	for (int run = 0; run < 50; run++) {
		log = open_log(files, 16384);
		for (int i = 0; i < 100; i++)
			pic_workload_log_line(log, "run %d line %d", run, i);
		pic_workload_log_free(log);
		text = read_log(files, 0, 1, run % 2 ? &after : &before);
		if (run)
			assert_true(run % 2 ? after > before : before > after);
		free(text);
	}
	text = read_log(files, 0, 0, NULL);
	assert_non_null(strstr(text, "run 49 line 99"));
	assert_non_null(strstr(text, "run 48 line 99"));
	free(text);
	/* a writer that died inside a line */
	assert_int_equal(write(files->fds[0], "2026 torn", 9), 9);
	assert_int_equal(write(files->fds[1], "2026 torn", 9), 9);
	log = open_log(files, 16384);
	pic_workload_log_line(log, "afterwards");
	pic_workload_log_free(log);
	text = read_log(files, 0, 2, NULL);
	assert_non_null(strstr(text, "torn\n"));
	assert_non_null(strstr(text, "Z p afterwards\n"));
	free(text);
}

static void survives_damage(void **state)
{
	struct files *files = *state;
	static const char *const heads[] = {
		"", "#", "#\n", "#99999999999999999999999999\n", "garbage\n", "#12x\n", "#-5\nabc\n"
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct pic_workload_log *log;
		char *text;

		for (unsigned k = 0; k < 2; k++) {
			assert_int_equal(ftruncate(files->fds[k], 0), 0);
			assert_int_equal(write(files->fds[k], heads[i], strlen(heads[i])),
					 (long)strlen(heads[i]));
		}
		free(read_log(files, 0, 0, NULL));
		log = open_log(files, 16384);
		pic_workload_log_line(log, "good again");
		pic_workload_log_free(log);
		text = read_log(files, 0, 0, NULL);
		assert_non_null(strstr(text, "Z p good again\n"));
		free(text);
	}
}

struct reading {
	struct files *files;
	int stop;
};

static void *read_on(void *data)
{
	struct reading *reading = data;
	uint64_t position = 0, end;
	long next = -1;

	while (!__atomic_load_n(&reading->stop, __ATOMIC_ACQUIRE)) {
		struct pic_buf text = PIC_BUF_INIT(1 << 20);

		if (pic_workload_log_read(reading->files->fds, position, 0, &text, &end, NULL) ==
		    0) {
			for (const char *at = pic_buf_text(&text); (at = strstr(at, " o line "));
			     at++) {
				long number = atol(at + 8);

				if (strchr(at, '\n') && number < next)
					__atomic_store_n(&reading->stop, 2, __ATOMIC_RELEASE);
				if (strchr(at, '\n'))
					next = number;
			}
			position = end;
		}
		pic_buf_free(&text);
	}
	return NULL;
}

/* Never backwards, never a mix of old and new. */
static void is_read_while_written(void **state)
{
	struct reading reading = { .files = *state };
	struct pic_workload_log *log = open_log(*state, 16384);
	pthread_t thread;
	char line[64];

	assert_int_equal(pthread_create(&thread, NULL, read_on, &reading), 0);
	for (int i = 0; i < 30000; i++) {
		int size = snprintf(line, sizeof(line), "line %d\n", i);

		pic_workload_log_write(log, 'o', line, (size_t)size);
	}
	if (__atomic_load_n(&reading.stop, __ATOMIC_ACQUIRE) == 0)
		__atomic_store_n(&reading.stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(reading.stop, 1);
	pic_workload_log_free(log);
}

static void loses_lines_when_it_cannot_write(void **state)
{
	int full[2] = { open("/dev/full", O_RDWR), open("/dev/full", O_RDWR) };
	struct pic_workload_log *log;

	(void)state;
	assert_int_equal(pic_workload_log_new(&log, full, 16384, NULL), 0);
	for (int i = 0; i < 1000; i++)
		pic_workload_log_line(log, "line %d", i);
	pic_workload_log_free(log);
}

static void writes_directly(void **state)
{
	struct pic_workload_log *log;
	int pipes[2];
	char text[256] = "";

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pic_workload_log_new_direct(&log, "m.wasm", pipes[1], pipes[1], NULL), 0);
	assert_true(pic_workload_log_is_direct(log));
	pic_workload_log_write(log, 'o', "no newline", 10);
	pic_workload_log_line(log, "%s", "a word");
	pic_workload_log_free(log);
	assert_true(read(pipes[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "no newlinepiccolo: m.wasm: a word\n");
	close(pipes[0]);
	close(pipes[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cuts_into_lines),
		TEST(cuts_long_lines),
		TEST(turns_over),
		TEST(goes_on_where_it_ended),
		TEST(survives_damage),
		TEST(is_read_while_written),
		TEST(loses_lines_when_it_cannot_write),
		TEST(writes_directly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
