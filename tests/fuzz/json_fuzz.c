/* JSON: what is taken is written, read again and equal, and the second text is the first. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define MUST(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PIC_JSON struct pic_json *value = NULL;
	PIC_JSON struct pic_json *back = NULL;
	PIC_JSON struct pic_json *copy = NULL;
	PIC_BUF struct pic_buf first = PIC_BUF_INIT(1 << 24), second = PIC_BUF_INIT(1 << 24);
	struct pic_error err = PIC_ERROR_INIT;
	unsigned style = size > 0 ? data[0] % 4 : 0;

	if (pic_json_parse(&value, (const char *)data, size, &err) < 0) {
		MUST(err.text[0] != '\0' && value == NULL);
		return 0;
	}
	MUST(pic_json_write(value, style, &first) == 0);
	MUST(pic_json_parse(&back, first.data, first.size, &err) == 0);
	MUST(pic_json_equal(value, back));
	MUST(pic_json_write(back, style, &second) == 0);
	MUST(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
	copy = pic_json_copy(value);
	MUST(pic_json_equal(copy, value));
	return 0;
}
