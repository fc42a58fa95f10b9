/*
 * The broker: how a runner that may not create sockets gets them. Fixed-size datagrams on the runner's
 * broker socket; the supervisor checks each against the spec and policy and answers with the
 * descriptor (SCM_RIGHTS) or an errno. It knows the sender by SCM_CREDENTIALS and its ledger.
 *
 * The runner's socket is connected to RUN_DIR/broker.sock. A supervisor that starts anew connects the
 * sockets of the runners it adopts to itself again: it takes the open description with pidfd_getfd(2)
 * (the broker socket is descriptor PIC_BROKER_FD in every runner) and calls connect(2) on it.
 */
#ifndef PIC_WORKLOAD_BROKER_H
#define PIC_WORKLOAD_BROKER_H

#include <stdint.h>

#include "base/error.h"
#include "protocol/policy.h"

#define PIC_BROKER_FD 3

enum pic_broker_operation {
	PIC_BROKER_READY = 1, /* no answer */
	PIC_BROKER_LISTEN,    /* TCP: bound, listening, non-blocking */
	PIC_BROKER_BIND,      /* UDP: bound, non-blocking */
	PIC_BROKER_CONNECT,   /* TCP: connect under way, non-blocking; UDP: connected */
};

struct pic_broker_request {
	uint32_t operation;
	uint32_t sequence;
	uint8_t transport; /* enum pic_transport */
	uint8_t family;	   /* 4 or 6 */
	uint16_t port;
	uint8_t address[16];
	uint32_t backlog;
};

struct pic_broker_answer {
	uint32_t sequence;
	int32_t status; /* 0 with a descriptor, or negative errno; -EACCES: not granted */
};

/* Runner's side: sends, waits for the answer (at most 2 s), hands out the descriptor or -errno. */
int pic_broker_ask(int broker_fd, struct pic_broker_request *request);

#endif
