/*
 * What an HTTP library cannot do well about TLS: how the server's chain is judged (it hands out the TLS
 * library's configuration for that; libcurl: CURLOPT_SSL_CTX_FUNCTION), and saying early and in words
 * that an identity is damaged.
 */
#ifndef PIC_CRYPTO_TLS_H
#define PIC_CRYPTO_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Certificate and key (of any kind the TLS library knows) can be read and belong together; the trusted
 * authorities can be read. Each may be NULL: nothing to check. */
int pic_tls_check_identity(const char *certificate_pem, const char *key_pem,
			   const char *authority_pem, struct pic_error *err);

/* Lives as long as connections are made with it. */
struct pic_tls_judge {
	bool ignore_dates; /* this machine's clock is not set; chain and name still count */
	/* the authority is one that this machine was given by its pin: a certificate "from the future" says only that
	 * the clock here is behind, since that authority signs nothing ahead of time */
	bool own_authority;
	bool accept_all;  /* first contact */
	uint32_t refused; /* why the last chain was refused; 0: it was not */
};

void pic_tls_judge_install(struct pic_tls_judge *judge, void *configuration);
/* In words; NULL when nothing was refused. */
const char *pic_tls_judge_reason(const struct pic_tls_judge *judge);

#endif
