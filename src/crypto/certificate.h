/*
 * X.509 (RFC 5280): the hub's own authority, certificates it signs, and requests (RFC 2986).
 * Everything travels as PEM text.
 */
#ifndef PIC_CRYPTO_CERTIFICATE_H
#define PIC_CRYPTO_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "crypto/key.h"

enum pic_certificate_use {
	PIC_CERTIFICATE_AUTHORITY,
	PIC_CERTIFICATE_SERVER,
	PIC_CERTIFICATE_DEVICE, /* TLS client */
	PIC_CERTIFICATE_TICKET, /* signs tickets: digitalSignature, no TLS use */
	PIC_CERTIFICATE_OTHER,	/* only in facts: none of the above, or several */
};

struct pic_certificate_facts {
	char common_name[PIC_OBJECT_NAME_MAX + 1];
	char organization[64];
	char serial[48]; /* hexadecimal */
	int64_t not_before_ms, not_after_ms;
	bool is_authority;
	enum pic_certificate_use use;  /* by its extensions */
	struct pic_sha256 key_pin;     /* of the SubjectPublicKeyInfo */
	struct pic_sha256 fingerprint; /* of the whole DER */
	unsigned count; /* certificates in the text; all of this is about the first */
};

struct pic_certificate_order {
	enum pic_certificate_use use;
	const char *common_name;
	const char *organization; /* NULL or a role: "device", "admin" */
	const char *const
		*addresses; /* names and IP literals for subjectAltName, NULL-terminated, or NULL */
	int64_t not_before_ms, not_after_ms;
};

/* A request for `common_name`, signed with its own key. */
int pic_request_write(const struct pic_key *key, const char *common_name, struct pic_buf *pem,
		      struct pic_error *err);
/* Checks the request's own signature; hands out its public key (P-256 only) and name. */
int pic_request_read(const char *pem, struct pic_key **key, char name[PIC_OBJECT_NAME_MAX + 1],
		     struct pic_error *err);
/* Signs `subject_key` as ordered. issuer_pem NULL: self-signed with issuer_key == subject_key. */
int pic_certificate_sign(const struct pic_certificate_order *order,
			 const struct pic_key *subject_key, const struct pic_key *issuer_key,
			 const char *issuer_pem, struct pic_buf *pem, struct pic_error *err);
/* The first certificate of a PEM text. */
int pic_certificate_read(const char *pem, struct pic_certificate_facts *out, struct pic_error *err);
int pic_certificate_read_der(const void *der, size_t size, struct pic_certificate_facts *out,
			     struct pic_error *err);
/* The public key of the first certificate. */
int pic_certificate_key(const char *pem, struct pic_key **out, struct pic_error *err);
/* 0 when `pem` chains to `authority_pem` at `now_ms`; the sentence says what failed. now_ms 0: dates are
 * not looked at (a device whose clock is not set). */
int pic_certificate_verify(const char *pem, const char *authority_pem, int64_t now_ms,
			   struct pic_error *err);
/* The same, and the certificate must be one for `use`. A device's certificate chains to the hub's authority
 * as the ticket signer's does: whoever checks a ticket must ask for PIC_CERTIFICATE_TICKET here. */
int pic_certificate_verify_use(const char *pem, const char *authority_pem,
			       enum pic_certificate_use use, int64_t now_ms, struct pic_error *err);

#endif
