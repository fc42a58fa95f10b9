#include "crypto/mbedtls.h"

#include <errno.h>
#include <mbedtls/asn1.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

int pic_mbedtls_random(void *unused, unsigned char *out, size_t size)
{
	(void)unused;
	pic_random_bytes(out, size);
	return 0;
}

static int errno_of(int code)
{
	switch (code) {
	case MBEDTLS_ERR_PK_ALLOC_FAILED:
	case MBEDTLS_ERR_X509_ALLOC_FAILED:
	case MBEDTLS_ERR_ASN1_ALLOC_FAILED:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

int pic_mbedtls_error(struct pic_error *err, int code, const char *format, ...)
{
	char what[160], why[160];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	mbedtls_strerror(code, why, sizeof(why));
	return pic_error_set(err, errno_of(code), "%s: %s", what, why);
}

mbedtls_pk_context *pic_mbedtls_pk(const struct pic_key *key)
{
	return (mbedtls_pk_context *)(uintptr_t)&key->pk;
}
