/* The ebpf driver: what the supervisor has to prepare for one, and who does what. */
#include <linux/capability.h>

#include "workload/ebpf/runner.h"

/* The loader's copy of the kernel's types, its log of the verifier, the object, and what policy lets the maps take;
 * the kernel counts maps and programs where they were made. */
#define MEMORY (128ull * 1024 * 1024)

bool pic_ebpf_hook_is_network(uint32_t hook)
{
	return hook == PIC_EBPF_XDP || hook == PIC_EBPF_TCX || hook == PIC_EBPF_CLSACT;
}

static uint64_t memory(const void *spec)
{
	(void)spec;
	return MEMORY;
}

static void terms(const void *spec, unsigned char out[32])
{
	pic_ebpf_terms_digest(&((const struct pic_ebpf_spec *)spec)->terms, out);
}

static uint32_t lease(const void *spec)
{
	return ((const struct pic_ebpf_spec *)spec)->terms.lease_seconds;
}

const struct pic_driver pic_driver_ebpf = {
	.type = "ebpf",
	.spec_size = sizeof(struct pic_ebpf_spec),
	.profile = {
		.mode = PIC_RUN_FORK,
		.needs_artifact = true,
		.needs_broker = true,
		.tells_metrics = true,
		.asks_uplink = true,
		/* to undo filters even when nobody else is left; given up at once where there are none */
		.keep_capabilities = 1ull << CAP_NET_ADMIN,
		.memory_overhead = MEMORY,
		.tasks_max = 2, /* while the loader lives */
	},
	.parse = pic_ebpf_parse,
	.check = pic_ebpf_check_spec,
	.terms = terms,
	.lease = lease,
	.memory = memory,
	.open = pic_ebpf_open,
	.confine = pic_ebpf_confine,
	.run = pic_ebpf_run,
	.sweep = pic_ebpf_sweep,
};
