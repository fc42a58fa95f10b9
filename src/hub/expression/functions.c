/*
 * The functions, as one table. A function gets its arguments as nodes, so that $if evaluates only the
 * branch it takes.
 */
#include "hub/expression/functions.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* A value that is an expression may lead to others; longer ways are circles. */
#define VALUE_DEPTH_MAX 16
#define CALLS_MAX 10000

typedef int function_fn(struct pic_evaluation *evaluation, const struct pic_node *call,
			struct pic_json **out);

static int argument(struct pic_evaluation *evaluation, const struct pic_node *call, size_t index,
		    struct pic_json **out)
{
	return pic_node_evaluate(evaluation, call->children[index], out);
}

static int argument_text(struct pic_evaluation *evaluation, const struct pic_node *call,
			 size_t index, struct pic_buf *out)
{
	PIC_JSON struct pic_json *value = NULL;
	int r = argument(evaluation, call, index, &value);

	if (r < 0)
		return r;
	pic_value_text_add(value, out);
	return pic_buf_check(out, "an argument of an expression", evaluation->err);
}

static int answer_bool(struct pic_evaluation *evaluation, bool value, struct pic_json **out)
{
	*out = pic_json_new_bool(value);
	return *out ? 0 : pic_error_set(evaluation->err, -ENOMEM, "no memory for an expression");
}

/* A value that is an expression itself. */
static int look_deeper(struct pic_evaluation *evaluation, const struct pic_looking *looking,
		       const char *what, const char *text, struct pic_json **out)
{
	for (const struct pic_looking *outer = looking->outer; outer; outer = outer->outer)
		if (outer->map == looking->map && strcmp(outer->key, looking->key) == 0)
			return pic_error_set(evaluation->err, -ELOOP,
					     "%s \"%.80s\" leads to itself: a circular dependency",
					     what, looking->key);
	if (evaluation->depth >= VALUE_DEPTH_MAX)
		return pic_error_set(evaluation->err, -ELOOP, "%s \"%.80s\" leads too far", what,
				     looking->key);
	evaluation->looking = looking;
	evaluation->depth++;
	int r = pic_text_evaluate(evaluation, text, out);

	evaluation->depth--;
	evaluation->looking = looking->outer;
	return r;
}

/* The value of a key; when it is an expression itself, what that is worth. */
static int look_up(struct pic_evaluation *evaluation, const struct pic_json *map, const char *what,
		   const char *key, struct pic_json **out)
{
	struct pic_json *value = pic_json_get(map, key);
	const char *text = pic_json_text(value);

	if (pic_json_count(map) == 0)
		return pic_error_set(evaluation->err, -EINVAL,
				     "there is no %s to ask for \"%.80s\"", what, key);
	if (!value)
		return pic_error_set(evaluation->err, -EINVAL, "there is no %s \"%.80s\"", what,
				     key);
	if (!text || !strstr(text, "${{")) {
		*out = pic_json_ref(value);
		return 0;
	}
	return look_deeper(evaluation, &(struct pic_looking){ evaluation->looking, map, key }, what,
			   text, out);
}

static int call_property(struct pic_evaluation *evaluation, const struct pic_node *call,
			 struct pic_json **out)
{
	PIC_BUF struct pic_buf key = PIC_BUF_INIT(PIC_EXPRESSION_SOURCE_MAX);
	int r = argument_text(evaluation, call, 0, &key);

	if (r < 0)
		return r;
	return look_up(evaluation, evaluation->context->properties, "property of the target",
		       pic_buf_text(&key), out);
}

static int call_input(struct pic_evaluation *evaluation, const struct pic_node *call,
		      struct pic_json **out)
{
	PIC_BUF struct pic_buf key = PIC_BUF_INIT(PIC_EXPRESSION_SOURCE_MAX);
	int r = argument_text(evaluation, call, 0, &key);

	if (r < 0)
		return r;
	return look_up(evaluation, evaluation->context->inputs, "input", pic_buf_text(&key), out);
}

/* No outputs at all is the empty text, a missing stage or key among some is an error. */
static int call_output(struct pic_evaluation *evaluation, const struct pic_node *call,
		       struct pic_json **out)
{
	PIC_BUF struct pic_buf stage = PIC_BUF_INIT(PIC_EXPRESSION_SOURCE_MAX);
	PIC_BUF struct pic_buf key = PIC_BUF_INIT(PIC_EXPRESSION_SOURCE_MAX);
	const struct pic_json *outputs = evaluation->context->outputs;
	int r = argument_text(evaluation, call, 0, &stage);

	if (r == 0)
		r = argument_text(evaluation, call, 1, &key);
	if (r < 0)
		return r;
	if (pic_json_count(outputs) == 0) {
		*out = pic_json_new_text("");
		return 0;
	}
	if (!pic_json_get(outputs, pic_buf_text(&stage)))
		return pic_error_set(evaluation->err, -EINVAL,
				     "there is no output of stage \"%.80s\"", pic_buf_text(&stage));
	return look_up(evaluation, pic_json_get(outputs, pic_buf_text(&stage)), "output",
		       pic_buf_text(&key), out);
}

static int call_instance(struct pic_evaluation *evaluation, const struct pic_node *call,
			 struct pic_json **out)
{
	(void)call;
	if (!evaluation->context->instance)
		return pic_error_set(evaluation->err, -EINVAL, "there is no instance to name here");
	*out = pic_json_new_text(evaluation->context->instance);
	return 0;
}

static int call_equal(struct pic_evaluation *evaluation, const struct pic_node *call,
		      struct pic_json **out)
{
	PIC_JSON struct pic_json *a = NULL, *b = NULL;
	int r = argument(evaluation, call, 0, &a);

	if (r == 0)
		r = argument(evaluation, call, 1, &b);
	return r < 0 ? r : answer_bool(evaluation, pic_value_equal(a, b), out);
}

static int argument_bool(struct pic_evaluation *evaluation, const struct pic_node *call,
			 size_t index, bool *out)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = {
		{ "1", true },	  { "t", true },      { "T", true },	  { "true", true },
		{ "TRUE", true }, { "True", true },   { "0", false },	  { "f", false },
		{ "F", false },	  { "false", false }, { "FALSE", false }, { "False", false },
	};
	PIC_JSON struct pic_json *value = NULL;
	int r = argument(evaluation, call, index, &value);
	const char *text = pic_json_text(value);

	if (r < 0)
		return r;
	if (pic_json_type(value) == PIC_JSON_BOOL) {
		*out = pic_json_true(value);
		return 0;
	}
	for (size_t i = 0; text && i < PIC_COUNT(words); i++) {
		if (strcmp(words[i].text, text) == 0) {
			*out = words[i].value;
			return 0;
		}
	}
	return pic_error_set(evaluation->err, -EINVAL, "\"%.80s\" is neither true nor false",
			     text ? text : pic_json_type_name(value));
}

static int call_logic(struct pic_evaluation *evaluation, const struct pic_node *call, bool both,
		      struct pic_json **out)
{
	bool a = false, b = false;
	int r = argument_bool(evaluation, call, 0, &a);

	if (r == 0)
		r = argument_bool(evaluation, call, 1, &b);
	return r < 0 ? r : answer_bool(evaluation, both ? a && b : a || b, out);
}

static int call_and(struct pic_evaluation *evaluation, const struct pic_node *call,
		    struct pic_json **out)
{
	return call_logic(evaluation, call, true, out);
}

static int call_or(struct pic_evaluation *evaluation, const struct pic_node *call,
		   struct pic_json **out)
{
	return call_logic(evaluation, call, false, out);
}

static int call_not(struct pic_evaluation *evaluation, const struct pic_node *call,
		    struct pic_json **out)
{
	bool value = false;
	int r = argument_bool(evaluation, call, 0, &value);

	return r < 0 ? r : answer_bool(evaluation, !value, out);
}

static int argument_number(struct pic_evaluation *evaluation, const struct pic_node *call,
			   size_t index, double *out)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_EXPRESSION_SOURCE_MAX);
	int r = argument_text(evaluation, call, index, &text);
	char *end = NULL;

	if (r < 0)
		return r;
	const char *first = pic_buf_text(&text);
	double number = strtod(first, &end);

	if (!*first || *end || strspn(first, "0123456789.eE+-") != strlen(first) ||
	    !isfinite(number))
		return pic_error_set(evaluation->err, -EINVAL, "%.80s is not a valid number",
				     first);
	*out = number;
	return 0;
}

/* Below, equal and above decide with three flags. */
static int call_compare(struct pic_evaluation *evaluation, const struct pic_node *call, bool below,
			bool equal, bool above, struct pic_json **out)
{
	double a = 0, b = 0;
	int r = argument_number(evaluation, call, 0, &a);

	if (r == 0)
		r = argument_number(evaluation, call, 1, &b);
	if (r < 0)
		return r;
	return answer_bool(evaluation, a < b ? below : a > b ? above : equal, out);
}

static int call_gt(struct pic_evaluation *evaluation, const struct pic_node *call,
		   struct pic_json **out)
{
	return call_compare(evaluation, call, false, false, true, out);
}

static int call_ge(struct pic_evaluation *evaluation, const struct pic_node *call,
		   struct pic_json **out)
{
	return call_compare(evaluation, call, false, true, true, out);
}

static int call_lt(struct pic_evaluation *evaluation, const struct pic_node *call,
		   struct pic_json **out)
{
	return call_compare(evaluation, call, true, false, false, out);
}

static int call_le(struct pic_evaluation *evaluation, const struct pic_node *call,
		   struct pic_json **out)
{
	return call_compare(evaluation, call, true, true, false, out);
}

static int call_between(struct pic_evaluation *evaluation, const struct pic_node *call,
			struct pic_json **out)
{
	double value = 0, low = 0, high = 0;
	int r = argument_number(evaluation, call, 0, &value);

	if (r == 0)
		r = argument_number(evaluation, call, 1, &low);
	if (r == 0)
		r = argument_number(evaluation, call, 2, &high);
	return r < 0 ? r : answer_bool(evaluation, value >= low && value <= high, out);
}

static int call_in(struct pic_evaluation *evaluation, const struct pic_node *call,
		   struct pic_json **out)
{
	PIC_BUF struct pic_buf wanted = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);
	bool found = false;
	int r = argument_text(evaluation, call, 0, &wanted);

	for (size_t i = 1; r == 0 && i < call->count; i++) {
		PIC_BUF struct pic_buf item = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);

		r = argument_text(evaluation, call, i, &item);
		found |= r == 0 && strcmp(pic_buf_text(&wanted), pic_buf_text(&item)) == 0;
	}
	return r < 0 ? r : answer_bool(evaluation, found, out);
}

static int call_if(struct pic_evaluation *evaluation, const struct pic_node *call,
		   struct pic_json **out)
{
	PIC_BUF struct pic_buf condition = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);
	int r = argument_text(evaluation, call, 0, &condition);

	if (r < 0)
		return r;
	return argument(evaluation, call, strcmp(pic_buf_text(&condition), "true") == 0 ? 1 : 2,
			out);
}

static int call_trigger(struct pic_evaluation *evaluation, const struct pic_node *call,
			struct pic_json **out)
{
	PIC_BUF struct pic_buf key = PIC_BUF_INIT(PIC_EXPRESSION_SOURCE_MAX);
	const struct pic_json *triggers = evaluation->context->triggers;
	int r = argument_text(evaluation, call, 0, &key);

	if (r < 0)
		return r;
	if (!pic_json_get(triggers, pic_buf_text(&key)))
		return argument(evaluation, call, 1, out);
	return look_up(evaluation, triggers, "input of the activation", pic_buf_text(&key), out);
}

static int call_param(struct pic_evaluation *evaluation, const struct pic_node *call,
		      struct pic_json **out)
{
	PIC_BUF struct pic_buf key = PIC_BUF_INIT(PIC_EXPRESSION_SOURCE_MAX);
	int r = argument_text(evaluation, call, 0, &key);

	if (r < 0)
		return r;
	return look_up(evaluation, evaluation->context->parameters, "parameter", pic_buf_text(&key),
		       out);
}

/* $ and {$ begin a JSONPath, everything else is a key. */
static int call_value(struct pic_evaluation *evaluation, const struct pic_node *call,
		      struct pic_json **out)
{
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(PIC_EXPRESSION_SOURCE_MAX);
	const struct pic_json *value = evaluation->context->value;
	int r = call->count ? argument_text(evaluation, call, 0, &path) : 0;

	if (r < 0)
		return r;
	if (!value)
		return pic_error_set(evaluation->err, -EINVAL, "there is no value in the context");
	if (path.size == 0) {
		*out = pic_json_ref((struct pic_json *)value);
		return 0;
	}
	if (*pic_buf_text(&path) == '$' || pic_text_starts(pic_buf_text(&path), "{$"))
		return pic_json_path(value, pic_buf_text(&path), out, evaluation->err);
	return look_up(evaluation, value, "value", pic_buf_text(&path), out);
}

static int ask(struct pic_evaluation *evaluation, const struct pic_node *call, const char *what,
	       pic_expression_ask_fn *provider, struct pic_json **out)
{
	PIC_BUF struct pic_buf object = PIC_BUF_INIT(PIC_EXPRESSION_SOURCE_MAX);
	PIC_BUF struct pic_buf field = PIC_BUF_INIT(PIC_EXPRESSION_SOURCE_MAX);
	int r = argument_text(evaluation, call, 0, &object);

	if (r == 0)
		r = argument_text(evaluation, call, 1, &field);
	if (r < 0)
		return r;
	if (!provider)
		return pic_error_set(evaluation->err, -EINVAL,
				     "$%s(%.80s, ...) cannot be answered: there is no provider",
				     what, pic_buf_text(&object));
	return provider(evaluation->context->ask_data, pic_buf_text(&object), pic_buf_text(&field),
			out, evaluation->err);
}

static int call_config(struct pic_evaluation *evaluation, const struct pic_node *call,
		       struct pic_json **out)
{
	return ask(evaluation, call, "config", evaluation->context->config, out);
}

static int call_secret(struct pic_evaluation *evaluation, const struct pic_node *call,
		       struct pic_json **out)
{
	return ask(evaluation, call, "secret", evaluation->context->secret, out);
}

/* Takes what was written so far as the answer. */
static int answer_text(struct pic_evaluation *evaluation, const struct pic_buf *text,
		       struct pic_json **out)
{
	int r = pic_buf_check(text, "the value of an expression", evaluation->err);

	if (r < 0)
		return r;
	*out = pic_json_new_text_sized(pic_buf_text(text), text->size);
	return *out ? 0
		    : pic_error_set(evaluation->err, -EINVAL,
				    "the value of an expression is not a text");
}

/* A text is taken for JSON already: brackets and braces of the language make such texts. */
static int call_json(struct pic_evaluation *evaluation, const struct pic_node *call,
		     struct pic_json **out)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);
	PIC_JSON struct pic_json *value = NULL, *parsed = NULL;
	int r = argument(evaluation, call, 0, &value);
	const char *inside = pic_json_text(value);

	if (r < 0)
		return r;
	if (inside && pic_json_parse(&parsed, inside, strlen(inside), NULL) == 0)
		pic_json_write(parsed, PIC_JSON_COMPACT, &text);
	else if (value)
		pic_json_write(value, PIC_JSON_COMPACT, &text);
	return answer_text(evaluation, &text, out);
}

static int call_json_path(struct pic_evaluation *evaluation, const struct pic_node *call,
			  struct pic_json **out)
{
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(PIC_EXPRESSION_SOURCE_MAX);
	PIC_JSON struct pic_json *value = NULL, *parsed = NULL;
	int r = argument(evaluation, call, 0, &value);
	const char *text = pic_json_text(value);

	if (r == 0)
		r = argument_text(evaluation, call, 1, &path);
	if (r == 0 && text)
		r = pic_json_parse(&parsed, text, strlen(text), evaluation->err);
	if (r < 0)
		return r;
	return pic_json_path(parsed ? parsed : value, pic_buf_text(&path), out, evaluation->err);
}

static int call_str(struct pic_evaluation *evaluation, const struct pic_node *call,
		    struct pic_json **out)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);
	int r = argument_text(evaluation, call, 0, &text);

	return r < 0 ? r : answer_text(evaluation, &text, out);
}

static int call_base64_encode(struct pic_evaluation *evaluation, const struct pic_node *call,
			      struct pic_json **out)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);
	PIC_BUF struct pic_buf coded = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);
	int r = argument_text(evaluation, call, 0, &text);

	if (r < 0)
		return r;
	pic_base64_encode(text.data, text.size, &coded);
	return answer_text(evaluation, &coded, out);
}

static int call_base64_decode(struct pic_evaluation *evaluation, const struct pic_node *call,
			      struct pic_json **out)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);
	PIC_BUF struct pic_buf plain = PIC_BUF_INIT(PIC_EXPRESSION_RESULT_MAX);
	int r = argument_text(evaluation, call, 0, &text);

	if (r < 0)
		return r;
	if (pic_base64_decode(pic_buf_text(&text), text.size, &plain) < 0)
		return pic_error_set(evaluation->err, -EINVAL, "\"%.80s\" is not base64",
				     pic_buf_text(&text));
	return answer_text(evaluation, &plain, out);
}

static const struct {
	const char *name;
	size_t least, most;
	function_fn *call;
} functions[] = {
	{ "property", 1, 1, call_property },
	{ "input", 1, 1, call_input },
	{ "output", 2, 2, call_output },
	{ "instance", 0, 0, call_instance },
	{ "equal", 2, 2, call_equal },
	{ "and", 2, 2, call_and },
	{ "or", 2, 2, call_or },
	{ "not", 1, 1, call_not },
	{ "gt", 2, 2, call_gt },
	{ "ge", 2, 2, call_ge },
	{ "lt", 2, 2, call_lt },
	{ "le", 2, 2, call_le },
	{ "between", 3, 3, call_between },
	{ "in", 2, PIC_EXPRESSION_SOURCE_MAX, call_in },
	{ "if", 3, 3, call_if },
	{ "trigger", 2, 2, call_trigger },
	{ "val", 0, 1, call_value },
	{ "context", 0, 1, call_value },
	{ "param", 1, 1, call_param },
	{ "config", 2, PIC_EXPRESSION_SOURCE_MAX, call_config },
	{ "secret", 2, 2, call_secret },
	{ "json", 1, 1, call_json },
	{ "jsonpath", 2, 2, call_json_path },
	{ "str", 1, 1, call_str },
	{ "base64encode", 1, 1, call_base64_encode },
	{ "base64decode", 1, 1, call_base64_decode },
};

int pic_function_call(struct pic_evaluation *evaluation, const struct pic_node *call,
		      struct pic_json **out)
{
	if (++evaluation->calls > CALLS_MAX)
		return pic_error_set(evaluation->err, -ELOOP,
				     "an expression calls more than %d functions", CALLS_MAX);
	for (size_t i = 0; i < PIC_COUNT(functions); i++) {
		if (strlen(functions[i].name) != call->text.size ||
		    memcmp(functions[i].name, call->text.data, call->text.size) != 0)
			continue;
		if (call->count < functions[i].least || call->count > functions[i].most)
			return pic_error_set(
				evaluation->err, -EINVAL,
				"$%s() expects %s%zu arguments, found %zu", functions[i].name,
				functions[i].most > functions[i].least ? "at least " : "",
				functions[i].least, call->count);
		return functions[i].call(evaluation, call, out);
	}
	return pic_error_set(evaluation->err, -EINVAL, "invalid function name: '%.*s'",
			     (int)(call->text.size < 80 ? call->text.size : 80), call->text.data);
}
