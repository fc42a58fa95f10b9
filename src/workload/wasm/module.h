/* A module's file in memory: mapped privately, since the engine writes into the bytes it reads. */
#ifndef PIC_WORKLOAD_WASM_MODULE_H
#define PIC_WORKLOAD_WASM_MODULE_H

#include <stdbool.h>
#include <stddef.h>

#include "admission/wasm.h"
#include "base/error.h"

struct pic_wasm_module {
	void *bytes; /* NULL: not mapped */
	size_t size;
};

int pic_wasm_module_map(struct pic_wasm_module *module, int fd, struct pic_error *err);
void pic_wasm_module_unmap(struct pic_wasm_module *module);
/* The name that the file's name section gives to the engine's "$f<index>"; a text that is a name already
 * is copied, escaped. False: there is none. */
bool pic_wasm_module_function_name(int fd, const char *function, char out[PIC_WASM_NAME_TEXT]);

#endif
