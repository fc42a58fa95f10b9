/* Protocol buffers of a stranger: a tree that can be written, or a sentence. */
#include <stdint.h>
#include <stdlib.h>

#include "hub/kube_api/protobuf_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PIC_JSON struct pic_json *body = NULL;
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(16u * 1024 * 1024);
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_kube_protobuf_body((struct pic_view){ (const char *)data, size }, &body, &err);

	if (r < 0 ? body || !err.text[0] : pic_json_write(body, PIC_JSON_COMPACT, &out) < 0)
		abort();
	return 0;
}
