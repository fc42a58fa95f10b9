/* A target and a merge patch, one line each: applied twice it is as applied once. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hub/kube_api/merge_patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *newline = size ? memchr(text, '\n', size) : NULL;
	PIC_JSON struct pic_json *target = NULL;
	PIC_JSON struct pic_json *patch = NULL;

	if (!newline)
		return 0;
	size_t first = (size_t)(newline - text);
	if (pic_json_parse(&target, text, first, NULL) < 0 ||
	    pic_json_parse(&patch, newline + 1, size - first - 1, NULL) < 0)
		return 0;
	PIC_JSON struct pic_json *once = pic_kube_merge(target, patch);
	PIC_JSON struct pic_json *twice = pic_kube_merge(once, patch);
	if (!once || !pic_json_equal(once, twice))
		abort();
	return 0;
}
