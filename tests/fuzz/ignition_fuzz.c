/* Any bytes as an Ignition config: findings have a sentence, and what is valid merges with itself to something. */
#include <stdlib.h>

#include "ignition/config.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	PIC_IGNITION_FINDINGS struct pic_ignition_findings findings = { .items = NULL };
	PIC_JSON struct pic_json *config = NULL, *merged = NULL;
	int r = pic_ignition_check((const char *)data, size, &findings, &config);

	if ((r == 0) != (findings.errors == 0) || (r == 0) != (config != NULL))
		abort();
	for (size_t i = 0; i < findings.count; i++)
		if (!findings.items[i].text[0])
			abort();
	if (config)
		pic_ignition_merge(config, config, &merged, NULL);
	return 0;
}
