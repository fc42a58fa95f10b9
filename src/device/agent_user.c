#include "device/agent_user.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "admission/policy.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "sandbox/privilege.h"

/* From /etc/passwd itself: a static program has no other sources, and root wants none. */
static bool find_name(const char *name, uid_t *user, gid_t *group)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry;
	bool found = false;

	while (file && !found && (entry = fgetpwent(file))) {
		found = strcmp(entry->pw_name, name) == 0;
		if (!found)
			continue;
		*user = entry->pw_uid;
		*group = entry->pw_gid;
	}
	if (file)
		fclose(file);
	return found;
}

static int below_workloads(const struct pic_device_options *options, long long *number,
			   struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_POLICY_FILE_MAX);
	PIC_FREE struct pic_policy *policy = calloc(1, sizeof(*policy));
	int r = policy ? pic_file_read_path(options->policy, &text, err) : -ENOMEM;

	if (r == 0)
		r = pic_policy_parse(policy, pic_buf_text(&text), text.size, options->policy, err);
	if (r < 0)
		return pic_error_wrap(err, r,
				      "there is no user '%s' and no policy to choose a number by",
				      options->user);
	*number = (long long)policy->user_first - 1;
	return 0;
}

int pic_device_agent_user(const struct pic_device_options *options, uid_t *user, gid_t *group,
			  struct pic_error *err)
{
	long long number = 0;

	if (!find_name(options->user, user, group)) {
		if (pic_integer_parse(options->user, 1, 4294967294LL, &number) < 0 &&
		    below_workloads(options, &number, err) < 0)
			return err->code;
		*user = (uid_t)number;
		*group = (gid_t)number;
	}
	if (*user == 0)
		return pic_error_set(err, -EINVAL,
				     "the agent may not be root: choose another --user");
	return 0;
}

int pic_device_become_agent(const struct pic_device_options *options, struct pic_error *err)
{
	struct pic_privileges privileges = { .user = 0 };
	int r;

	if (geteuid() != 0)
		return 0;
	r = pic_device_agent_user(options, &privileges.user, &privileges.group, err);
	return r < 0 ? r : pic_privileges_drop(&privileges, err);
}
