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

/* A provider of configuration or secrets: a field of an object, "" for the whole object. *out is the
 * caller's. */
typedef int pic_expression_ask_fn(void *data, const char *object, const char *field,
				  struct pic_json **out, struct pic_error *err);

/* What functions can ask for; NULL: there is none of it. All lent. */
struct pic_expression_context {
	const struct pic_json *properties; /* $property: of the target */
	const struct pic_json *inputs;	   /* $input: of the stage */
	const struct pic_json *outputs;	   /* $output: stage -> its outputs */
	const char *instance;		   /* $instance */
	const struct pic_json *triggers;   /* $trigger: inputs of the activation */
	const struct pic_json *value;	   /* $val, $context */
	const struct pic_json *parameters; /* $param: of the component that is evaluated */
	pic_expression_ask_fn *config;	   /* $config */
	pic_expression_ask_fn *secret;	   /* $secret */
	void *ask_data;
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

/* What a JSONPath of the Kubernetes dialect finds: $ . [n] [*] ['key'] [?(@.a=="b")] and .. ; one hit is
 * that value, several are a list, none is -ENOENT. *out is the caller's. */
int pic_json_path(const struct pic_json *value, const char *path, struct pic_json **out,
		  struct pic_error *err);
/* Every text that stands alone in the arguments of $if in the expressions of `text`, or the text itself
 * when it is none: what it can be worth without anything being known. */
typedef void pic_expression_text_fn(void *data, const char *text);
int pic_expression_branches(const char *text, pic_expression_text_fn *fn, void *data,
			    struct pic_error *err);

#endif
