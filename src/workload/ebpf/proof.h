/*
 * The proof that a program in the network's way lets the hub through: a TCP connection to it, made by the broker, is
 * answered, where a refusal is an answer. First within the time that the component gives it, or it is rolled
 * back; then every few seconds, so that one that begins to drop later is off again within 15 s.
 *
 * Who cannot be asked (the supervisor is away, no hub is known any more) proves nothing either way once it was proved.
 */
#ifndef PIC_WORKLOAD_EBPF_PROOF_H
#define PIC_WORKLOAD_EBPF_PROOF_H

#include "base/loop.h"
#include "workload/broker.h"

struct pic_ebpf_proof {
	struct pic_loop *loop;
	int broker_fd;
	uint32_t confirm_ms;
	void (*confirmed)(void *data); /* once */
	void (*failed)(void *data, const char *why);
	void *data;

	bool is_confirmed;
	bool asked; /* in this round the broker gave at least one connection */
	uint32_t sequence;
	int fd; /* connecting; -1 */
	int64_t limit_ms;
	struct pic_watch *watch;
	struct pic_timer *timer;
};

/* Fields down to `data` are set. */
int pic_ebpf_proof_start(struct pic_ebpf_proof *proof, struct pic_error *err);
/* An answer of the broker, with its descriptor (taken over; -1: none). */
void pic_ebpf_proof_answer(struct pic_ebpf_proof *proof, const struct pic_broker_answer *answer,
			   int fd);
void pic_ebpf_proof_stop(struct pic_ebpf_proof *proof);

#endif
