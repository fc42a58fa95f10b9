/* How a judge speaks: one finding, one sentence, one advice. */
#ifndef PIC_DEVICE_CHECK_JUDGE_H
#define PIC_DEVICE_CHECK_JUDGE_H

#include "device/check/check.h"

typedef void pic_judge_fn(const struct pic_check_facts *facts, struct pic_finding *finding);

struct pic_judge {
	const char *code, *name;
	pic_judge_fn *judge;
	bool local; /* can be told without root, trial or network */
};

extern const struct pic_judge pic_judges_kernel[],
	pic_judges_device[]; /* ended by a row without code */

void pic_finding_say(struct pic_finding *finding, enum pic_finding_state state, const char *advice,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
