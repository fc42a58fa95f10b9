/*
 * Any JSON as a body of either era, for every kind: what is accepted can be defaulted, validated, stored
 * and sent out again, and comes back with the same spec. Staged catalogs go through the engine's
 * reading too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "hub/engine/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_catalog(const struct pic_object *object)
{
	const struct pic_engine_device device = { .target = "t",
						  .epoch = "0123456789abcdef0123456789abcdef" };
	const struct pic_object *catalogs[] = { object };
	struct pic_document *document = NULL, *again = NULL;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(8 << 20);
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_engine_document(&device, "https://h", catalogs, 1, 0, &document, &err) < 0)
		return;
	/* A device must never have to refuse what the hub has made. */
	if (pic_document_write(document, &text) < 0 || text.failed)
		abort();
	pic_document_free(document);
	if (text.size > PIC_DOCUMENT_SIZE_MAX)
		return;
	if (pic_document_parse(&again, text.data, text.size, &err) < 0)
		abort();
	pic_document_free(again);
}

static void check_body(enum pic_kind kind, const struct pic_json *body)
{
	PIC_JSON struct pic_json *json = NULL, *out = NULL, *back = NULL;
	PIC_CLEANUP(pic_object_unref_pointer) struct pic_object *object = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_findings findings;

	if (pic_object_from_symphony(kind, "i-t", body, &json, &err) < 0)
		return;
	pic_object_default(kind, json);
	pic_object_validate(kind, json, &findings);
	if (pic_object_new(&object, kind, pic_json_ref(json), &err) < 0)
		return;
	out = pic_object_to_symphony(object);
	if (!out || strcmp(pic_json_get_text(out, "id"), "i-t") != 0)
		abort();
	if (pic_object_from_symphony(kind, "i-t", out, &back, &err) < 0)
		abort();
	if (kind == PIC_KIND_SOLUTION &&
	    !pic_json_equal(pic_json_get(back, "spec"), pic_object_spec(object)))
		abort();
	if (kind == PIC_KIND_CATALOG)
		check_catalog(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PIC_JSON struct pic_json *body = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_json_parse(&body, (const char *)data, size, &err) < 0)
		return 0;
	for (int kind = 0; kind < PIC_KIND_COUNT; kind++)
		check_body(kind, body);
	return 0;
}
