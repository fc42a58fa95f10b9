/* What a person is told about an eBPF object: admission's facts as JSON. Pure. */
#ifndef PIC_HUB_APPROVAL_FACTS_H
#define PIC_HUB_APPROVAL_FACTS_H

#include "admission/ebpf.h"
#include "base/json.h"

/* {programs: [{name, type, hook}], helpers: [text], maps: [text], license, size, kernelBytes, leaseSeconds,
 *  kfuncs, confirmSeconds, tracePrefix}; only the programs that the terms would load. */
struct pic_json *pic_approval_facts_json(const struct pic_ebpf_facts *facts,
					 const struct pic_ebpf_terms *terms, size_t size);
/* ["kernel-read"] */
struct pic_json *pic_approval_grants_json(uint32_t grants);

#endif
