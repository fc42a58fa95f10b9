/* Any text as an expression, with itself among the properties it can ask for: no crash, no endless work. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "hub/expression/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PIC_JSON struct pic_json *properties = pic_json_new_object();
	PIC_JSON struct pic_json *text = pic_json_new_text_sized((const char *)data, size);
	PIC_JSON struct pic_json *value = NULL, *tree = NULL;
	const struct pic_expression_context context = { .properties = properties,
							.inputs = properties,
							.outputs = properties,
							.instance = "i" };
	struct pic_error err = PIC_ERROR_INIT;

	if (!text)
		return 0;
	pic_json_set(properties, "a", pic_json_ref(text));
	pic_json_set_integer(properties, "n", 7);
	if (pic_expression_evaluate(pic_json_text(text), &context, &value, &err) < 0) {
		if (value || !err.text[0])
			abort();
	} else if (!value) {
		abort();
	}
	if (pic_expression_evaluate_tree(properties, &context, &tree, &err) == 0 &&
	    pic_json_type(tree) != PIC_JSON_OBJECT)
		abort();
	return 0;
}
