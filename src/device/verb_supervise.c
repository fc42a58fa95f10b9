/* `piccolo supervise`, `piccolo sweep`, and `piccolo` alone: the supervisor with the agent beside it. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "device/agent_keeper.h"
#include "device/token_file.h"
#include "device/verbs.h"
#include "supervisor/supervisor.h"

/* A name from /etc/passwd (no plug-ins of the C library in a root process) or a number. Without such a
 * user the supervisor takes the number below those of the workloads. */
static int find_user(const char *wanted, uid_t *user, gid_t *group, struct pic_error *err)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry = NULL;
	long long number;

	while (file && (entry = fgetpwent(file)) && strcmp(entry->pw_name, wanted) != 0)
		;
	*user = entry ? entry->pw_uid : (uid_t)-1;
	*group = entry ? entry->pw_gid : (gid_t)-1;
	if (file)
		fclose(file);
	if (!entry && pic_integer_parse(wanted, 1, 4294967294LL, &number) == 0)
		*user = *group = (uid_t)number;
	if (*user == 0)
		return pic_error_set(err, -EINVAL,
				     "the agent may not be root: choose another --user");
	return 0;
}

static int supervise(struct pic_device_options *options, struct pic_supervisor_settings *settings)
{
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_device_log_setup(options, "supervisor", &err);

	settings->state_folder = options->state;
	settings->run_folder = options->run_dir;
	settings->policy_file = options->policy;
	settings->target = options->target;
	settings->ca_pin = options->ca_pin;
	settings->by_hand = options->run_file != NULL;
	settings->argv = options->argv;
	if (r == 0)
		r = find_user(options->user, &settings->agent_user, &settings->agent_group, &err);
	if (r == 0 && !settings->sweep && !settings->purge)
		pic_device_token_hand_over(options);
	if (r == 0)
		r = pic_supervisor_run(settings, &err);
	if (r == 0 || (r == -EBUSY && settings->sweep)) /* a supervisor that runs does it itself */
		return PIC_EXIT_OK;
	if (settings->purge) /* a person waits for a sentence */
		return pic_device_complain(r, &err);
	pic_log(PIC_LOG_ERROR, "supervisor-failed", PIC_TEXT("why", err.text));
	return r == -EINVAL ? PIC_EXIT_USAGE : PIC_EXIT_FAILED;
}

int pic_verb_supervise(void *program, int argc, char **argv)
{
	struct pic_supervisor_settings settings = { 0 };

	(void)argc;
	(void)argv;
	return supervise(program, &settings);
}

int pic_verb_sweep(void *program, int argc, char **argv)
{
	struct pic_supervisor_settings settings = { .sweep = true };

	(void)argc;
	(void)argv;
	return supervise(program, &settings);
}

int pic_verb_daemon(void *program, int argc, char **argv)
{
	struct pic_agent_keeper keeper = { .options = program };
	struct pic_supervisor_settings settings = {
		.ends_workloads = true,
		.serving = pic_agent_keeper_start,
		.ending = pic_agent_keeper_end,
		.data = &keeper,
	};

	(void)argc;
	(void)argv;
	return supervise(program, &settings);
}

int pic_device_purge(struct pic_device_options *options)
{
	struct pic_supervisor_settings settings = { .purge = true };

	if (strcmp(options->log_level, "info") == 0)
		options->log_level = "warning";
	return supervise(options, &settings);
}
