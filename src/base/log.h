/*
 * The log: one line an event on standard error, `key=value` pairs or JSON. When standard error is systemd's journal,
 * each event is an entry with fields of its own (PRIORITY, PICCOLO_EVENT, PICCOLO_<KEY>), or a line with a priority in
 * front where that cannot be. Values are escaped: no byte of a stranger's can end a line or reach a terminal raw.
 * Never pass a secret.
 *
 *	pic_log(PIC_LOG_INFO, "workload-started", PIC_TEXT("instance", name), PIC_NUMBER("pid", pid));
 */
#ifndef PIC_BASE_LOG_H
#define PIC_BASE_LOG_H

#include <stdbool.h>

enum pic_log_level {
	PIC_LOG_ERROR,	 /* a person must act */
	PIC_LOG_WARNING, /* will heal by itself */
	PIC_LOG_INFO,	 /* a change of state */
	PIC_LOG_DEBUG,
};

enum pic_log_format {
	PIC_LOG_FORMAT_TEXT,
	PIC_LOG_FORMAT_JSON,
};

struct pic_log_field {
	const char *key;
	const char *text; /* NULL: the number counts */
	long long number;
};

static inline struct pic_log_field pic_log_text(const char *key, const char *text)
{
	return (struct pic_log_field){ key, text ? text : "", 0 };
}

#define PIC_TEXT(k, t) pic_log_text((k), (t))
#define PIC_NUMBER(k, n) ((struct pic_log_field){ (k), (const char *)0, (long long)(n) })

/* Once at start. `program` is put on every line, lent for ever. */
void pic_log_setup(const char *program, enum pic_log_level level, enum pic_log_format format);
void pic_log_journal_at(const char *path); /* a socket of a test's own, before pic_log_setup */
void pic_log_write(enum pic_log_level level, const char *event, const struct pic_log_field *fields,
		   unsigned count);

#define pic_log(level, event, ...) \
	pic_log_write((level), (event), (const struct pic_log_field[]){ __VA_ARGS__ }, \
		      sizeof((const struct pic_log_field[]){ __VA_ARGS__ }) / \
			      sizeof(struct pic_log_field))

#endif
