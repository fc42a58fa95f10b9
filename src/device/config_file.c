#include "device/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define FILE_MAX (256 * 1024)
#define KEYS_MAX 16

/* "key = value", perhaps indented, not a comment. */
static bool is_line_of(const char *line, size_t size, const char *key)
{
	size_t length = strlen(key), at = 0;

	while (at < size && (line[at] == ' ' || line[at] == '\t'))
		at++;
	if (size - at < length || strncmp(line + at, key, length) != 0)
		return false;
	at += length;
	while (at < size && (line[at] == ' ' || line[at] == '\t'))
		at++;
	return at < size && line[at] == '=';
}

static void add_line(struct pic_buf *out, const struct pic_config_value *value)
{
	if (value->value)
		pic_buf_format(out, "%s = %s\n", value->key, value->value);
}

static const struct pic_config_value *find(const char *line, size_t size,
					   const struct pic_config_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_line_of(line, size, values[i].key))
			return &values[i];
	return NULL;
}

void pic_config_merge(const char *text, const struct pic_config_value *values, size_t count,
		      struct pic_buf *out)
{
	bool written[KEYS_MAX] = { false };

	while (*text) {
		size_t size = strcspn(text, "\n");
		const struct pic_config_value *value = find(text, size, values, count);

		if (!value) {
			pic_buf_add(out, text, size);
			pic_buf_char(out, '\n');
		} else if (!written[value - values]) {
			add_line(out, value);
			written[value - values] = true;
		}
		text += size + (text[size] == '\n');
	}
	for (size_t i = 0; i < count && i < KEYS_MAX; i++)
		if (!written[i])
			add_line(out, &values[i]);
}

static int write_file(const char *path, const struct pic_buf *text, struct pic_error *err)
{
	PIC_FREE char *first = strdup(path), *second = strdup(path);
	PIC_FD int folder = -1;
	int r;

	if (!first || !second)
		return pic_error_set(err, -ENOMEM, "no memory to write %s", path);
	r = pic_folder_open(AT_FDCWD, dirname(first), true, 0755, (uid_t)-1, (gid_t)-1, &folder,
			    err);
	if (r == 0)
		r = pic_file_write(folder, basename(second), 0644, text->data, text->size,
				   PIC_FILE_DURABLE, err);
	return r < 0 ? pic_error_wrap(err, r, "%s cannot be written", path) : 0;
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

int pic_config_update(const char *path, const struct pic_config_value *values, size_t count,
		      struct pic_error *err)
{
	PIC_BUF struct pic_buf before = PIC_BUF_INIT(FILE_MAX), after = PIC_BUF_INIT(2 * FILE_MAX);
	int r = pic_file_read_path(path, &before, err);

	if (r < 0 && r != -ENOENT)
		return r;
	pic_config_merge(pic_buf_text(&before), values, count, &after);
	r = pic_buf_check(&after, path, err);
	if (r < 0)
		return r;
	if (strcmp(pic_buf_text(&before), pic_buf_text(&after)) == 0)
		return PIC_CONFIG_AS_BEFORE;
	if (is_blank(pic_buf_text(&after))) {
		if (unlink(path) < 0)
			return pic_error_errno(err, errno, "%s cannot be removed", path);
		return PIC_CONFIG_REMOVED;
	}
	r = write_file(path, &after, err);
	return r < 0 ? r : PIC_CONFIG_WRITTEN;
}
