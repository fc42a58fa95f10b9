/*
 * What an ebpf component asks for, as a fixed-size struct: its terms (admission/ebpf_terms.h), nothing else.
 *
 *   ebpf.url, ebpf.sha256   the object file (the document's own url and sha256 win)
 *   all others              the terms
 */
#ifndef PIC_WORKLOAD_EBPF_SPEC_H
#define PIC_WORKLOAD_EBPF_SPEC_H

#include "admission/ebpf_terms.h"

#define PIC_EBPF_SPEC_VERSION 1

struct pic_ebpf_spec {
	uint32_t version;
	uint32_t padding;
	struct pic_ebpf_terms terms;
};

#endif
