/*
 * Messages on the supervisor's socket, without an event loop: connect, send, receive. Shared by the
 * agent's link and by command lines.
 */
#ifndef PIC_AGENT_SUPERVISOR_SOCKET_H
#define PIC_AGENT_SUPERVISOR_SOCKET_H

#include "agent/supervisor_link.h"

/* A connected descriptor, close-on-exec; negative errno with a sentence. */
int pic_supervisor_connect(const char *run_folder, struct pic_error *err);
int pic_supervisor_send(int fd, uint64_t id, const struct pic_supervisor_call *call,
			struct pic_error *err);
/* 1: a message (and its descriptors, -1 where there are none); 0: the other side has closed; -EAGAIN;
 * other negative errno: what came is no message. */
int pic_supervisor_receive(int fd, struct pic_supervisor_message *message, int fds[2]);

#endif
