/* The wasm driver: what the supervisor has to prepare for one, and who does what. */
#include "workload/wasm/runner.h"

/* The engine's form of the module's code (about four times its size), tables, stacks. */
#define OVERHEAD (16ull * 1024 * 1024)

static uint64_t memory(const void *spec)
{
	return ((const struct pic_wasm_spec *)spec)->memory_max + OVERHEAD;
}

const struct pic_driver pic_driver_wasm = {
	.type = "wasm",
	.spec_size = sizeof(struct pic_wasm_spec),
	.profile = {
		.mode = PIC_RUN_FORK,
		.needs_artifact = true,
		.needs_broker = true,
		.memory_overhead = OVERHEAD,
		.tasks_max = 1,
	},
	.parse = pic_wasm_parse,
	.check = pic_wasm_check_spec,
	.grants = pic_wasm_grants,
	.memory = memory,
	.writes = pic_wasm_writes,
	.open = pic_wasm_open,
	.confine = pic_wasm_confine,
	.run = pic_wasm_run,
};
