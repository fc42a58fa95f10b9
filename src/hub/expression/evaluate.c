#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "hub/expression/functions.h"

static int evaluate_text(struct pic_evaluation *evaluation, struct pic_view text,
			 struct pic_json **out)
{
	/* only single quotes go */
	if (text.size >= 2 && text.data[0] == '\'' && text.data[text.size - 1] == '\'') {
		text.data++;
		text.size -= 2;
	}
	*out = pic_json_new_text_sized(text.data, text.size);
	return *out ? 0
		    : pic_error_set(evaluation->err, -EINVAL, "a text in an expression is damaged");
}

static int evaluate_integer(struct pic_evaluation *evaluation, struct pic_view text,
			    struct pic_json **out)
{
	char digits[32];
	long long value;

	if (text.size >= sizeof(digits))
		return pic_error_set(evaluation->err, -EINVAL, "%.32s... is too large a number",
				     text.data);
	memcpy(digits, text.data, text.size);
	digits[text.size] = '\0';
	char *first = digits;

	while (first[0] == '0' && first[1])
		first++;
	if (pic_integer_parse(first, 0, INT64_MAX, &value) < 0)
		return pic_error_set(evaluation->err, -EINVAL, "%s is too large a number", digits);
	*out = pic_json_new_integer(value);
	return *out ? 0 : pic_error_set(evaluation->err, -ENOMEM, "no memory for an expression");
}

static int combine(struct pic_evaluation *evaluation, struct pic_json **left, char mark,
		   const struct pic_json *right)
{
	struct pic_json *value = NULL;

	if (!pic_value_arithmetic(*left, mark, right, &value)) {
		int r = pic_value_join(*left, mark == '+' ? 0 : mark, right, &value,
				       evaluation->err);

		if (r < 0)
			return r;
	}
	pic_json_unref(*left);
	*left = value;
	return 0;
}

static int evaluate_chain(struct pic_evaluation *evaluation, const struct pic_node *node,
			  struct pic_json **out)
{
	PIC_JSON struct pic_json *left = NULL;
	int r = pic_node_evaluate(evaluation, node->children[0], &left);

	for (size_t i = 1; r == 0 && i < node->count; i++) {
		PIC_JSON struct pic_json *right = NULL;

		r = pic_node_evaluate(evaluation, node->children[i], &right);
		if (r == 0)
			r = combine(evaluation, &left, node->marks[i], right);
	}
	if (r == 0)
		*out = PIC_STEAL(left);
	return r;
}

/* Minus nothing is the empty text, minus a text is a text with - in front. */
static int evaluate_sign(struct pic_evaluation *evaluation, const struct pic_node *node,
			 struct pic_json **out)
{
	PIC_JSON struct pic_json *value = NULL;
	int r = pic_node_evaluate(evaluation, node->children[0], &value);

	if (r < 0)
		return r;
	if (!value)
		*out = pic_json_new_text("");
	else if (node->mark == '+')
		*out = PIC_STEAL(value);
	else if (pic_value_is_number(value))
		*out = pic_value_negative(value);
	else
		return pic_value_join(NULL, '-', value, out, evaluation->err);
	return *out ? 0 : pic_error_set(evaluation->err, -ENOMEM, "no memory for an expression");
}

static int evaluate_group(struct pic_evaluation *evaluation, const struct pic_node *node,
			  struct pic_json **out)
{
	PIC_JSON struct pic_json *inner = NULL, *opened = NULL;
	int r = pic_node_evaluate(evaluation, node->children[0], &inner);

	if (r < 0)
		return r;
	if (node->mark == '(') {
		*out = PIC_STEAL(inner);
		return 0;
	}
	r = pic_value_join(NULL, node->mark, inner, &opened, evaluation->err);
	return r < 0 ? r
		     : pic_value_join(opened, node->mark == '[' ? ']' : '}', NULL, out,
				      evaluation->err);
}

static struct pic_json *joined_lists(const struct pic_json *left, const struct pic_json *right)
{
	struct pic_json *list = pic_json_copy(left);

	for (size_t i = 0; i < pic_json_count(right); i++)
		pic_json_append(list, pic_json_ref(pic_json_at(right, i)));
	return list;
}

static struct pic_json *merged_maps(const struct pic_json *left, const struct pic_json *right)
{
	struct pic_json *map = pic_json_copy(left);

	pic_json_each(right, i)
		pic_json_set(map, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	return map;
}

/* What stands in a row: lists are appended, maps merged, everything else is text. */
static int add_part(struct pic_evaluation *evaluation, struct pic_json **left,
		    struct pic_json *right)
{
	PIC_JSON struct pic_json *owned = right;
	enum pic_json_type a = pic_json_type(*left), b = pic_json_type(right);
	struct pic_json *value = NULL;
	int r = 0;

	if (b == PIC_JSON_ABSENT)
		return 0;
	if (a == PIC_JSON_ABSENT)
		value = PIC_STEAL(owned);
	else if (a == PIC_JSON_ARRAY && b == PIC_JSON_ARRAY)
		value = joined_lists(*left, right);
	else if (a == PIC_JSON_OBJECT && b == PIC_JSON_OBJECT)
		value = merged_maps(*left, right);
	else
		r = pic_value_join(*left, 0, right, &value, evaluation->err);
	if (r < 0)
		return r;
	pic_json_unref(*left);
	*left = value;
	return 0;
}

static int evaluate_parts(struct pic_evaluation *evaluation, const struct pic_node *node,
			  struct pic_json **out)
{
	PIC_JSON struct pic_json *value = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < node->count; i++) {
		struct pic_json *part = NULL;

		r = pic_node_evaluate(evaluation, node->children[i], &part);
		if (r == 0)
			r = add_part(evaluation, &value, part);
	}
	if (r == 0)
		*out = PIC_STEAL(value);
	return r;
}

int pic_node_evaluate(struct pic_evaluation *evaluation, const struct pic_node *node,
		      struct pic_json **out)
{
	switch (node->kind) {
	case PIC_NODE_MISSING:
		*out = NULL;
		return 0;
	case PIC_NODE_INTEGER:
		return evaluate_integer(evaluation, node->text, out);
	case PIC_NODE_TEXT:
		return evaluate_text(evaluation, node->text, out);
	case PIC_NODE_CALL:
		return pic_function_call(evaluation, node, out);
	case PIC_NODE_CHAIN:
		return evaluate_chain(evaluation, node, out);
	case PIC_NODE_SIGN:
		return evaluate_sign(evaluation, node, out);
	case PIC_NODE_GROUP:
		return evaluate_group(evaluation, node, out);
	case PIC_NODE_PARTS:
		return evaluate_parts(evaluation, node, out);
	}
	return pic_error_set(evaluation->err, -EINVAL, "an expression cannot be evaluated");
}
