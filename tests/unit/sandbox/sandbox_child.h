/*
 * What a sandbox function does to a process is tried in a child, which has a page shared with the test.
 */
#ifndef PIC_TESTS_SANDBOX_CHILD_H
#define PIC_TESTS_SANDBOX_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct sandbox_child {
	struct pic_error error; /* what the function under test said */
	long numbers[32];
	char text[256];
};

/* Runs fn in a child; its end as wait(2) has it. *out is what the child left in its page. */
int sandbox_child_run(void (*fn)(struct sandbox_child *child, void *data), void *data,
		      struct sandbox_child *out);
/* False, with the reason on standard output, when the tests cannot run here. */
bool sandbox_is_root(void);

#endif
