#include "crypto/key.h"

#include <errno.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/mbedtls.h"

#define PIC_KEY PIC_CLEANUP(pic_key_free_pointer)
#define KEY_PEM_MAX 1024

static struct pic_key *key_new(void)
{
	struct pic_key *key = calloc(1, sizeof(*key));

	if (key)
		mbedtls_pk_init(&key->pk);
	return key;
}

void pic_key_free(struct pic_key *key)
{
	if (!key)
		return;
	mbedtls_pk_free(&key->pk); /* wipes */
	free(key);
}

int pic_key_generate(struct pic_key **out, struct pic_error *err)
{
	PIC_KEY struct pic_key *key = key_new();
	int r;

	if (!key)
		return pic_error_set(err, -ENOMEM, "no memory for a key");
	r = mbedtls_pk_setup(&key->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	if (r == 0)
		r = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key->pk),
					pic_mbedtls_random, NULL);
	if (r != 0)
		return pic_mbedtls_error(err, r, "cannot make a key");
	*out = PIC_STEAL(key);
	return 0;
}

static bool is_p256(const mbedtls_pk_context *pk)
{
	return mbedtls_pk_get_type(pk) == MBEDTLS_PK_ECKEY &&
	       mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk)) == MBEDTLS_ECP_DP_SECP256R1;
}

static bool is_private(const struct pic_key *key)
{
	return mbedtls_mpi_cmp_int(&mbedtls_pk_ec(key->pk)->MBEDTLS_PRIVATE(d), 0) != 0;
}

/* A private key, or a public one when the text says PUBLIC KEY. */
static int parse(struct pic_key *key, const char *pem, size_t size)
{
	const unsigned char *text = (const unsigned char *)pem;

	if (strstr(pem, "-----BEGIN PUBLIC KEY-----"))
		return mbedtls_pk_parse_public_key(&key->pk, text, size + 1);
	return mbedtls_pk_parse_key(&key->pk, text, size + 1, NULL, 0, pic_mbedtls_random, NULL);
}

int pic_key_parse(struct pic_key **out, const char *pem, struct pic_error *err)
{
	PIC_KEY struct pic_key *key = key_new();
	size_t size = pem ? strnlen(pem, PIC_PEM_MAX + 1) : 0;
	int r;

	if (!key)
		return pic_error_set(err, -ENOMEM, "no memory for a key");
	if (size == 0 || size > PIC_PEM_MAX)
		return pic_error_set(err, -EINVAL, "this is not a key in PEM format");
	/* the library is built without the ciphers for those, and would only say so */
	if (strstr(pem, "ENCRYPTED"))
		return pic_error_set(err, -EINVAL,
				     "the key is protected by a password; store it without");
	r = parse(key, pem, size);
	if (r != 0)
		return pic_mbedtls_error(err, r, "this is not a key in PEM format");
	if (!is_p256(&key->pk))
		return pic_error_set(err, -EINVAL, "the key is not an ECDSA key on P-256");
	*out = PIC_STEAL(key);
	return 0;
}

int pic_key_write(const struct pic_key *key, struct pic_buf *pem, struct pic_error *err)
{
	unsigned char text[KEY_PEM_MAX];
	int r = is_private(key) ? mbedtls_pk_write_key_pem(&key->pk, text, sizeof(text))
				: mbedtls_pk_write_pubkey_pem(&key->pk, text, sizeof(text));

	if (r == 0)
		pic_buf_text_add(pem, (const char *)text);
	mbedtls_platform_zeroize(text, sizeof(text));
	return r != 0 ? pic_mbedtls_error(err, r, "cannot write a key")
		      : pic_buf_check(pem, "a key", err);
}

/* The library writes DER at the end of its buffer. */
static int public_der(const mbedtls_pk_context *pk, unsigned char der[PIC_KEY_DER_MAX],
		      struct pic_view *out)
{
	int size = mbedtls_pk_write_pubkey_der(pk, der, PIC_KEY_DER_MAX);

	if (size < 0)
		return size;
	*out = (struct pic_view){ (const char *)der + PIC_KEY_DER_MAX - size, (size_t)size };
	return 0;
}

int pic_key_pin(const struct pic_key *key, struct pic_sha256 *out, struct pic_error *err)
{
	unsigned char der[PIC_KEY_DER_MAX];
	struct pic_view view;
	int r = public_der(&key->pk, der, &view);

	if (r < 0)
		return pic_mbedtls_error(err, r, "cannot write a public key");
	pic_sha256_of(view.data, view.size, out);
	return 0;
}

int pic_mbedtls_public_key(const mbedtls_pk_context *pk, const char *what, struct pic_key **out,
			   struct pic_error *err)
{
	PIC_KEY struct pic_key *key = key_new();
	unsigned char der[PIC_KEY_DER_MAX];
	struct pic_view view;
	int r;

	if (!key)
		return pic_error_set(err, -ENOMEM, "no memory for a key");
	if (!is_p256(pk))
		return pic_error_set(err, -EINVAL, "the key of %s is not an ECDSA key on P-256",
				     what);
	r = public_der(pk, der, &view);
	if (r == 0)
		r = mbedtls_pk_parse_public_key(&key->pk, (const unsigned char *)view.data,
						view.size);
	if (r != 0)
		return pic_mbedtls_error(err, r, "cannot take the key of %s", what);
	*out = PIC_STEAL(key);
	return 0;
}

int pic_key_sign(const struct pic_key *key, const struct pic_sha256 *digest,
		 unsigned char signature[PIC_SIGNATURE_MAX], size_t *size, struct pic_error *err)
{
	size_t written = 0;
	int r;

	if (!is_private(key))
		return pic_error_set(err, -EINVAL, "a public key cannot sign");
	r = mbedtls_pk_sign(pic_mbedtls_pk(key), MBEDTLS_MD_SHA256, digest->bytes, PIC_SHA256_SIZE,
			    signature, PIC_SIGNATURE_MAX, &written, pic_mbedtls_random, NULL);
	if (r != 0)
		return pic_mbedtls_error(err, r, "cannot sign");
	*size = written;
	return 0;
}

int pic_key_verify(const struct pic_key *key, const struct pic_sha256 *digest,
		   const unsigned char *signature, size_t size, struct pic_error *err)
{
	int r = mbedtls_pk_verify(pic_mbedtls_pk(key), MBEDTLS_MD_SHA256, digest->bytes,
				  PIC_SHA256_SIZE, signature, size);

	return r != 0 ? pic_error_set(err, -EKEYREJECTED, "the signature is not of this key") : 0;
}
