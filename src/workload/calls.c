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

static void add(struct pic_calls *calls, struct pic_seccomp_rule rule)
{
	if (calls->count < PIC_COUNT(calls->rules))
		calls->rules[calls->count] = rule;
	calls->count++;
}

#ifdef __arm__
#define FORM(named, made, arguments) \
	{ \
		SYS_##named, SYS_##made, arguments \
	}

/* What libc calls for a call that the lists name. */
static const struct {
	int named;
	int made;
	uint8_t arguments; /* of the same meaning; a condition about a later one cannot be broken */
} forms[] = {
	/* clang-format off: one a line */
	/* files of more than 2 GB */
	FORM(fcntl, fcntl64, 3), FORM(fstat, fstat64, 2),
	FORM(newfstatat, statx, 2), /* the only one that has late times besides */
	FORM(ftruncate, ftruncate64, 1), FORM(lseek, _llseek, 1),
	/* times after 2038 */
	FORM(clock_gettime, clock_gettime64, 2), FORM(clock_getres, clock_getres_time64, 2),
	FORM(ppoll, ppoll_time64, 5), FORM(timerfd_settime, timerfd_settime64, 4),
	FORM(utimensat, utimensat_time64, 4),
	/* what younger machines never got */
	FORM(sendto, send, 4), /* no address */
	FORM(recvfrom, recv, 4),
	FORM(rt_sigreturn, sigreturn, 0), /* after a handler without siginfo */
					  /* clang-format on */
};

static void add_forms(struct pic_calls *calls, struct pic_seccomp_rule rule)
{
	for (size_t i = 0; i < PIC_COUNT(forms); i++) {
		struct pic_seccomp_rule form = rule;

		if (forms[i].named != rule.number)
			continue;
		form.number = forms[i].made;
		if (form.argument > forms[i].arguments)
			form.argument = 0;
		add(calls, form);
	}
}
#else
static void add_forms(struct pic_calls *calls, struct pic_seccomp_rule rule)
{
	(void)calls, (void)rule; /* the lists name them all */
}
#endif

void pic_calls_add(struct pic_calls *calls, const struct pic_seccomp_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		add(calls, rules[i]);
		add_forms(calls, rules[i]);
	}
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
