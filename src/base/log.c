#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/journal.h"
#include "base/text.h"

#define LINE_MAX_BYTES 16384
#define VALUE_MAX_BYTES 2048

static struct {
	const char *program;
	enum pic_log_level level;
	enum pic_log_format format;
	bool journal; /* standard error goes to journald, which has its own clock and levels */
	const char *socket;
	int fd;	   /* to journald's socket, -1 without */
	pid_t pid; /* whose fd it is: a forked runner closes what it finds, and may not send */
} setup = { "piccolo", PIC_LOG_INFO, PIC_LOG_FORMAT_TEXT, false, PIC_JOURNAL_SOCKET, -1, 0 };

static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	[PIC_LOG_ERROR] = { "error", 3 },
	[PIC_LOG_WARNING] = { "warning", 4 },
	[PIC_LOG_INFO] = { "info", 6 },
	[PIC_LOG_DEBUG] = { "debug", 7 },
};

void pic_log_setup(const char *program, enum pic_log_level level, enum pic_log_format format)
{
	setup.program = program;
	setup.level = level;
	setup.format = format;
	setup.journal = pic_journal_has_stderr();
	if (setup.fd >= 0 && setup.pid == getpid())
		close(setup.fd);
	setup.fd = setup.journal ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	setup.pid = getpid();
}

void pic_log_journal_at(const char *path)
{
	setup.socket = path;
}

/* Raw where a reader of key=value cannot be misled, else in quotes. */
static bool is_plain(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (*c == ' ' || *c == '"' || *c == '=' || *c == '\\')
			return false;
	return *text != '\0';
}

static void quote(struct pic_buf *line, const char *text)
{
	pic_buf_char(line, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			pic_buf_char(line, '\\');
		pic_buf_char(line, *text);
	}
	pic_buf_char(line, '"');
}

static void add_text(struct pic_buf *line, const char *text)
{
	PIC_BUF struct pic_buf clean = PIC_BUF_INIT(4 * VALUE_MAX_BYTES + 16);
	size_t size = strnlen(text, VALUE_MAX_BYTES + 1);
	bool whole = size <= VALUE_MAX_BYTES;

	pic_text_escape(text, whole ? size : VALUE_MAX_BYTES, false, &clean);
	if (!whole)
		pic_buf_text_add(&clean, "...");
	/* escaping left only printable text and backslashes, so one way of quoting serves JSON too */
	if (setup.format == PIC_LOG_FORMAT_TEXT && is_plain(pic_buf_text(&clean)))
		pic_buf_text_add(line, pic_buf_text(&clean));
	else
		quote(line, pic_buf_text(&clean));
}

static void add_key(struct pic_buf *line, const char *key)
{
	bool json = setup.format == PIC_LOG_FORMAT_JSON;
	bool first = line->size == (json ? 1 : 0);

	if (json) {
		pic_buf_text_add(line, first ? "\"" : ",\"");
		pic_buf_text_add(line, key);
		pic_buf_text_add(line, "\":");
	} else {
		if (!first)
			pic_buf_char(line, ' ');
		pic_buf_text_add(line, key);
		pic_buf_char(line, '=');
	}
}

static void add_field(struct pic_buf *line, struct pic_log_field field)
{
	add_key(line, field.key);
	if (field.text)
		add_text(line, field.text);
	else
		pic_buf_format(line, "%lld", field.number);
}

static void add_head(struct pic_buf *line, enum pic_log_level level, const char *event, bool brief)
{
	char now[PIC_TIME_TEXT];

	if (setup.format == PIC_LOG_FORMAT_JSON)
		pic_buf_char(line, '{');
	if (!setup.journal) {
		pic_time_format(pic_clock_wall_ms(), now);
		add_field(line, PIC_TEXT("time", now));
	}
	if (!brief || setup.format == PIC_LOG_FORMAT_JSON) {
		add_field(line, PIC_TEXT("level", levels[level].name));
		add_field(line, PIC_TEXT("program", setup.program));
	}
	add_field(line, PIC_TEXT("event", event));
}

/* Fields that do not fit are left out as a whole, so that the line stays well-formed. */
static void add_fields(struct pic_buf *line, const struct pic_log_field *fields, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		PIC_BUF struct pic_buf trial = PIC_BUF_INIT(LINE_MAX_BYTES);

		pic_buf_char(&trial, '?'); /* stands for what separates fields */
		add_field(&trial, fields[i]);
		if (line->size + trial.size + 8 > LINE_MAX_BYTES)
			return;
		add_field(line, fields[i]);
	}
}

/* Values stay one by one, with their lines; what a terminal would obey is escaped here as well. */
static void add_journal_field(struct pic_buf *entry, const char *prefix, struct pic_log_field field)
{
	PIC_BUF struct pic_buf clean = PIC_BUF_INIT(4 * VALUE_MAX_BYTES + 32);

	if (field.text)
		pic_text_escape(field.text, strnlen(field.text, VALUE_MAX_BYTES), true, &clean);
	else
		pic_buf_format(&clean, "%lld", field.number);
	pic_journal_field(entry, prefix, field.key, pic_buf_text(&clean), clean.size);
}

static void compose(struct pic_buf *line, enum pic_log_level level, const char *event,
		    const struct pic_log_field *fields, unsigned count, bool brief)
{
	add_head(line, level, event, brief);
	add_fields(line, fields, count);
	if (setup.format == PIC_LOG_FORMAT_JSON)
		pic_buf_char(line, '}');
}

static bool tell_journal(enum pic_log_level level, const char *event,
			 const struct pic_log_field *fields, unsigned count)
{
	PIC_BUF struct pic_buf message = PIC_BUF_INIT(LINE_MAX_BYTES);
	PIC_BUF struct pic_buf entry = PIC_BUF_INIT(4 * LINE_MAX_BYTES);

	if (setup.fd < 0 || setup.pid != getpid())
		return false;
	compose(&message, level, event, fields, count, true);
	pic_journal_field(&entry, "", "MESSAGE", pic_buf_text(&message), message.size);
	add_journal_field(&entry, "", PIC_NUMBER("PRIORITY", levels[level].priority));
	add_journal_field(&entry, "", PIC_TEXT("SYSLOG_IDENTIFIER", program_invocation_short_name));
	add_journal_field(&entry, "PICCOLO_", PIC_TEXT("program", setup.program));
	add_journal_field(&entry, "PICCOLO_", PIC_TEXT("event", event));
	for (unsigned i = 0; i < count; i++)
		add_journal_field(&entry, "PICCOLO_", fields[i]);
	return pic_journal_send(setup.fd, setup.socket, &entry);
}

static void tell_stderr(enum pic_log_level level, const char *event,
			const struct pic_log_field *fields, unsigned count)
{
	PIC_BUF struct pic_buf line = PIC_BUF_INIT(LINE_MAX_BYTES);
	PIC_BUF struct pic_buf whole = PIC_BUF_INIT(LINE_MAX_BYTES + 16);
	ssize_t written;

	compose(&line, level, event, fields, count, false);
	if (setup.journal)
		pic_buf_format(&whole, "<%d>", levels[level].priority);
	pic_buf_add(&whole, pic_buf_text(&line), line.size);
	pic_buf_char(&whole, '\n');
	/* one write a line, so that lines of several processes do not mix; a full pipe loses it */
	do
		written = write(STDERR_FILENO, pic_buf_text(&whole), whole.size);
	while (written < 0 && errno == EINTR);
}

void pic_log_write(enum pic_log_level level, const char *event, const struct pic_log_field *fields,
		   unsigned count)
{
	int saved_errno = errno;

	if (level > setup.level)
		return;
	if (!tell_journal(level, event, fields, count))
		tell_stderr(level, event, fields, count);
	errno = saved_errno;
}
