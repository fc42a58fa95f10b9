/* The drivers this program has. One line each. */
#include <string.h>

#include "workload/driver.h"
#include "workload/ebpf/runner.h"
#include "workload/wasm/runner.h"

static const struct pic_driver *const drivers[] = {
	&pic_driver_wasm,
	&pic_driver_ebpf,
	NULL,
};

const struct pic_driver *pic_driver_at(size_t index)
{
	return index < sizeof(drivers) / sizeof(drivers[0]) ? drivers[index] : NULL;
}

const struct pic_driver *pic_driver_find(const char *type)
{
	for (size_t i = 0; drivers[i]; i++)
		if (strcmp(drivers[i]->type, type) == 0)
			return drivers[i];
	return NULL;
}
