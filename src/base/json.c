/* The only file that knows the JSON library (jansson). Numbers: see json_carry.h. */
#include "base/json.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/json_carry.h"
#include "base/json_number.h"
#include "base/text.h"

#define KEY_SHOWN 64
/* Comparing recurses; trees that code has built may be deeper than what is parsed. */
#define EQUAL_DEPTH_MAX (4 * PIC_JSON_DEPTH_MAX)

static json_t *inside(const struct pic_json *value)
{
	return (json_t *)(uintptr_t)value;
}

static struct pic_json *outside(json_t *value)
{
	return (struct pic_json *)value;
}

/* Hashes of keys start from a number that strangers cannot know, else they could choose keys that all
 * collide. The library would look for one in /dev, which a sandbox does not have. */
static void seed(void)
{
	static bool seeded;
	size_t number = 0;

	if (seeded)
		return;
	if (getrandom(&number, sizeof(number), 0) == (ssize_t)sizeof(number))
		json_object_seed(number | 1);
	seeded = true;
}

/* Parsing. */

static int duplicate_key(const char *text, size_t size, struct pic_json_spot spot,
			 struct pic_error *err)
{
	PIC_BUF struct pic_buf key = PIC_BUF_INIT(8 * KEY_SHOWN);
	size_t start = spot.text_at + 1, end = start;

	while (end < size && end - start < KEY_SHOWN && text[end] != '"')
		end++;
	pic_text_escape(text + start, end - start, false, &key);
	return pic_error_set(err, -EINVAL, "key \"%s%s\" appears twice, at line %zu, column %zu",
			     pic_buf_text(&key), end - start == KEY_SHOWN ? "..." : "", spot.line,
			     spot.column);
}

/* The library's sentence quotes what a stranger wrote, with our mark perhaps. */
static void clean_sentence(const char *text, struct pic_buf *out)
{
	PIC_BUF struct pic_buf unmarked = PIC_BUF_INIT(JSON_ERROR_TEXT_LENGTH);
	const char *mark;

	while ((mark = strstr(text, PIC_JSON_MARK))) {
		pic_buf_add(&unmarked, text, (size_t)(mark - text));
		text = mark + PIC_JSON_MARK_SIZE;
	}
	pic_buf_text_add(&unmarked, text);
	pic_text_escape(pic_buf_text(&unmarked), unmarked.size, false, out);
}

static void explain(const json_error_t *cause, struct pic_buf *out)
{
	switch (json_error_code(cause)) {
	case json_error_null_character:
	case json_error_null_byte_in_key:
		pic_buf_text_add(out, "a text contains \\u0000");
		break;
	case json_error_invalid_utf8:
		pic_buf_text_add(out, "the text is not UTF-8");
		break;
	default:
		clean_sentence(cause->text, out);
	}
}

static int parse_failed(const char *text, size_t size, const json_error_t *cause,
			struct pic_error *err)
{
	PIC_BUF struct pic_buf sentence = PIC_BUF_INIT(4 * JSON_ERROR_TEXT_LENGTH);
	size_t position = cause->position > 0 ? (size_t)cause->position : 0;
	struct pic_json_spot spot = pic_json_spot(text, size, position);

	if (json_error_code(cause) == json_error_out_of_memory)
		return pic_error_set(err, -ENOMEM, "no memory for JSON text");
	if (json_error_code(cause) == json_error_duplicate_key)
		return duplicate_key(text, size, spot, err);
	explain(cause, &sentence);
	return pic_error_set(err, -EINVAL, "not JSON: %s at line %zu, column %zu",
			     pic_buf_text(&sentence), spot.line, spot.column);
}

int pic_json_parse(struct pic_json **out, const char *text, size_t size, struct pic_error *err)
{
	PIC_BUF struct pic_buf carried = PIC_BUF_INIT(0);
	json_error_t cause;
	json_t *value;
	int r;

	if (size == 0)
		return pic_error_set(err, -EINVAL, "not JSON: the text is empty");
	if (size > SIZE_MAX / 8)
		return pic_error_set(err, -EFBIG, "JSON text is too large");
	carried.maximum = 4 * size + 16;
	r = pic_json_carry(text, size, &carried, err);
	if (r < 0)
		return r;
	seed();
	value = carried.size > 0
			? json_loadb(carried.data, carried.size,
				     JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &cause)
			: json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &cause);
	if (!value)
		return parse_failed(text, size, &cause, err);
	*out = outside(value);
	return 0;
}

/* Writing. */

static int collect(const char *bytes, size_t size, void *data)
{
	struct pic_buf *out = data;

	pic_buf_add(out, bytes, size);
	return out->failed ? -1 : 0;
}

int pic_json_write(const struct pic_json *value, unsigned style, struct pic_buf *out)
{
	size_t flags = JSON_ENCODE_ANY, before = out->size;

	flags |= style & PIC_JSON_INDENT ? JSON_INDENT(2) : JSON_COMPACT;
	if (style & PIC_JSON_SORTED)
		flags |= JSON_SORT_KEYS;
	if (!value)
		return -EINVAL;
	if (json_dump_callback(inside(value), collect, out, flags) == 0) {
		pic_json_uncarry(out, before);
		return 0;
	}
	if (out->data) {
		out->size = before;
		out->data[before] = '\0';
	}
	if (!out->failed)
		return -EINVAL;
	return out->starved ? -ENOMEM : -ENOBUFS;
}

/* Lifetime and types. */

struct pic_json *pic_json_ref(struct pic_json *value)
{
	return outside(json_incref(inside(value)));
}

void pic_json_unref(struct pic_json *value)
{
	json_decref(inside(value));
}

static bool has_mark(const char *text)
{
	return strncmp(text, PIC_JSON_MARK, PIC_JSON_MARK_SIZE) == 0;
}

/* The literal of a carried number, else NULL. */
static const char *literal(const struct pic_json *value)
{
	const char *text = json_string_value(inside(value));

	return text && has_mark(text) ? text + PIC_JSON_MARK_SIZE : NULL;
}

enum pic_json_type pic_json_type(const struct pic_json *value)
{
	if (!value)
		return PIC_JSON_ABSENT;
	switch (json_typeof(inside(value))) {
	case JSON_OBJECT:
		return PIC_JSON_OBJECT;
	case JSON_ARRAY:
		return PIC_JSON_ARRAY;
	case JSON_STRING:
		return literal(value) ? PIC_JSON_NUMBER : PIC_JSON_TEXT;
	case JSON_INTEGER:
	case JSON_REAL:
		return PIC_JSON_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		return PIC_JSON_BOOL;
	case JSON_NULL:
		return PIC_JSON_NULL;
	}
	return PIC_JSON_ABSENT;
}

const char *pic_json_type_name(const struct pic_json *value)
{
	static const char *const names[] = {
		[PIC_JSON_ABSENT] = "nothing",	   [PIC_JSON_NULL] = "null",
		[PIC_JSON_BOOL] = "true or false", [PIC_JSON_NUMBER] = "number",
		[PIC_JSON_TEXT] = "text",	   [PIC_JSON_ARRAY] = "array",
		[PIC_JSON_OBJECT] = "object",
	};

	return names[pic_json_type(value)];
}

/* Making. */

struct pic_json *pic_json_new_object(void)
{
	seed();
	return outside(json_object());
}

struct pic_json *pic_json_new_array(void)
{
	return outside(json_array());
}

struct pic_json *pic_json_new_text(const char *text)
{
	return text ? pic_json_new_text_sized(text, strlen(text)) : NULL;
}

struct pic_json *pic_json_new_text_sized(const char *text, size_t size)
{
	if (!text || memchr(text, '\0', size))
		return NULL;
	if (size >= PIC_JSON_MARK_SIZE && has_mark(text))
		return NULL;
	return outside(json_stringn(text, size));
}

struct pic_json *pic_json_new_integer(long long value)
{
	return outside(json_integer(value));
}

struct pic_json *pic_json_new_number(const char *number)
{
	char text[PIC_JSON_MARK_SIZE + PIC_JSON_NUMBER_MAX + 1];
	size_t size = number ? strlen(number) : 0;
	long long value;

	if (size > PIC_JSON_NUMBER_MAX)
		return NULL;
	switch (pic_json_number_kind(number, size, &value)) {
	case PIC_JSON_NUMBER_INTEGER:
		return pic_json_new_integer(value);
	case PIC_JSON_NUMBER_LITERAL:
		memcpy(text, PIC_JSON_MARK, PIC_JSON_MARK_SIZE);
		memcpy(text + PIC_JSON_MARK_SIZE, number, size);
		return outside(json_stringn(text, PIC_JSON_MARK_SIZE + size));
	case PIC_JSON_NUMBER_BAD:
		break;
	}
	return NULL;
}

struct pic_json *pic_json_new_bool(bool value)
{
	return outside(json_boolean(value));
}

struct pic_json *pic_json_new_null(void)
{
	return outside(json_null());
}

struct pic_json *pic_json_copy(const struct pic_json *value)
{
	return outside(json_deep_copy(inside(value)));
}

/* Comparing. */

static bool equal(const struct pic_json *a, const struct pic_json *b, int depth);

static bool equal_numbers(const struct pic_json *a, const struct pic_json *b)
{
	char integers[2][24];
	const char *x = literal(a), *y = literal(b);

	if (!x && !y)
		return json_integer_value(inside(a)) == json_integer_value(inside(b));
	if (!x) {
		snprintf(integers[0], sizeof(integers[0]), "%lld",
			 (long long)json_integer_value(inside(a)));
		x = integers[0];
	}
	if (!y) {
		snprintf(integers[1], sizeof(integers[1]), "%lld",
			 (long long)json_integer_value(inside(b)));
		y = integers[1];
	}
	return pic_json_number_equal(x, y);
}

static bool equal_arrays(const struct pic_json *a, const struct pic_json *b, int depth)
{
	size_t count = pic_json_count(a);

	if (count != pic_json_count(b))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!equal(pic_json_at(a, i), pic_json_at(b, i), depth))
			return false;
	return true;
}

static bool equal_objects(const struct pic_json *a, const struct pic_json *b, int depth)
{
	if (pic_json_count(a) != pic_json_count(b))
		return false;
	pic_json_each(a, i)
		if (!equal(pic_json_value(i), pic_json_get(b, pic_json_key(i)), depth))
			return false;
	return true;
}

static bool equal(const struct pic_json *a, const struct pic_json *b, int depth)
{
	enum pic_json_type type = pic_json_type(a);

	if (a == b)
		return true;
	if (type != pic_json_type(b) || depth == 0)
		return false;
	switch (type) {
	case PIC_JSON_NUMBER:
		return equal_numbers(a, b);
	case PIC_JSON_ARRAY:
		return equal_arrays(a, b, depth - 1);
	case PIC_JSON_OBJECT:
		return equal_objects(a, b, depth - 1);
	case PIC_JSON_TEXT:
		return strcmp(pic_json_text(a), pic_json_text(b)) == 0;
	case PIC_JSON_BOOL:
		return pic_json_true(a) == pic_json_true(b);
	case PIC_JSON_ABSENT:
	case PIC_JSON_NULL:
		break;
	}
	return true;
}

bool pic_json_equal(const struct pic_json *a, const struct pic_json *b)
{
	return equal(a, b, EQUAL_DEPTH_MAX);
}

/* Objects. */

struct pic_json *pic_json_get(const struct pic_json *object, const char *key)
{
	return outside(json_object_get(inside(object), key));
}

struct pic_json *pic_json_find(const struct pic_json *object, ...)
{
	struct pic_json *value = outside(inside(object));
	const char *key;
	va_list keys;

	va_start(keys, object);
	while ((key = va_arg(keys, const char *)))
		value = pic_json_get(value, key);
	va_end(keys);
	return value;
}

int pic_json_set(struct pic_json *object, const char *key, struct pic_json *value)
{
	/* a marked key would be written as if it were a number */
	if (has_mark(key)) {
		pic_json_unref(value);
		return -EINVAL;
	}
	return json_object_set_new(inside(object), key, inside(value)) < 0 ? -EINVAL : 0;
}

int pic_json_set_text(struct pic_json *object, const char *key, const char *text)
{
	return pic_json_set(object, key, pic_json_new_text(text));
}

int pic_json_set_integer(struct pic_json *object, const char *key, long long value)
{
	return pic_json_set(object, key, pic_json_new_integer(value));
}

int pic_json_set_bool(struct pic_json *object, const char *key, bool value)
{
	return pic_json_set(object, key, pic_json_new_bool(value));
}

void pic_json_delete(struct pic_json *object, const char *key)
{
	json_object_del(inside(object), key);
}

struct pic_json *pic_json_ensure_object(struct pic_json *object, const char *key)
{
	struct pic_json *member = pic_json_get(object, key);

	if (pic_json_type(member) == PIC_JSON_OBJECT)
		return member;
	if (pic_json_set(object, key, pic_json_new_object()) < 0)
		return NULL;
	return pic_json_get(object, key);
}

void *pic_json_iter(const struct pic_json *object)
{
	return json_object_iter(inside(object));
}

void *pic_json_iter_next(const struct pic_json *object, void *i)
{
	return json_object_iter_next(inside(object), i);
}

const char *pic_json_key(void *i)
{
	return json_object_iter_key(i);
}

struct pic_json *pic_json_value(void *i)
{
	return outside(json_object_iter_value(i));
}

/* Arrays. */

size_t pic_json_count(const struct pic_json *value)
{
	return json_is_object(inside(value)) ? json_object_size(inside(value))
					     : json_array_size(inside(value));
}

struct pic_json *pic_json_at(const struct pic_json *array, size_t index)
{
	return outside(json_array_get(inside(array), index));
}

int pic_json_append(struct pic_json *array, struct pic_json *value)
{
	return json_array_append_new(inside(array), inside(value)) < 0 ? -EINVAL : 0;
}

int pic_json_append_text(struct pic_json *array, const char *text)
{
	return pic_json_append(array, pic_json_new_text(text));
}

int pic_json_insert(struct pic_json *array, size_t index, struct pic_json *value)
{
	return json_array_insert_new(inside(array), index, inside(value)) < 0 ? -EINVAL : 0;
}

int pic_json_replace_at(struct pic_json *array, size_t index, struct pic_json *value)
{
	return json_array_set_new(inside(array), index, inside(value)) < 0 ? -EINVAL : 0;
}

void pic_json_remove_at(struct pic_json *array, size_t index)
{
	json_array_remove(inside(array), index);
}

/* Values. */

const char *pic_json_text(const struct pic_json *value)
{
	const char *text = json_string_value(inside(value));

	return text && !has_mark(text) ? text : NULL;
}

const char *pic_json_text_or(const struct pic_json *value, const char *fallback)
{
	const char *text = pic_json_text(value);

	return text ? text : fallback;
}

bool pic_json_integer(const struct pic_json *value, long long *out)
{
	const char *number = literal(value);

	if (number && strcmp(number, "-0") == 0) {
		*out = 0;
		return true;
	}
	if (!json_is_integer(inside(value)))
		return false;
	*out = json_integer_value(inside(value));
	return true;
}

bool pic_json_number(const struct pic_json *value, double *out)
{
	const char *number = literal(value);
	double parsed;

	if (!number && !json_is_integer(inside(value)))
		return false;
	parsed = number ? strtod(number, NULL) : (double)json_integer_value(inside(value));
	if (!isfinite(parsed))
		return false;
	*out = parsed;
	return true;
}

bool pic_json_true(const struct pic_json *value)
{
	return json_is_true(inside(value));
}

const char *pic_json_get_text(const struct pic_json *object, const char *key)
{
	return pic_json_text(pic_json_get(object, key));
}
