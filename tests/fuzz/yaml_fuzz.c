/* Any bytes as YAML: no crash, and what was read can be written and read again. */
#include <stdint.h>
#include <stdlib.h>

#include "symphony/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(8 << 20);
	struct pic_yaml yaml = { 0 }, again = { 0 };

	if (pic_yaml_parse(&yaml, (const char *)data, size, "fuzz", NULL) < 0)
		return 0;
	for (size_t i = 0; i < yaml.count; i++) {
		pic_buf_clear(&text);
		if (pic_yaml_write(yaml.documents[i].value, &text) < 0)
			continue;
		if (pic_yaml_parse(&again, pic_buf_text(&text), text.size, "fuzz", NULL) < 0)
			abort();
		pic_yaml_free(&again);
	}
	pic_yaml_free(&yaml);
	return 0;
}
