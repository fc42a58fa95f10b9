/*
 * Any bytes through all that happens before a module's first instruction: its sections, the engine's loader, and, when
 * everything it imports is served, its memory, tables and data. A start function would run and might never end, so
 * such a module stops before that.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "workload/wasm/engine.h"
#include "workload/wasm/runner.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void bind_it(struct pic_wasm_engine *engine, const struct pic_wasm_facts *facts)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_workload_log *log = NULL;
	struct pic_wasi *wasi = NULL;
	struct pic_wasm_spec spec;

	pic_wasm_spec_init(&spec);
	if (pic_workload_log_new_direct(&log, "fuzz", -1, -1, &err) == 0 &&
	    pic_wasi_new(&wasi, &spec, log, "fuzz", -1, &err) == 0)
		(void)pic_wasm_engine_bind(engine, facts, wasi, 1 << 22, &err);
	pic_wasm_engine_free(engine);
	pic_wasi_free(wasi);
	pic_workload_log_free(log);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct pic_wasm_facts *facts = NULL;
	struct pic_wasm_engine *engine = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	unsigned char *copy = malloc(size + 1);
	bool runs;

	memcpy(copy, data, size);
	if (pic_wasm_read(&facts, copy, size, &err) == 0) {
		/* these two names are run by the engine when it starts an instance */
		runs = facts->has_start || pic_wasm_find_function(facts, "__wasm_call_ctors") ||
		       pic_wasm_find_function(facts, "__post_instantiate");
		runs = runs || pic_wasm_check(facts, 1 << 22, &err) < 0;
		if (pic_wasm_engine_load(&engine, copy, size, &err) == 0) {
			if (runs)
				pic_wasm_engine_free(engine);
			else
				bind_it(engine, facts);
		}
	}
	pic_wasm_facts_free(facts);
	free(copy);
	return 0;
}
