/* Inside net/server*.c: listening sockets, and addresses as text. */
#ifndef PIC_NET_SERVER_LISTEN_H
#define PIC_NET_SERVER_LISTEN_H

#include <stddef.h>

#include "base/error.h"

/* Opens and binds; `bound` gets the address with the real port. The fd is the caller's. */
int pic_server_listen(const char *text, int *fd_out, char *bound, size_t bound_size,
		      struct pic_error *err);
/* A struct sockaddr's host alone: "127.0.0.1", "::1"; "unknown" when it is none. */
void pic_address_host(const void *address, char *out, size_t size);
/* A struct sockaddr as "127.0.0.1:80" or "[::1]:80". */
void pic_address_text(const void *address, char *out, size_t size);

#endif
