/*
 * The agent: the unprivileged half of the device. Keeps what should run, compares it with what the
 * supervisor says does, takes the next steps, reports. One thread, one event loop.
 *
 * It starts no process of a workload and owns no privilege: a lost agent costs nothing but news.
 */
#ifndef PIC_AGENT_AGENT_H
#define PIC_AGENT_AGENT_H

#include <stddef.h>

#include "base/error.h"

/* What the start found wrong with the machine; told in the status for as long as this agent runs. */
struct pic_agent_problem {
	const char *code, *state, *text, *advice;
};

struct pic_agent_settings {
	const char *state_folder, *run_folder, *policy_file;
	const char *hub, *target, *ca_pin, *tls_pin; /* NULL: what joining has kept */
	const char *token_file; /* joins with it when the device has no identity */
	const char *metrics;	/* ADDR:PORT or "off" */
	const char *file;	/* `piccolo run`: the desired state is this file, there is no hub */
	const struct pic_agent_problem *problems;
	size_t problem_count;
};

/* Runs until SIGTERM or SIGINT. */
int pic_agent_run(const struct pic_agent_settings *settings, struct pic_error *err);

#endif
