/* `piccolo agent`: the half that faces the network, alone. */
#include <errno.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "device/check/check.h"
#include "device/agent_user.h"
#include "device/verbs.h"

/* What a start finds wrong with this machine; the caller frees it. Only that stays in memory: an agent is small. */
static struct pic_finding *find_problems(const struct pic_device_options *options, size_t *count)
{
	PIC_FREE struct pic_check_facts *facts = calloc(1, sizeof(*facts));
	PIC_FREE struct pic_finding *findings = calloc(PIC_FINDINGS_MAX, sizeof(*findings));
	size_t found;

	*count = 0;
	if (!facts || !findings)
		return NULL;
	pic_check_look(options, PIC_CHECK_LOCAL, facts);
	found = pic_check_judge(facts, PIC_CHECK_LOCAL, findings);
	for (size_t i = 0; i < found; i++)
		if (findings[i].state >= PIC_FINDING_WARNING)
			findings[(*count)++] = findings[i];
	return realloc(PIC_STEAL(findings), (*count + 1) * sizeof(*findings));
}

static void tell_problem(const struct pic_finding *finding, struct pic_agent_problem *out)
{
	*out = (struct pic_agent_problem){ finding->code, pic_finding_word(finding->state),
					   finding->text, finding->advice };
	pic_log(finding->state == PIC_FINDING_ERROR ? PIC_LOG_ERROR : PIC_LOG_WARNING, "check",
		PIC_TEXT("code", finding->code), PIC_TEXT("name", finding->name),
		PIC_TEXT("why", finding->text), PIC_TEXT("advice", finding->advice));
}

int pic_verb_agent(void *program, int argc, char **argv)
{
	const struct pic_device_options *options = program;
	PIC_FREE struct pic_finding *findings = NULL;
	struct pic_agent_problem problems[PIC_FINDINGS_MAX];
	struct pic_agent_settings settings = {
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
	if (r == 0) {
		findings = find_problems(options, &settings.problem_count);
		for (size_t i = 0; i < settings.problem_count; i++)
			tell_problem(&findings[i], &problems[i]);
		settings.problems = problems;
	}
	if (r == 0)
		r = pic_agent_run(&settings, &err);
	if (r == 0)
		return PIC_EXIT_OK;
	pic_log(PIC_LOG_ERROR, "agent-failed", PIC_TEXT("why", err.text));
	return PIC_EXIT_FAILED;
}
