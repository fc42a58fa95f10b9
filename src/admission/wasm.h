/*
 * A WebAssembly module's facts, read from its sections: what it imports, exports and needs. Pure, and
 * bounded by the module's size: nothing in it is believed before it is checked. Bodies of functions,
 * initial values and tables of elements are left to the engine, which validates them when it loads.
 *
 * A sentence of an error ends with the place, "at byte N".
 *
 * Facts own their arrays and lend views into the module's bytes, which must stay until
 * pic_wasm_facts_free.
 */
#ifndef PIC_ADMISSION_WASM_H
#define PIC_ADMISSION_WASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admission/wasm_host.h"
#include "base/buffer.h"
#include "base/error.h"

#define PIC_WASM_PAGE 65536u
#define PIC_WASM_SIGNATURE_MAX 64 /* longer ones are not served anyway; texts of them are cut */
#define PIC_WASM_NAME_TEXT 128

enum pic_wasm_kind {
	PIC_WASM_FUNCTION,
	PIC_WASM_TABLE,
	PIC_WASM_MEMORY,
	PIC_WASM_GLOBAL,
};
const char *pic_wasm_kind_text(enum pic_wasm_kind kind);

enum pic_wasm_section_id {
	PIC_WASM_SECTION_CUSTOM,
	PIC_WASM_SECTION_TYPE,
	PIC_WASM_SECTION_IMPORT,
	PIC_WASM_SECTION_FUNCTION,
	PIC_WASM_SECTION_TABLE,
	PIC_WASM_SECTION_MEMORY,
	PIC_WASM_SECTION_GLOBAL,
	PIC_WASM_SECTION_EXPORT,
	PIC_WASM_SECTION_START,
	PIC_WASM_SECTION_ELEMENT,
	PIC_WASM_SECTION_CODE,
	PIC_WASM_SECTION_DATA,
	PIC_WASM_SECTION_DATA_COUNT,
	PIC_WASM_SECTION_COUNT
};

struct pic_wasm_import {
	struct pic_view module, name;
	enum pic_wasm_kind kind;
	uint32_t type;		    /* of a function */
	enum pic_wasm_host_id host; /* what serves it; PIC_WASM_HOST_COUNT: nothing */
	bool name_known;	    /* the name is served in another shape */
};

struct pic_wasm_export {
	struct pic_view name;
	enum pic_wasm_kind kind;
	uint32_t index;
};

struct pic_wasm_facts {
	size_t size;
	size_t section_sizes[PIC_WASM_SECTION_COUNT]; /* custom: the sum */
	struct pic_view *types; /* parameters, results as in the binary: see pic_wasm_signature */
	uint32_t type_count;
	struct pic_wasm_import *imports;
	uint32_t import_count;
	struct pic_wasm_export *exports;
	uint32_t export_count;
	uint32_t imported_functions, functions; /* functions: the module's own */
	uint32_t *function_types;		/* of the module's own */
	uint32_t tables, globals;		/* imported ones included */
	uint32_t memories;
	uint64_t memory_initial, memory_maximum; /* pages */
	bool memory_has_maximum, memory_imported;
	bool has_start;
	uint32_t start;
	struct pic_view name_section; /* content of the custom section "name"; size 0: none */
};

/* -EPROTONOSUPPORT: well-formed, but a kind that is not served (a component); else -EINVAL. */
int pic_wasm_read(struct pic_wasm_facts **out, const void *bytes, size_t size,
		  struct pic_error *err);
void pic_wasm_facts_free(struct pic_wasm_facts *facts);
static inline void pic_wasm_facts_free_pointer(struct pic_wasm_facts **facts)
{
	pic_wasm_facts_free(*facts);
	*facts = NULL;
}
#define PIC_WASM_FACTS PIC_CLEANUP(pic_wasm_facts_free_pointer)

/* Type `index` as "(iIfd)i". */
void pic_wasm_signature(const struct pic_wasm_facts *facts, uint32_t index,
			char out[PIC_WASM_SIGNATURE_MAX]);
/* The exported function of that name; NULL when there is none. */
const struct pic_wasm_export *pic_wasm_find_function(const struct pic_wasm_facts *facts,
						     const char *name);
uint32_t pic_wasm_function_type(const struct pic_wasm_facts *facts, uint32_t function);
/* True when every use of sockets is of this dialect. */
bool pic_wasm_uses(const struct pic_wasm_facts *facts, enum pic_wasm_dialect dialect);
bool pic_wasm_imports_name(const struct pic_wasm_facts *facts, const char *name);

/* Can it run here, with that much linear memory? -ENOTSUP with the sentence that lists what is missing:
 * imports nobody serves, no _start, more memory than it may have. */
int pic_wasm_check(const struct pic_wasm_facts *facts, uint64_t memory_max, struct pic_error *err);

/* The name of function `index` in a name section, escaped; false when it has none there. */
bool pic_wasm_function_name(struct pic_view name_section, uint32_t index,
			    char out[PIC_WASM_NAME_TEXT]);

#endif
