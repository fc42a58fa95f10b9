/* A target and a patch of operations, one line each: never a crash, never more than the bounds, and the
 * target is as it was. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hub/kube_api/json_patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *newline = size ? memchr(text, '\n', size) : NULL;
	PIC_JSON struct pic_json *target = NULL;
	PIC_JSON struct pic_json *operations = NULL;
	PIC_JSON struct pic_json *patched = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (!newline)
		return 0;
	size_t first = (size_t)(newline - text);
	if (pic_json_parse(&target, text, first, NULL) < 0 ||
	    pic_json_parse(&operations, newline + 1, size - first - 1, NULL) < 0)
		return 0;
	PIC_JSON struct pic_json *before = pic_json_copy(target);
	int r = pic_kube_json_patch(target, operations, &patched, &err);
	if (!pic_json_equal(target, before) || (r < 0) != (patched == NULL) || r != err.code)
		abort();
	/* what comes out must be something that may come in */
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(64u * 1024 * 1024);
	PIC_JSON struct pic_json *again = NULL;
	if (r == 0 && (pic_json_write(patched, PIC_JSON_COMPACT, &out) < 0 ||
		       pic_json_parse(&again, out.data, out.size, NULL) < 0))
		abort();
	return 0;
}
