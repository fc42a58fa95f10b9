/*
 * Tokens and the tree of one expression. Internal to hub/expression.
 *
 *	expr    := factor { ("+" | "-" | ",") factor }       "," not between arguments of a function
 *	factor  := primary { ("*" | "/" | "\" | "." | ":" | "?" | "=" | "&" | "~") primary }
 *	primary := INT | IDENT | QUOTED | "$" IDENT "(" [args] ")"
 *	         | "(" expr ")" | "[" expr "]" | "{" expr "}" | ("+" | "-") primary
 *	args    := expr { [","] expr }
 *
 * A missing operand is a node too. A chain of operators is one node, so that the depth of a tree is
 * the depth of its parentheses.
 */
#ifndef PIC_HUB_EXPRESSION_TREE_H
#define PIC_HUB_EXPRESSION_TREE_H

#include "base/buffer.h"
#include "base/error.h"

/* One expression; it also bounds the number of nodes. */
#define PIC_EXPRESSION_SOURCE_MAX 8192

enum pic_token_kind {
	PIC_TOKEN_END,
	PIC_TOKEN_INTEGER,
	PIC_TOKEN_IDENTIFIER,
	PIC_TOKEN_QUOTED, /* with its quotes */
	PIC_TOKEN_MARK,	  /* one of $ ( ) [ ] { } + - * / \ , . : ? = & ~ */
};

struct pic_token {
	enum pic_token_kind kind;
	struct pic_view text; /* lent from the source */
};

/* The token at *at, which moves behind it. */
struct pic_token pic_token_next(struct pic_view source, size_t *at);

enum pic_node_kind {
	PIC_NODE_MISSING,
	PIC_NODE_INTEGER,
	PIC_NODE_TEXT,
	PIC_NODE_CALL,	/* children: the arguments */
	PIC_NODE_CHAIN, /* children: the operands; marks: one operator less */
	PIC_NODE_SIGN,	/* mark: + or -; one child */
	PIC_NODE_GROUP, /* mark: ( [ or {; one child */
	PIC_NODE_PARTS, /* children: what stands in a row */
};

struct pic_node {
	enum pic_node_kind kind;
	char mark;
	struct pic_view text; /* TEXT, INTEGER, CALL: the name; lent from the source */
	struct pic_node **children;
	char *marks;
	size_t count;
};

/* The source must outlive the tree. */
int pic_node_parse(struct pic_view source, struct pic_node **out, struct pic_error *err);
void pic_node_free(struct pic_node *node);

#endif
