/* Any bytes as a document: what is accepted is written and read again without loss. */
#include <stdlib.h>

#include "protocol/document.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	PIC_BUF struct pic_buf first = PIC_BUF_INIT(4 * PIC_DOCUMENT_SIZE_MAX);
	PIC_BUF struct pic_buf second = PIC_BUF_INIT(4 * PIC_DOCUMENT_SIZE_MAX);
	struct pic_document *document = NULL, *again = NULL;

	if (pic_document_parse(&document, (const char *)data, size, NULL) < 0)
		return 0;
	if (pic_document_write(document, &first) < 0)
		abort();
	if (first.size <= PIC_DOCUMENT_SIZE_MAX &&
	    (pic_document_parse(&again, first.data, first.size, NULL) < 0 ||
	     pic_document_write(again, &second) < 0 || first.size != second.size))
		abort();
	pic_document_free(document);
	pic_document_free(again);
	return 0;
}
