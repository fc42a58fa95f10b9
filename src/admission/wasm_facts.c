/* Questions about a module whose sections were read. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "admission/wasm.h"
#include "admission/wasm_reader.h"
#include "base/text.h"

#define LIST_MAX 400 /* of missing imports, in one sentence */

static char type_letter(uint8_t type)
{
	switch (type) {
	case 0x7f:
		return 'i';
	case 0x7e:
		return 'I';
	case 0x7d:
		return 'f';
	case 0x7c:
		return 'd';
	default:
		return 'r';
	}
}

void pic_wasm_signature(const struct pic_wasm_facts *facts, uint32_t index,
			char out[PIC_WASM_SIGNATURE_MAX])
{
	struct pic_wasm_reader in = { .bytes = (const unsigned char *)facts->types[index].data,
				      .end = facts->types[index].size };
	size_t used = 0;

	out[used++] = '(';
	for (unsigned part = 0; part < 2; part++) {
		for (uint32_t n = pic_wasm_reader_u32(&in); n > 0; n--) {
			char letter = type_letter(pic_wasm_reader_byte(&in));

			if (used < PIC_WASM_SIGNATURE_MAX - 2)
				out[used++] = letter;
		}
		if (part == 0)
			out[used++] = ')';
		if (used > PIC_WASM_SIGNATURE_MAX - 2)
			break;
	}
	out[used] = '\0';
}

static bool view_is(struct pic_view view, const char *text)
{
	return view.size == strlen(text) && memcmp(view.data, text, view.size) == 0;
}

const struct pic_wasm_export *pic_wasm_find_function(const struct pic_wasm_facts *facts,
						     const char *name)
{
	for (uint32_t i = 0; i < facts->export_count; i++)
		if (facts->exports[i].kind == PIC_WASM_FUNCTION &&
		    view_is(facts->exports[i].name, name))
			return &facts->exports[i];
	return NULL;
}

uint32_t pic_wasm_function_type(const struct pic_wasm_facts *facts, uint32_t function)
{
	if (function >= facts->imported_functions)
		return facts->function_types[function - facts->imported_functions];
	for (uint32_t i = 0, at = 0; i < facts->import_count; i++)
		if (facts->imports[i].kind == PIC_WASM_FUNCTION && at++ == function)
			return facts->imports[i].type;
	return 0; /* not reached: the index was checked when it was read */
}

bool pic_wasm_uses(const struct pic_wasm_facts *facts, enum pic_wasm_dialect dialect)
{
	for (uint32_t i = 0; i < facts->import_count; i++)
		if (facts->imports[i].host != PIC_WASM_HOST_COUNT &&
		    pic_wasm_host_at(facts->imports[i].host)->dialect == dialect)
			return true;
	return false;
}

bool pic_wasm_imports_name(const struct pic_wasm_facts *facts, const char *name)
{
	for (uint32_t i = 0; i < facts->import_count; i++)
		if (view_is(facts->imports[i].name, name))
			return true;
	return false;
}

static void list_import(const struct pic_wasm_facts *facts, const struct pic_wasm_import *import,
			struct pic_buf *list)
{
	char signature[PIC_WASM_SIGNATURE_MAX];

	if (list->size > 0)
		pic_buf_text_add(list, ", ");
	pic_text_escape(import->module.data, import->module.size, false, list);
	pic_buf_char(list, '.');
	pic_text_escape(import->name.data, import->name.size, false, list);
	if (import->kind != PIC_WASM_FUNCTION)
		pic_buf_format(list, " (a %s)", pic_wasm_kind_text(import->kind));
	else if (import->name_known) {
		pic_wasm_signature(facts, import->type, signature);
		pic_buf_format(list, " as %s", signature);
	}
}

static int check_imports(const struct pic_wasm_facts *facts, struct pic_error *err)
{
	struct pic_buf PIC_BUF list = PIC_BUF_INIT(LIST_MAX);
	uint32_t missing = 0, listed = 0;

	for (uint32_t i = 0; i < facts->import_count; i++) {
		if (facts->imports[i].host != PIC_WASM_HOST_COUNT)
			continue;
		missing++;
		list_import(facts, &facts->imports[i], &list);
		if (!list.failed)
			listed = missing;
	}
	if (missing == 0)
		return 0;
	if (listed < missing)
		return pic_error_set(err, -ENOTSUP,
				     "it needs %u imports that are not served here, among them %s",
				     missing, pic_buf_text(&list));
	return pic_error_set(err, -ENOTSUP, "it needs %s not served here: %s",
			     missing == 1 ? "an import that is" : "imports that are",
			     pic_buf_text(&list));
}

static int check_entry(const struct pic_wasm_facts *facts, struct pic_error *err)
{
	const struct pic_wasm_export *start = pic_wasm_find_function(facts, "_start");
	char signature[PIC_WASM_SIGNATURE_MAX];

	if (!start)
		return pic_error_set(
			err, -ENOTSUP,
			"it exports no function _start, so it is a library and no program");
	pic_wasm_signature(facts, pic_wasm_function_type(facts, start->index), signature);
	if (strcmp(signature, "()") != 0)
		return pic_error_set(
			err, -ENOTSUP,
			"its function _start takes or gives values (%s), a program's does not",
			signature);
	return 0;
}

int pic_wasm_check(const struct pic_wasm_facts *facts, uint64_t memory_max, struct pic_error *err)
{
	uint64_t initial = facts->memory_initial * PIC_WASM_PAGE;
	int r = check_imports(facts, err);

	if (r == 0)
		r = check_entry(facts, err);
	if (r == 0 && initial > memory_max)
		r = pic_error_set(
			err, -ENOTSUP,
			"it starts with %llu KiB of memory and wasm.memory allows %llu KiB",
			(unsigned long long)initial / 1024, (unsigned long long)memory_max / 1024);
	return r;
}

/* The subsection with the functions' names; false when it is not there. */
static bool find_function_names(struct pic_wasm_reader *in, struct pic_wasm_reader *names)
{
	while (in->at < in->end && !in->failed) {
		uint8_t id = pic_wasm_reader_byte(in);
		struct pic_wasm_reader part = pic_wasm_reader_part(in, pic_wasm_reader_u32(in));

		if (!in->failed && id == 1) {
			*names = part;
			return true;
		}
	}
	return false;
}

static void copy_name(struct pic_view name, char out[PIC_WASM_NAME_TEXT])
{
	struct pic_buf PIC_BUF text = PIC_BUF_INIT(PIC_WASM_NAME_TEXT - 1);

	pic_text_escape(name.data, name.size < 100 ? name.size : 100, false, &text);
	snprintf(out, PIC_WASM_NAME_TEXT, "%s", pic_buf_text(&text));
}

bool pic_wasm_function_name(struct pic_view name_section, uint32_t index,
			    char out[PIC_WASM_NAME_TEXT])
{
	struct pic_wasm_reader in = { .bytes = (const unsigned char *)name_section.data,
				      .end = name_section.size };
	struct pic_wasm_reader names;

	if (!find_function_names(&in, &names))
		return false;
	for (uint32_t n = pic_wasm_reader_count(&names, 2); n > 0 && !names.failed; n--) {
		uint32_t number = pic_wasm_reader_u32(&names);
		struct pic_view name = pic_wasm_reader_bytes(&names, pic_wasm_reader_u32(&names));

		if (names.failed || number != index)
			continue;
		copy_name(name, out);
		return out[0] != '\0';
	}
	return false;
}
