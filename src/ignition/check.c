#include "ignition/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/spelling.h"
#include "base/text.h"
#include "ignition/schema.h"

#define SENTENCE_MAX 512

/* Findings. */

void pic_ignition_findings_free(struct pic_ignition_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].path);
		free(findings->items[i].text);
	}
	free(findings->items);
	*findings = (struct pic_ignition_findings){ .items = NULL };
}

static int keep(struct pic_ignition_findings *findings, enum pic_ignition_severity severity,
		const char *path, const char *text)
{
	struct pic_ignition_finding finding = { severity, strdup(path), strdup(text) };

	if (findings->count == findings->room) {
		size_t room = findings->room ? 2 * findings->room : 16;
		void *items = reallocarray(findings->items, room, sizeof(finding));

		if (items) {
			findings->items = items;
			findings->room = room;
		}
	}
	if (!finding.path || !finding.text || findings->count == findings->room) {
		free(finding.path);
		free(finding.text);
		return -ENOMEM;
	}
	findings->items[findings->count++] = finding;
	return 0;
}

/* What is quoted is a stranger's, and may have been cut within a character. */
static __attribute__((format(printf, 4, 0))) void add(struct pic_ignition_check *check,
						      enum pic_ignition_severity severity,
						      const char *path, const char *format,
						      va_list arguments)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4 * SENTENCE_MAX);
	char raw[SENTENCE_MAX];

	if (severity == PIC_IGNITION_ERROR)
		check->findings->errors++;
	else
		check->findings->warnings++;
	if (check->findings->count >= PIC_IGNITION_FINDINGS_MAX)
		return;
	vsnprintf(raw, sizeof(raw), format, arguments);
	pic_text_escape(raw, strlen(raw), false, &text);
	if (text.failed || keep(check->findings, severity, path, pic_buf_text(&text)) < 0)
		check->starved = true;
}

void pic_ignition_error(struct pic_ignition_check *check, const struct pic_ignition_place *place,
			const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(check, PIC_IGNITION_ERROR, place->text, format, arguments);
	va_end(arguments);
}

void pic_ignition_warning(struct pic_ignition_check *check, const struct pic_ignition_place *place,
			  const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(check, PIC_IGNITION_WARNING, place->text, format, arguments);
	va_end(arguments);
}

/* Places. */

struct pic_ignition_place pic_ignition_at(const struct pic_ignition_place *parent, const char *key)
{
	PIC_BUF struct pic_buf safe = PIC_BUF_INIT(4096);
	struct pic_ignition_place place;

	pic_text_escape(key, strnlen(key, 100), false, &safe);
	snprintf(place.text, sizeof(place.text), "%s%s%s", parent->text, parent->text[0] ? "." : "",
		 pic_buf_text(&safe));
	return place;
}

struct pic_ignition_place pic_ignition_at_index(const struct pic_ignition_place *parent,
						size_t index)
{
	struct pic_ignition_place place;

	snprintf(place.text, sizeof(place.text), "%.*s[%zu]", (int)sizeof(place.text) - 24,
		 parent->text, index);
	return place;
}

void pic_ignition_each(struct pic_ignition_check *check, const struct pic_json *object,
		       const struct pic_ignition_place *place, const char *key,
		       pic_ignition_visit *visit)
{
	const struct pic_json *list = pic_json_get(object, key);
	const struct pic_ignition_place at = pic_ignition_at(place, key);

	if (pic_json_type(list) != PIC_JSON_ARRAY)
		return;
	for (size_t i = 0; i < pic_json_count(list); i++) {
		const struct pic_ignition_place entry = pic_ignition_at_index(&at, i);

		if (pic_json_type(pic_json_at(list, i)) == PIC_JSON_OBJECT)
			visit(check, pic_json_at(list, i), &entry);
	}
}

const char *pic_ignition_text(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

/* Structure: types, required members, unknown keys, entries that stand twice. */

/* Keys of other languages and times, and what to write instead. */
static const struct {
	const char *key, *advice;
} foreign[] = {
	{ "networkd", "spec 3 has no networkd: write the file to /etc/systemd/network with "
		      "storage.files" },
	{ "variant", "it is Butane's: give the file to butane, which makes the JSON of it" },
	{ "inline", "it is Butane's; in the JSON write \"source\": \"data:,...\"" },
	{ "local", "it is Butane's; in the JSON write \"source\": \"data:,...\"" },
	{ "filesystem", "spec 3 has no named file systems: the path alone says where it is" },
	{ "locksmith", "it is of Container Linux configs, which ended with spec 2" },
	{ "etcd", "it is of Container Linux configs, which ended with spec 2" },
	{ "update", "it is of Container Linux configs, which ended with spec 2" },
	{ "id", "spec 3 writes \"user\": {\"id\": ...}" },
	{ "create", "spec 3 has no create: what it held stands beside the name" },
	{ "enable", "write \"enabled\"" },
	{ "append", "spec 3 calls it \"merge\"" },
};

static void unknown_key(struct pic_ignition_check *check, const struct pic_ignition_row *table,
			const char *key, const struct pic_ignition_place *place)
{
	struct pic_spelling spelling = { key, NULL, 0 };

	for (size_t i = 0; i < PIC_COUNT(foreign); i++) {
		if (strcmp(foreign[i].key, key) == 0) {
			pic_ignition_warning(check, place,
					     "is no key of spec 3.%d.0 and is ignored: %s",
					     check->minor, foreign[i].advice);
			return;
		}
	}
	for (; table->name; table++)
		pic_spelling_offer(&spelling, table->name);
	pic_ignition_warning(check, place, "is no key of spec 3.%d.0 and is ignored%s%s%s",
			     check->minor, spelling.nearest ? "; did you mean \"" : "",
			     spelling.nearest ? spelling.nearest : "",
			     spelling.nearest ? "\"?" : "");
}

static void check_object(struct pic_ignition_check *check, const struct pic_ignition_row *table,
			 const struct pic_json *object, const struct pic_ignition_place *place);

static bool is_of_type(const struct pic_json *value, enum pic_ignition_type type)
{
	long long number;

	switch (type) {
	case PIC_IGNITION_TEXT:
		return pic_json_type(value) == PIC_JSON_TEXT;
	case PIC_IGNITION_INTEGER:
		return pic_json_integer(value, &number);
	case PIC_IGNITION_BOOL:
		return pic_json_type(value) == PIC_JSON_BOOL;
	case PIC_IGNITION_OBJECT:
		return pic_json_type(value) == PIC_JSON_OBJECT;
	case PIC_IGNITION_LIST:
	case PIC_IGNITION_TEXTS:
		return pic_json_type(value) == PIC_JSON_ARRAY;
	}
	return false;
}

static const char *key_of(const struct pic_ignition_row *row, const struct pic_json *entry)
{
	if (row->type == PIC_IGNITION_TEXTS)
		return pic_json_text_or(entry, "");
	return row->key ? pic_ignition_text(entry, row->key) : "";
}

/* Sorted by key, so that a long list of a stranger costs no square. */
struct keyed {
	const char *key;
	const struct pic_ignition_row *row;
	size_t index;
};

static int compare_keyed(const void *a, const void *b)
{
	const struct keyed *left = a, *right = b;
	int order = strcmp(left->key, right->key);

	if (order == 0)
		order = (left->row > right->row) - (left->row < right->row);
	if (order == 0)
		order = (left->index > right->index) - (left->index < right->index);
	return order;
}

static bool shares_keys(const struct pic_ignition_row *a, const struct pic_ignition_row *b)
{
	return a == b || (a->group && b->group && strcmp(a->group, b->group) == 0);
}

static size_t collect(const struct pic_ignition_row *row, const struct pic_json *values,
		      struct keyed *out)
{
	size_t count = 0;

	for (size_t i = 0; i < pic_json_count(values); i++) {
		const char *key = key_of(row, pic_json_at(values, i));

		if (*key)
			out[count++] = (struct keyed){ key, row, i };
	}
	return count;
}

static struct pic_ignition_place place_of(const struct keyed *item,
					  const struct pic_ignition_place *parent)
{
	const struct pic_ignition_place list = pic_ignition_at(parent, item->row->name);

	return pic_ignition_at_index(&list, item->index);
}

static void report_twice(struct pic_ignition_check *check, struct keyed *items, size_t count,
			 const struct pic_ignition_place *parent)
{
	qsort(items, count, sizeof(*items), compare_keyed);
	for (size_t i = 1; i < count; i++) {
		struct pic_ignition_place first, second;

		if (strcmp(items[i].key, items[i - 1].key) != 0)
			continue;
		first = place_of(&items[i - 1], parent);
		second = place_of(&items[i], parent);
		pic_ignition_error(check, &second, "%.120s stands in %s already", items[i].key,
				   first.text);
	}
}

/* Once for each group of lists, at its first member. */
static void check_twice(struct pic_ignition_check *check, const struct pic_ignition_row *table,
			const struct pic_ignition_row *first, const struct pic_json *object,
			const struct pic_ignition_place *place)
{
	PIC_FREE struct keyed *items = NULL;
	size_t total = 0, count = 0;

	for (const struct pic_ignition_row *row = table; row < first; row++)
		if (shares_keys(row, first))
			return;
	for (const struct pic_ignition_row *row = first; row->name; row++)
		if (shares_keys(row, first))
			total += pic_json_count(pic_json_get(object, row->name));
	if (total < 2)
		return;
	items = calloc(total, sizeof(*items));
	if (!items) {
		check->starved = true;
		return;
	}
	for (const struct pic_ignition_row *row = first; row->name; row++) {
		const struct pic_json *values = pic_json_get(object, row->name);

		if (shares_keys(row, first) && pic_json_type(values) == PIC_JSON_ARRAY)
			count += collect(row, values, items + count);
	}
	report_twice(check, items, count, place);
}

static void check_entries(struct pic_ignition_check *check, const struct pic_ignition_row *row,
			  const struct pic_json *list, const struct pic_ignition_place *place)
{
	const enum pic_ignition_type wanted = row->type == PIC_IGNITION_LIST ? PIC_IGNITION_OBJECT
									     : PIC_IGNITION_TEXT;

	for (size_t i = 0; i < pic_json_count(list); i++) {
		const struct pic_json *entry = pic_json_at(list, i);
		const struct pic_ignition_place at = pic_ignition_at_index(place, i);

		if (!is_of_type(entry, wanted))
			pic_ignition_error(check, &at, "%s is expected, found %s",
					   pic_ignition_type_text(wanted),
					   pic_json_type_name(entry));
		else if (row->type == PIC_IGNITION_LIST)
			check_object(check, row->fields, entry, &at);
	}
}

static void check_member(struct pic_ignition_check *check, const struct pic_ignition_row *row,
			 const struct pic_json *value, const struct pic_ignition_place *place)
{
	if (!is_of_type(value, row->type)) {
		pic_ignition_error(check, place, "%s is expected, found %s",
				   pic_ignition_type_text(row->type), pic_json_type_name(value));
		return;
	}
	if (row->since > check->minor)
		pic_ignition_warning(check, place,
				     "comes with spec 3.%d.0 and is ignored here: say so in "
				     "ignition.version",
				     row->since);
	if (row->type == PIC_IGNITION_OBJECT)
		check_object(check, row->fields, value, place);
	else if (row->type == PIC_IGNITION_LIST || row->type == PIC_IGNITION_TEXTS)
		check_entries(check, row, value, place);
}

static bool is_there(const struct pic_json *value)
{
	return value && pic_json_type(value) != PIC_JSON_NULL;
}

static void check_object(struct pic_ignition_check *check, const struct pic_ignition_row *table,
			 const struct pic_json *object, const struct pic_ignition_place *place)
{
	pic_json_each(object, i) {
		const struct pic_ignition_place at = pic_ignition_at(place, pic_json_key(i));
		const struct pic_ignition_row *row = pic_ignition_row(table, pic_json_key(i));

		if (!row)
			unknown_key(check, table, pic_json_key(i), &at);
		else if (is_there(pic_json_value(i)))
			check_member(check, row, pic_json_value(i), &at);
	}
	for (const struct pic_ignition_row *row = table; row->name; row++) {
		const struct pic_ignition_place at = pic_ignition_at(place, row->name);
		const struct pic_json *value = pic_json_get(object, row->name);

		if (row->required && (!is_there(value) || (row->type == PIC_IGNITION_TEXT &&
							   pic_json_type(value) == PIC_JSON_TEXT &&
							   !*pic_json_text(value))))
			pic_ignition_error(check, &at, "is missing");
		if ((row->type == PIC_IGNITION_LIST && row->key) ||
		    (row->type == PIC_IGNITION_TEXTS && !row->repeats && row->group))
			check_twice(check, table, row, object, place);
	}
}

/* The whole. */

/* "3.3.0" to 3; -1 and the error has been told. */
static int check_version(struct pic_ignition_check *check)
{
	static const struct pic_ignition_place at = { "ignition.version" };
	const struct pic_json *ignition = pic_json_get(check->root, "ignition");
	const char *version = pic_ignition_text(ignition, "version");
	int major, minor, patch, used = 0;

	if (pic_json_type(ignition) == PIC_JSON_OBJECT &&
	    pic_json_type(pic_json_get(ignition, "version")) != PIC_JSON_TEXT) {
		pic_ignition_error(check, &at, "is missing: write \"3.3.0\"");
		return -1;
	}
	if (pic_json_type(ignition) != PIC_JSON_OBJECT) {
		pic_ignition_error(check, &at,
				   "is missing: an Ignition config begins with "
				   "{\"ignition\": {\"version\": \"3.3.0\"}}");
		return -1;
	}
	if (strlen(version) > 32 ||
	    sscanf(version, "%2d.%2d.%2d%n", &major, &minor, &patch, &used) != 3)
		pic_ignition_error(check, &at, "'%.32s' is no version: write \"3.3.0\"", version);
	else if (major < 3)
		pic_ignition_error(
			check, &at,
			"%.32s is the old form, which no present Ignition reads; write "
			"3.3.0, \"enabled\" for enable, \"merge\" for append, and files in "
			"/etc/systemd/network for networkd",
			version);
	else if (major > 3 || minor > PIC_IGNITION_MINOR_MAX || patch != 0 || version[used])
		pic_ignition_error(check, &at,
				   "%.32s is not known here, 3.0.0 to 3.%d.0 are; 3.3.0 is "
				   "understood by most machines",
				   version, PIC_IGNITION_MINOR_MAX);
	else
		return minor;
	return -1;
}

/* Names of what is listed under two keys; `with`: only of those that have this text too. */
static void index_list(struct pic_ignition_check *check, struct pic_ignition_index *index,
		       const char *section, const char *key, const char *name, const char *with)
{
	const struct pic_json *list = pic_json_find(check->root, section, key, NULL);

	if (pic_json_type(list) != PIC_JSON_ARRAY)
		list = NULL;
	if (pic_ignition_index_init(index, pic_json_count(list)) < 0) {
		check->starved = true;
		return;
	}
	for (size_t i = 0; i < pic_json_count(list); i++)
		if (!with || *pic_ignition_text(pic_json_at(list, i), with))
			pic_ignition_index_add(index, pic_ignition_text(pic_json_at(list, i), name),
					       i);
	pic_ignition_index_sort(index);
}

static void index_all(struct pic_ignition_check *check)
{
	index_list(check, &check->files, "storage", "files", "path", NULL);
	index_list(check, &check->directories, "storage", "directories", "path", NULL);
	index_list(check, &check->links, "storage", "links", "path", NULL);
	index_list(check, &check->units, "systemd", "units", "name", "contents");
}

static void free_indexes(struct pic_ignition_check *check)
{
	pic_ignition_index_free(&check->files);
	pic_ignition_index_free(&check->directories);
	pic_ignition_index_free(&check->links);
	pic_ignition_index_free(&check->units);
}

static void check_all(struct pic_ignition_check *check)
{
	static const struct pic_ignition_place root = { "" };
	struct pic_ignition_place at;

	check->minor = check_version(check);
	if (check->minor < 0)
		return;
	index_all(check);
	check_object(check, pic_ignition_config, check->root, &root);
	at = pic_ignition_at(&root, "ignition");
	pic_ignition_check_head(check, pic_json_get(check->root, "ignition"), &at);
	at = pic_ignition_at(&root, "storage");
	pic_ignition_check_disks(check, pic_json_get(check->root, "storage"), &at);
	pic_ignition_check_nodes(check, pic_json_get(check->root, "storage"), &at);
	at = pic_ignition_at(&root, "systemd");
	pic_ignition_check_units(check, pic_json_get(check->root, "systemd"), &at);
	at = pic_ignition_at(&root, "passwd");
	pic_ignition_check_people(check, pic_json_get(check->root, "passwd"), &at);
}

static bool is_blank(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	return true;
}

int pic_ignition_check(const char *text, size_t size, struct pic_ignition_findings *findings,
		       struct pic_json **out)
{
	static const struct pic_ignition_place whole = { "" };
	struct pic_ignition_check check = { .findings = findings };
	PIC_JSON struct pic_json *root = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (is_blank(text, size))
		pic_ignition_error(
			&check, &whole,
			"the file is empty: the machine would boot without being set up");
	else if (size > PIC_IGNITION_SIZE_MAX)
		pic_ignition_error(&check, &whole, "is larger than %u MB",
				   PIC_IGNITION_SIZE_MAX >> 20);
	else if (pic_json_parse(&root, text, size, &err) < 0)
		pic_ignition_error(&check, &whole, "%s", err.text);
	else if (pic_json_type(root) != PIC_JSON_OBJECT)
		pic_ignition_error(&check, &whole, "an object is expected, found %s",
				   pic_json_type_name(root));
	if (findings->errors == 0) {
		check.root = root;
		check_all(&check);
		free_indexes(&check);
	}
	if (check.starved)
		return -ENOMEM;
	if (findings->errors > 0)
		return -EINVAL;
	if (out)
		*out = PIC_STEAL(root);
	return 0;
}

int pic_ignition_parse(struct pic_json **out, const char *text, size_t size, const char *name,
		       struct pic_error *err)
{
	PIC_IGNITION_FINDINGS struct pic_ignition_findings findings = { .items = NULL };
	int r = pic_ignition_check(text, size, &findings, out);

	if (r == -ENOMEM)
		return pic_error_set(err, r, "no memory to read %s", name);
	for (size_t i = 0; r < 0 && i < findings.count; i++) {
		const struct pic_ignition_finding *finding = &findings.items[i];

		if (finding->severity == PIC_IGNITION_ERROR)
			return pic_error_set(err, -EINVAL, "%s: %s%s%s", name, finding->path,
					     *finding->path ? ": " : "", finding->text);
	}
	return r < 0 ? pic_error_set(err, -EINVAL, "%s is no valid Ignition config", name) : 0;
}
