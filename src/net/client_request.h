/*
 * Inside net/client*.c: one client and one request on its way.
 *
 * The HTTP library must not be called from its own callbacks, and a user's `receive` or `progress` runs in
 * one. So what a user does there (send, cancel, free) is only noted, and done when the library has
 * returned: see pic_client_settle.
 */
#ifndef PIC_NET_CLIENT_REQUEST_H
#define PIC_NET_CLIENT_REQUEST_H

#include <curl/curl.h>
#include <stdbool.h>

#include "crypto/tls.h"
#include "net/client.h"

/* Of an answer that is not what was asked for (an error page), when the body goes elsewhere. */
#define PIC_CLIENT_REMARK_MAX (64 * 1024)
/* Of heads, interim answers, trailers; and of the body of a redirect, which nobody sees. */
#define PIC_CLIENT_ASIDE_MAX (256 * 1024)

struct pic_client {
	struct pic_loop *loop;
	struct pic_timer *timer; /* the library's */
	CURLM *multi;
	struct pic_request_handle *requests;
	char *user_agent, *authority, *certificate, *key, *pin;
	bool unverified;
	bool deny_link_local;
	struct pic_tls_judge judge;
	bool in_library; /* a callback of the library's is running */
	bool busy; /* answers are being given out; whoever does that also buries a dead client */
	bool dead;
};

struct pic_request_handle {
	struct pic_request_handle *next, *previous;
	struct pic_client *client;
	struct pic_client_request request; /* url and headers are the library's copies */
	CURL *easy;
	struct curl_slist *headers;
	struct pic_timer *stall;
	char *host; /* scheme://host:port, for sentences */
	struct pic_buf body;
	uint64_t received; /* of the body, wherever it goes */
	uint64_t stored;   /* of these, in answer_fd */
	int64_t active_ms, stall_ms;
	curl_off_t uploaded;
	int storing_error; /* -errno of answer_fd */
	bool added, cancelled, finishing;
	size_t heads; /* bytes of all heads and trailers */
	bool too_large, ended_by_user, stalled, started;
	bool enough;  /* of a remark: the rest of it is not waited for */
	bool endless; /* what is no answer does not end */
	char reason[CURL_ERROR_SIZE];
};

/* client_options.c: everything that is told to the library about one request. */
int pic_client_configure(struct pic_request_handle *handle,
			 const struct pic_client_request *request, struct pic_error *err);
int pic_client_check_url(const char *url, char **host, struct pic_error *err);
/* client_body.c: the callbacks of an arriving answer. */
size_t pic_client_on_header(char *line, size_t one, size_t size, void *context);
size_t pic_client_on_body(char *data, size_t one, size_t size, void *context);
int pic_client_on_progress(void *context, curl_off_t expected, curl_off_t so_far,
			   curl_off_t up_expected, curl_off_t up);
long pic_client_status(const struct pic_request_handle *handle);
/* client_egress.c: a socket to wherever strangers' URLs may lead. */
curl_socket_t pic_client_open_allowed(void *context, curlsocktype purpose,
				      struct curl_sockaddr *peer);
/* client_answer.c: what came of it. */
void pic_client_answer_fill(struct pic_request_handle *handle, CURLcode code,
			    struct pic_client_answer *answer);

#endif
