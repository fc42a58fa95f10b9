/*
 * The terms of an eBPF component: what of its properties says what it may hook into and for how long, as
 * one fixed-size struct. The hub reads it to ask a person, the device to load; both compute the same digest,
 * so that an approval is for exactly these terms. Pure.
 *
 * Properties (reference in docs/): ebpf.name, ebpf.event, ebpf.attach, ebpf.lease, ebpf.until,
 * ebpf.confirm, ebpf.tracePrefix. ebpf.url and ebpf.sha256 are not part of the terms: the digest of
 * the bytes is bound separately.
 */
#ifndef PIC_ADMISSION_EBPF_TERMS_H
#define PIC_ADMISSION_EBPF_TERMS_H

#include <stdint.h>

#include "base/json.h"
#include "protocol/ticket.h"

#define PIC_EBPF_ATTACH_MAX 8
#define PIC_EBPF_PROGRAM_NAME_MAX 63
#define PIC_EBPF_TARGET_MAX 127
#define PIC_EBPF_PREFIX_MAX 63
#define PIC_EBPF_LEASE_DEFAULT_S 7200
#define PIC_EBPF_CONFIRM_DEFAULT_S 15

enum pic_ebpf_hook {
	PIC_EBPF_SECTION,    /* as the program's own section says, on the default device */
	PIC_EBPF_XDP,	     /* target: interface; "" is the default route's */
	PIC_EBPF_TCX,	     /* interface and direction */
	PIC_EBPF_CLSACT,     /* the older way, which the kernel does not undo by itself */
	PIC_EBPF_TRACEPOINT, /* "category/event" */
	PIC_EBPF_RAW_TRACEPOINT,
};

enum pic_ebpf_mode {
	PIC_EBPF_MODE_DEFAULT,
	PIC_EBPF_MODE_SKB,
	PIC_EBPF_MODE_DRV,
	PIC_EBPF_INGRESS,
	PIC_EBPF_EGRESS,
};

/* One "[PROGRAM=]xdp:IF[:skb|:drv]", "tcx:IF:ingress|egress", "clsact:IF:ingress|egress",
 * "tp:CATEGORY/EVENT", "raw_tp:EVENT". */
struct pic_ebpf_attach {
	char program[PIC_EBPF_PROGRAM_NAME_MAX + 1]; /* "": the only one of that kind */
	uint32_t hook;				     /* enum pic_ebpf_hook */
	uint32_t mode;				     /* enum pic_ebpf_mode */
	char target[PIC_EBPF_TARGET_MAX + 1];
};

struct pic_ebpf_terms {
	char program[PIC_EBPF_PROGRAM_NAME_MAX + 1]; /* ebpf.name; "": all programs of the object */
	uint32_t attach_count;			     /* 0: every program by its own section */
	struct pic_ebpf_attach attach[PIC_EBPF_ATTACH_MAX];
	char trace_prefix[PIC_EBPF_PREFIX_MAX + 1];
	uint32_t confirm_seconds; /* 0: off */
	uint32_t lease_seconds;	  /* never 0 */
	int64_t until_ms;	  /* ebpf.until, wall clock; 0: none. Only the hub looks at it */
};

/* `properties` is an object; unknown "ebpf." keys and wrong values are -EINVAL with the key's name. */
int pic_ebpf_terms_parse(const struct pic_json *properties, struct pic_ebpf_terms *out,
			 struct pic_error *err);
/* Whether bytes that came from the agent can be terms: texts end, enums exist, counts fit, names are clean. */
bool pic_ebpf_terms_are_valid(const struct pic_ebpf_terms *terms);
/* SHA-256 over a canonical writing of what hooks in and how: all but lease_seconds and until_ms, which
 * say when and are bound by the ticket's end. */
void pic_ebpf_terms_digest(const struct pic_ebpf_terms *terms, unsigned char out[PIC_TERMS_SIZE]);
/* "xdp:eth0" for people. */
void pic_ebpf_attach_text(const struct pic_ebpf_attach *attach, char *out, size_t size);

#endif
