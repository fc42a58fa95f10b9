/*
 * One hook as text and back: "[PROGRAM=]xdp:IF[:skb|:drv]", "tcx:IF:ingress|egress",
 * "clsact:IF:ingress|egress", "tp:CATEGORY/EVENT", "raw_tp:EVENT", "section". An interface may be left out
 * ("xdp", "tcx::egress"): the default route's. Plain values; errors are -EINVAL with the sentence.
 */
#ifndef PIC_ADMISSION_EBPF_ATTACH_H
#define PIC_ADMISSION_EBPF_ATTACH_H

#include "admission/ebpf_terms.h"

#define PIC_EBPF_ATTACH_TEXT (PIC_EBPF_PROGRAM_NAME_MAX + PIC_EBPF_TARGET_MAX + 32)

int pic_ebpf_attach_parse(const char *text, struct pic_ebpf_attach *out, struct pic_error *err);
bool pic_ebpf_attach_is_valid(const struct pic_ebpf_attach *attach);
/* A name as C and ELF symbols of clang have it: letters, digits, _ . $, 1 to `maximum` bytes. */
bool pic_ebpf_symbol_is_clean(const char *name, size_t maximum);
/* A name that the kernel would let an interface have. */
bool pic_ebpf_interface_is_clean(const char *name);

#endif
