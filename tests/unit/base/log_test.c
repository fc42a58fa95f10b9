#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/check.h"
#include "base/json.h"
#include "base/log.h"

/* Standard error goes to a file while a test logs. */
static int saved = -1;

static void capture(void)
{
	FILE *file = tmpfile();

	saved = dup(STDERR_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	fclose(file);
}

static void release(char *text, size_t size)
{
	ssize_t got = pread(STDERR_FILENO, text, size - 1, 0);

	text[got < 0 ? 0 : got] = '\0';
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void writes_key_value(void **state)
{
	char text[4096];

	(void)state;
	capture();
	pic_log_setup("piccolo", PIC_LOG_INFO, PIC_LOG_FORMAT_TEXT);
	pic_log(PIC_LOG_INFO, "started", PIC_TEXT("instance", "tiny{"), PIC_NUMBER("pid", 12),
		PIC_TEXT("why", "two words"), PIC_TEXT("empty", NULL));
	pic_log(PIC_LOG_DEBUG, "unseen", PIC_NUMBER("n", 1));
	release(text, sizeof(text));
	assert_contains(text, "time=20");
	assert_contains(text, " level=info program=piccolo event=started instance=tiny{ pid=12 "
			      "why=\"two words\" empty=\"\"\n");
	assert_null(strstr(text, "unseen"));
}

static void a_stranger_cannot_end_the_line(void **state)
{
	char text[4096];

	(void)state;
	capture();
	pic_log_setup("piccolo", PIC_LOG_INFO, PIC_LOG_FORMAT_TEXT);
	pic_log(PIC_LOG_WARNING, "x", PIC_TEXT("name", "a\nlevel=error \"q\" \x1b[2J\xff"));
	release(text, sizeof(text));
	assert_contains(text, "name=\"a\\\\x0alevel=error \\\"q\\\" \\\\x1b[2J\\\\xff\"\n");
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void writes_json(void **state)
{
	PIC_JSON struct pic_json *line = NULL;
	char text[4096];

	(void)state;
	capture();
	pic_log_setup("piccolo", PIC_LOG_INFO, PIC_LOG_FORMAT_JSON);
	pic_log(PIC_LOG_ERROR, "bad", PIC_TEXT("name", "a\n\"b\\c\xff"), PIC_NUMBER("n", -3));
	release(text, sizeof(text));
	assert_int_equal(pic_json_parse(&line, text, strlen(text), NULL), 0);
	assert_string_equal(pic_json_get_text(line, "level"), "error");
	assert_string_equal(pic_json_get_text(line, "event"), "bad");
	assert_string_equal(pic_json_get_text(line, "name"), "a\\x0a\"b\\c\\xff");
}

/* As systemd does: the environment names what standard error is. */
static void name_stream(void)
{
	char stream[64];
	struct stat facts;

	fstat(STDERR_FILENO, &facts);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)facts.st_dev,
		 (unsigned long long)facts.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
}

static void puts_a_priority_before_a_line_of_the_journal(void **state)
{
	char text[4096];

	(void)state;
	capture();
	name_stream();
	pic_log_journal_at("/nonexistent/socket");
	pic_log_setup("piccolo", PIC_LOG_DEBUG, PIC_LOG_FORMAT_TEXT);
	pic_log(PIC_LOG_ERROR, "bad", PIC_NUMBER("n", 1));
	pic_log(PIC_LOG_DEBUG, "fine", PIC_NUMBER("n", 1));
	release(text, sizeof(text));
	assert_string_equal(text, "<3>level=error program=piccolo event=bad n=1\n"
				  "<7>level=debug program=piccolo event=fine n=1\n");
	setenv("JOURNAL_STREAM", "1:1", 1);
	capture();
	pic_log_setup("piccolo", PIC_LOG_DEBUG, PIC_LOG_FORMAT_TEXT);
	pic_log(PIC_LOG_ERROR, "bad", PIC_NUMBER("n", 1));
	release(text, sizeof(text));
	assert_int_equal(text[0], 't');
	unsetenv("JOURNAL_STREAM");
}

#define assert_entry(entry, size, wanted) \
	do { \
		assert_int_equal(size, sizeof(wanted) - 1); \
		assert_memory_equal(entry, wanted, sizeof(wanted) - 1); \
	} while (0)

/* What journald would get, and what stays on standard error meanwhile. */
static void gives_the_journal_fields(void **state)
{
	char folder[] = "/tmp/pic-log-XXXXXX", entry[4096], text[4096];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), status;
	ssize_t size;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	capture();
	name_stream();
	pic_log_journal_at(address.sun_path);
	pic_log_setup("agent", PIC_LOG_INFO, PIC_LOG_FORMAT_TEXT);
	pic_log(PIC_LOG_WARNING, "ended", PIC_TEXT("component", "web"),
		PIC_NUMBER("again-in-ms", 500), PIC_TEXT("why", "two\nlines\x1b[2J"));
	pid = fork(); /* a child of ours must not trust the descriptor's number */
	if (pid == 0) {
		pic_log(PIC_LOG_INFO, "forked", PIC_NUMBER("n", 1));
		_exit(0);
	}
	waitpid(pid, &status, 0);
	release(text, sizeof(text));
	size = recv(fd, entry, sizeof(entry), 0);
	assert_true(size > 0);
	assert_entry(entry, size,
		     "MESSAGE=event=ended component=web again-in-ms=500 "
		     "why=\"two\\\\x0alines\\\\x1b[2J\"\n"
		     "PRIORITY=4\nSYSLOG_IDENTIFIER=base_log_test\nPICCOLO_PROGRAM=agent\n"
		     "PICCOLO_EVENT=ended\nPICCOLO_COMPONENT=web\nPICCOLO_AGAIN_IN_MS=500\n"
		     "PICCOLO_WHY\n\x10\0\0\0\0\0\0\0two\nlines\\x1b[2J\n");
	assert_true(recv(fd, entry, sizeof(entry), 0) < 0);
	assert_string_equal(text, "<6>level=info program=agent event=forked n=1\n");
	unsetenv("JOURNAL_STREAM");
	close(fd);
	unlink(address.sun_path);
	rmdir(folder);
}

static void bounds_what_it_writes(void **state)
{
	static char large[100000], text[70000];
	struct pic_log_field fields[64];

	(void)state;
	memset(large, '\x01', sizeof(large) - 1);
	for (size_t i = 0; i < PIC_COUNT(fields); i++)
		fields[i] = PIC_TEXT("k", large);
	for (int format = PIC_LOG_FORMAT_TEXT; format <= PIC_LOG_FORMAT_JSON; format++) {
		PIC_JSON struct pic_json *line = NULL;

		capture();
		pic_log_setup("piccolo", PIC_LOG_INFO, (enum pic_log_format)format);
		pic_log_write(PIC_LOG_INFO, "large", fields, format ? 1 : PIC_COUNT(fields));
		release(text, sizeof(text));
		assert_in_range(strlen(text), 2000, 17000);
		assert_int_equal(text[strlen(text) - 1], '\n');
		if (format == PIC_LOG_FORMAT_JSON)
			assert_int_equal(pic_json_parse(&line, text, strlen(text), NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_key_value),
		cmocka_unit_test(a_stranger_cannot_end_the_line),
		cmocka_unit_test(writes_json),
		cmocka_unit_test(puts_a_priority_before_a_line_of_the_journal),
		cmocka_unit_test(gives_the_journal_fields),
		cmocka_unit_test(bounds_what_it_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
