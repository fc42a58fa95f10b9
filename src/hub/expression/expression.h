/*
 * Symphony's expression language (symphony-protocol.md section 6): `${{...}}` inside of texts. Pure.
 *
 * A text is cut into literal parts and expressions. One expression alone keeps its type; several parts
 * become one text; an empty text is null. What is not numeric is text, and an operator between texts
 * is written between them, so that `http://a:8080/b?c=d` is its own value.
 *
 * Hostile input: the length of a text, its depth and the size of a result are bounded.
 */
#ifndef PIC_HUB_EXPRESSION_EXPRESSION_H
#define PIC_HUB_EXPRESSION_EXPRESSION_H

#include "base/json.h"

#define PIC_EXPRESSION_TEXT_MAX (64 * 1024)
#define PIC_EXPRESSION_RESULT_MAX (256 * 1024)
#define PIC_EXPRESSION_DEPTH_MAX 64

/* What functions can ask for; NULL: there is none of it. All lent. */
struct pic_expression_context {
	const struct pic_json *properties; /* $property: of the target */
	const struct pic_json *inputs;	   /* $input: of the stage */
	const struct pic_json *outputs;	   /* $output: stage -> its outputs */
	const char *instance;		   /* $instance */
};

/* *out is the caller's. -EINVAL with a sentence: unknown function, missing key, wrong argument ... */
int pic_expression_evaluate(const char *text, const struct pic_expression_context *context,
			    struct pic_json **out, struct pic_error *err);
/* A copy of the tree in which every text with a `${{` in it is replaced by its value. */
int pic_expression_evaluate_tree(const struct pic_json *tree,
				 const struct pic_expression_context *context,
				 struct pic_json **out, struct pic_error *err);
/* true, or the text "true". */
bool pic_expression_is_true(const struct pic_json *value);

#endif
