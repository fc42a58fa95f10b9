/* The first byte chooses a property, the rest is its text; then the rest as the bytes of a spec. */
#include <string.h>

#include "workload/wasm/runner.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char *const names[] = { "wasm.dir",     "wasm.args",    "wasm.env",
					     "wasm.listen",  "wasm.connect", "wasm.memory",
					     "wasm.restart", "wasm.x" };
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_wasm_spec spec;
	struct pic_json *object;

	if (size == 0)
		return 0;
	object = pic_json_new_object();
	pic_json_set(object, names[data[0] % 8],
		     pic_json_new_text_sized((const char *)data + 1, size - 1));
	if (pic_wasm_parse(object, &spec, &err) == 0 && pic_wasm_spec_validate(&spec, &err) < 0)
		__builtin_trap(); /* what we made ourselves must be good */
	pic_json_unref(object);
	memset(&spec, 0, sizeof(spec));
	memcpy(&spec, data, size < sizeof(spec) ? size : sizeof(spec));
	(void)pic_wasm_spec_validate(&spec, &err);
	return 0;
}
