#include "crypto/tls.h"

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "crypto/x509.h"

/* Called for each certificate of the chain, the leaf last. */
static int judge_certificate(void *data, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	struct pic_tls_judge *judge = data;

	(void)certificate;
	(void)depth;
	if (judge->accept_all)
		*flags = 0;
	if (judge->ignore_dates)
		*flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
	judge->refused |= *flags;
	return 0;
}

void pic_tls_judge_install(struct pic_tls_judge *judge, void *configuration)
{
	judge->refused = 0;
	mbedtls_ssl_conf_verify(configuration, judge_certificate, judge);
}

const char *pic_tls_judge_reason(const struct pic_tls_judge *judge)
{
	return judge->refused ? pic_x509_reason(judge->refused) : NULL;
}
