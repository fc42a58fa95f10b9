/*
 * Admission of a component: whether its artifact can run at all as its spec wants it, found out by a
 * child that has nothing but the bytes, little memory and little time. Whatever it does, the agent gets
 * a verdict.
 */
#ifndef PIC_AGENT_ADMIT_ADMIT_H
#define PIC_AGENT_ADMIT_ADMIT_H

#include "base/loop.h"
#include "protocol/document.h"

struct pic_admission; /* one under way */

/* code 0: admitted; -EINVAL: it can never run, `text` says why; other: the look itself failed. */
typedef void pic_admit_fn(void *data, int code, const char *text);

struct pic_admit_order {
	const char *type;
	const void *spec; /* the driver's; lent for the call */
	int fd;		  /* the artifact, read from its start; stays the caller's */
	pic_admit_fn *done;
	void *data;
};

/* *out frees itself after `done`, which is never called before this returns. */
int pic_admit_start(struct pic_admission **out, struct pic_loop *loop,
		    const struct pic_admit_order *order, struct pic_error *err);
void pic_admit_cancel(struct pic_admission *admission); /* NULL is fine */

#endif
