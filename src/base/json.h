/*
 * JSON (RFC 8259) as a tree of reference-counted values; the JSON library stands behind this file.
 *
 * Ownership: functions that take a value into a container steal it, failure included; getters lend.
 * A value is shared by pic_json_ref, released by pic_json_unref. NULL is accepted wherever a value is
 * expected: getters then answer "absent", constructors of containers that were given NULL by an earlier
 * failed call do nothing, so a tree can be built in a row and checked once (pic_json_write fails on it).
 *
 * Exact numbers: a number that is not an integer of 64 bits keeps the literal it was read with, so
 * 0.1, 1e3 and twenty digits come out as they went in.
 *
 * Hostile input: depth and number of objects and arrays are bounded (an empty one is a hundred times as large
 * in memory as in the text), duplicate keys are refused, text must
 * be UTF-8 without NUL.
 */
#ifndef PIC_BASE_JSON_H
#define PIC_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

struct pic_json; /* one value */

enum pic_json_type {
	PIC_JSON_ABSENT, /* the pointer was NULL */
	PIC_JSON_NULL,
	PIC_JSON_BOOL,
	PIC_JSON_NUMBER,
	PIC_JSON_TEXT,
	PIC_JSON_ARRAY,
	PIC_JSON_OBJECT,
};

enum pic_json_style {
	PIC_JSON_COMPACT = 0,
	PIC_JSON_INDENT = 1, /* two blanks */
	PIC_JSON_SORTED = 2, /* keys in byte order: for digests */
};

#define PIC_JSON_DEPTH_MAX 64

int pic_json_parse(struct pic_json **out, const char *text, size_t size, struct pic_error *err);
int pic_json_write(const struct pic_json *value, unsigned style, struct pic_buf *out);

struct pic_json *pic_json_ref(struct pic_json *value);
void pic_json_unref(struct pic_json *value);
static inline void pic_json_unref_pointer(struct pic_json **value)
{
	pic_json_unref(*value);
	*value = NULL;
}
#define PIC_JSON PIC_CLEANUP(pic_json_unref_pointer)

enum pic_json_type pic_json_type(const struct pic_json *value);
const char *pic_json_type_name(const struct pic_json *value); /* "object", "text", ... for errors */

struct pic_json *pic_json_new_object(void);
struct pic_json *pic_json_new_array(void);
struct pic_json *pic_json_new_text(const char *text); /* NULL text or bad UTF-8: NULL */
struct pic_json *pic_json_new_text_sized(const char *text, size_t size);
struct pic_json *pic_json_new_integer(long long value);
struct pic_json *pic_json_new_number(const char *literal); /* kept as it is written */
struct pic_json *pic_json_new_bool(bool value);
struct pic_json *pic_json_new_null(void);
struct pic_json *pic_json_copy(const struct pic_json *value); /* deep */
bool pic_json_equal(const struct pic_json *a, const struct pic_json *b);

/* Objects; keys keep the order of insertion. set replaces. */
struct pic_json *pic_json_get(const struct pic_json *object, const char *key);
/* Walks object keys: pic_json_find(o, "spec", "target", "name", NULL). Keys may contain dots. */
struct pic_json *pic_json_find(const struct pic_json *object, ...) __attribute__((sentinel));
int pic_json_set(struct pic_json *object, const char *key, struct pic_json *value);
int pic_json_set_text(struct pic_json *object, const char *key, const char *text);
int pic_json_set_integer(struct pic_json *object, const char *key, long long value);
int pic_json_set_bool(struct pic_json *object, const char *key, bool value);
void pic_json_delete(struct pic_json *object, const char *key);
/* The member object of that name, made when absent or not an object. */
struct pic_json *pic_json_ensure_object(struct pic_json *object, const char *key);

/* Iteration over an object; deleting the current key is allowed:
 *	pic_json_each(object, i) use(pic_json_key(i), pic_json_value(i)); */
void *pic_json_iter(const struct pic_json *object);
void *pic_json_iter_next(const struct pic_json *object, void *i);
const char *pic_json_key(void *i);
struct pic_json *pic_json_value(void *i);
#define pic_json_each(object, i) \
	for (void *i = pic_json_iter(object), *i##_next = NULL; \
	     i && ((i##_next = pic_json_iter_next(object, i)), 1); i = i##_next)

/* Arrays. */
size_t pic_json_count(const struct pic_json *value); /* members of an array or object, else 0 */
struct pic_json *pic_json_at(const struct pic_json *array, size_t index);
int pic_json_append(struct pic_json *array, struct pic_json *value);
int pic_json_append_text(struct pic_json *array, const char *text);
int pic_json_insert(struct pic_json *array, size_t index, struct pic_json *value);
int pic_json_replace_at(struct pic_json *array, size_t index, struct pic_json *value);
void pic_json_remove_at(struct pic_json *array, size_t index);

/* Values; text and literal are lent. */
const char *pic_json_text(const struct pic_json *value); /* NULL unless it is a text */
const char *pic_json_text_or(const struct pic_json *value, const char *fallback);
bool pic_json_integer(const struct pic_json *value, long long *out); /* false unless an integer */
bool pic_json_number(const struct pic_json *value, double *out);
bool pic_json_true(const struct pic_json *value);
const char *pic_json_get_text(const struct pic_json *object,
			      const char *key); /* NULL when absent */

#endif
