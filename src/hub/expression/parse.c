/*
 * Recursive descent; the depth is counted, every other loop eats a token.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "hub/expression/expression.h"
#include "hub/expression/tree.h"

struct parser {
	struct pic_view source;
	size_t at; /* behind `token` */
	struct pic_token token;
	int depth;
	struct pic_error *err;
};

static struct pic_node *parse_expression(struct parser *parser, bool comma);

void pic_node_free(struct pic_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->count; i++)
		pic_node_free(node->children[i]);
	free(node->children);
	free(node->marks);
	free(node);
}

static void node_free_pointer(struct pic_node **node)
{
	pic_node_free(*node);
}

#define PIC_NODE PIC_CLEANUP(node_free_pointer)

static void advance(struct parser *parser)
{
	parser->token = pic_token_next(parser->source, &parser->at);
}

static bool is_mark(const struct parser *parser, char mark)
{
	return parser->token.kind == PIC_TOKEN_MARK && parser->token.text.data[0] == mark;
}

static bool is_one_of(const struct parser *parser, const char *marks)
{
	return parser->token.kind == PIC_TOKEN_MARK && strchr(marks, parser->token.text.data[0]);
}

static struct pic_node *fail(struct parser *parser, int code, const char *text)
{
	pic_error_set(parser->err, code, "expression \"%.*s\": %s",
		      (int)(parser->source.size < 80 ? parser->source.size : 80),
		      parser->source.data, text);
	return NULL;
}

static struct pic_node *new_node(struct parser *parser, enum pic_node_kind kind)
{
	struct pic_node *node = calloc(1, sizeof(*node));

	if (!node)
		return fail(parser, -ENOMEM, "no memory");
	node->kind = kind;
	return node;
}

/* Steals the child; NULL children pass an earlier failure on. */
static int add_child(struct parser *parser, struct pic_node *node, char mark,
		     struct pic_node *child)
{
	PIC_NODE struct pic_node *owned = child;

	if (!child)
		return -EINVAL;
	struct pic_node **children =
		reallocarray(node->children, node->count + 1, sizeof(*children));

	if (children)
		node->children = children;
	char *marks = reallocarray(node->marks, node->count + 1, 1);

	if (marks)
		node->marks = marks;
	if (!children || !marks) {
		fail(parser, -ENOMEM, "no memory");
		return -ENOMEM;
	}
	node->marks[node->count] = mark; /* the operator in front of the child */
	node->children[node->count++] = PIC_STEAL(owned);
	return 0;
}

static struct pic_node *leaf(struct parser *parser, enum pic_node_kind kind)
{
	struct pic_node *node = new_node(parser, kind);

	if (!node)
		return NULL;
	node->text = parser->token.text;
	advance(parser);
	return node;
}

static int parse_arguments(struct parser *parser, struct pic_node *call)
{
	while (parser->token.kind != PIC_TOKEN_END && !is_mark(parser, ')')) {
		int r = add_child(parser, call, ',', parse_expression(parser, false));

		if (r < 0)
			return r;
		if (call->children[call->count - 1]->kind == PIC_NODE_MISSING) {
			fail(parser, -EINVAL, "an argument is empty");
			return -EINVAL;
		}
		if (is_mark(parser, ','))
			advance(parser);
	}
	return 0;
}

static struct pic_node *parse_call(struct parser *parser)
{
	advance(parser); /* $ */
	if (parser->token.kind != PIC_TOKEN_IDENTIFIER)
		return fail(parser, -EINVAL, "the name of a function has to follow $");
	PIC_NODE struct pic_node *call = leaf(parser, PIC_NODE_CALL);

	if (!call)
		return NULL;
	if (!is_mark(parser, '('))
		return fail(parser, -EINVAL, "( has to follow the name of a function");
	advance(parser);
	if (parse_arguments(parser, call) < 0)
		return NULL;
	if (!is_mark(parser, ')'))
		return fail(parser, -EINVAL, ") is missing behind the arguments of a function");
	advance(parser);
	return PIC_STEAL(call);
}

static struct pic_node *parse_group(struct parser *parser)
{
	char open = parser->token.text.data[0];
	char close = open == '(' ? ')' : open == '[' ? ']' : '}';
	PIC_NODE struct pic_node *group = new_node(parser, PIC_NODE_GROUP);

	if (!group)
		return NULL;
	group->mark = open;
	advance(parser);
	if (add_child(parser, group, 0, parse_expression(parser, true)) < 0)
		return NULL;
	if (!is_mark(parser, close))
		return fail(parser, -EINVAL,
			    open == '('	  ? ") is missing"
			    : open == '[' ? "] is missing"
					  : "} is missing");
	advance(parser);
	return PIC_STEAL(group);
}

static struct pic_node *parse_primary(struct parser *parser);

static struct pic_node *parse_sign(struct parser *parser)
{
	PIC_NODE struct pic_node *sign = new_node(parser, PIC_NODE_SIGN);

	if (!sign)
		return NULL;
	sign->mark = parser->token.text.data[0];
	advance(parser);
	if (add_child(parser, sign, 0, parse_primary(parser)) < 0)
		return NULL;
	return PIC_STEAL(sign);
}

/* Of `name(expression)` without $ only the inside counts. */
static struct pic_node *parse_identifier(struct parser *parser)
{
	PIC_NODE struct pic_node *node = leaf(parser, PIC_NODE_TEXT);

	if (!node || !is_mark(parser, '('))
		return PIC_STEAL(node);
	return parse_group(parser);
}

static struct pic_node *parse_primary_inside(struct parser *parser)
{
	switch (parser->token.kind) {
	case PIC_TOKEN_INTEGER:
		return leaf(parser, PIC_NODE_INTEGER);
	case PIC_TOKEN_IDENTIFIER:
		return parse_identifier(parser);
	case PIC_TOKEN_QUOTED:
		return leaf(parser, PIC_NODE_TEXT);
	case PIC_TOKEN_MARK:
		if (is_mark(parser, '$'))
			return parse_call(parser);
		if (is_one_of(parser, "([{"))
			return parse_group(parser);
		if (is_one_of(parser, "+-"))
			return parse_sign(parser);
		break;
	case PIC_TOKEN_END:
		break;
	}
	return new_node(parser, PIC_NODE_MISSING);
}

static struct pic_node *parse_primary(struct parser *parser)
{
	if (parser->depth >= PIC_EXPRESSION_DEPTH_MAX)
		return fail(parser, -EINVAL, "it is nested too deeply");
	parser->depth++;
	struct pic_node *node = parse_primary_inside(parser);

	parser->depth--;
	return node;
}

/* operand { operator operand }; a lone operand is no chain. */
static struct pic_node *parse_chain(struct parser *parser, const char *operators,
				    struct pic_node *(*operand)(struct parser *))
{
	PIC_NODE struct pic_node *first = operand(parser);
	PIC_NODE struct pic_node *chain = NULL;

	if (!first || !is_one_of(parser, operators))
		return PIC_STEAL(first);
	chain = new_node(parser, PIC_NODE_CHAIN);
	if (!chain || add_child(parser, chain, 0, PIC_STEAL(first)) < 0)
		return NULL;
	while (is_one_of(parser, operators)) {
		char mark = parser->token.text.data[0];

		advance(parser);
		if (add_child(parser, chain, mark, operand(parser)) < 0)
			return NULL;
	}
	return PIC_STEAL(chain);
}

static struct pic_node *parse_factor(struct parser *parser)
{
	return parse_chain(parser, "*/\\.:?=&~", parse_primary);
}

static struct pic_node *parse_expression(struct parser *parser, bool comma)
{
	return parse_chain(parser, comma ? "+-," : "+-", parse_factor);
}

/* Behind a complete expression one token is passed over and reading goes on: the original does so, and
 * "12:24:41 3/8/2023" shows it. */
int pic_node_parse(struct pic_view source, struct pic_node **out, struct pic_error *err)
{
	struct parser parser = { .source = source, .err = err };

	if (source.size > PIC_EXPRESSION_SOURCE_MAX)
		return pic_error_set(err, -EINVAL, "an expression is longer than %d bytes",
				     PIC_EXPRESSION_SOURCE_MAX);
	PIC_NODE struct pic_node *parts = new_node(&parser, PIC_NODE_PARTS);

	if (!parts)
		return -ENOMEM;
	advance(&parser);
	while (parser.token.kind != PIC_TOKEN_END) {
		int r = add_child(&parser, parts, 0, parse_expression(&parser, true));

		if (r < 0)
			return r;
		advance(&parser);
	}
	*out = PIC_STEAL(parts);
	return 0;
}
