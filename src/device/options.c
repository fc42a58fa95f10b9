#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "device/verbs.h"

static int level_parse(const char *text, enum pic_log_level *out)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };

	for (unsigned i = 0; i < PIC_COUNT(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum pic_log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

int pic_device_log_setup(const struct pic_device_options *options, const char *role,
			 struct pic_error *err)
{
	enum pic_log_level level;
	enum pic_log_format format;

	if (level_parse(options->log_level, &level) < 0)
		return pic_error_set(err, -EINVAL,
				     "log-level '%s' is not one of error, warning, info, debug",
				     options->log_level);
	if (strcmp(options->log_format, "json") == 0)
		format = PIC_LOG_FORMAT_JSON;
	else if (strcmp(options->log_format, "text") == 0)
		format = PIC_LOG_FORMAT_TEXT;
	else
		return pic_error_set(err, -EINVAL, "log-format '%s' is not one of text, json",
				     options->log_format);
	pic_log_setup(role, level, format);
	return 0;
}

int pic_device_complain(int r, const struct pic_error *err)
{
	fprintf(stderr, "piccolo: %s\n", err->text);
	switch (r) {
	case -EPERM:
		return PIC_EXIT_REFUSED;
	case -ECONNREFUSED:
	case -ENOENT:
	case -ECONNRESET:
	case -ETIMEDOUT:
	case -EACCES:
		return PIC_EXIT_UNREACHABLE;
	default:
		return PIC_EXIT_FAILED;
	}
}
