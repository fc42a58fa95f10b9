/*
 * The client's certificate out of GnuTLS, which stands behind the library's HTTPS.
 *
 * The references are weak: a program that links the library without HTTPS (the device) has no GnuTLS, and
 * none of its exchanges is TLS.
 */
#include "net/server_exchange.h"

#if __has_include(<gnutls/gnutls.h>)
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#pragma weak gnutls_certificate_get_peers
#pragma weak gnutls_certificate_verify_peers

/* The chain, the dates, and that it is a client's: a server's certificate of the same authority must not
 * speak for a device. */
static bool is_trusted(gnutls_session_t session)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	unsigned status = ~0u;

	return gnutls_certificate_verify_peers(session, &purpose, 1, &status) == 0 && status == 0;
}

struct pic_view pic_exchange_tls_certificate(struct pic_exchange *exchange)
{
	const struct pic_view none = { NULL, 0 };
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const gnutls_datum_t *shown;
	unsigned count = 0;

	if (!info || !info->tls_session || !gnutls_certificate_get_peers ||
	    !gnutls_certificate_verify_peers)
		return none;
	shown = gnutls_certificate_get_peers(info->tls_session, &count);
	if (!shown || count == 0 || !is_trusted(info->tls_session))
		return none;
	return (struct pic_view){ (const char *)shown[0].data, shown[0].size };
}

#else

struct pic_view pic_exchange_tls_certificate(struct pic_exchange *exchange)
{
	(void)exchange;
	return (struct pic_view){ NULL, 0 };
}

#endif
