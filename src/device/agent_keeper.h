/*
 * The agent beside the supervisor, for a terminal: a process of the agent's user, without privileges,
 * that runs the agent as its child and starts it again when it ends. Both go when the supervisor goes.
 */
#ifndef PIC_DEVICE_AGENT_KEEPER_H
#define PIC_DEVICE_AGENT_KEEPER_H

#include <sys/types.h>

#include "device/options.h"

struct pic_agent_keeper {
	struct pic_device_options *options;
	pid_t pid;
};

/* Forks it; for the supervisor's `serving` and `ending`, data is the keeper. */
void pic_agent_keeper_start(void *keeper, uid_t user, gid_t group);
void pic_agent_keeper_end(void *keeper);

#endif
