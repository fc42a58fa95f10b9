/*
 * The pure half of the broker: does a runner's request make sense, what does it want in policy's words, and
 * in the kernel's.
 */
#ifndef PIC_WORKLOAD_BROKER_CHECK_H
#define PIC_WORKLOAD_BROKER_CHECK_H

#include <sys/socket.h>

#include "workload/broker.h"

/* -EINVAL: no socket could be meant. `wanted` is one port at one address. */
int pic_broker_request_check(const struct pic_broker_request *request,
			     struct pic_policy_ports *wanted, struct pic_error *err);
socklen_t pic_broker_address(const struct pic_broker_request *request,
			     struct sockaddr_storage *out);
/* "tcp:127.0.0.1:8085 cannot be listened on: Address already in use"; returns -saved_errno. */
int pic_broker_failure(const struct pic_broker_request *request, int saved_errno,
		       struct pic_error *err);

#endif
