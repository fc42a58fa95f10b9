/*
 * Admission of an artifact: whether it can run at all, found out by a child that has nothing but the
 * bytes, little memory and little time. Whatever it does, the agent gets a verdict.
 */
#ifndef PIC_AGENT_ADMIT_ADMIT_H
#define PIC_AGENT_ADMIT_ADMIT_H

#include "base/loop.h"
#include "protocol/document.h"

struct pic_admission; /* one under way */

/* code 0: admitted; -EINVAL: it can never run, `text` says why; other: the look itself failed. */
typedef void pic_admit_fn(void *data, const unsigned char digest[PIC_DIGEST_SIZE], int code,
			  const char *text);

/* `fd` is the file, read from its start; it stays the caller's. *out frees itself after `done`. */
int pic_admit_start(struct pic_admission **out, struct pic_loop *loop, const char *type,
		    const unsigned char digest[PIC_DIGEST_SIZE], int fd, pic_admit_fn *done, void *data,
		    struct pic_error *err);
void pic_admit_cancel(struct pic_admission *admission); /* NULL is fine */

#endif
