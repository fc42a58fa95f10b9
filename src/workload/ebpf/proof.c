#include "workload/ebpf/proof.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define REST_MS 4000  /* between an answer and the next question */
#define ROUND_MS 8000 /* a question may go unanswered; TCP asks four times in it */
#define AGAIN_MS 1000 /* after a question that could not be put */

static void let_go(struct pic_ebpf_proof *proof)
{
	pic_watch_free(PIC_STEAL(proof->watch));
	pic_close_fd(&proof->fd);
	proof->sequence++; /* an answer that is still under way is for nobody */
}

void pic_ebpf_proof_stop(struct pic_ebpf_proof *proof)
{
	let_go(proof);
	if (proof->timer)
		pic_timer_cancel(proof->timer);
}

static void answered(struct pic_ebpf_proof *proof)
{
	bool first = !proof->is_confirmed;

	let_go(proof);
	proof->is_confirmed = true;
	proof->limit_ms = 0;
	pic_timer_set(proof->timer, REST_MS);
	if (first)
		proof->confirmed(proof->data);
}

static void wait_until(struct pic_ebpf_proof *proof, int64_t now, int64_t after_ms)
{
	int64_t left = proof->limit_ms - now;

	pic_timer_set(proof->timer, after_ms < left ? after_ms : left);
}

static void ask(struct pic_ebpf_proof *proof, int64_t now)
{
	const struct pic_broker_request request = { .operation = PIC_BROKER_UPLINK,
						    .sequence = proof->sequence };

	/* whatever goes wrong, the timer asks again */
	send(proof->broker_fd, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT);
	wait_until(proof, now, AGAIN_MS);
}

static void begin_round(struct pic_ebpf_proof *proof, int64_t now)
{
	proof->asked = false;
	proof->limit_ms = now + (proof->is_confirmed ? ROUND_MS : proof->confirm_ms);
	ask(proof, now);
}

static void end_round(struct pic_ebpf_proof *proof)
{
	bool was_asked = proof->asked, confirmed = proof->is_confirmed;
	char why[160];

	let_go(proof);
	if (!was_asked && confirmed) {
		proof->limit_ms = 0;
		pic_timer_set(proof->timer, REST_MS);
		return;
	}
	snprintf(why, sizeof(why), "the hub's address %s within %lld s%s",
		 was_asked ? "did not answer" : "could not be asked",
		 (long long)(confirmed ? ROUND_MS : proof->confirm_ms) / 1000,
		 confirmed ? ", though it had before" : " after it was attached");
	proof->failed(proof->data, why);
}

static void on_time(void *data)
{
	struct pic_ebpf_proof *proof = data;
	int64_t now = pic_clock_boot_ms();

	if (proof->limit_ms == 0)
		begin_round(proof, now);
	else if (now >= proof->limit_ms)
		end_round(proof);
	else if (proof->fd < 0)
		ask(proof, now);
	else /* it is connecting: until the end of the round */
		wait_until(proof, now, ROUND_MS);
}

static void on_connected(void *data, int fd, uint32_t events)
{
	struct pic_ebpf_proof *proof = data;
	socklen_t size = sizeof(int);
	int error = 0;

	(void)events;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
	    (error == 0 || error == ECONNREFUSED)) {
		answered(proof);
		return;
	}
	let_go(proof);
	wait_until(proof, pic_clock_boot_ms(), AGAIN_MS);
}

void pic_ebpf_proof_answer(struct pic_ebpf_proof *proof, const struct pic_broker_answer *answer,
			   int fd)
{
	int PIC_FD come = fd;

	if (answer->sequence != proof->sequence || proof->limit_ms == 0 || proof->fd >= 0)
		return;
	if (answer->status == -ECONNREFUSED) {
		answered(proof);
		return;
	}
	/* a network that is not there is no answer of the hub, but it was asked */
	proof->asked |= answer->status == 0 || answer->status == -ENETUNREACH ||
			answer->status == -EHOSTUNREACH || answer->status == -ENETDOWN;
	if (answer->status < 0 || come < 0)
		return; /* the timer asks again */
	proof->fd = PIC_STEAL_FD(come);
	if (pic_loop_watch(proof->loop, proof->fd, EPOLLOUT, on_connected, proof, &proof->watch,
			   NULL) < 0)
		let_go(proof);
	else
		wait_until(proof, pic_clock_boot_ms(), ROUND_MS);
}

int pic_ebpf_proof_start(struct pic_ebpf_proof *proof, struct pic_error *err)
{
	int r = pic_loop_timer(proof->loop, on_time, proof, &proof->timer, err);

	proof->fd = -1;
	if (r == 0)
		begin_round(proof, pic_clock_boot_ms());
	return r;
}
