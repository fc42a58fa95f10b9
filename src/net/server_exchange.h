/*
 * Inside net/server*.c: one server, and one request on its way.
 *
 *   READING -> HANDLING -> REPLIED            answered at once
 *                       -> KEPT -> REPLIED    answered later; the connection sleeps meanwhile
 *
 * A stream is REPLIED with `streaming` set: its connection sleeps whenever there is nothing to send.
 */
#ifndef PIC_NET_SERVER_EXCHANGE_H
#define PIC_NET_SERVER_EXCHANGE_H

#include <microhttpd.h>

#include "net/server.h"
#include "net/server_guard.h"

#define PIC_PEER_TEXT 64
/* Head of a request and of its answer: a bearer token of 6 KB fits. The library clears all of it before each
 * further request on a connection, so this is what a sleeping connection costs besides TLS: measured, 9.4 KB
 * without and 20 KB with TLS and a client's certificate (with 16 KB here: 17 and 28). */
#define PIC_CONNECTION_MEMORY (8 * 1024)

struct pic_server {
	struct pic_loop *loop;
	struct pic_server_settings settings;
	struct MHD_Daemon *daemon;
	struct pic_watch *watch;
	struct pic_exchange *exchanges;
	struct pic_guard guard;
	char address[PIC_PEER_TEXT];
	char complaint[256]; /* the library's last words, for a start that failed */
	bool is_tls, checks_clients;
	bool closing;
};

enum pic_exchange_state {
	PIC_EXCHANGE_READING,
	PIC_EXCHANGE_HANDLING,
	PIC_EXCHANGE_KEPT,
	PIC_EXCHANGE_REPLIED,
};

struct pic_exchange {
	struct pic_exchange *next, *previous; /* all of the server's */
	struct pic_server *server;
	struct MHD_Connection *connection;
	struct pic_connection *guarded;
	enum pic_exchange_state state;
	char *path; /* raw, without query */
	char *method;
	char peer[PIC_PEER_TEXT];
	struct pic_buf body;
	size_t dropped; /* bytes of a body that is too large */
	bool body_refused;
	bool suspended;
	bool gone; /* the peer left, and `gone` was called */
	void *data;
	struct MHD_Response *response; /* made, not queued yet */
	int status;
	struct pic_buf headers; /* "name\0value\0" in a row, until there is a response */
	bool streaming, stream_ended;
	struct pic_buf stream;
	struct pic_watch *watch; /* on the sleeping connection's socket */
	struct pic_view certificate;
	bool certificate_checked;
};

/* server_request.c: called by the library. */
void *pic_server_on_request_line(void *data, const char *uri, struct MHD_Connection *connection);
enum MHD_Result pic_server_on_request(void *data, struct MHD_Connection *connection,
				      const char *url, const char *method, const char *version,
				      const char *upload, size_t *upload_size, void **context);
void pic_server_on_completed(void *data, struct MHD_Connection *connection, void **context,
			     enum MHD_RequestTerminationCode how);

/* server_sleep.c: a sleeping connection, its waking, and the death of its peer. */
void pic_exchange_suspend(struct pic_exchange *exchange);
void pic_exchange_resume(struct pic_exchange *exchange);
void pic_exchange_tell_gone(struct pic_exchange *exchange);
/* Somebody else holds it and expects to hear of its end. */
bool pic_exchange_is_kept(const struct pic_exchange *exchange);

/* server_reply.c: gives the response that was made to the library. */
enum MHD_Result pic_exchange_queue(struct pic_exchange *exchange);

/* server_tls.c: the client's certificate when it was shown and chains. */
struct pic_view pic_exchange_tls_certificate(struct pic_exchange *exchange);

#endif
