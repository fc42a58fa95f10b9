#include "agent/metrics/figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/metrics.h"
#include "base/utf8.h"

#define NAME_MAX_SIZE 128
#define HELP_MAX_SIZE 256
#define LINE_MAX_SIZE 2048
#define LABELS_MAX 20

enum family_type { COUNTER, GAUGE, HISTOGRAM, TYPES };
static const char *const type_words[TYPES] = { "counter", "gauge", "histogram" };

struct family {
	char name[NAME_MAX_SIZE];
	char help[HELP_MAX_SIZE];
	enum family_type type;
	struct pic_buf samples;
};

struct pic_figures {
	struct family families[PIC_FIGURES_FAMILIES_MAX];
	size_t family_count, series, dropped;
};

struct pic_figures *pic_figures_new(void)
{
	return calloc(1, sizeof(struct pic_figures));
}

void pic_figures_free(struct pic_figures *figures)
{
	for (size_t i = 0; figures && i < figures->family_count; i++)
		pic_buf_free(&figures->families[i].samples);
	free(figures);
}

size_t pic_figures_dropped(const struct pic_figures *figures)
{
	return figures->dropped;
}

/* -- words ----------------------------------------------------------------------------------------- */

/* How many bytes at the front of `text` are a name; colons are for families only. */
static size_t name_size(const char *text, bool colons)
{
	size_t size = 0;

	for (; text[size]; size++) {
		char c = text[size];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
			      (colons && c == ':');

		if (!letter && !(size > 0 && c >= '0' && c <= '9'))
			break;
	}
	return size;
}

static struct family *find_family(struct pic_figures *figures, const char *name)
{
	for (size_t i = 0; i < figures->family_count; i++)
		if (strcmp(figures->families[i].name, name) == 0)
			return &figures->families[i];
	return NULL;
}

static struct family *make_family(struct pic_figures *figures, const char *name,
				  enum family_type type)
{
	struct family *family = find_family(figures, name);

	if (family)
		return family->type == type ? family : NULL;
	if (figures->family_count == PIC_FIGURES_FAMILIES_MAX)
		return NULL;
	family = &figures->families[figures->family_count++];
	strcpy(family->name, name);
	family->type = type;
	family->samples = (struct pic_buf)PIC_BUF_INIT(PIC_FIGURES_TEXT_MAX);
	return family;
}

/* -- lines ----------------------------------------------------------------------------------------- */

/* Where one workload's text is being read. */
struct reader {
	struct pic_figures *figures;
	const struct pic_workload_name *name;
	struct family *family; /* the samples that come belong to it; NULL: to none of use */
	char help_name[NAME_MAX_SIZE]; /* of the last HELP line */
	char help[HELP_MAX_SIZE];
};

/* "NAME rest": the name, and where the rest begins; NULL when there is no good name. */
static const char *take_name(const char *text, char out[NAME_MAX_SIZE])
{
	size_t size = name_size(text, true);

	if (size == 0 || size >= NAME_MAX_SIZE || text[size] != ' ')
		return NULL;
	memcpy(out, text, size);
	out[size] = '\0';
	return text + size + 1;
}

static bool read_help(struct reader *reader, const char *text)
{
	const char *rest = take_name(text, reader->help_name);
	size_t size = rest ? strlen(rest) : 0;

	if (!rest)
		return false;
	for (const char *p = rest; *p; p++)
		if (*p == '\\' && *++p != '\\' && *p != 'n')
			return false;
	if (size >= HELP_MAX_SIZE)
		size = pic_utf8_cut(rest, HELP_MAX_SIZE - 1);
	memcpy(reader->help, rest, size);
	reader->help[size] = '\0';
	return true;
}

static bool read_type(struct reader *reader, const char *text)
{
	char name[NAME_MAX_SIZE];
	const char *rest = take_name(text, name);
	size_t type = 0;

	reader->family = NULL;
	while (rest && type < TYPES && strcmp(rest, type_words[type]) != 0)
		type++;
	if (!rest || type == TYPES || strncmp(name, "piccolo_", 8) == 0)
		return false;
	reader->family = make_family(reader->figures, name, (enum family_type)type);
	if (reader->family && !reader->family->help[0] && strcmp(reader->help_name, name) == 0)
		strcpy(reader->family->help, reader->help);
	return reader->family != NULL;
}

/* Whether the sample's name is the family's, or one of a histogram's three. */
static bool belongs(const struct family *family, const char *name, size_t size)
{
	static const char *const tails[] = { "_bucket", "_sum", "_count" };
	size_t base = strlen(family->name);

	if (size < base || strncmp(name, family->name, base) != 0)
		return false;
	if (family->type != HISTOGRAM)
		return size == base;
	for (size_t i = 0; i < PIC_COUNT(tails); i++)
		if (size - base == strlen(tails[i]) &&
		    strncmp(name + base, tails[i], size - base) == 0)
			return true;
	return false;
}

/* One KEY="VALUE" behind `*at`, as it is written; false: it is none. Keys that are ours are renamed. */
static bool take_label(const char **at, struct pic_buf *out)
{
	const char *key = *at, *value;
	size_t size = name_size(key, false);
	bool ours = (size == 8 && strncmp(key, "instance", 8) == 0) ||
		    (size == 9 && strncmp(key, "component", 9) == 0);

	if (size == 0 || strncmp(key + size, "=\"", 2) != 0)
		return false;
	value = key + size + 2;
	while (*value && *value != '"') {
		if (*value == '\\' && (!value[1] || !strchr("\\\"n", value[1])))
			return false;
		value += *value == '\\' ? 2 : 1;
	}
	if (*value != '"')
		return false;
	pic_buf_format(out, ",%s", ours ? "exported_" : "");
	pic_buf_add(out, key, (size_t)(value + 1 - key));
	*at = value + 1;
	return true;
}

/* "{...}" behind `*at`, or nothing. */
static bool take_labels(const char **at, struct pic_buf *out)
{
	size_t count = 0;

	if (**at != '{')
		return true;
	for (++*at; **at != '}'; count++) {
		if (count == LABELS_MAX || !take_label(at, out))
			return false;
		if (**at == ',')
			++*at;
		else if (**at != '}')
			return false;
	}
	++*at;
	return true;
}

/* One number and nothing behind it. */
static bool is_value(const char *text)
{
	char *end;

	if (!text[0] || strchr(" \txX", text[0]) || strpbrk(text, "xX"))
		return false;
	strtod(text, &end);
	return *end == '\0';
}

static bool read_sample(struct reader *reader, const char *line)
{
	PIC_BUF struct pic_buf labels = PIC_BUF_INIT(2 * LINE_MAX_SIZE);
	size_t size = name_size(line, true);
	const char *at = line + size;
	struct family *family = reader->family;

	if (!family || size == 0 || !belongs(family, line, size) || !take_labels(&at, &labels) ||
	    *at != ' ' || !is_value(at + 1) || labels.failed ||
	    reader->figures->series == PIC_FIGURES_SERIES_MAX)
		return false;
	pic_buf_add(&family->samples, line, size);
	pic_buf_format(&family->samples, "{instance=\"%s\",component=\"%s\"%s} %s\n",
		       reader->name->instance, reader->name->component, pic_buf_text(&labels),
		       at + 1);
	reader->figures->series++;
	return !family->samples.failed;
}

/* Text, and nothing in it that a terminal obeys. */
static bool is_text(const char *line, size_t size)
{
	uint32_t point;

	for (size_t at = 0, step; at < size; at += step) {
		step = pic_utf8_next(line + at, size - at, &point);
		if (step == 0 || pic_utf8_is_control(point))
			return false;
	}
	return true;
}

static bool read_line(struct reader *reader, const char *line)
{
	if (strncmp(line, "# HELP ", 7) == 0)
		return read_help(reader, line + 7);
	if (strncmp(line, "# TYPE ", 7) == 0)
		return read_type(reader, line + 7);
	return line[0] == '\0' || line[0] == '#' || read_sample(reader, line);
}

void pic_figures_add(struct pic_figures *figures, const struct pic_workload_name *name,
		     const char *text, size_t size)
{
	struct reader reader = { .figures = figures, .name = name };
	char line[LINE_MAX_SIZE];

	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;
		size_t taken = end ? length + 1 : size;
		bool good = end && length < sizeof(line) && !memchr(text, '\0', length);

		if (good) {
			memcpy(line, text, length);
			line[length] = '\0';
			good = is_text(line, length) && read_line(&reader, line);
		}
		figures->dropped += !good;
		text += taken;
		size -= taken;
	}
}

void pic_figures_write(const struct pic_figures *figures, struct pic_buf *out)
{
	for (size_t i = 0; i < figures->family_count; i++) {
		const struct family *family = &figures->families[i];

		if (family->samples.size == 0)
			continue;
		if (family->help[0]) /* as it came: escaped already */
			pic_buf_format(out, "# HELP %s %s\n", family->name, family->help);
		pic_buf_format(out, "# TYPE %s %s\n", family->name, type_words[family->type]);
		pic_buf_add(out, family->samples.data, family->samples.size);
	}
}
