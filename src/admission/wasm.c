#include "admission/wasm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admission/wasm_reader.h"
#include "base/cleanup.h"

#define HEADER_SIZE 8
#define MEMORY_PAGES_MAX 65536u

#define TYPE_I32 0x7f
#define TYPE_I64 0x7e
#define TYPE_F32 0x7d
#define TYPE_F64 0x7c
#define TYPE_V128 0x7b
#define TYPE_FUNCREF 0x70
#define TYPE_EXTERNREF 0x6f

/* Counts of what the binary announces of itself in two places. */
struct parse {
	struct pic_wasm_facts *facts;
	struct pic_wasm_reader *in; /* of the section in hand */
	uint32_t bodies, data_segments, data_count;
	bool has_data_count;
};

const char *pic_wasm_kind_text(enum pic_wasm_kind kind)
{
	static const char *const texts[] = { "function", "table", "memory", "global" };

	return texts[kind];
}

static void *array(struct parse *parse, uint32_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory)
		pic_wasm_reader_fail(parse->in, parse->in->at, "there is no memory to read it");
	return memory;
}

static void read_value_type(struct pic_wasm_reader *in)
{
	size_t at = in->at;

	switch (pic_wasm_reader_byte(in)) {
	case TYPE_I32:
	case TYPE_I64:
	case TYPE_F32:
	case TYPE_F64:
	case TYPE_FUNCREF:
	case TYPE_EXTERNREF:
		return;
	case TYPE_V128:
		pic_wasm_reader_fail(
			in, at,
			"it uses SIMD (v128), which is not served here; build without -msimd128");
		return;
	default:
		pic_wasm_reader_fail(in, at, "a type is unknown");
	}
}

static void read_reference_type(struct pic_wasm_reader *in)
{
	size_t at = in->at;
	uint8_t type = pic_wasm_reader_byte(in);

	if (type != TYPE_FUNCREF && type != TYPE_EXTERNREF)
		pic_wasm_reader_fail(in, at, "a table's type is unknown");
}

static void read_types(struct parse *parse)
{
	struct pic_wasm_reader *in = parse->in;
	uint32_t count = pic_wasm_reader_count(in, 3);

	parse->facts->types = array(parse, count, sizeof(*parse->facts->types));
	for (uint32_t i = 0; i < count && !in->failed; i++) {
		size_t start = in->at;

		if (pic_wasm_reader_byte(in) != 0x60)
			pic_wasm_reader_fail(in, start, "a type is not a function's");
		start = in->at;
		for (unsigned part = 0; part < 2; part++)
			for (uint32_t n = pic_wasm_reader_count(in, 1); n > 0; n--)
				read_value_type(in);
		if (in->failed)
			return;
		parse->facts->types[i].data = (const char *)in->bytes + start;
		parse->facts->types[i].size = in->at - start;
		parse->facts->type_count = i + 1;
	}
}

static uint32_t read_type_index(struct parse *parse)
{
	size_t at = parse->in->at;
	uint32_t type = pic_wasm_reader_u32(parse->in);

	if (!parse->in->failed && type >= parse->facts->type_count)
		pic_wasm_reader_fail(parse->in, at, "a function's type does not exist");
	return type;
}

static void read_limits(struct pic_wasm_reader *in, uint64_t *initial, uint64_t *maximum,
			bool *has_maximum)
{
	size_t at = in->at;
	uint8_t flags = pic_wasm_reader_byte(in);

	if (flags > 1)
		pic_wasm_reader_fail(
			in, at,
			flags == 2 || flags == 3
				? "it shares memory between threads, which is not served here"
				: "limits have unknown flags");
	*initial = pic_wasm_reader_u32(in);
	*has_maximum = flags & 1;
	*maximum = *has_maximum ? pic_wasm_reader_u32(in) : 0;
	if (*has_maximum && *maximum < *initial)
		pic_wasm_reader_fail(in, at, "a maximum is below its initial size");
}

static void read_table(struct parse *parse)
{
	uint64_t initial, maximum;
	bool has_maximum;

	read_reference_type(parse->in);
	read_limits(parse->in, &initial, &maximum, &has_maximum);
	parse->facts->tables++;
}

static void read_memory(struct parse *parse)
{
	struct pic_wasm_facts *facts = parse->facts;
	size_t at = parse->in->at;

	read_limits(parse->in, &facts->memory_initial, &facts->memory_maximum,
		    &facts->memory_has_maximum);
	if (facts->memory_initial > MEMORY_PAGES_MAX || facts->memory_maximum > MEMORY_PAGES_MAX)
		pic_wasm_reader_fail(parse->in, at, "its memory is larger than 4 GiB");
	if (++facts->memories > 1)
		pic_wasm_reader_fail(parse->in, at, "it has more than one memory");
}

static void read_global_type(struct parse *parse)
{
	size_t at;

	read_value_type(parse->in);
	at = parse->in->at;
	if (pic_wasm_reader_byte(parse->in) > 1)
		pic_wasm_reader_fail(parse->in, at, "a global is neither constant nor variable");
	parse->facts->globals++;
}

static void read_import(struct parse *parse, struct pic_wasm_import *import)
{
	struct pic_wasm_reader *in = parse->in;
	char signature[PIC_WASM_SIGNATURE_MAX];
	size_t at;
	uint8_t kind;

	import->module = pic_wasm_reader_name(in);
	import->name = pic_wasm_reader_name(in);
	import->host = PIC_WASM_HOST_COUNT;
	at = in->at;
	kind = pic_wasm_reader_byte(in);
	import->kind = (enum pic_wasm_kind)(kind & 3);
	if (kind > PIC_WASM_GLOBAL) {
		pic_wasm_reader_fail(in, at, "an import is of an unknown kind");
		return;
	}
	switch (import->kind) {
	case PIC_WASM_FUNCTION:
		import->type = read_type_index(parse);
		if (in->failed)
			return;
		pic_wasm_signature(parse->facts, import->type, signature);
		import->host = pic_wasm_host_find(import->module, import->name, signature,
						  &import->name_known);
		parse->facts->imported_functions++;
		break;
	case PIC_WASM_TABLE:
		read_table(parse);
		break;
	case PIC_WASM_MEMORY:
		read_memory(parse);
		parse->facts->memory_imported = true;
		break;
	case PIC_WASM_GLOBAL:
		read_global_type(parse);
		break;
	}
}

static void read_imports(struct parse *parse)
{
	uint32_t count = pic_wasm_reader_count(parse->in, 4);

	parse->facts->imports = array(parse, count, sizeof(*parse->facts->imports));
	for (uint32_t i = 0; i < count && !parse->in->failed; i++) {
		read_import(parse, &parse->facts->imports[i]);
		parse->facts->import_count = i + 1;
	}
}

static void read_functions(struct parse *parse)
{
	uint32_t count = pic_wasm_reader_count(parse->in, 1);

	parse->facts->function_types = array(parse, count, sizeof(uint32_t));
	for (uint32_t i = 0; i < count && !parse->in->failed; i++) {
		parse->facts->function_types[i] = read_type_index(parse);
		parse->facts->functions = i + 1;
	}
}

static void read_tables(struct parse *parse)
{
	for (uint32_t n = pic_wasm_reader_count(parse->in, 3); n > 0 && !parse->in->failed; n--)
		read_table(parse);
}

static void read_memories(struct parse *parse)
{
	for (uint32_t n = pic_wasm_reader_count(parse->in, 2); n > 0 && !parse->in->failed; n--)
		read_memory(parse);
}

/* Initial values are the engine's to check; the count is kept for exports. */
static void read_globals(struct parse *parse)
{
	parse->facts->globals += pic_wasm_reader_count(parse->in, 3);
	parse->in->at = parse->in->end;
}

static bool index_exists(const struct pic_wasm_facts *facts, enum pic_wasm_kind kind,
			 uint32_t index)
{
	switch (kind) {
	case PIC_WASM_FUNCTION:
		return index < (uint64_t)facts->imported_functions + facts->functions;
	case PIC_WASM_TABLE:
		return index < facts->tables;
	case PIC_WASM_MEMORY:
		return index < facts->memories;
	case PIC_WASM_GLOBAL:
		return index < facts->globals;
	}
	return false;
}

static int compare_exports(const void *a, const void *b)
{
	const struct pic_view *x = &(*(struct pic_wasm_export *const *)a)->name;
	const struct pic_view *y = &(*(struct pic_wasm_export *const *)b)->name;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return memcmp(x->data, y->data, x->size);
}

static void check_export_names(struct parse *parse, size_t at)
{
	struct pic_wasm_facts *facts = parse->facts;
	struct pic_wasm_export **PIC_FREE sorted =
		array(parse, facts->export_count, sizeof(struct pic_wasm_export *));

	if (!sorted)
		return;
	for (uint32_t i = 0; i < facts->export_count; i++)
		sorted[i] = &facts->exports[i];
	qsort(sorted, facts->export_count, sizeof(*sorted), compare_exports);
	for (uint32_t i = 1; i < facts->export_count; i++)
		if (compare_exports(&sorted[i - 1], &sorted[i]) == 0) {
			pic_wasm_reader_fail(parse->in, at, "it exports one name twice");
			return;
		}
}

static void read_exports(struct parse *parse)
{
	struct pic_wasm_reader *in = parse->in;
	size_t start = in->at;
	uint32_t count = pic_wasm_reader_count(in, 3);

	parse->facts->exports = array(parse, count, sizeof(*parse->facts->exports));
	for (uint32_t i = 0; i < count && !in->failed; i++) {
		struct pic_wasm_export *export = &parse->facts->exports[i];
		size_t at;
		uint8_t kind;

		export->name = pic_wasm_reader_name(in);
		at = in->at;
		kind = pic_wasm_reader_byte(in);
		export->kind = (enum pic_wasm_kind)(kind & 3);
		export->index = pic_wasm_reader_u32(in);
		if (kind > PIC_WASM_GLOBAL)
			pic_wasm_reader_fail(in, at, "an export is of an unknown kind");
		else if (!in->failed && !index_exists(parse->facts, export->kind, export->index))
			pic_wasm_reader_fail(in, at, "it exports what does not exist");
		parse->facts->export_count = i + 1;
	}
	if (!in->failed)
		check_export_names(parse, start);
}

static void read_start(struct parse *parse)
{
	struct pic_wasm_facts *facts = parse->facts;
	char signature[PIC_WASM_SIGNATURE_MAX];
	size_t at = parse->in->at;

	facts->start = pic_wasm_reader_u32(parse->in);
	facts->has_start = true;
	if (parse->in->failed)
		return;
	if (!index_exists(facts, PIC_WASM_FUNCTION, facts->start)) {
		pic_wasm_reader_fail(parse->in, at, "its start function does not exist");
		return;
	}
	pic_wasm_signature(facts, pic_wasm_function_type(facts, facts->start), signature);
	if (strcmp(signature, "()") != 0)
		pic_wasm_reader_fail(parse->in, at, "its start function takes or gives values");
}

static void read_bodies(struct parse *parse)
{
	parse->bodies = pic_wasm_reader_count(parse->in, 3);
	for (uint32_t i = 0; i < parse->bodies && !parse->in->failed; i++)
		(void)pic_wasm_reader_bytes(parse->in, pic_wasm_reader_u32(parse->in));
}

static void read_custom(struct parse *parse)
{
	struct pic_wasm_reader *in = parse->in;
	struct pic_view name = pic_wasm_reader_name(in);

	if (!in->failed && name.size == 4 && memcmp(name.data, "name", 4) == 0)
		parse->facts->name_section =
			(struct pic_view){ (const char *)in->bytes + in->at, in->end - in->at };
	in->at = in->end;
}

static void read_section(struct parse *parse, uint8_t id)
{
	switch ((enum pic_wasm_section_id)id) {
	case PIC_WASM_SECTION_CUSTOM:
		read_custom(parse);
		break;
	case PIC_WASM_SECTION_TYPE:
		read_types(parse);
		break;
	case PIC_WASM_SECTION_IMPORT:
		read_imports(parse);
		break;
	case PIC_WASM_SECTION_FUNCTION:
		read_functions(parse);
		break;
	case PIC_WASM_SECTION_TABLE:
		read_tables(parse);
		break;
	case PIC_WASM_SECTION_MEMORY:
		read_memories(parse);
		break;
	case PIC_WASM_SECTION_GLOBAL:
		read_globals(parse);
		break;
	case PIC_WASM_SECTION_EXPORT:
		read_exports(parse);
		break;
	case PIC_WASM_SECTION_START:
		read_start(parse);
		break;
	case PIC_WASM_SECTION_CODE:
		read_bodies(parse);
		break;
	case PIC_WASM_SECTION_DATA:
		parse->data_segments = pic_wasm_reader_u32(parse->in);
		parse->in->at = parse->in->end;
		break;
	case PIC_WASM_SECTION_DATA_COUNT:
		parse->data_count = pic_wasm_reader_u32(parse->in);
		parse->has_data_count = true;
		break;
	case PIC_WASM_SECTION_ELEMENT:
		parse->in->at = parse->in->end;
		break;
	case PIC_WASM_SECTION_COUNT:
		break;
	}
	if (!parse->in->failed && parse->in->at != parse->in->end)
		pic_wasm_reader_fail(parse->in, parse->in->at,
				     "a section is longer than its content");
}

/* Place of a section among the others: the count of data segments comes before the code. */
static unsigned rank(uint8_t id)
{
	static const uint8_t ranks[PIC_WASM_SECTION_COUNT] = { 0, 1, 2, 3,  4,	5, 6,
							       7, 8, 9, 11, 12, 10 };

	return ranks[id];
}

static void read_sections(struct parse *parse, struct pic_wasm_reader *whole)
{
	unsigned last = 0;

	while (whole->at < whole->end && !whole->failed) {
		size_t at = whole->at;
		uint8_t id = pic_wasm_reader_byte(whole);
		uint32_t size = pic_wasm_reader_u32(whole);
		struct pic_wasm_reader part;

		if (id >= PIC_WASM_SECTION_COUNT) {
			pic_wasm_reader_fail(whole, at, "a section is of an unknown kind");
			return;
		}
		if (id != PIC_WASM_SECTION_CUSTOM && rank(id) <= last) {
			pic_wasm_reader_fail(whole, at, "a section is out of order");
			return;
		}
		last = id != PIC_WASM_SECTION_CUSTOM ? rank(id) : last;
		part = pic_wasm_reader_part(whole, size);
		if (whole->failed)
			return;
		parse->in = &part;
		parse->facts->section_sizes[id] += size;
		read_section(parse, id);
		parse->in = NULL;
		if (part.failed)
			pic_wasm_reader_fail(whole, part.failed_at, part.failed);
	}
}

static void check_counts(const struct parse *parse, struct pic_wasm_reader *whole)
{
	if (whole->failed)
		return;
	if (parse->bodies != parse->facts->functions)
		pic_wasm_reader_fail(whole, whole->end,
				     "it declares another number of functions than it holds");
	else if (parse->has_data_count && parse->data_count != parse->data_segments)
		pic_wasm_reader_fail(whole, whole->end,
				     "it declares another number of data segments than it holds");
}

static int check_header(const unsigned char *bytes, size_t size, struct pic_error *err)
{
	static const unsigned char magic[] = { 0, 'a', 's', 'm' };
	static const unsigned char component[] = { 0x0d, 0, 1, 0 };
	static const unsigned char version[] = { 1, 0, 0, 0 };

	if (size >= 7 && memcmp(bytes, "(module", 7) == 0)
		return pic_error_set(err, -EINVAL,
				     "it is WebAssembly text; translate it with wat2wasm first");
	if (size >= 1 && bytes[0] == '<')
		return pic_error_set(err, -EINVAL,
				     "it is no WebAssembly module but looks like a web page");
	if (size < HEADER_SIZE || memcmp(bytes, magic, sizeof(magic)) != 0)
		return pic_error_set(err, -EINVAL,
				     "it is no WebAssembly module: the first bytes of one "
				     "are missing at byte 0");
	if (memcmp(bytes + 4, component, sizeof(component)) == 0)
		return pic_error_set(
			err, -EPROTONOSUPPORT,
			"it is a WASI 0.2 component, and only core modules can run here; build it for "
			"wasm32-wasip1, or take the core module out with `wasm-tools component unbundle`");
	if (memcmp(bytes + 4, version, sizeof(version)) != 0)
		return pic_error_set(err, -EINVAL,
				     "its version of WebAssembly is unknown at byte 4");
	return 0;
}

int pic_wasm_read(struct pic_wasm_facts **out, const void *bytes, size_t size,
		  struct pic_error *err)
{
	struct pic_wasm_facts *PIC_WASM_FACTS facts = NULL;
	struct pic_wasm_reader whole = { .bytes = bytes, .at = HEADER_SIZE, .end = size };
	struct parse parse = { 0 };
	int r = check_header(bytes, size, err);

	if (r < 0)
		return r;
	facts = calloc(1, sizeof(*facts));
	if (!facts)
		return pic_error_set(err, -ENOMEM, "there is no memory to read the module");
	facts->size = size;
	parse.facts = facts;
	read_sections(&parse, &whole);
	check_counts(&parse, &whole);
	if (whole.failed)
		return pic_error_set(err, -EINVAL,
				     "it is no valid WebAssembly module: %s at byte %zu",
				     whole.failed, whole.failed_at);
	*out = PIC_STEAL(facts);
	return 0;
}

void pic_wasm_facts_free(struct pic_wasm_facts *facts)
{
	if (!facts)
		return;
	free(facts->types);
	free(facts->imports);
	free(facts->exports);
	free(facts->function_types);
	free(facts);
}
