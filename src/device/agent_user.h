/* The user the agent runs as: --user by name or number, else the number below policy's workload users. */
#ifndef PIC_DEVICE_AGENT_USER_H
#define PIC_DEVICE_AGENT_USER_H

#include <sys/types.h>

#include "device/options.h"

int pic_device_agent_user(const struct pic_device_options *options, uid_t *user, gid_t *group,
			  struct pic_error *err);
/* Root becomes that user for good; somebody else stays who he is. */
int pic_device_become_agent(const struct pic_device_options *options, struct pic_error *err);

#endif
