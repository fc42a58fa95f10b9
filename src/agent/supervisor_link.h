/*
 * The agent's side of the supervisor's socket: requests and their answers, the ledger's list, events.
 * Asynchronous, in the event loop; when the supervisor goes away it is looked for until it is back.
 *
 * Ownership: the link copies what it is given; messages are lent for the call. Descriptors that came
 * with an answer are closed after the call unless the callee set them to -1.
 */
#ifndef PIC_AGENT_SUPERVISOR_LINK_H
#define PIC_AGENT_SUPERVISOR_LINK_H

#include "base/loop.h"
#include "protocol/supervisor.h"

struct pic_supervisor_link;

struct pic_supervisor_handler {
	/* The whole ledger: after each connection, and for each pic_supervisor_list. */
	void (*listed)(void *data, const struct pic_ledger_entry *entries, size_t count);
	/* One of its bindings: those of a list come before `listed`, the first of them has `first` set (what was
	 * known before is old then); others are news. A list without any comes with NULL and `first`. */
	void (*bound)(void *data, const struct pic_binding *binding, bool first);
	void (*changed)(void *data, const struct pic_ledger_entry *entry); /* state 0: it is gone */
	void (*lost)(void *data);
	void *data;
};

/* message NULL: the connection was lost, nobody knows what became of the request. */
typedef void pic_supervisor_answer_fn(void *data, const struct pic_supervisor_message *message,
				      int fds[2]);

/* What a request says; unused fields stay zero. */
struct pic_supervisor_call {
	enum pic_supervisor_operation operation;
	const struct pic_workload_name *name;
	const char *type;
	const unsigned char *digest;
	uint64_t size;
	const void *spec;
	size_t spec_size;
	uint32_t flags;
	int fd; /* sent along when operation is TAKE */
	pic_supervisor_answer_fn *answer;
	void *data;
};

int pic_supervisor_link_new(struct pic_supervisor_link **out, struct pic_loop *loop,
			    const char *run_folder, const struct pic_supervisor_handler *handler,
			    struct pic_error *err);
/* Whoever waits for an answer is told that none comes, as when the connection is lost. */
void pic_supervisor_link_free(struct pic_supervisor_link *link);
bool pic_supervisor_link_is_up(const struct pic_supervisor_link *link);
/* -ENOTCONN while the supervisor is away; then `answer` is not called. */
int pic_supervisor_link_ask(struct pic_supervisor_link *link,
			    const struct pic_supervisor_call *call, struct pic_error *err);
/* handler.listed will be called; several at once become one. */
void pic_supervisor_link_list(struct pic_supervisor_link *link);

/* For command lines: one request, waited for at most `limit_ms`. 0 and the reply (its status may be an
 * error of the supervisor's), or negative errno: -ECONNREFUSED/-ENOENT, no supervisor runs. */
int pic_supervisor_perform(const char *run_folder, const struct pic_supervisor_call *call,
			   int64_t limit_ms, struct pic_supervisor_message *reply, int fds[2],
			   struct pic_error *err);

#endif
