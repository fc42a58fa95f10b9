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
#include <sys/types.h>

#include "base/error.h"
#include "protocol/policy.h"

#define PIC_BROKER_FD 3

enum pic_broker_operation {
	PIC_BROKER_READY = 1, /* no answer */
	PIC_BROKER_LISTEN,    /* TCP: bound, listening, non-blocking */
	PIC_BROKER_BIND,      /* UDP: bound, non-blocking */
	PIC_BROKER_CONNECT,   /* TCP: connect under way, non-blocking; UDP: connected */
	PIC_BROKER_UPLINK, /* TCP to where the hub is, whatever the request's address says; for drivers
			       * whose profile has asks_uplink. -ENOENT: nobody knows where it is */
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

/* What the supervisor says to a runner unasked, over the same socket; told from an answer by its size. A
 * descriptor comes with it (SCM_RIGHTS), which the runner closes when it has done as it was told. */
enum pic_broker_order_kind {
	PIC_BROKER_SCRAPE =
		1, /* the write end of a pipe: write metrics as Prometheus text, close it */
};

struct pic_broker_order {
	uint32_t kind; /* enum pic_broker_order_kind */
	uint32_t padding[3];
};

struct pic_broker_answer {
	uint32_t sequence;
	int32_t status; /* 0 with a descriptor, or negative errno; -EACCES: not granted */
};

/* Runner's side: sends, waits for the answer (at most 2 s), hands out the descriptor or -errno. */
int pic_broker_ask(int broker_fd, struct pic_broker_request *request);

/* One message, without waiting, and the descriptor that came with it (-1: none; the caller closes it). What is
 * longer than `room` is cut and shows its length. -1 with errno. */
ssize_t pic_broker_receive(int broker_fd, void *message, size_t room, int *fd);

/* Takes what came unasked, without waiting: 0 and the order with its descriptor (the caller closes it);
 * -EAGAIN nothing has come, -EPROTO it was something else and is forgotten. */
int pic_broker_order_take(int broker_fd, struct pic_broker_order *order, int *fd);

#endif
