/*
 * Values of expressions are JSON values; NULL stands for a missing operand. Internal to hub/expression.
 */
#ifndef PIC_HUB_EXPRESSION_VALUE_H
#define PIC_HUB_EXPRESSION_VALUE_H

#include "base/json.h"
#include "base/text.h"

/* Appends the value as it appears inside a text: nothing for missing and null. */
int pic_value_text_add(const struct pic_json *value, struct pic_buf *out);
/* left, the mark (0: none), right as one text. */
int pic_value_join(const struct pic_json *left, char mark, const struct pic_json *right,
		   struct pic_json **out, struct pic_error *err);
/* + - * / of two numbers; false when it is not arithmetic (a text, a division by zero). */
bool pic_value_arithmetic(const struct pic_json *left, char mark, const struct pic_json *right,
			  struct pic_json **out);
struct pic_json *pic_value_negative(const struct pic_json *number);
bool pic_value_equal(const struct pic_json *a, const struct pic_json *b);
bool pic_value_is_number(const struct pic_json *value);

#endif
