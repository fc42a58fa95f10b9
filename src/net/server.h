/*
 * HTTP server in our event loop (libmicrohttpd in external epoll mode behind it). One thread.
 *
 * The handler is called once per request, after the whole body has arrived. It may reply at once,
 * start a stream, or keep the exchange and reply later (a long poll, a write that waits for its
 * commit): the connection then sleeps. When the peer goes away first, or the server is freed, `gone` is
 * called once and the exchange must not be touched afterwards. A stream is kept until pic_stream_end.
 * HEAD is answered as GET, without the body. A server must not be freed from its own callbacks.
 */
#ifndef PIC_NET_SERVER_H
#define PIC_NET_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/loop.h"

struct pic_server;
struct pic_exchange;

/* The texts are lent for pic_server_new only. */
struct pic_server_settings {
	const char *address;	     /* "127.0.0.1:8443", "[::1]:0", ":8443" */
	const char *certificate_pem; /* TLS when set */
	const char *key_pem;
	const char *
		client_authority_pem; /* client certificates are asked for (optional) and checked against it */
	size_t body_max;	      /* larger: 413 */
	unsigned connections_max; /* 0: 1024 */
	unsigned strangers_max;	  /* of one address, see pic_exchange_belongs; 0: a 16th of all */
	unsigned idle_timeout_s;  /* keep-alive connections without a request; 0: 90 */
	/* From the first byte of a handshake to the end of the first request's head, and for each further
	 * head; a body has as long, and a second more for each 8 KB that it may have. 0: a minute */
	unsigned head_timeout_ms;
	/* The most bytes of body that this request may have, asked when its head has arrived (method, path,
	 * headers and certificate are there) and never more than body_max. NULL: body_max for all. */
	size_t (*body_limit)(void *data, const struct pic_exchange *exchange);
	void (*handle)(void *data, struct pic_exchange *exchange);
	void (*gone)(void *data,
		     struct pic_exchange *exchange); /* only for exchanges that were kept */
	/* how a refusal made by this layer (413, 400, 404 on a bad URL) is worded; NULL: plain text */
	void (*refuse)(void *data, struct pic_exchange *exchange, int status, const char *why);
	void *data;
};

int pic_server_new(struct pic_server **out, struct pic_loop *loop,
		   const struct pic_server_settings *settings, struct pic_error *err);
void pic_server_free(struct pic_server *server);
/* The address really bound, with the port the kernel chose. */
const char *pic_server_address(const struct pic_server *server);

/* The request; texts are lent until the reply. */
const char *pic_exchange_method(const struct pic_exchange *exchange); /* "GET" for HEAD too */
const char *pic_exchange_path(
	const struct pic_exchange *exchange); /* not percent-decoded, no query */
const char *pic_exchange_query(const struct pic_exchange *exchange,
			       const char *name); /* decoded, or NULL */
const char *pic_exchange_header(const struct pic_exchange *exchange, const char *name);
struct pic_view pic_exchange_body(const struct pic_exchange *exchange);
const char *pic_exchange_peer(const struct pic_exchange *exchange); /* "127.0.0.1:4711" */
bool pic_exchange_is_tls(const struct pic_exchange *exchange);
/* DER of the client's certificate when one was shown AND chains to client_authority_pem. */
struct pic_view pic_exchange_certificate(const struct pic_exchange *exchange);
/* A connection counts for the address it comes from, until the handler says whose it is: from then on for
 * `owner`, who may have `maximum`. False: has so many already, and ought to be refused. */
bool pic_exchange_belongs(struct pic_exchange *exchange, const char *owner, unsigned maximum);
struct pic_server *pic_exchange_server(const struct pic_exchange *exchange);
/* A pointer of the caller's, kept with the exchange. */
void pic_exchange_set_data(struct pic_exchange *exchange, void *data);
void *pic_exchange_data(const struct pic_exchange *exchange);

/* Before a reply or stream. */
void pic_reply_header(struct pic_exchange *exchange, const char *name, const char *value);
/* Exactly one of these ends the exchange. Body bytes are copied. */
void pic_reply(struct pic_exchange *exchange, int status, const char *content_type,
	       const void *body, size_t size);
/* `size` bytes of fd from `offset`; the fd is taken over. */
void pic_reply_fd(struct pic_exchange *exchange, int status, const char *content_type, int fd,
		  uint64_t offset, uint64_t size);
/* A body of unknown length (watch, logs -f): headers leave at once, chunks as they are written.
 * pic_stream_write answers false when the peer does not read and `maximum` bytes are waiting: the
 * caller should end the stream. */
void pic_stream_start(struct pic_exchange *exchange, int status, const char *content_type,
		      size_t maximum);
bool pic_stream_write(struct pic_exchange *exchange, const void *data, size_t size);
void pic_stream_end(struct pic_exchange *exchange);

#endif
