/*
 * policy.conf is read by a child that is nobody, so that a mistake in the parser is not a mistake of
 * root's. What comes back is a struct of fixed size, checked again here. Only at the start and when
 * root asks for it: the one thing that is waited for, with a limit.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "admission/policy.h"
#include "base/file.h"
#include "base/log.h"
#include "sandbox/privilege.h"
#include "supervisor/context.h"

#define NOBODY 65534
#define LIMIT_MS 2000

struct result {
	struct pic_error error;
	struct pic_policy policy;
};

_Static_assert(sizeof(struct result) <= 65536, "a policy fits a pipe");

static int open_checked(const char *name, struct pic_error *err)
{
	PIC_FD int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat facts;

	if (fd < 0 || fstat(fd, &facts) < 0)
		return pic_error_errno(err, errno, "policy %s cannot be opened", name);
	if (!S_ISREG(facts.st_mode) || facts.st_uid != 0 || facts.st_mode & 022)
		return pic_error_set(
			err, -EPERM,
			"policy %s must be a file that only root can write: chown root "
			"and chmod 0644 it",
			name);
	return PIC_STEAL_FD(fd);
}

struct job {
	const char *name;
	int fd;
};

static void work(void *data, int result_fd)
{
	const struct pic_privileges nobody = { .user = NOBODY,
					       .group = NOBODY,
					       .cpu_seconds_max = 2 };
	const struct job *job = data;
	const int keep[] = { job->fd, result_fd };
	static struct result result; /* of the child alone; large for a stack */
	static char text[PIC_POLICY_FILE_MAX + 1];
	ssize_t size = 0;

	pic_signals_reset();
	if (pic_descriptors_arrange(keep, PIC_COUNT(keep), &result.error) == 0 &&
	    pic_privileges_drop(&nobody, &result.error) == 0) {
		size = read(0, text, sizeof(text));
		if (size < 0)
			pic_error_errno(&result.error, errno, "policy %s cannot be read",
					job->name);
		else
			pic_policy_parse(&result.policy, text, (size_t)size, job->name,
					 &result.error);
	}
	pic_fd_write_all(1, &result, sizeof(result));
}

static int read_in_child(const char *name, struct result *result, struct pic_error *err)
{
	PIC_FD int fd = open_checked(name, err);
	struct job job = { name, fd };
	int r = fd;

	if (fd >= 0)
		r = pic_child_wait(work, &job, LIMIT_MS, result, sizeof(*result), err);
	if (r < 0)
		return r;
	result->error.text[sizeof(result->error.text) - 1] = '\0';
	if (result->error.code)
		return pic_error_set(err, -EINVAL, "%s", result->error.text);
	if (!pic_policy_is_valid(&result->policy))
		return pic_error_set(err, -EINVAL, "what was read from %s cannot be a policy",
				     name);
	return 0;
}

int pic_policy_load(struct pic_supervisor *supervisor, struct pic_error *err)
{
	PIC_FREE struct result *result = malloc(sizeof(*result));
	PIC_FREE struct pic_policy *policy = malloc(sizeof(*policy));
	int r = result && policy ? 0 : pic_error_set(err, -ENOMEM, "no memory for the policy");

	if (r == 0)
		r = read_in_child(supervisor->settings->policy_file, result, err);
	if (r < 0) { /* a former policy stays in force */
		supervisor->policy_error = *err;
		pic_log(PIC_LOG_ERROR, "policy-not-read", PIC_TEXT("why", err->text));
		return r;
	}
	*policy = result->policy;
	free(supervisor->policy);
	supervisor->policy = PIC_STEAL(policy);
	pic_log(PIC_LOG_INFO, "policy-read", PIC_TEXT("file", supervisor->settings->policy_file));
	return 0;
}
