/*
 * HTTP client in our event loop (libcurl's multi interface behind it). HTTP/1.1, TLS 1.2 and 1.3.
 * Nothing blocks: names are resolved in curl's own thread, with QUICK_EXIT so that a dead DNS server
 * cannot hold anybody.
 *
 * One client is one identity and one pool of connections. A request is described by a struct that is
 * copied; `done` is called exactly once, from the loop, unless the request is cancelled. Every callback
 * may send, cancel (itself too) and free the client. A handle is worth nothing once `done` has been called.
 */
#ifndef PIC_NET_CLIENT_H
#define PIC_NET_CLIENT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/loop.h"

struct pic_client;
struct pic_request_handle;
struct pic_client_answer;

struct pic_client_settings {
	const char *user_agent;
	const char *
		authority_pem; /* trusted CAs as PEM; NULL: the system's. What they sign is not asked for its
				      * first date: a machine without a clock lives in the past */
	const char *certificate_pem; /* client certificate and key, or NULL */
	const char *key_pem;
	const char
		*server_pin;  /* "sha256:<hex>" of the server key's SubjectPublicKeyInfo, or NULL */
	bool unverified;      /* first contact only: fetch the CA, send no secret */
	bool ignore_dates;    /* this machine's clock is not set */
	bool deny_link_local; /* for strangers' URLs: 169.254/16 and fe80::/10 are not reachable */
};

struct pic_client_request {
	const char *method;	    /* "GET" */
	const char *url;	    /* http or https only, no credentials in it */
	const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
	const void *body;	    /* lent until done; NULL: none */
	size_t body_size;
	int64_t timeout_ms; /* whole request; 0: no limit (a watch) */
	int64_t stall_ms; /* no byte for so long: failed; 0: 30 s. Not for long polls: set to timeout_ms */
	size_t answer_max; /* larger: failed with -EFBIG; 0: 64 KiB in memory, else no limit */
	int answer_fd; /* >= 0: the body of a 200 or 206 is written there, answer.body stays empty */
	/* the body of a 200 or 206 as it arrives (a watch, a followed log); answer.body stays empty. NULL: not
	 * wanted. Returns non-zero to end the request, which then is PIC_CLIENT_BROKEN with -ECANCELED. */
	int (*receive)(void *data, const void *bytes, size_t size);
	/* before the first call of receive, or NULL: 206 and 200 are told apart (a download that is resumed) */
	void (*started)(void *data, int status);
	int redirects_max; /* 0: none */
	/* called as the body arrives, or NULL; return non-zero to end the request */
	int (*progress)(void *data, size_t so_far, long long expected);
	void (*done)(void *data, const struct pic_client_answer *answer);
	void *data;
};

enum pic_client_failure {
	PIC_CLIENT_OK,
	PIC_CLIENT_UNREACHABLE, /* name, route, refused, time-out before an answer */
	PIC_CLIENT_UNTRUSTED,	/* certificate or pin */
	PIC_CLIENT_BROKEN,	/* closed or stalled midway */
	PIC_CLIENT_TOO_LARGE,
	PIC_CLIENT_LOCAL, /* writing answer_fd failed, bad URL */
};

struct pic_client_answer {
	enum pic_client_failure failure;
	struct pic_error error;	  /* names host and cause, when failure is set */
	int status;		  /* HTTP status, 0 when none arrived */
	struct pic_view body;	  /* lent for the call; NUL-terminated */
	const char *content_type; /* "" when absent; all lent for the call */
	const char *etag;
	const char *location;
	int64_t retry_after_ms; /* -1 when absent */
	uint64_t received;	/* bytes written to answer_fd */
	char peer[48];		/* who answered: an IP literal, or "" */
	int peer_port;
};

int pic_client_new(struct pic_client **out, struct pic_loop *loop,
		   const struct pic_client_settings *settings, struct pic_error *err);
void pic_client_free(struct pic_client *client); /* cancels what is under way, without `done` */
int pic_client_send(struct pic_client *client, const struct pic_client_request *request,
		    struct pic_request_handle **out, struct pic_error *err);
void pic_client_cancel(struct pic_request_handle *handle); /* `done` is not called */

/* For command lines: one request, waited for. `body` gets the answer's body; status and failure are filled
 * in `answer` (its lent texts are NULL). 0 when there is an answer, of whatever status. */
int pic_client_perform(const struct pic_client_settings *settings,
		       const struct pic_client_request *request, struct pic_buf *body,
		       struct pic_client_answer *answer, struct pic_error *err);

#endif
