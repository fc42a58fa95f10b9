/*
 * Texts: literal parts and expressions.
 */
#include "hub/expression/expression.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "hub/expression/functions.h"

struct part {
	bool is_expression;
	struct pic_view text; /* without the braces */
	size_t next;
};

/* The end of an expression: the first }} outside of quotes; when a quote stays open, the first }}. */
static const char *find_end(const char *from)
{
	char quote = '\0';

	for (const char *c = from; *c; c++) {
		if (quote)
			quote = *c == quote ? '\0' : quote;
		else if (*c == '\'' || *c == '"' || *c == '`')
			quote = *c;
		else if (c[0] == '}' && c[1] == '}')
			return c;
	}
	return quote ? strstr(from, "}}") : NULL;
}

static struct part next_part(const char *text, size_t at)
{
	const char *from = text + at;
	const char *open = strstr(from, "${{");
	const char *end = open ? find_end(open + 3) : NULL;
	struct part part = { .is_expression = false };

	if (open == from && end) {
		part.is_expression = true;
		part.text = (struct pic_view){ open + 3, (size_t)(end - open - 3) };
		part.next = (size_t)(end + 2 - text);
		return part;
	}
	part.text.data = from;
	part.text.size = end ? (size_t)(open - from) : strlen(from);
	part.next = at + part.text.size;
	return part;
}

bool pic_expression_sole(const char *text, struct pic_view *out, bool *alone)
{
	size_t size = strlen(text);
	bool any = false;

	*alone = false;
	for (size_t at = 0; at < size;) {
		struct part part = next_part(text, at);

		if (part.is_expression) {
			any = true;
			*alone = at == 0 && part.next == size;
			*out = part.text;
		}
		at = part.next;
	}
	return any;
}

static int evaluate_part(struct pic_evaluation *evaluation, const struct part *part,
			 struct pic_json **out)
{
	struct pic_node *tree = NULL;

	if (!part->is_expression) {
		*out = pic_json_new_text_sized(part->text.data, part->text.size);
		return *out ? 0 : pic_error_set(evaluation->err, -EINVAL, "a text is damaged");
	}
	int r = pic_node_parse(part->text, &tree, evaluation->err);

	if (r == 0)
		r = pic_node_evaluate(evaluation, tree, out);
	pic_node_free(tree);
	return r;
}

int pic_text_evaluate(struct pic_evaluation *evaluation, const char *text, struct pic_json **out)
{
	PIC_BUF struct pic_buf whole = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);
	PIC_JSON struct pic_json *value = NULL;
	size_t at = 0, parts = 0, size = strnlen(text, PIC_EXPRESSION_TEXT_MAX + 1);

	if (size > PIC_EXPRESSION_TEXT_MAX)
		return pic_error_set(evaluation->err, -EINVAL, "a text is longer than %d bytes",
				     PIC_EXPRESSION_TEXT_MAX);
	for (; at < size; parts++) {
		struct part part = next_part(text, at);
		struct pic_json *next = NULL;
		int r = evaluate_part(evaluation, &part, &next);

		pic_json_unref(value);
		value = next;
		if (r < 0)
			return r;
		pic_value_text_add(value, &whole);
		at = part.next;
	}
	if (parts <= 1) {
		*out = value ? PIC_STEAL(value) : pic_json_new_null();
		return 0;
	}
	int r = pic_buf_check(&whole, "the value of an expression", evaluation->err);

	if (r == 0)
		*out = pic_json_new_text_sized(pic_buf_text(&whole), whole.size);
	return r;
}

int pic_expression_evaluate(const char *text, const struct pic_expression_context *context,
			    struct pic_json **out, struct pic_error *err)
{
	struct pic_evaluation evaluation = { .context = context, .err = err };
	struct pic_json *value = NULL;
	int r = pic_text_evaluate(&evaluation, text, &value);

	if (r < 0)
		return r;
	if (!value)
		return pic_error_set(err, -ENOMEM, "no memory for the value of an expression");
	*out = value;
	return 0;
}

/* Replaces in place; the tree is a copy and as deep as JSON may be. */
static int evaluate_inside(struct pic_json *tree, const struct pic_expression_context *context,
			   struct pic_error *err);

static int evaluate_member(const struct pic_json *value,
			   const struct pic_expression_context *context, struct pic_json **out,
			   struct pic_error *err)
{
	const char *text = pic_json_text(value);

	*out = NULL;
	if (!text || !strstr(text, "${{"))
		return 0;
	return pic_expression_evaluate(text, context, out, err);
}

static int evaluate_object(struct pic_json *tree, const struct pic_expression_context *context,
			   struct pic_error *err)
{
	pic_json_each(tree, i) {
		struct pic_json *value = NULL;
		int r = evaluate_member(pic_json_value(i), context, &value, err);

		if (r < 0)
			return pic_error_wrap(err, r, "%.80s", pic_json_key(i));
		if (value)
			r = pic_json_set(tree, pic_json_key(i), value);
		else
			r = evaluate_inside(pic_json_value(i), context, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int evaluate_inside(struct pic_json *tree, const struct pic_expression_context *context,
			   struct pic_error *err)
{
	if (pic_json_type(tree) == PIC_JSON_OBJECT)
		return evaluate_object(tree, context, err);
	if (pic_json_type(tree) != PIC_JSON_ARRAY)
		return 0;
	for (size_t i = 0; i < pic_json_count(tree); i++) {
		struct pic_json *value = NULL;
		int r = evaluate_member(pic_json_at(tree, i), context, &value, err);

		if (r == 0 && value)
			r = pic_json_replace_at(tree, i, value);
		else if (r == 0)
			r = evaluate_inside(pic_json_at(tree, i), context, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int pic_expression_evaluate_tree(const struct pic_json *tree,
				 const struct pic_expression_context *context,
				 struct pic_json **out, struct pic_error *err)
{
	PIC_JSON struct pic_json *copy = NULL;
	int r = evaluate_member(tree, context, &copy, err);

	if (r < 0)
		return r;
	if (!copy) {
		copy = pic_json_copy(tree);
		if (!copy)
			return pic_error_set(err, -ENOMEM, "no memory for expressions");
		r = evaluate_inside(copy, context, err);
		if (r < 0)
			return r;
	}
	*out = PIC_STEAL(copy);
	return 0;
}

bool pic_expression_is_true(const struct pic_json *value)
{
	const char *text = pic_json_text(value);

	return pic_json_true(value) || (text && strcmp(text, "true") == 0);
}
