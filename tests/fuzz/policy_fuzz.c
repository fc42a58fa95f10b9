/* policy.conf: any bytes give a policy that holds, or a sentence; and what is refused names a line that helps. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ports(const struct pic_policy_ports *ports)
{
	struct pic_policy_ports again;
	char text[96];

	pic_ports_text(ports, text);
	if (pic_ports_parse(text, strlen(text), &again, NULL) < 0 ||
	    !pic_ports_contain(ports, &again) || !pic_ports_contain(&again, ports))
		abort();
}

static void check_refusal(const struct pic_policy_ports *wanted)
{
	static const char empty[] = "";
	struct pic_policy nothing, better;
	struct pic_error err = PIC_ERROR_INIT;
	char line[160];

	if (pic_policy_parse(&nothing, empty, 0, "f", &err) < 0 ||
	    pic_policy_allows_listen(&nothing, wanted, &err) == 0 ||
	    sscanf(err.text, "%*[^`]`%159[^`]", line) != 1 ||
	    pic_policy_parse(&better, line, strlen(line), "f", &err) < 0 ||
	    pic_policy_allows_listen(&better, wanted, &err) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	struct pic_policy_ports ports;
	struct pic_policy policy;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_policy_parse(&policy, text, size, "policy.conf", &err) == 0) {
		if (!pic_policy_is_valid(&policy))
			abort();
		for (uint32_t i = 0; i < policy.listen_count; i++) {
			check_ports(&policy.listen[i]);
			check_refusal(&policy.listen[i]);
		}
		for (uint32_t i = 0; i < policy.folder_count; i++)
			if (pic_policy_allows_folder(&policy, policy.folders[i].path,
						     policy.folders[i].writable, NULL) < 0)
				abort();
	} else if (!err.code || !err.text[0]) {
		abort();
	}
	if (pic_ports_parse(text, size, &ports, &err) == 0) {
		check_ports(&ports);
		check_refusal(&ports);
	}
	return 0;
}
