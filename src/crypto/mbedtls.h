/*
 * What the files of this folder share about the library behind them (mbedTLS). Only they include it.
 */
#ifndef PIC_CRYPTO_MBEDTLS_H
#define PIC_CRYPTO_MBEDTLS_H

#include <mbedtls/pk.h>

#include "base/error.h"
#include "crypto/key.h"

/* PEM texts larger than this are nobody's certificate. */
#define PIC_PEM_MAX (256 * 1024)
#define PIC_KEY_DER_MAX 256

struct pic_key {
	mbedtls_pk_context pk;
};

/* The library's type for a source of randomness; ours is the kernel's. */
int pic_mbedtls_random(void *unused, unsigned char *out, size_t size);
/* "<format>: <the library's words for `code`>"; returns -EINVAL, or -ENOMEM where it was that. */
int pic_mbedtls_error(struct pic_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The library does not mark what it leaves alone. */
mbedtls_pk_context *pic_mbedtls_pk(const struct pic_key *key);
/* A key of our own out of a parsed one: its public half only, P-256 only. */
int pic_mbedtls_public_key(const mbedtls_pk_context *pk, const char *what, struct pic_key **out,
			   struct pic_error *err);

#endif
