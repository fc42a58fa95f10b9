/* What strangers wrote is escaped here: a finding goes to terminals and pages. */
#include "symphony/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

static struct pic_path path_extend(const struct pic_path *parent, const char *before,
				   const char *text, const char *after)
{
	struct pic_path path;
	PIC_BUF struct pic_buf clean = PIC_BUF_INIT(8 * PIC_PATH_MAX);
	size_t length = strnlen(text, PIC_PATH_MAX);

	pic_text_escape(text, length, false, &clean);
	int size = snprintf(path.text, sizeof(path.text), "%s%s%s%s", parent->text, before,
			    pic_buf_text(&clean), after);
	if (size >= (int)sizeof(path.text))
		memcpy(path.text + sizeof(path.text) - 4, "...", 4);
	return path;
}

struct pic_path pic_path_root(const char *name)
{
	static const struct pic_path empty = { "" };

	return path_extend(&empty, "", name, "");
}

struct pic_path pic_path_field(const struct pic_path *parent, const char *field)
{
	return path_extend(parent, *parent->text ? "." : "", field, "");
}

struct pic_path pic_path_key(const struct pic_path *parent, const char *key)
{
	return path_extend(parent, "[", key, "]");
}

struct pic_path pic_path_item(const struct pic_path *parent, size_t index)
{
	char number[24];

	snprintf(number, sizeof(number), "%zu", index);
	return path_extend(parent, "[", number, "]");
}

void pic_finding_add(struct pic_findings *findings, int kind, const struct pic_path *path,
		     const char *format, ...)
{
	size_t index = findings->count++;
	char text[512];
	va_list arguments;

	if (index >= PIC_COUNT(findings->items))
		return;
	struct pic_finding *finding = &findings->items[index];

	finding->kind = kind;
	snprintf(finding->path, sizeof(finding->path), "%s", path->text);
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	PIC_BUF struct pic_buf clean = PIC_BUF_INIT(4 * sizeof(text));

	pic_text_escape(text, strlen(text), false, &clean);
	size_t size = pic_utf8_cut(pic_buf_text(&clean), sizeof(finding->text) - 1 < clean.size
								 ? sizeof(finding->text) - 1
								 : clean.size);
	memcpy(finding->text, pic_buf_text(&clean), size);
	finding->text[size] = '\0';
}
