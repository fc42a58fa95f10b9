#include "workload/calls.h"

#include <errno.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

#ifdef __SANITIZE_ADDRESS__
/* What the sanitizers' reports need; no release build has these. */
static const struct pic_seccomp_rule sanitizer[] = {
	PIC_SECCOMP_CALL(openat),	  PIC_SECCOMP_CALL(open),
	PIC_SECCOMP_CALL(readlink),	  PIC_SECCOMP_CALL(stat),
	PIC_SECCOMP_CALL(getpid),	  PIC_SECCOMP_CALL(gettid),
	PIC_SECCOMP_CALL(sigaltstack),	  PIC_SECCOMP_CALL(rt_sigaction),
	PIC_SECCOMP_CALL(rt_sigprocmask), PIC_SECCOMP_CALL(futex),
	PIC_SECCOMP_CALL(lseek),	  PIC_SECCOMP_CALL(prlimit64),
};
#endif

void pic_calls_add(struct pic_calls *calls, const struct pic_seccomp_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++, calls->count++)
		if (calls->count < PIC_COUNT(calls->rules))
			calls->rules[calls->count] = rules[i];
}

int pic_calls_allow(struct pic_calls *calls, struct pic_error *err)
{
#ifdef __SANITIZE_ADDRESS__
	pic_calls_add(calls, sanitizer, PIC_COUNT(sanitizer));
#endif
	if (calls->count > PIC_COUNT(calls->rules))
		return pic_error_set(err, -E2BIG, "a list of %zu system calls is longer than %zu",
				     calls->count, PIC_COUNT(calls->rules));
	return pic_seccomp_allow(calls->rules, calls->count, PIC_SECCOMP_KILL, err);
}
