/* What the tests of kube_api share: trees from text, texts from trees. */
#ifndef PIC_TEST_HUB_KUBE_TESTING_H
#define PIC_TEST_HUB_KUBE_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

static inline struct pic_json *tree(const char *text)
{
	struct pic_json *value = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_json_parse(&value, text, strlen(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return value;
}

/* free() it. */
static inline char *text_of(const struct pic_json *value)
{
	struct pic_buf out = PIC_BUF_INIT(16u * 1024 * 1024);

	assert_int_equal(pic_json_write(value, PIC_JSON_SORTED, &out), 0);
	return pic_buf_take(&out);
}

static inline void assert_tree(const struct pic_json *value, const char *expected)
{
	PIC_JSON struct pic_json *wanted = tree(expected);

	if (!pic_json_equal(value, wanted)) {
		PIC_FREE char *got = text_of(value);
		fail_msg("got %s, wanted %s", got, expected);
	}
}

#endif
