/* Any bytes as a module: facts are read, asked and freed. */
#include "admission/wasm.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct pic_wasm_facts *facts = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	char text[PIC_WASM_NAME_TEXT];

	if (pic_wasm_read(&facts, data, size, &err) < 0)
		return 0;
	(void)pic_wasm_check(facts, 1 << 20, &err);
	for (uint32_t i = 0; i < facts->type_count; i++)
		pic_wasm_signature(facts, i, text);
	for (uint32_t i = 0; i < 8; i++)
		(void)pic_wasm_function_name(facts->name_section, i, text);
	pic_wasm_facts_free(facts);
	return 0;
}
