/*
 * One line of policy.conf, cut into words. Internal to admission/policy*.c.
 */
#ifndef PIC_ADMISSION_POLICY_LINE_H
#define PIC_ADMISSION_POLICY_LINE_H

#include "base/error.h"
#include "protocol/policy.h"

#define PIC_POLICY_WORDS_MAX 48
#define PIC_POLICY_LINE_MAX 1024

struct pic_policy_line {
	const char *file;
	uint32_t number;
	char text[PIC_POLICY_LINE_MAX];
	char *words[PIC_POLICY_WORDS_MAX];
	unsigned count;
};

/* -EINVAL and "FILE:LINE: what". */
int pic_policy_bad_line(const struct pic_policy_line *line, struct pic_error *err,
			const char *what);
void pic_policy_ebpf_defaults(struct pic_policy_ebpf *ebpf);
/* A line that begins with `ebpf`. */
int pic_policy_parse_ebpf(struct pic_policy *out, const struct pic_policy_line *line,
			  struct pic_error *err);

#endif
