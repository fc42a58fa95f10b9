/*
 * The hub's listeners and its one route table. Every request passes the same gate, in this order: Host,
 * Origin, route, caller, access; then its handler. What a request may send as body is decided by the
 * same rows, before a byte of it is kept.
 */
#ifndef PIC_HUB_SERVER_H
#define PIC_HUB_SERVER_H

#include <stdio.h>

#include "hub/hub.h"

struct pic_hub_server;

struct pic_hub_server_settings {
	const char *const *tls; /* addresses, NULL-ended */
	const char *plain;	/* loopback address, or NULL */
	const char *certificate_pem,
		*key_pem;	  /* what the TLS listeners show; lent while the server lives */
	const char *const *names; /* that Host may carry besides IP literals; NULL-ended, lent */
	size_t artifact_max;
};

int pic_hub_server_open(struct pic_hub_server **out, struct pic_hub *hub,
			const struct pic_hub_server_settings *settings, struct pic_error *err);
void pic_hub_server_close(struct pic_hub_server *server);
/* The address that was bound: of TLS listener `index`, or with -1 of the plain one; NULL: none. */
const char *pic_hub_server_address(const struct pic_hub_server *server, int index);

struct pic_hub_server_facts {
	uint64_t requests;
	uint64_t refused; /* by the gate */
};
void pic_hub_server_facts(const struct pic_hub_server *server, struct pic_hub_server_facts *out);

/* Every row: method, pattern, access, listeners. For the test that walks them all. */
int pic_hub_routes_print(FILE *out);

#endif
