/* The table of handlers, in the order of admission/wasm_host.h. */
#include "workload/wasm/wasi.h"

static pic_wasi_handler *const handlers[PIC_WASM_HOST_COUNT] = {
#define X(handler, name, signature, dialect) [PIC_WASM_HOST_##handler] = pic_wasi_##handler,
	PIC_WASM_HOST_FUNCTIONS(X)
#undef X
};

pic_wasi_handler *pic_wasi_handler_at(enum pic_wasm_host_id id)
{
	return handlers[id];
}
