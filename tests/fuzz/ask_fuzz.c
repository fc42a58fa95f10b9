/* Any bytes as an ask: what is accepted is written and read again. */
#include <stdlib.h>
#include <string.h>

#include "protocol/ask.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	PIC_JSON struct pic_json *value = NULL, *written = NULL;
	struct pic_ask ask, again;

	memset(&ask, 0, sizeof(ask));
	memset(&again, 0, sizeof(again));
	if (pic_json_parse(&value, (const char *)data, size, NULL) < 0 ||
	    pic_ask_parse(&ask, value, NULL) < 0 || ask.kind == PIC_ASK_UNKNOWN)
		return 0;
	written = pic_ask_write(&ask);
	if (pic_ask_parse(&again, written, NULL) < 0 || memcmp(&ask, &again, sizeof(ask)) != 0)
		abort();
	return 0;
}
