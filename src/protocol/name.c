/* Names of workloads, "instance/component". */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/document.h"

int pic_workload_name_compare(const struct pic_workload_name *a, const struct pic_workload_name *b)
{
	int order = strcmp(a->instance, b->instance);

	return order ? order : strcmp(a->component, b->component);
}

int pic_workload_name_parse(const char *text, struct pic_workload_name *out, struct pic_error *err)
{
	const char *slash = strchr(text, '/');
	struct pic_workload_name name = { 0 };

	if (!slash || (size_t)(slash - text) >= sizeof(name.instance) ||
	    strlen(slash + 1) >= sizeof(name.component))
		return pic_error_set(
			err, -EINVAL,
			"'%.130s' is not the name of a workload; write INSTANCE/COMPONENT", text);
	memcpy(name.instance, text, (size_t)(slash - text));
	memcpy(name.component, slash + 1, strlen(slash + 1));
	if (!pic_name_is_valid(name.instance, PIC_NAME_MAX) ||
	    !pic_name_is_valid(name.component, PIC_NAME_MAX))
		return pic_error_set(
			err, -EINVAL,
			"'%.130s' is not the name of a workload; names have lower-case letters, "
			"digits, '-' and '.'",
			text);
	*out = name;
	return 0;
}

void pic_workload_name_text(const struct pic_workload_name *name, char out[2 * PIC_NAME_MAX + 2])
{
	snprintf(out, 2 * PIC_NAME_MAX + 2, "%s/%s", name->instance, name->component);
}
