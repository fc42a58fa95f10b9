/*
 * The addresses a hub listens on, and what follows from them: whether another machine can reach it,
 * what its certificate names, what it is called.
 */
#ifndef PIC_HUB_ADDRESS_H
#define PIC_HUB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define PIC_ADDRESS_NAMES_MAX 64

/* "127.0.0.1:8443", "[::1]:80", "localhost:1" */
bool pic_address_is_loopback(const char *address);

/* Names and IP literals; each owned. */
struct pic_address_names {
	char *items[PIC_ADDRESS_NAMES_MAX + 1]; /* NULL-ended */
	size_t count;
};

/* Everything these listeners can be reached by: localhost, this machine's name, the public URL's host
 * and each address, all of the machine's for one that listens on all. More than fit are left out. */
int pic_address_names(const char *const *listen, const char *public_url,
		      struct pic_address_names *out, struct pic_error *err);
void pic_address_names_free(struct pic_address_names *names);
/* "https://HOST:PORT" for the bound address: one that another machine can use, where there is one. */
void pic_address_url(const char *bound, const struct pic_address_names *names, char *out,
		     size_t size);

#endif
