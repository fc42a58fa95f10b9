#include "protocol/place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/version.h"

int pic_place_error(const struct pic_place *place, const char *key, struct pic_error *err,
		    const char *format, ...)
{
	char text[PIC_ERROR_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (!key)
		return pic_error_set(err, -EINVAL, "%s: %s", place->path, text);
	return pic_error_set(err, -EINVAL, "%s.%s: %s", place->path, key, text);
}

int pic_place_root(struct pic_place *out, const struct pic_json *value, const char *name,
		   struct pic_error *err)
{
	struct pic_place place = { .object = value };

	snprintf(place.path, sizeof(place.path), "%s", name);
	if (pic_json_type(value) != PIC_JSON_OBJECT)
		return pic_place_error(&place, NULL, err, "an object is expected, found %s",
				       pic_json_type_name(value));
	*out = place;
	return 0;
}

static int wrong_type(const struct pic_place *place, const char *key, const char *wanted,
		      struct pic_error *err)
{
	const struct pic_json *value = pic_json_get(place->object, key);

	return pic_place_error(place, key, err, "%s is expected, found %s", wanted,
			       pic_json_type_name(value));
}

/* 1: there is a member to read, 0: there is none and need not be, or the error. */
static int look(const struct pic_place *place, const char *key, enum pic_presence presence,
		const struct pic_json **out, struct pic_error *err)
{
	const struct pic_json *value = pic_json_get(place->object, key);
	enum pic_json_type type = pic_json_type(value);

	if (type != PIC_JSON_ABSENT && type != PIC_JSON_NULL) {
		*out = value;
		return 1;
	}
	if (presence == PIC_REQUIRED)
		return pic_place_error(place, key, err, "is missing");
	return 0;
}

static int enter(const struct pic_json *value, struct pic_place *made, struct pic_place *out,
		 struct pic_error *err)
{
	if (pic_json_type(value) != PIC_JSON_OBJECT)
		return pic_place_error(made, NULL, err, "an object is expected, found %s",
				       pic_json_type_name(value));
	made->object = value;
	*out = *made;
	return 0;
}

int pic_place_object(const struct pic_place *place, const char *key, struct pic_place *out,
		     struct pic_error *err)
{
	struct pic_place made = { 0 };
	const struct pic_json *value = NULL;
	int r = look(place, key, PIC_REQUIRED, &value, err);

	if (r < 0)
		return r;
	snprintf(made.path, sizeof(made.path), "%.100s.%.50s", place->path, key);
	return enter(value, &made, out, err);
}

int pic_place_count(const struct pic_place *place, const char *key, size_t maximum, size_t *out,
		    struct pic_error *err)
{
	const struct pic_json *value = NULL;
	int r = look(place, key, PIC_OPTIONAL, &value, err);
	size_t count;

	if (r <= 0) {
		*out = 0;
		return r;
	}
	if (pic_json_type(value) != PIC_JSON_ARRAY)
		return wrong_type(place, key, "an array", err);
	count = pic_json_count(value);
	if (count > maximum)
		return pic_place_error(place, key, err,
				       "at most %zu entries are allowed, found %zu", maximum,
				       count);
	*out = count;
	return 0;
}

int pic_place_item(const struct pic_place *place, const char *key, size_t index,
		   struct pic_place *out, struct pic_error *err)
{
	struct pic_place made = { 0 };

	snprintf(made.path, sizeof(made.path), "%.100s.%.40s[%zu]", place->path, key, index);
	return enter(pic_json_at(pic_json_get(place->object, key), index), &made, out, err);
}

static bool has_controls(const char *text)
{
	size_t size = strlen(text), step;
	uint32_t point;

	for (; size > 0; text += step, size -= step) {
		step = pic_utf8_next(text, size, &point);
		if (step == 0 || pic_utf8_is_control(point))
			return true;
	}
	return false;
}

/* 1 and the text, 0 when absent, or the error. */
static int look_text(const struct pic_place *place, const char *key, enum pic_presence presence,
		     const char **out, struct pic_error *err)
{
	const struct pic_json *value = NULL;
	int r = look(place, key, presence, &value, err);

	if (r <= 0)
		return r;
	*out = pic_json_text(value);
	return *out ? 1 : wrong_type(place, key, "a text", err);
}

int pic_place_text(const struct pic_place *place, const char *key, enum pic_presence presence,
		   char *out, size_t size, struct pic_error *err)
{
	const char *text = NULL;
	int r = look_text(place, key, presence, &text, err);

	if (r <= 0)
		return r;
	if (strlen(text) >= size)
		return pic_place_error(place, key, err, "at most %zu bytes are allowed, found %zu",
				       size - 1, strlen(text));
	if (has_controls(text))
		return pic_place_error(place, key, err, "control characters are not allowed");
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

int pic_place_sentence(const struct pic_place *place, const char *key, char *out, size_t size,
		       struct pic_error *err)
{
	const char *text = NULL;
	int r = look_text(place, key, PIC_OPTIONAL, &text, err);
	size_t length;

	if (r <= 0)
		return r;
	length = strlen(text) < size ? strlen(text) : pic_utf8_cut(text, size - 1);
	memcpy(out, text, length);
	out[length] = '\0';
	return 0;
}

int pic_place_name(const struct pic_place *place, const char *key, enum pic_presence presence,
		   char *out, struct pic_error *err)
{
	const char *text = NULL;
	int r = look_text(place, key, presence, &text, err);

	if (r <= 0)
		return r;
	if (!pic_name_is_valid(text, PIC_NAME_MAX))
		return pic_place_error(
			place, key, err,
			"a name of 1 to %d lower-case letters, digits, '-' and '.' is expected",
			PIC_NAME_MAX);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

int pic_place_integer(const struct pic_place *place, const char *key, enum pic_presence presence,
		      int64_t minimum, int64_t maximum, int64_t *out, struct pic_error *err)
{
	const struct pic_json *value = NULL;
	int r = look(place, key, presence, &value, err);
	long long number;

	if (r <= 0)
		return r;
	if (!pic_json_integer(value, &number))
		return wrong_type(place, key, "a whole number", err);
	if (number < minimum || number > maximum)
		return pic_place_error(place, key, err, "%lld is not between %lld and %lld", number,
				       (long long)minimum, (long long)maximum);
	*out = number;
	return 0;
}

int pic_place_bool(const struct pic_place *place, const char *key, bool *out, struct pic_error *err)
{
	const struct pic_json *value = NULL;
	int r = look(place, key, PIC_OPTIONAL, &value, err);

	if (r <= 0)
		return r;
	if (pic_json_type(value) != PIC_JSON_BOOL)
		return wrong_type(place, key, "true or false", err);
	*out = pic_json_true(value);
	return 0;
}

static bool is_hex(const char *text, size_t digits)
{
	return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

/* 1 and the digits, 0 when absent, or the error. */
static int look_hex(const struct pic_place *place, const char *key, enum pic_presence presence,
		    size_t bytes, const char **out, struct pic_error *err)
{
	const char *text = NULL;
	int r = look_text(place, key, presence, &text, err);

	if (r <= 0)
		return r;
	if (!is_hex(text, 2 * bytes))
		return pic_place_error(place, key, err,
				       "%zu lower-case hexadecimal digits are expected", 2 * bytes);
	*out = text;
	return 1;
}

int pic_place_bytes(const struct pic_place *place, const char *key, enum pic_presence presence,
		    void *out, size_t bytes, bool *present, struct pic_error *err)
{
	const char *text = NULL;
	int r = look_hex(place, key, presence, bytes, &text, err);

	if (r < 0)
		return r;
	if (present)
		*present = r == 1;
	return r == 1 ? pic_hex_decode(text, out, bytes) : 0;
}

int pic_place_hex(const struct pic_place *place, const char *key, enum pic_presence presence,
		  char *out, size_t bytes, struct pic_error *err)
{
	const char *text = NULL;
	int r = look_hex(place, key, presence, bytes, &text, err);

	if (r <= 0)
		return r;
	memcpy(out, text, 2 * bytes + 1);
	return 0;
}

int pic_place_time(const struct pic_place *place, const char *key, enum pic_presence presence,
		   int64_t *wall_ms, struct pic_error *err)
{
	const char *text = NULL;
	int r = look_text(place, key, presence, &text, err);
	int64_t found;

	if (r <= 0)
		return r;
	if (pic_time_parse(text, &found) < 0)
		return pic_place_error(place, key, err,
				       "a time like 2026-11-24T14:00:00Z is expected");
	*wall_ms = found;
	return 0;
}

int pic_place_protocol(const struct pic_place *place, struct pic_error *err)
{
	int64_t number = 0;
	int r = pic_place_integer(place, "protocol", PIC_REQUIRED, 0, INT64_MAX, &number, err);

	if (r < 0)
		return r;
	if (number != PIC_PROTOCOL)
		return pic_place_error(place, "protocol", err, "%lld is not known here, %d is",
				       (long long)number, PIC_PROTOCOL);
	return 0;
}
