/*
 * Which Host and Origin a request may carry. A browser that was lured to a name of a stranger's which
 * resolves to this hub (DNS rebinding) sends that name; IP literals cannot be rebound. Pure.
 */
#ifndef PIC_HUB_HOST_H
#define PIC_HUB_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* `names` is NULL-ended; "localhost" always counts. The port is not looked at. */
bool pic_host_is_allowed(const char *host, const char *const *names);
/* No Origin, or the one of a page that this hub itself served. */
bool pic_origin_is_own(const char *origin, const char *host, bool is_tls);
/* The host out of "https://name:port/...", "name:port" or "[::1]:port"; false when it does not fit. */
bool pic_host_of(const char *text, char *out, size_t size);

#endif
