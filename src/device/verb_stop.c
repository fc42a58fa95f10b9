/* `piccolo stop` and `piccolo start`: by hand, with or without a hub; a stop holds until the start. */
#include <errno.h>
#include <stdio.h>

#include "agent/supervisor_link.h"
#include "device/verbs.h"

#define LIMIT_MS 30000

static int ask(const struct pic_device_options *options, const char *text,
	       enum pic_supervisor_operation operation, struct pic_supervisor_message *reply)
{
	struct pic_workload_name name;
	struct pic_supervisor_call call = { .operation = operation, .name = &name, .fd = -1 };
	struct pic_error err = PIC_ERROR_INIT;
	int fds[2] = { -1, -1 };
	int r = pic_workload_name_parse(text, &name, &err);

	if (r < 0) {
		pic_device_complain(r, &err);
		return PIC_EXIT_USAGE;
	}
	r = pic_supervisor_perform(options->run_dir, &call, LIMIT_MS, reply, fds, &err);
	if (r < 0)
		return pic_device_complain(r, &err);
	if (reply->status == 0)
		return PIC_EXIT_OK;
	pic_error_set(&err, reply->status, "%s", reply->text);
	pic_device_complain(reply->status, &err);
	return reply->status == -EPERM ? PIC_EXIT_REFUSED : PIC_EXIT_FAILED;
}

int pic_verb_stop(void *program, int argc, char **argv)
{
	struct pic_supervisor_message reply;
	int status = ask(program, argv[0], PIC_SUPERVISOR_HOLD, &reply);

	(void)argc;
	if (status != PIC_EXIT_OK)
		return status;
	if (reply.entry.pid > 0)
		printf("%s is stopped: process %d and its cgroup are gone\n", argv[0],
		       reply.entry.pid);
	else
		printf("%s is stopped: no process of it was running\n", argv[0]);
	printf("it stays so, over reboots too, until `piccolo start %s`\n", argv[0]);
	return PIC_EXIT_OK;
}

int pic_verb_start(void *program, int argc, char **argv)
{
	struct pic_supervisor_message reply;
	int status = ask(program, argv[0], PIC_SUPERVISOR_RELEASE, &reply);

	(void)argc;
	if (status == PIC_EXIT_OK)
		printf("%s may run again; the agent starts it if it is still wanted\n", argv[0]);
	return status;
}
