#include "workload/wasm/inspect.h"

#include <string.h>

#include "admission/wasm.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "workload/wasm/engine.h"
#include "workload/wasm/module.h"

static struct pic_json *escaped(struct pic_view view)
{
	struct pic_buf PIC_BUF text = PIC_BUF_INIT(8 * 1024);

	pic_text_escape(view.data, view.size < 1024 ? view.size : 1024, false, &text);
	return pic_json_new_text(pic_buf_text(&text));
}

static struct pic_json *describe_import(const struct pic_wasm_facts *facts,
					const struct pic_wasm_import *import)
{
	struct pic_json *object = pic_json_new_object();
	char signature[PIC_WASM_SIGNATURE_MAX];
	bool served = import->host != PIC_WASM_HOST_COUNT;

	pic_json_set(object, "module", escaped(import->module));
	pic_json_set(object, "name", escaped(import->name));
	pic_json_set_text(object, "kind", pic_wasm_kind_text(import->kind));
	if (import->kind == PIC_WASM_FUNCTION) {
		pic_wasm_signature(facts, import->type, signature);
		pic_json_set_text(object, "signature", signature);
	}
	pic_json_set_bool(object, "served", served);
	if (served)
		pic_json_set_text(object, "dialect",
				  pic_wasm_host_at(import->host)->dialect == PIC_WASM_WASMEDGE
					  ? "wasmedge"
					  : "preview1");
	return object;
}

static struct pic_json *describe_imports(const struct pic_wasm_facts *facts)
{
	struct pic_json *list = pic_json_new_array();

	for (uint32_t i = 0; i < facts->import_count; i++)
		pic_json_append(list, describe_import(facts, &facts->imports[i]));
	return list;
}

static struct pic_json *describe_exports(const struct pic_wasm_facts *facts)
{
	struct pic_json *list = pic_json_new_array();

	for (uint32_t i = 0; i < facts->export_count; i++) {
		struct pic_json *object = pic_json_new_object();

		pic_json_set(object, "name", escaped(facts->exports[i].name));
		pic_json_set_text(object, "kind", pic_wasm_kind_text(facts->exports[i].kind));
		pic_json_append(list, object);
	}
	return list;
}

static const char *dialect(const struct pic_wasm_facts *facts)
{
	if (pic_wasm_uses(facts, PIC_WASM_WASMEDGE))
		return "preview1+wasmedge";
	return pic_wasm_uses(facts, PIC_WASM_PREVIEW1) ? "preview1" : "none";
}

static void describe(const struct pic_wasm_facts *facts, struct pic_json *report)
{
	struct pic_json *memory = pic_json_new_object();

	pic_json_set_integer(report, "size", (long long)facts->size);
	pic_json_set_integer(report, "code-size",
			     (long long)facts->section_sizes[PIC_WASM_SECTION_CODE]);
	pic_json_set_integer(report, "data-size",
			     (long long)facts->section_sizes[PIC_WASM_SECTION_DATA]);
	pic_json_set_integer(report, "custom-size",
			     (long long)facts->section_sizes[PIC_WASM_SECTION_CUSTOM]);
	pic_json_set_integer(report, "functions", facts->functions);
	pic_json_set_bool(report, "function-names", facts->name_section.size > 0);
	pic_json_set_bool(report, "start-function", facts->has_start);
	pic_json_set_text(report, "dialect", dialect(facts));
	pic_json_set_integer(memory, "initial-bytes",
			     (long long)facts->memory_initial * PIC_WASM_PAGE);
	if (facts->memory_has_maximum)
		pic_json_set_integer(memory, "maximum-bytes",
				     (long long)facts->memory_maximum * PIC_WASM_PAGE);
	pic_json_set(report, "memory", memory);
	pic_json_set(report, "imports", describe_imports(facts));
	pic_json_set(report, "exports", describe_exports(facts));
}

/* The engine changes the bytes, so this comes last. */
static void judge(struct pic_wasm_module *module, const struct pic_wasm_facts *facts,
		  uint64_t memory_max, struct pic_wasm_inspection *out)
{
	struct pic_error check = PIC_ERROR_INIT;
	struct pic_wasm_engine *PIC_WASM_ENGINE engine = NULL;
	/* The sentence is made before: it shows names that lie in the bytes. */
	int r = pic_wasm_check(facts, memory_max, &check);

	out->valid = pic_wasm_engine_load(&engine, module->bytes, module->size, &out->why) == 0;
	out->runnable = out->valid && r == 0;
	if (out->valid)
		out->why = check;
}

int pic_wasm_inspect(int fd, uint64_t memory_max, struct pic_wasm_inspection *out,
		     struct pic_json **report, struct pic_error *err)
{
	struct pic_wasm_facts *PIC_WASM_FACTS facts = NULL;
	struct pic_json *PIC_JSON description = pic_json_new_object();
	struct pic_wasm_module module = { 0 };
	int r = pic_wasm_module_map(&module, fd, err);

	if (r < 0)
		return r;
	*out = (struct pic_wasm_inspection){ 0 };
	r = pic_wasm_read(&facts, module.bytes, module.size, &out->why);
	if (r == 0) {
		describe(facts, description);
		judge(&module, facts, memory_max, out);
	}
	pic_wasm_module_unmap(&module);
	pic_json_set_bool(description, "valid", out->valid);
	pic_json_set_bool(description, "runnable", out->runnable);
	if (out->why.code)
		pic_json_set_text(description, "reason", out->why.text);
	if (report)
		*report = PIC_STEAL(description);
	return 0;
}

int pic_wasm_admit(int fd, const struct pic_wasm_spec *spec, struct pic_error *err)
{
	struct pic_wasm_inspection inspection;
	int r = pic_wasm_inspect(fd, spec->memory_max, &inspection, NULL, err);

	if (r == 0 && !inspection.runnable) {
		r = inspection.why.code;
		if (err)
			*err = inspection.why;
	}
	return r;
}

static long long number(const struct pic_json *object, const char *key)
{
	long long value = 0;

	pic_json_integer(pic_json_get(object, key), &value);
	return value;
}

static void put_imports(const struct pic_json *imports, struct pic_buf *out)
{
	for (size_t i = 0; i < pic_json_count(imports); i++) {
		const struct pic_json *import = pic_json_at(imports, i);
		const char *signature = pic_json_get_text(import, "signature");

		pic_buf_format(out, "  %-8s %s.%s %s\n",
			       pic_json_true(pic_json_get(import, "served")) ? "served" : "MISSING",
			       pic_json_get_text(import, "module"),
			       pic_json_get_text(import, "name"),
			       signature ? signature : pic_json_get_text(import, "kind"));
	}
}

static void put_exports(const struct pic_json *exports, struct pic_buf *out)
{
	for (size_t i = 0; i < pic_json_count(exports); i++) {
		const struct pic_json *export = pic_json_at(exports, i);

		pic_buf_format(out, "  %-8s %s\n", pic_json_get_text(export, "kind"),
			       pic_json_get_text(export, "name"));
	}
}

static void put_facts(const struct pic_json *report, struct pic_buf *out)
{
	const struct pic_json *memory = pic_json_get(report, "memory");

	pic_buf_format(out, "size:      %lld bytes (code %lld, data %lld, custom %lld)\n",
		       number(report, "size"), number(report, "code-size"),
		       number(report, "data-size"), number(report, "custom-size"));
	pic_buf_format(out, "functions: %lld, %s\n", number(report, "functions"),
		       pic_json_true(pic_json_get(report, "function-names")) ? "with names"
									     : "without names");
	pic_buf_format(out, "memory:    %lld KiB at start", number(memory, "initial-bytes") / 1024);
	if (pic_json_get(memory, "maximum-bytes"))
		pic_buf_format(out, ", %lld KiB at most", number(memory, "maximum-bytes") / 1024);
	pic_buf_format(out, "\ndialect:   %s\n", pic_json_get_text(report, "dialect"));
	pic_buf_format(out, "imports:   %zu\n", pic_json_count(pic_json_get(report, "imports")));
	put_imports(pic_json_get(report, "imports"), out);
	pic_buf_format(out, "exports:   %zu\n", pic_json_count(pic_json_get(report, "exports")));
	put_exports(pic_json_get(report, "exports"), out);
}

void pic_wasm_inspection_text(const struct pic_json *report, struct pic_buf *out)
{
	const char *reason = pic_json_get_text(report, "reason");
	bool valid = pic_json_true(pic_json_get(report, "valid"));
	bool runnable = pic_json_true(pic_json_get(report, "runnable"));

	pic_buf_format(out, "verdict:   %s\n",
		       runnable ? "valid, can run here"
		       : valid	? "valid, but cannot run here"
				: "invalid");
	if (reason)
		pic_buf_format(out, "reason:    %s\n", reason);
	if (pic_json_get(report, "size"))
		put_facts(report, out);
}
