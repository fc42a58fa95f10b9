/* What a text can be worth without anything being known: for checking references before anything runs. */
#include "hub/expression/expression.h"

#include <string.h>

#include "base/cleanup.h"
#include "hub/expression/functions.h"

static bool calls(const struct pic_node *node)
{
	if (node->kind == PIC_NODE_CALL)
		return true;
	for (size_t i = 0; i < node->count; i++)
		if (calls(node->children[i]))
			return true;
	return false;
}

static bool is_if(const struct pic_node *node)
{
	return node->kind == PIC_NODE_CALL && node->count == 3 && node->text.size == 2 &&
	       memcmp(node->text.data, "if", 2) == 0;
}

static int visit(const struct pic_node *node, pic_expression_text_fn *fn, void *data,
		 struct pic_error *err)
{
	const struct pic_expression_context nothing = { .properties = NULL };
	struct pic_evaluation evaluation = { .context = &nothing, .err = err };
	PIC_JSON struct pic_json *value = NULL;
	int r = 0;

	if (is_if(node)) {
		r = visit(node->children[1], fn, data, err);
		return r < 0 ? r : visit(node->children[2], fn, data, err);
	}
	if (calls(node)) {
		/* a call alone in parentheses or in a row is what it is; anything else is not known */
		return node->count == 1 && node->kind != PIC_NODE_CALL
			       ? visit(node->children[0], fn, data, err)
			       : 0;
	}
	r = pic_node_evaluate(&evaluation, node, &value);
	if (r == 0 && pic_json_text(value))
		fn(data, pic_json_text(value));
	return r;
}

int pic_expression_branches(const char *text, pic_expression_text_fn *fn, void *data,
			    struct pic_error *err)
{
	struct pic_node *tree = NULL;
	struct pic_view source;
	bool alone;

	if (!pic_expression_sole(text, &source, &alone)) {
		fn(data, text);
		return 0;
	}
	if (!alone)
		return 0;
	int r = pic_node_parse(source, &tree, err);
	if (r == 0)
		r = visit(tree, fn, data, err);
	pic_node_free(tree);
	return r;
}
