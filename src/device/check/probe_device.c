/* Piccolo's own things as they lie on this machine. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "admission/policy.h"
#include "agent/supervisor_link.h"
#include "base/file.h"
#include "device/agent_status.h"
#include "device/check/check.h"

#define SUPERVISOR_LIMIT_MS 5000

/* Of the file system that holds `path`, or will. */
static int room_of(const char *path, struct statvfs *out)
{
	char part[512];
	int r;

	snprintf(part, sizeof(part), "%s", path);
	while ((r = statvfs(part, out)) < 0 && errno == ENOENT && strrchr(part, '/') > part)
		*strrchr(part, '/') = '\0';
	return r;
}

/* Owner and mode of `path`; room and writability of `inner` (or `path`), which may be another mount of ours. */
static void look_at_folder(const char *path, const char *inner, struct pic_check_folder *out)
{
	struct statvfs room;
	struct stat facts;

	snprintf(out->path, sizeof(out->path), "%s", path);
	if (stat(path, &facts) < 0) {
		out->error = -errno;
	} else {
		out->is_folder = S_ISDIR(facts.st_mode);
		out->user = facts.st_uid;
		out->mode = facts.st_mode;
	}
	if (room_of(inner, &room) < 0)
		return;
	out->read_only = room.f_flag & ST_RDONLY;
	out->bytes = (uint64_t)room.f_blocks * room.f_frsize;
	out->bytes_free = (uint64_t)room.f_bavail * room.f_frsize;
	out->inodes = room.f_files;
	out->inodes_free = room.f_favail;
}

static void look_at_policy(const char *file, struct pic_check_facts *facts,
			   struct pic_policy *policy)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_POLICY_FILE_MAX);
	struct pic_error *err = &facts->policy_error;
	struct stat stat_of;

	snprintf(facts->policy_file, sizeof(facts->policy_file), "%s", file);
	if (pic_file_read_path(file, &text, err) < 0 ||
	    pic_policy_parse(policy, pic_buf_text(&text), text.size, file, err) < 0)
		return;
	if (stat(file, &stat_of) < 0) {
		pic_error_errno(err, errno, "%s", file);
		return;
	}
	facts->policy_user = stat_of.st_uid;
	facts->policy_mode = stat_of.st_mode;
	facts->policy_types = policy->type_count;
	facts->policy_listens = policy->listen_count;
	facts->user_first = policy->user_first;
	facts->user_last = policy->user_last;
}

static void look_at_users(const char *agent, struct pic_check_facts *facts)
{
	FILE *file = fopen("/etc/passwd", "re");

	snprintf(facts->agent_name, sizeof(facts->agent_name), "%s", agent);
	facts->users_seen = file ? PIC_YES : PIC_UNSEEN;
	for (const struct passwd *user; file && (user = fgetpwent(file));) {
		facts->has_agent |= strcmp(user->pw_name, agent) == 0;
		if (user->pw_uid < facts->user_first || user->pw_uid > facts->user_last ||
		    facts->user_last == 0)
			continue;
		facts->taken = user->pw_uid;
		snprintf(facts->taken_by, sizeof(facts->taken_by), "%s", user->pw_name);
	}
	if (file)
		fclose(file);
}

static void ask_supervisor(const char *run_folder, struct pic_check_facts *facts)
{
	const struct pic_supervisor_call call = { .operation = PIC_SUPERVISOR_LIST, .fd = -1 };
	struct pic_supervisor_message reply;
	int fds[2] = { -1, -1 };

	if (pic_supervisor_perform(run_folder, &call, SUPERVISOR_LIMIT_MS, &reply, fds,
				   &facts->supervisor_error) == 0)
		facts->workloads = (long long)reply.value;
}

static void ask_agent(const char *run_folder, struct pic_check_facts *facts)
{
	PIC_BUF struct pic_buf answer = PIC_BUF_INIT(PIC_AGENT_STATUS_MAX);

	pic_device_agent_status(run_folder, &answer, &facts->agent_error);
}

void pic_check_look_device(const struct pic_device_options *options, struct pic_check_facts *facts,
			   int flags)
{
	PIC_FREE struct pic_policy *policy = calloc(1, sizeof(*policy));
	char inner[512];

	/* under systemd the agent sees all but its own folder as read-only */
	snprintf(inner, sizeof(inner), "%s%s", options->state,
		 flags & PIC_CHECK_LOCAL ? "/agent" : "");
	look_at_folder(options->state, inner, &facts->state);
	look_at_folder(options->run_dir, options->run_dir, &facts->run);
	if (policy)
		look_at_policy(options->policy, facts, policy);
	look_at_users(options->user, facts);
	if (flags & PIC_CHECK_LOCAL)
		return;
	ask_supervisor(options->run_dir, facts);
	ask_agent(options->run_dir, facts);
}

void pic_check_look(const struct pic_device_options *options, int flags,
		    struct pic_check_facts *out)
{
	*out = (struct pic_check_facts){ .is_root = geteuid() == 0 };
	pic_check_look_kernel(out, flags);
	pic_check_look_device(options, out, flags);
	pic_check_look_hub(options, out, flags);
	pic_check_look_extension(out);
}
