/* The other side of broker.h: the socket that a request asks for, once it is allowed. */
#ifndef PIC_WORKLOAD_BROKER_SOCKET_H
#define PIC_WORKLOAD_BROKER_SOCKET_H

#include "workload/broker.h"

/* A non-blocking, close-on-exec socket: bound and listening, bound, or connecting. Negative errno. The
 * supervisor calls this as root: the request has passed pic_broker_request_check and policy before. */
int pic_broker_socket(const struct pic_broker_request *request);
/* Sends the answer; `fd` (-1: none) stays the caller's. Negative errno. */
int pic_broker_reply(int socket_fd, uint32_t sequence, int status, int fd);

#endif
