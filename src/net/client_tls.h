/* Inside net/client: the one thing curl cannot be told about mbedTLS. */
#ifndef PIC_NET_CLIENT_TLS_H
#define PIC_NET_CLIENT_TLS_H

/* Makes a TLS configuration of the library accept certificates outside their dates; all else is checked. */
void pic_client_tls_ignore_dates(void *tls_configuration);

#endif
