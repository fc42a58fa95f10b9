/*
 * ECDSA keys on P-256 (FIPS 186-5): make, keep as PEM, sign, verify.
 */
#ifndef PIC_CRYPTO_KEY_H
#define PIC_CRYPTO_KEY_H

#include "base/buffer.h"
#include "crypto/digest.h"

struct pic_key; /* private or public only */

#define PIC_SIGNATURE_MAX 80 /* DER, ECDSA P-256 */

int pic_key_generate(struct pic_key **out, struct pic_error *err);
int pic_key_parse(struct pic_key **out, const char *pem, struct pic_error *err);
int pic_key_write(const struct pic_key *key, struct pic_buf *pem, struct pic_error *err);
void pic_key_free(struct pic_key *key);
/* SHA-256 of the DER SubjectPublicKeyInfo: the pin. */
int pic_key_pin(const struct pic_key *key, struct pic_sha256 *out, struct pic_error *err);
int pic_key_sign(const struct pic_key *key, const struct pic_sha256 *digest,
		 unsigned char signature[PIC_SIGNATURE_MAX], size_t *size, struct pic_error *err);
int pic_key_verify(const struct pic_key *key, const struct pic_sha256 *digest,
		   const unsigned char *signature, size_t size, struct pic_error *err);

static inline void pic_key_free_pointer(struct pic_key **key)
{
	pic_key_free(*key);
	*key = NULL;
}

#endif
