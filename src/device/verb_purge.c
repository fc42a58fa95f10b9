/* `piccolo purge`: nothing of any workload stays. Through the supervisor that runs, else by one for the task. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/supervisor_link.h"
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

int pic_verb_purge(void *program, int argc, char **argv)
{
	struct pic_device_options *options = program;
	struct pic_error err = PIC_ERROR_INIT;
	int r = geteuid() == 0 ? ask(options, &err) :
				 pic_error_set(&err, -EPERM, "purge needs root: use sudo");
	int status = PIC_EXIT_OK;

	(void)argc;
	(void)argv;
	if (r == -ENOENT || r == -ECONNREFUSED)
		status = pic_device_purge(options);
	else if (r < 0)
		status = pic_device_complain(r, &err);
	if (status == PIC_EXIT_OK)
		printf("every workload is stopped; artifacts, logs, holds and the ledger are removed\n"
		       "what this device should run stays known: an agent that is running starts it again\n");
	return status;
}
