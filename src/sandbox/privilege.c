#include "sandbox/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/securebits.h>

#define DESCRIPTORS_MAX 64

/* uid 0 means nothing, set-user-id means nothing, and none of it can be undone */
#define NO_ROOT \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static int limit(int resource, uint64_t maximum)
{
	const struct rlimit value = { maximum, maximum };

	return maximum ? setrlimit(resource, &value) : 0;
}

static int limits_set(const struct pic_privileges *privileges)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 || limit(RLIMIT_NOFILE, privileges->files_max) < 0 ||
	    limit(RLIMIT_FSIZE, privileges->file_size_max) < 0 ||
	    limit(RLIMIT_DATA, privileges->data_max) < 0 ||
	    limit(RLIMIT_CPU, privileges->cpu_seconds_max) < 0)
		return -errno;
	return 0;
}

static int bounding_set(uint64_t keep)
{
	unsigned long cap = 0;

	while (cap < 64 && (keep >> cap & 1 || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0))
		cap++;
	/* the first number that this kernel does not know ends the list */
	return cap == 64 || (errno == EINVAL && cap > CAP_SETPCAP) ? 0 : -errno;
}

static int capabilities_set(uint64_t keep, uint64_t effective)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };

	for (int half = 0; half < 2; half++) {
		sets[half].permitted = (uint32_t)(keep >> 32 * half);
		sets[half].effective = (uint32_t)(effective >> 32 * half);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, sets) < 0)
		return -errno;
	return 0;
}

int pic_capabilities_keep(uint64_t keep, struct pic_error *err)
{
	int r = capabilities_set(keep, keep);

	return r < 0 ? pic_error_errno(err, -r, "capabilities cannot be given up") : 0;
}

int pic_capabilities_rest(uint64_t keep, struct pic_error *err)
{
	int r = capabilities_set(keep, 0);

	return r < 0 ? pic_error_errno(err, -r, "capabilities cannot be laid down") : 0;
}

int pic_privileges_drop(const struct pic_privileges *privileges, struct pic_error *err)
{
	int r = limits_set(privileges);

	if (r < 0)
		return pic_error_errno(err, -r, "resource limits cannot be set");
	r = bounding_set(privileges->keep_capabilities);
	if (r < 0 || prctl(PR_SET_SECUREBITS, NO_ROOT, 0, 0, 0) < 0)
		return pic_error_errno(err, r < 0 ? -r : errno, "capabilities cannot be limited");
	if (setgroups(0, NULL) < 0 ||
	    setresgid(privileges->group, privileges->group, privileges->group) < 0 ||
	    setresuid(privileges->user, privileges->user, privileges->user) < 0)
		return pic_error_errno(err, errno, "user %u cannot be taken on",
				       (unsigned)privileges->user);
	r = capabilities_set(privileges->keep_capabilities, privileges->keep_capabilities);
	if (r < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return pic_error_errno(err, r < 0 ? -r : errno, "capabilities cannot be given up");
	return 0;
}

int pic_environment_hide(struct pic_error *err)
{
	size_t size = 1;
	char *at;

	for (char **each = environ; *each; each++)
		size += strlen(*each) + 1;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED || madvise(at, size, MADV_WIPEONFORK) < 0)
		return pic_error_errno(err, errno, "the environment cannot be hidden");
	for (char **each = environ; *each; each++) {
		size = strlen(*each) + 1;
		memcpy(at, *each, size);
		explicit_bzero(*each, size);
		*each = at;
		at += size;
	}
	return 0;
}

void pic_signals_reset(void)
{
	struct sigaction as_usual = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int signo = 1; signo <= SIGRTMAX; signo++)
		sigaction(signo, &as_usual, NULL); /* SIGKILL and SIGSTOP refuse, as they should */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int pic_descriptors_arrange(const int *fds, unsigned count, struct pic_error *err)
{
	int moved[DESCRIPTORS_MAX];

	if (count > DESCRIPTORS_MAX)
		return pic_error_set(err, -E2BIG, "%u descriptors are more than a runner may have",
				     count);
	/* out of the way first, so that none overwrites another */
	for (unsigned i = 0; i < count; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, DESCRIPTORS_MAX);
		if (moved[i] < 0)
			return pic_error_errno(err, errno, "descriptor %u cannot be kept", i);
	}
	for (unsigned i = 0; i < count; i++)
		if (dup2(moved[i], (int)i) < 0)
			return pic_error_errno(err, errno, "descriptor %u cannot be placed", i);
	if (syscall(SYS_close_range, count, ~0U, 0) < 0)
		return pic_error_errno(err, errno, "descriptors cannot be closed");
	return 0;
}
