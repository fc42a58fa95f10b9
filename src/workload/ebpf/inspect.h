/*
 * What a person or a test wants to know of an object file before it runs: whether it can be read, what it is and
 * wants, whether policy would let it. Pure: no kernel, no privileges.
 */
#ifndef PIC_WORKLOAD_EBPF_INSPECT_H
#define PIC_WORKLOAD_EBPF_INSPECT_H

#include "admission/ebpf.h"
#include "base/buffer.h"
#include "base/json.h"
#include "workload/ebpf/spec.h"

struct pic_ebpf_inspection {
	bool valid; /* well-formed, of this machine's byte order */
	bool allowed; /* and its programs can be attached, by policy with the grants of root by hand */
	struct pic_error why; /* the sentence when one of them is false */
};

/* `policy` NULL: nobody asks about it. *report is made also for objects that are invalid. -ENOMEM. */
int pic_ebpf_inspect(const unsigned char *bytes, size_t size, const struct pic_policy *policy,
		     struct pic_ebpf_inspection *out, struct pic_json **report,
		     struct pic_error *err);
/* Whether an object can do what these terms say, before anything is asked of anybody: 0, or -EINVAL with the sentence.
 * The bytes are a stranger's: call it in a process that may be lost. */
int pic_ebpf_admit_object(int fd, const struct pic_ebpf_spec *spec, struct pic_error *err);
/* The report for a terminal. */
void pic_ebpf_inspection_text(const struct pic_json *report, struct pic_buf *out);

#endif
