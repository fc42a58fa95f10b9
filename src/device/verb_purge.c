/*
 * `piccolo purge`: nothing of any workload stays. Through the supervisor that runs, else by one for the task.
 * With --all nothing of the device stays either: it has to be enrolled afresh afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/supervisor_link.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "device/config_file.h"
#include "device/verbs.h"

#define LIMIT_MS 60000

static int ask(const struct pic_device_options *options, struct pic_error *err)
{
	const struct pic_supervisor_call call = { .operation = PIC_SUPERVISOR_PURGE, .fd = -1 };
	struct pic_supervisor_message reply;
	int fds[2] = { -1, -1 };
	int r = pic_supervisor_perform(options->run_dir, &call, LIMIT_MS, &reply, fds, err);

	return r == 0 && reply.status < 0 ? pic_error_set(err, reply.status, "%s", reply.text) : r;
}

/* The identity is the agent's: taken from under a running one it would only be written again. */
static int forget_device(const struct pic_device_options *options, struct pic_error *err)
{
	int r = pic_folder_remove(AT_FDCWD, options->state, err);

	return r < 0 ? r : pic_folder_remove(AT_FDCWD, options->run_dir, err);
}

/* What `piccolo join` wrote; other lines are the owner's. */
static int forget_hub(const struct pic_device_options *options, struct pic_error *err)
{
	static const struct pic_config_value values[] = {
		{ "hub", NULL }, { "target", NULL }, { "ca-pin", NULL }, { "tls-pin", NULL }
	};
	int r = pic_config_update(options->config, values, PIC_COUNT(values), err);

	if (r == PIC_CONFIG_REMOVED)
		printf("%s is removed\n", options->config);
	else if (r == PIC_CONFIG_WRITTEN)
		printf("%s names no hub any more; its other lines stay\n", options->config);
	return r;
}

static int purge_all(struct pic_device_options *options)
{
	struct pic_error err = PIC_ERROR_INIT;
	int status = pic_device_purge(options), r;

	if (status != PIC_EXIT_OK)
		return status;
	r = forget_device(options, &err);
	if (r < 0)
		return pic_device_complain(r, &err);
	printf("nothing of this device is left in %s and %s\n", options->state, options->run_dir);
	r = forget_hub(options, &err);
	if (r < 0)
		return pic_device_complain(-EIO, &err);
	printf("%s stays: it is yours; to use the device again, enroll it afresh\n",
	       options->policy);
	return PIC_EXIT_OK;
}

/* A connection that is closed without an answer was to a socket that a child of a dead supervisor still held
 * for a moment; when one lives after all, the work without it is refused by its lock. */
static bool is_absent(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED || r == -ECONNRESET;
}

int pic_verb_purge(void *program, int argc, char **argv)
{
	struct pic_device_options *options = program;
	struct pic_error err = PIC_ERROR_INIT;
	int r = geteuid() == 0 ? ask(options, &err)
			       : pic_error_set(&err, -EPERM, "purge needs root: use sudo");
	int status = PIC_EXIT_OK;

	(void)argc;
	(void)argv;
	if (options->all && is_absent(r))
		return purge_all(options);
	if (options->all && r == 0)
		r = pic_error_set(
			&err, -EBUSY,
			"the workloads are gone, but --all wants the device stopped: end piccolo and "
			"piccolo-agent first");
	if (is_absent(r))
		status = pic_device_purge(options);
	else if (r < 0)
		status = pic_device_complain(r, &err);
	if (status == PIC_EXIT_OK)
		printf("every workload is stopped; artifacts, logs, holds and the ledger are removed\n"
		       "what this device should run stays known: an agent that is running starts it again\n");
	return status;
}
