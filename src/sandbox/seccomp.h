/*
 * seccomp: a list of the system calls that a process may still make; all others end it or are refused.
 */
#ifndef PIC_SANDBOX_SECCOMP_H
#define PIC_SANDBOX_SECCOMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct pic_seccomp_rule {
	int number;	  /* SYS_... */
	uint8_t argument; /* 0: any arguments; else the 1st to 6th one is looked at */
	uint64_t mask;	  /* allowed when (argument & mask) == value; rules of one number add up */
	uint64_t value;
};

#define PIC_SECCOMP_CALL(call) \
	{ \
		SYS_##call, 0, 0, 0 \
	}
#define PIC_SECCOMP_WHERE(call, nth, bits, wanted) \
	{ \
		SYS_##call, (nth), (bits), (wanted) \
	}
#define PIC_SECCOMP_RULES_MAX 256

enum pic_seccomp_otherwise {
	PIC_SECCOMP_KILL,   /* the process ends by SIGSYS */
	PIC_SECCOMP_REFUSE, /* the call fails with EPERM */
};

/* For the calling process and all its threads; needs no_new_privs or CAP_SYS_ADMIN. */
int pic_seccomp_allow(const struct pic_seccomp_rule *rules, size_t count,
		      enum pic_seccomp_otherwise otherwise, struct pic_error *err);

#endif
