/*
 * What a person, a test or the agent wants to know of a module before it runs: is it valid, can it run
 * here, and what does it need. The engine's own loader decides, so the verdict is that of a start.
 *
 * The bytes are a stranger's: call these in a process that may be lost.
 */
#ifndef PIC_WORKLOAD_WASM_INSPECT_H
#define PIC_WORKLOAD_WASM_INSPECT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "workload/wasm/spec.h"

struct pic_wasm_inspection {
	bool valid;	      /* a well-formed module */
	bool runnable;	      /* and everything it needs is served */
	struct pic_error why; /* the sentence when one of them is false */
};

/* *report (may be NULL: not wanted) is made also for modules that are invalid, as far as they go. A
 * negative errno only when the file cannot be read at all. */
int pic_wasm_inspect(int fd, uint64_t memory_max, struct pic_wasm_inspection *out,
		     struct pic_json **report, struct pic_error *err);
/* The report for a terminal; everything the module wrote is escaped. */
void pic_wasm_inspection_text(const struct pic_json *report, struct pic_buf *out);

/* Can this module run with this spec? 0, or a negative errno and the sentence. */
int pic_wasm_admit(int fd, const struct pic_wasm_spec *spec, struct pic_error *err);

#endif
