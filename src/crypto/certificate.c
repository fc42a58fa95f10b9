#include "crypto/certificate.h"

#include <errno.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/mbedtls.h"
#include "crypto/x509.h"

/* Facts. */

static int64_t time_of(const mbedtls_x509_time *time)
{
	char text[80];
	int64_t ms = 0;

	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", time->year, time->mon,
		 time->day, time->hour, time->min, time->sec);
	return pic_time_parse(text, &ms) < 0 ? 0 : ms;
}

static bool has_purpose(const mbedtls_x509_crt *certificate, const char *oid, size_t size)
{
	return (certificate->MBEDTLS_PRIVATE(ext_types) & MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) !=
		       0 &&
	       mbedtls_x509_crt_check_extended_key_usage(certificate, oid, size) == 0;
}

#define HAS_PURPOSE(certificate, name) has_purpose((certificate), (name), MBEDTLS_OID_SIZE(name))

/* One use each: a certificate that is good for several is none of ours. */
static enum pic_certificate_use use_of(const mbedtls_x509_crt *certificate)
{
	bool server = HAS_PURPOSE(certificate, MBEDTLS_OID_SERVER_AUTH);
	bool client = HAS_PURPOSE(certificate, MBEDTLS_OID_CLIENT_AUTH);
	bool signer = HAS_PURPOSE(certificate, MBEDTLS_OID_CODE_SIGNING);

	if (certificate->MBEDTLS_PRIVATE(ca_istrue))
		return server || client || signer ? PIC_CERTIFICATE_OTHER
						  : PIC_CERTIFICATE_AUTHORITY;
	if (server + client + signer != 1)
		return PIC_CERTIFICATE_OTHER;
	if (mbedtls_x509_crt_check_key_usage(certificate, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0)
		return PIC_CERTIFICATE_OTHER;
	if (server)
		return PIC_CERTIFICATE_SERVER;
	return client ? PIC_CERTIFICATE_DEVICE : PIC_CERTIFICATE_TICKET;
}

static void serial_text(const mbedtls_x509_buf *serial, char *out, size_t size)
{
	size_t bytes = serial->len < (size - 1) / 2 ? serial->len : (size - 1) / 2;

	pic_hex_encode(serial->p, bytes, out);
}

static int facts_of(const mbedtls_x509_crt *certificate, struct pic_certificate_facts *out,
		    struct pic_error *err)
{
	struct pic_certificate_facts facts = { 0 };

	if (pic_x509_attribute(&certificate->subject, "CN", facts.common_name,
			       sizeof(facts.common_name)) < 0 ||
	    pic_x509_attribute(&certificate->subject, "O", facts.organization,
			       sizeof(facts.organization)) < 0)
		return pic_error_set(err, -EINVAL, "the name in the certificate is damaged");
	serial_text(&certificate->serial, facts.serial, sizeof(facts.serial));
	facts.not_before_ms = time_of(&certificate->valid_from);
	facts.not_after_ms = time_of(&certificate->valid_to);
	facts.is_authority = certificate->MBEDTLS_PRIVATE(ca_istrue) != 0;
	facts.use = use_of(certificate);
	pic_sha256_of(certificate->pk_raw.p, certificate->pk_raw.len, &facts.key_pin);
	pic_sha256_of(certificate->raw.p, certificate->raw.len, &facts.fingerprint);
	for (const mbedtls_x509_crt *each = certificate; each; each = each->next)
		facts.count++;
	*out = facts;
	return 0;
}

int pic_certificate_read(const char *pem, struct pic_certificate_facts *out, struct pic_error *err)
{
	mbedtls_x509_crt certificate;
	int r;

	mbedtls_x509_crt_init(&certificate);
	r = pic_x509_parse(&certificate, pem, "this", err);
	if (r == 0)
		r = facts_of(&certificate, out, err);
	mbedtls_x509_crt_free(&certificate);
	return r;
}

int pic_certificate_read_der(const void *der, size_t size, struct pic_certificate_facts *out,
			     struct pic_error *err)
{
	mbedtls_x509_crt certificate;
	int r;

	mbedtls_x509_crt_init(&certificate);
	r = mbedtls_x509_crt_parse_der(&certificate, der, size);
	if (r != 0)
		r = pic_mbedtls_error(err, r, "this is not a certificate");
	else
		r = facts_of(&certificate, out, err);
	mbedtls_x509_crt_free(&certificate);
	return r;
}

int pic_certificate_key(const char *pem, struct pic_key **out, struct pic_error *err)
{
	mbedtls_x509_crt certificate;
	int r;

	mbedtls_x509_crt_init(&certificate);
	r = pic_x509_parse(&certificate, pem, "this", err);
	if (r == 0)
		r = pic_mbedtls_public_key(&certificate.pk, "the certificate", out, err);
	mbedtls_x509_crt_free(&certificate);
	return r;
}

/* Verifying. */

/* The library looks at the machine's clock; the caller's counts. Called for each link of the chain. */
static int check_dates(void *data, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	int64_t now = *(const int64_t *)data;

	(void)depth;
	*flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
	if (now != 0 && now > time_of(&certificate->valid_to) + 999)
		*flags |= MBEDTLS_X509_BADCERT_EXPIRED;
	if (now != 0 && now < time_of(&certificate->valid_from))
		*flags |= MBEDTLS_X509_BADCERT_FUTURE;
	return 0;
}

static int verify(mbedtls_x509_crt *certificate, mbedtls_x509_crt *authority, int64_t now_ms,
		  struct pic_error *err)
{
	uint32_t flags = 0;
	int r = mbedtls_x509_crt_verify_with_profile(certificate, authority, NULL,
						     &mbedtls_x509_crt_profile_default, NULL,
						     &flags, check_dates, &now_ms);

	if (r == 0)
		return 0;
	if (r != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
		return pic_mbedtls_error(err, r, "the certificate cannot be verified");
	return pic_error_set(err, -EKEYREJECTED, "the certificate is refused: %s",
			     pic_x509_reason(flags));
}

/* `use` OTHER: any. */
static int verify_texts(const char *pem, const char *authority_pem, enum pic_certificate_use use,
			int64_t now_ms, struct pic_error *err)
{
	mbedtls_x509_crt certificate, authority;
	int r;

	mbedtls_x509_crt_init(&certificate);
	mbedtls_x509_crt_init(&authority);
	r = pic_x509_parse(&certificate, pem, "this", err);
	if (r == 0)
		r = pic_x509_parse(&authority, authority_pem, "the authority's text", err);
	if (r == 0)
		r = verify(&certificate, &authority, now_ms, err);
	if (r == 0 && use != PIC_CERTIFICATE_OTHER && use_of(&certificate) != use)
		r = pic_error_set(err, -EKEYREJECTED,
				  "the certificate is refused: it is not for this use");
	mbedtls_x509_crt_free(&certificate);
	mbedtls_x509_crt_free(&authority);
	return r;
}

int pic_certificate_verify(const char *pem, const char *authority_pem, int64_t now_ms,
			   struct pic_error *err)
{
	return verify_texts(pem, authority_pem, PIC_CERTIFICATE_OTHER, now_ms, err);
}

int pic_certificate_verify_use(const char *pem, const char *authority_pem,
			       enum pic_certificate_use use, int64_t now_ms, struct pic_error *err)
{
	return verify_texts(pem, authority_pem, use, now_ms, err);
}
