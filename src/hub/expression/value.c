#include "hub/expression/value.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hub/expression/expression.h"

bool pic_value_is_number(const struct pic_json *value)
{
	return pic_json_type(value) == PIC_JSON_NUMBER;
}

static void shortest(double number, char out[40])
{
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(out, 40, "%.*g", digits, number);
		if (strtod(out, NULL) == number)
			return;
	}
}

/* A whole number is an integer again, whatever it came from. */
static struct pic_json *from_double(double number)
{
	char text[40];

	if (!isfinite(number))
		return NULL;
	if (number == floor(number) && fabs(number) < 9e15)
		return pic_json_new_integer((long long)number);
	shortest(number, text);
	return pic_json_new_number(text);
}

int pic_value_text_add(const struct pic_json *value, struct pic_buf *out)
{
	double number;
	long long integer;
	char text[40];

	switch (pic_json_type(value)) {
	case PIC_JSON_ABSENT:
	case PIC_JSON_NULL:
		return 0;
	case PIC_JSON_BOOL:
		pic_buf_text_add(out, pic_json_true(value) ? "true" : "false");
		return 0;
	case PIC_JSON_NUMBER:
		if (pic_json_integer(value, &integer)) {
			pic_buf_format(out, "%lld", integer);
		} else if (pic_json_number(value, &number)) {
			shortest(number, text);
			pic_buf_text_add(out, text);
		}
		return 0;
	case PIC_JSON_TEXT:
		pic_buf_text_add(out, pic_json_text(value));
		return 0;
	case PIC_JSON_ARRAY:
	case PIC_JSON_OBJECT:
		return pic_json_write(value, PIC_JSON_COMPACT, out);
	}
	return 0;
}

int pic_value_join(const struct pic_json *left, char mark, const struct pic_json *right,
		   struct pic_json **out, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);

	pic_value_text_add(left, &text);
	if (mark)
		pic_buf_char(&text, mark);
	pic_value_text_add(right, &text);
	int r = pic_buf_check(&text, "the value of an expression", err);

	if (r < 0)
		return r;
	*out = pic_json_new_text_sized(pic_buf_text(&text), text.size);
	return *out ? 0 : pic_error_set(err, -ENOMEM, "no memory for the value of an expression");
}

static bool integer_arithmetic(long long a, char mark, long long b, long long *out)
{
	switch (mark) {
	case '+':
		return !__builtin_add_overflow(a, b, out);
	case '-':
		return !__builtin_sub_overflow(a, b, out);
	case '*':
		return !__builtin_mul_overflow(a, b, out);
	default:
		return false;
	}
}

static double double_arithmetic(double a, char mark, double b)
{
	switch (mark) {
	case '+':
		return a + b;
	case '-':
		return a - b;
	case '*':
		return a * b;
	default:
		return a / b;
	}
}

bool pic_value_arithmetic(const struct pic_json *left, char mark, const struct pic_json *right,
			  struct pic_json **out)
{
	long long a, b, whole;
	double x, y;

	if (!strchr("+-*/", mark) || !pic_value_is_number(left) || !pic_value_is_number(right))
		return false;
	if (pic_json_integer(left, &a) && pic_json_integer(right, &b) &&
	    integer_arithmetic(a, mark, b, &whole)) {
		*out = pic_json_new_integer(whole);
		return *out != NULL;
	}
	if (!pic_json_number(left, &x) || !pic_json_number(right, &y) || (mark == '/' && y == 0))
		return false;
	*out = from_double(double_arithmetic(x, mark, y));
	return *out != NULL;
}

struct pic_json *pic_value_negative(const struct pic_json *number)
{
	long long integer;
	double real;

	if (pic_json_integer(number, &integer) && integer != INT64_MIN)
		return pic_json_new_integer(-integer);
	return pic_json_number(number, &real) ? from_double(-real) : NULL;
}

bool pic_value_equal(const struct pic_json *a, const struct pic_json *b)
{
	PIC_BUF struct pic_buf left = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);
	PIC_BUF struct pic_buf right = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);

	if (pic_json_type(a) == pic_json_type(b))
		return pic_json_equal(a, b) || (!a && !b);
	pic_value_text_add(a, &left);
	pic_value_text_add(b, &right);
	return !left.failed && !right.failed &&
	       strcmp(pic_buf_text(&left), pic_buf_text(&right)) == 0;
}
