/*
 * Inside net/server: one request on its way. Not for other rooms.
 */
#ifndef PIC_NET_SERVER_EXCHANGE_H
#define PIC_NET_SERVER_EXCHANGE_H

#include <microhttpd.h>

#include "net/server.h"

#define PIC_PEER_TEXT 64

enum pic_exchange_state {
	PIC_EXCHANGE_READING,  /* head and body arrive */
	PIC_EXCHANGE_HANDLING, /* inside the handler */
	PIC_EXCHANGE_KEPT,     /* the handler went away without a reply; the connection sleeps */
	PIC_EXCHANGE_REPLIED,  /* a response is ready or on its way */
};

struct pic_exchange {
	struct pic_exchange *next, *previous; /* all exchanges of the server */
	struct pic_server *server;
	struct MHD_Connection *connection;
	enum pic_exchange_state state;
	char *path; /* raw, without query */
	char *method;
	char peer[PIC_PEER_TEXT];
	struct pic_buf body;
	bool body_too_large;
	bool suspended;
	bool gone; /* the peer left while we worked: `gone` was called */
	void *data;
	struct MHD_Response *response; /* made, not queued yet */
	int status;
	/* headers asked for before the response exists */
	struct pic_buf headers; /* "name\0value\0" in a row */
	/* stream */
	bool streaming, stream_ended;
	struct pic_buf stream;
	/* notices a peer that goes away while the connection sleeps */
	struct pic_watch *watch;
	/* of the client's certificate, lent by the TLS library */
	struct pic_view certificate;
	bool certificate_checked;
};

/* The client's certificate when it was shown and chains; in server_tls.c. */
struct pic_view pic_exchange_tls_certificate(struct pic_exchange *exchange);

#endif
