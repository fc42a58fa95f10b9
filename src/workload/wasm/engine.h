/*
 * The WebAssembly engine behind one small face: the only file that includes it is engine.c.
 *
 * The engine is one per process and not thread-safe: a process runs one module. Life: load (which
 * validates everything), bind, start, free.
 */
#ifndef PIC_WORKLOAD_WASM_ENGINE_H
#define PIC_WORKLOAD_WASM_ENGINE_H

#include "admission/wasm.h"
#include "base/error.h"
#include "workload/wasm/wasi.h"

struct pic_wasm_engine;

/* Validates all of the module. `bytes` must be writable (the engine changes them) and stay until
 * pic_wasm_engine_bind or _free. -EINVAL with the engine's sentence. */
int pic_wasm_engine_load(struct pic_wasm_engine **out, void *bytes, size_t size,
			 struct pic_error *err);
/* Connects the imports to `wasi` and makes the memory; a start function of the module runs here. The
 * bytes are not needed any more afterwards. `facts` only for this call. */
int pic_wasm_engine_bind(struct pic_wasm_engine *engine, const struct pic_wasm_facts *facts,
			 struct pic_wasi *wasi, uint64_t memory_max, struct pic_error *err);
/* Calls _start. 0: it returned or called proc_exit (then `wasi` knows the status). -ECANCELED: it
 * trapped; err has the reason, `function` where: a name, "$f<index>" for a function without one that the
 * engine knows, or "". */
int pic_wasm_engine_start(struct pic_wasm_engine *engine, char function[PIC_WASM_NAME_TEXT],
			  struct pic_error *err);
void pic_wasm_engine_free(struct pic_wasm_engine *engine);
static inline void pic_wasm_engine_free_pointer(struct pic_wasm_engine **engine)
{
	pic_wasm_engine_free(*engine);
	*engine = NULL;
}
#define PIC_WASM_ENGINE PIC_CLEANUP(pic_wasm_engine_free_pointer)

#endif
