/*
 * The functions of expressions and the evaluation of trees. Internal to hub/expression.
 */
#ifndef PIC_HUB_EXPRESSION_FUNCTIONS_H
#define PIC_HUB_EXPRESSION_FUNCTIONS_H

#include "hub/expression/expression.h"
#include "hub/expression/tree.h"
#include "hub/expression/value.h"

/* A value that is being looked up, so that one that leads to itself is found. */
struct pic_looking {
	const struct pic_looking *outer;
	const struct pic_json *map;
	const char *key;
};

struct pic_evaluation {
	const struct pic_expression_context *context;
	const struct pic_looking *looking;
	int depth;    /* values that are expressions themselves */
	size_t calls; /* of functions so far: such values can multiply */
	struct pic_error *err;
};

/* *out: NULL for a missing operand. */
int pic_node_evaluate(struct pic_evaluation *evaluation, const struct pic_node *node,
		      struct pic_json **out);
/* Calls by name; the arguments are evaluated as the function wants it. */
int pic_function_call(struct pic_evaluation *evaluation, const struct pic_node *call,
		      struct pic_json **out);
/* Whether the text has an expression in it; *alone: it is one expression and nothing else, `out`. */
bool pic_expression_sole(const char *text, struct pic_view *out, bool *alone);
/* A text with literal parts and expressions. */
int pic_text_evaluate(struct pic_evaluation *evaluation, const char *text, struct pic_json **out);

#endif
