/*
 * The client's certificate out of GnuTLS, which stands behind libmicrohttpd's HTTPS.
 *
 * The references are weak: a program that links libmicrohttpd without HTTPS (the device) has no GnuTLS, and
 * none of its exchanges is TLS.
 */
#include "net/server_exchange.h"

/* gnutls/gnutls.h, the few names needed; declared here so that the device builds without it */
struct gnutls_datum {
	unsigned char *data;
	unsigned int size;
};
const struct gnutls_datum *gnutls_certificate_get_peers(void *session, unsigned int *count)
	__attribute__((weak));
int gnutls_certificate_verify_peers2(void *session, unsigned int *status) __attribute__((weak));

struct pic_view pic_exchange_tls_certificate(struct pic_exchange *exchange)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const struct gnutls_datum *peers;
	unsigned int count = 0, status = ~0u;
	struct pic_view none = {NULL, 0};

	if (!info || !info->tls_session || !gnutls_certificate_get_peers ||
	    !gnutls_certificate_verify_peers2)
		return none;
	peers = gnutls_certificate_get_peers(info->tls_session, &count);
	if (!peers || count == 0)
		return none;
	if (gnutls_certificate_verify_peers2(info->tls_session, &status) != 0 || status != 0)
		return none;
	return (struct pic_view){(const char *)peers[0].data, peers[0].size};
}
