/*
 * Objects for tests, written with ' for ".
 */
#ifndef PIC_TEST_SYMPHONY_SAMPLE_H
#define PIC_TEST_SYMPHONY_SAMPLE_H

/* cmocka gives every test a state; few want it. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#include "base/check.h"
#include "symphony/object.h"

static inline struct pic_json *sample_json(const char *text)
{
	PIC_FREE char *copy = strdup(text);
	struct pic_json *value = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	if (pic_json_parse(&value, copy, strlen(copy), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return value;
}

static inline struct pic_object *sample_object(enum pic_kind kind, const char *text)
{
	struct pic_object *object = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_object_new(&object, kind, sample_json(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return object;
}

static inline void assert_json_equal(const struct pic_json *value, const char *wanted)
{
	PIC_JSON struct pic_json *other = sample_json(wanted);
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1 << 20);

	if (pic_json_equal(value, other))
		return;
	pic_json_write(value, PIC_JSON_COMPACT, &text);
	fail_msg("it is %s\nand not %s", pic_buf_text(&text), wanted);
}

#define SAMPLE_OBJECT PIC_CLEANUP(pic_object_unref_pointer) struct pic_object

#endif
