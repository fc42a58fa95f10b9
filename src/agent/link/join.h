/*
 * Joining: a one-time token becomes a device certificate. The first contact fetches the hub's authority
 * unverified and believes it only when its key has the pin; the token is sent only to a server that this
 * authority vouches for.
 */
#ifndef PIC_AGENT_LINK_JOIN_H
#define PIC_AGENT_LINK_JOIN_H

#include "agent/store/identity.h"
#include "base/loop.h"

#define PIC_TOKEN_MAX 256
#define PIC_TOKEN_NAME "token" /* in STATE/agent: what root has handed over from --token-file */

struct pic_join;

struct pic_join_order {
	const char *hub;     /* https://host[:port] */
	const char *target;  /* the device's name at the hub */
	const char *ca_pin;  /* "sha256:<hex>" of the authority's key */
	const char *tls_pin; /* of the listener's key, or NULL */
	const char *token;
	const char *user_agent;
};

/* code 0: `identity` is the device's (the callee takes its texts over); -EPERM: the hub or the pin says
 * no; -EPROTO: its answer makes no sense; -EHOSTUNREACH: nobody answers. `reason` is one word. */
typedef void pic_join_fn(void *data, int code, const char *reason, const char *text,
			 struct pic_agent_identity *identity);

/* Checks the order and begins. *out frees itself after `done`. */
int pic_join_start(struct pic_join **out, struct pic_loop *loop, const struct pic_join_order *order,
		   pic_join_fn *done, void *data, struct pic_error *err);
void pic_join_cancel(struct pic_join *join); /* NULL is fine */

/* The token in a file ("-": standard input), without blanks around it. `out` holds PIC_TOKEN_MAX + 1. */
int pic_join_read_token(const char *path, char *out, struct pic_error *err);
/* Of a file that is open already; `path` is for the sentence. */
int pic_join_read_token_fd(int fd, const char *path, char *out, struct pic_error *err);
int pic_join_read_token_at(int folder, const char *name, char *out, struct pic_error *err);

#endif
