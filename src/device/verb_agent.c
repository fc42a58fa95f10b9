/* `piccolo agent`: the half that faces the network, alone. */
#include <errno.h>

#include "agent/agent.h"
#include "base/log.h"
#include "device/agent_user.h"
#include "device/verbs.h"

int pic_verb_agent(void *program, int argc, char **argv)
{
	const struct pic_device_options *options = program;
	const struct pic_agent_settings settings = {
		.state_folder = options->state,
		.run_folder = options->run_dir,
		.policy_file = options->policy,
		.hub = options->hub,
		.target = options->target,
		.ca_pin = options->ca_pin,
		.tls_pin = options->tls_pin,
		.token_file = options->token_file,
		.metrics = options->metrics,
		.file = options->run_file,
	};
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_device_log_setup(options, "agent", &err);

	(void)argc;
	(void)argv;
	if (r < 0)
		return pic_device_complain(r, &err);
	r = pic_device_become_agent(options, &err);
	if (r == 0)
		r = pic_agent_run(&settings, &err);
	if (r == 0)
		return PIC_EXIT_OK;
	pic_log(PIC_LOG_ERROR, "agent-failed", PIC_TEXT("why", err.text));
	return PIC_EXIT_FAILED;
}
