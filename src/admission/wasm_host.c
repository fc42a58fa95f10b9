#include "admission/wasm_host.h"

#include <string.h>

static const struct pic_wasm_host_function functions[PIC_WASM_HOST_COUNT] = {
#define X(handler, name, signature, dialect) \
	[PIC_WASM_HOST_##handler] = { name, signature, PIC_WASM_##dialect },
	PIC_WASM_HOST_FUNCTIONS(X)
#undef X
};

const struct pic_wasm_host_function *pic_wasm_host_at(enum pic_wasm_host_id id)
{
	return &functions[id];
}

static bool view_is(struct pic_view view, const char *text)
{
	return view.size == strlen(text) &&
	       (view.size == 0 || memcmp(view.data, text, view.size) == 0);
}

enum pic_wasm_host_id pic_wasm_host_find(struct pic_view module, struct pic_view name,
					 const char *signature, bool *name_known)
{
	*name_known = false;
	if (!view_is(module, PIC_WASM_HOST_MODULE))
		return PIC_WASM_HOST_COUNT;
	for (unsigned i = 0; i < PIC_WASM_HOST_COUNT; i++) {
		if (!view_is(name, functions[i].name))
			continue;
		*name_known = true;
		if (strcmp(signature, functions[i].signature) == 0)
			return (enum pic_wasm_host_id)i;
	}
	return PIC_WASM_HOST_COUNT;
}
