#include "crypto/tls.h"

#include <errno.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <string.h>

#include "crypto/mbedtls.h"
#include "crypto/x509.h"

static int parse_key(mbedtls_pk_context *key, const char *pem, struct pic_error *err)
{
	int r;

	if (strstr(pem, "ENCRYPTED"))
		return pic_error_set(
			err, -EINVAL,
			"the client's key is protected by a password; store it without");
	r = mbedtls_pk_parse_key(key, (const unsigned char *)pem, strlen(pem) + 1, NULL, 0,
				 pic_mbedtls_random, NULL);
	return r != 0 ? pic_mbedtls_error(err, r, "the client's key cannot be read") : 0;
}

static int check_pair(const char *certificate_pem, const char *key_pem, struct pic_error *err)
{
	mbedtls_x509_crt certificate;
	mbedtls_pk_context key;
	int r;

	mbedtls_x509_crt_init(&certificate);
	mbedtls_pk_init(&key);
	r = pic_x509_parse(&certificate, certificate_pem, "the client's certificate", err);
	if (r == 0)
		r = parse_key(&key, key_pem, err);
	if (r == 0 && mbedtls_pk_check_pair(&certificate.pk, &key, pic_mbedtls_random, NULL) != 0)
		r = pic_error_set(err, -EINVAL,
				  "the client's key does not belong to its certificate");
	mbedtls_pk_free(&key);
	mbedtls_x509_crt_free(&certificate);
	return r;
}

static int check_authority(const char *pem, struct pic_error *err)
{
	mbedtls_x509_crt authority;
	int r;

	mbedtls_x509_crt_init(&authority);
	r = pic_x509_parse(&authority, pem, "the trusted authority's certificate", err);
	mbedtls_x509_crt_free(&authority);
	return r;
}

int pic_tls_check_identity(const char *certificate_pem, const char *key_pem,
			   const char *authority_pem, struct pic_error *err)
{
	int r = authority_pem ? check_authority(authority_pem, err) : 0;

	if (r < 0)
		return r;
	if (!certificate_pem != !key_pem)
		return pic_error_set(
			err, -EINVAL,
			"a client's certificate needs its key, and a key its certificate");
	return certificate_pem ? check_pair(certificate_pem, key_pem, err) : 0;
}

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
	if (judge->own_authority)
		*flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_FUTURE;
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
