/* `piccolo check`: what this machine offers, one line each, with the remedy where something is missing. */
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "admission/policy.h"
#include "agent/supervisor_link.h"
#include "base/clock.h"
#include "base/file.h"
#include "device/verbs.h"
#include "sandbox/cgroup.h"
#include "sandbox/root.h"

enum verdict { GOOD, WEAK, MISSING }; /* WEAK: it works, with less */

struct check {
	const struct pic_device_options *options;
	struct pic_policy policy;
	bool has_policy;
	unsigned missing;
};

static void say(struct check *check, enum verdict verdict, const char *what, const char *format,
		...) __attribute__((format(printf, 4, 5)));
static void say(struct check *check, enum verdict verdict, const char *what, const char *format,
		...)
{
	static const char *const words[] = { "ok     ", "weak   ", "MISSING" };
	va_list arguments;

	printf("%s  %-18s ", words[verdict], what);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	check->missing += verdict == MISSING;
}

/* -- the kernel ------------------------------------------------------------------------------- */

/* A call that the kernel has answers anything but ENOSYS, even to nonsense. */
static bool has_call(long number)
{
	return syscall(number, -1, -1, -1, -1, -1) >= 0 || errno != ENOSYS;
}

static void check_kernel(struct check *check)
{
	static const struct {
		const char *name;
		long number;
		const char *since;
	} calls[] = {
		{ "pidfd_open", SYS_pidfd_open, "5.3" },
		{ "openat2", SYS_openat2, "5.6" },
		{ "pidfd_getfd", SYS_pidfd_getfd, "5.6" },
		{ "close_range", SYS_close_range, "5.9" },
		{ "mount_setattr", SYS_mount_setattr, "5.12" },
	};
	struct utsname name;
	bool all = true;

	uname(&name);
	for (size_t i = 0; i < PIC_COUNT(calls); i++) {
		/* close_range(-1, ...) is refused for its order, so it closes nothing */
		if (calls[i].number == SYS_close_range
			    ? syscall(SYS_close_range, 1, 0, 0) < 0 && errno == ENOSYS
			    : !has_call(calls[i].number)) {
			say(check, MISSING, "kernel", "%s has no %s: Linux %s or newer is needed",
			    name.release, calls[i].name, calls[i].since);
			all = false;
		}
	}
	if (all)
		say(check, GOOD, "kernel", "Linux %s, %s", name.release, name.machine);
}

static void check_seccomp(struct check *check)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		say(check, GOOD, "seccomp", "filters that end a process");
	else
		say(check, MISSING, "seccomp", "the kernel has no seccomp filters: %s",
		    strerror(errno));
}

static void check_cgroups(struct check *check)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_cgroups groups;
	char folder[32];
	const char *kind;

	snprintf(folder, sizeof(folder), "piccolo-check-%d", (int)getpid());
	if (geteuid() != 0) {
		say(check, WEAK, "cgroups", "not looked at: run as root to know");
		return;
	}
	if (pic_cgroups_open(&groups, folder, &err) < 0) {
		say(check, MISSING, "cgroups", "%s", err.text);
		return;
	}
	kind = groups.tree[PIC_CGROUP_MEMBERS].unified ? "unified tree (v2)"
						       : "one tree a controller (v1)";
	if (groups.tree[PIC_CGROUP_MEMORY].fd < 0)
		say(check, WEAK, "cgroups", "%s, but no memory controller: limits are not enforced",
		    kind);
	else if (groups.tree[PIC_CGROUP_TASKS].fd < 0)
		say(check, WEAK, "cgroups", "%s, but no pids controller", kind);
	else
		say(check, GOOD, "cgroups", "%s, memory controller in %s%s", kind,
		    groups.tree[PIC_CGROUP_MEMORY].unified ? "v2" : "v1",
		    groups.delegated ? ", delegated by systemd" : "");
	pic_cgroups_close(&groups, folder, true);
}

/* Tried for real, by a child that keeps the change to itself. */
static void check_root(struct check *check)
{
	struct pic_error err = PIC_ERROR_INIT;
	int ends[2], status;
	pid_t pid;

	if (geteuid() != 0) {
		say(check, WEAK, "empty root", "not tried: run as root to know");
		return;
	}
	if (pipe(ends) < 0 || (pid = fork()) < 0)
		return;
	if (pid == 0) {
		struct pic_error why = PIC_ERROR_INIT;

		pic_root_empty("/dev", &why);
		pic_fd_write_all(ends[1], &why, sizeof(why));
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &err, sizeof(err)) != (ssize_t)sizeof(err))
		pic_error_set(&err, -EIO, "the trial ended without an answer");
	close(ends[0]);
	waitpid(pid, &status, 0);
	if (err.code)
		say(check, MISSING, "empty root", "%s", err.text);
	else
		say(check, GOOD, "empty root", "mount namespace and pivot_root");
}

/* -- Piccolo's own things --------------------------------------------------------------------- */

static void check_policy(struct check *check)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_POLICY_FILE_MAX);
	const char *file = check->options->policy;
	struct pic_error err = PIC_ERROR_INIT;
	struct stat facts;

	if (pic_file_read_path(file, &text, &err) < 0 ||
	    pic_policy_parse(&check->policy, pic_buf_text(&text), text.size, file, &err) < 0) {
		say(check, MISSING, "policy", "%s", err.text);
		return;
	}
	check->has_policy = true;
	if (stat(file, &facts) < 0 || facts.st_uid != 0 || facts.st_mode & 022)
		say(check, MISSING, "policy",
		    "%s must belong to root and be writable by nobody else", file);
	else if (check->policy.type_count == 0)
		say(check, WEAK, "policy", "%s allows no component type: add `allow wasm`", file);
	else
		say(check, GOOD, "policy", "%s, %u types, %u listen rules", file,
		    check->policy.type_count, check->policy.listen_count);
}

static void check_users(struct check *check)
{
	FILE *file = fopen("/etc/passwd", "re");
	uint32_t first = check->policy.user_first, last = check->policy.user_last;
	bool has_agent = false;

	if (!check->has_policy || !file) {
		say(check, WEAK, "users", "not looked at without policy or /etc/passwd");
		if (file)
			fclose(file);
		return;
	}
	for (const struct passwd *user; (user = fgetpwent(file));) {
		has_agent |= strcmp(user->pw_name, check->options->user) == 0;
		if (user->pw_uid >= first && user->pw_uid <= last) {
			say(check, MISSING, "users",
			    "number %u of policy's range belongs to %s: move `users`",
			    (unsigned)user->pw_uid, user->pw_name);
			first = last + 1;
		}
	}
	fclose(file);
	if (first <= last)
		say(check, GOOD, "users", "%u-%u are free for workloads", first, last);
	if (has_agent)
		say(check, GOOD, "agent's user", "%s", check->options->user);
	else
		say(check, GOOD, "agent's user", "no user %s, so number %u", check->options->user,
		    check->policy.user_first - 1);
}

static void check_folder(struct check *check, const char *what, const char *path)
{
	struct stat facts;

	if (stat(path, &facts) < 0)
		say(check, GOOD, what, "%s, made at the first start", path);
	else if (!S_ISDIR(facts.st_mode) || facts.st_uid != 0 || facts.st_mode & 022)
		say(check, MISSING, what, "%s must be a folder of root's, writable by nobody else",
		    path);
	else
		say(check, GOOD, what, "%s", path);
}

static void check_clock(struct check *check)
{
	char now[PIC_TIME_TEXT];

	pic_time_format(pic_clock_wall_ms(), now);
	if (pic_clock_wall_is_set(pic_clock_wall_ms()))
		say(check, GOOD, "clock", "%s", now);
	else
		say(check, WEAK, "clock",
		    "%s cannot be true; certificates' dates are not looked at", now);
}

static void check_supervisor(struct check *check)
{
	const struct pic_supervisor_call call = { .operation = PIC_SUPERVISOR_LIST, .fd = -1 };
	struct pic_supervisor_message reply;
	struct pic_error err = PIC_ERROR_INIT;
	int fds[2] = { -1, -1 };

	if (pic_supervisor_perform(check->options->run_dir, &call, 5000, &reply, fds, &err) < 0)
		say(check, WEAK, "supervisor", "%s", err.text);
	else
		say(check, GOOD, "supervisor", "runs, with %lld workload%s", (long long)reply.value,
		    reply.value == 1 ? "" : "s");
}

static void check_hub(struct check *check)
{
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_check_hub(check->options, &err);

	if (r == -ENOENT)
		say(check, WEAK, "hub", "none is set: `piccolo join` does it");
	else if (r < 0)
		say(check, MISSING, "hub", "%s", err.text);
	else
		say(check, GOOD, "hub", "%s",
		    check->options->hub ? check->options->hub : "the one that was joined");
}

int pic_verb_check(void *program, int argc, char **argv)
{
	struct check check = { .options = program };

	(void)argc;
	(void)argv;
	check_kernel(&check);
	check_seccomp(&check);
	check_cgroups(&check);
	check_root(&check);
	check_policy(&check);
	check_users(&check);
	check_folder(&check, "state folder", check.options->state);
	check_folder(&check, "run folder", check.options->run_dir);
	check_clock(&check);
	check_supervisor(&check);
	check_hub(&check);
	if (check.missing)
		printf("%u %s missing\n", check.missing,
		       check.missing == 1 ? "thing is" : "things are");
	return check.missing ? PIC_EXIT_FAILED : PIC_EXIT_OK;
}
