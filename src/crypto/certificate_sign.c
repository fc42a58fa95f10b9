#include <arpa/inet.h>
#include <errno.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/certificate.h"
#include "crypto/mbedtls.h"
#include "crypto/x509.h"

#define CERTIFICATE_PEM_MAX 16384
#define ADDRESSES_MAX 64
#define SERIAL_SIZE 16

/* One subjectAltName; an IP address needs its bytes kept somewhere. */
struct address {
	mbedtls_x509_san_list entry;
	unsigned char bytes[16];
};

static bool is_host_name(const char *text)
{
	size_t size = strlen(text);

	return size > 0 && size <= PIC_OBJECT_NAME_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*_") ==
		       size;
}

static void set_bytes(struct address *address, int type, const void *data, size_t size)
{
	address->entry.node.type = type;
	address->entry.node.san.unstructured_name.p = (unsigned char *)(uintptr_t)data;
	address->entry.node.san.unstructured_name.len = size;
}

/* "127.0.0.1", "::1", "[::1]" or a name. */
static int parse_address(const char *text, struct address *out, struct pic_error *err)
{
	char bare[PIC_OBJECT_NAME_MAX + 1];
	size_t size = strlen(text);

	if (size > 2 && size < sizeof(bare) && text[0] == '[' && text[size - 1] == ']') {
		memcpy(bare, text + 1, size - 2);
		bare[size - 2] = '\0';
	} else {
		snprintf(bare, sizeof(bare), "%s", text);
	}
	if (inet_pton(AF_INET, bare, out->bytes) == 1)
		set_bytes(out, MBEDTLS_X509_SAN_IP_ADDRESS, out->bytes, 4);
	else if (inet_pton(AF_INET6, bare, out->bytes) == 1)
		set_bytes(out, MBEDTLS_X509_SAN_IP_ADDRESS, out->bytes, 16);
	else if (is_host_name(text))
		set_bytes(out, MBEDTLS_X509_SAN_DNS_NAME, text, size);
	else
		return pic_error_set(err, -EINVAL,
				     "an address for a certificate is neither name nor IP");
	return 0;
}

static int add_addresses(mbedtls_x509write_cert *certificate, const char *const *addresses,
			 struct pic_error *err)
{
	struct address list[ADDRESSES_MAX];
	size_t count = 0;
	int r;

	for (; addresses && addresses[count]; count++) {
		if (count == ADDRESSES_MAX)
			return pic_error_set(err, -E2BIG,
					     "more than %d addresses for a certificate",
					     ADDRESSES_MAX);
		memset(&list[count], 0, sizeof(list[count]));
		r = parse_address(addresses[count], &list[count], err);
		if (r < 0)
			return r;
		if (count > 0)
			list[count - 1].entry.next = &list[count].entry;
	}
	if (count == 0)
		return 0;
	r = mbedtls_x509write_crt_set_subject_alternative_name(certificate, &list[0].entry);
	return r != 0 ? pic_mbedtls_error(err, r, "cannot put addresses into a certificate") : 0;
}

static const struct {
	const char *oid;
	size_t size;
} purposes[] = {
	[PIC_CERTIFICATE_SERVER] = { MBEDTLS_OID_SERVER_AUTH,
				     MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH) },
	[PIC_CERTIFICATE_DEVICE] = { MBEDTLS_OID_CLIENT_AUTH,
				     MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH) },
	/* without a purpose it would be good for everything, TLS included */
	[PIC_CERTIFICATE_TICKET] = { MBEDTLS_OID_CODE_SIGNING,
				     MBEDTLS_OID_SIZE(MBEDTLS_OID_CODE_SIGNING) },
};

static int add_purpose(mbedtls_x509write_cert *certificate, enum pic_certificate_use use)
{
	mbedtls_asn1_sequence purpose = { 0 };

	if (use == PIC_CERTIFICATE_AUTHORITY)
		return 0;
	purpose.buf.tag = MBEDTLS_ASN1_OID;
	purpose.buf.p = (unsigned char *)(uintptr_t)purposes[use].oid;
	purpose.buf.len = purposes[use].size;
	return mbedtls_x509write_crt_set_ext_key_usage(certificate, &purpose);
}

static int add_extensions(mbedtls_x509write_cert *certificate, enum pic_certificate_use use)
{
	bool authority = use == PIC_CERTIFICATE_AUTHORITY;
	unsigned usage = authority ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN
				   : MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
	/* our authorities sign leaves only: path length 0 */
	int r = mbedtls_x509write_crt_set_basic_constraints(certificate, authority,
							    authority ? 0 : -1);

	if (r == 0)
		r = mbedtls_x509write_crt_set_key_usage(certificate, usage);
	if (r == 0)
		r = add_purpose(certificate, use);
	if (r == 0)
		r = mbedtls_x509write_crt_set_subject_key_identifier(certificate);
	if (r == 0)
		r = mbedtls_x509write_crt_set_authority_key_identifier(certificate);
	return r;
}

/* "20261124140000" */
static void validity_text(int64_t wall_ms, char out[15])
{
	char text[PIC_TIME_TEXT];
	size_t used = 0;

	pic_time_format(wall_ms, text);
	for (const char *c = text; *c != '\0' && used < 14; c++)
		if (*c >= '0' && *c <= '9')
			out[used++] = *c;
	out[used] = '\0';
}

static int set_facts(mbedtls_x509write_cert *certificate, const struct pic_certificate_order *order)
{
	unsigned char serial[SERIAL_SIZE];
	char not_before[15], not_after[15];
	int r;

	/* positive, and never shorter than it looks */
	pic_random_bytes(serial, sizeof(serial));
	serial[0] = (serial[0] & 0x3f) | 0x40;
	r = mbedtls_x509write_crt_set_serial_raw(certificate, serial, sizeof(serial));
	if (r != 0)
		return r;
	validity_text(order->not_before_ms, not_before);
	validity_text(order->not_after_ms, not_after);
	mbedtls_x509write_crt_set_version(certificate, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(certificate, MBEDTLS_MD_SHA256);
	return mbedtls_x509write_crt_set_validity(certificate, not_before, not_after);
}

/* The issuer's name as text, and a check that it comes back as the same bytes: verifiers compare those. */
static int issuer_name(const mbedtls_x509_crt *issuer, struct pic_buf *out, struct pic_error *err)
{
	char text[1024];
	int size = mbedtls_x509_dn_gets(text, sizeof(text), &issuer->subject);

	if (size < 0)
		return pic_mbedtls_error(err, size, "cannot read the authority's name");
	pic_buf_add(out, text, (size_t)size);
	return pic_buf_check(out, "the authority's name", err);
}

static int check_result(const unsigned char *text, const mbedtls_x509_crt *issuer,
			struct pic_error *err)
{
	mbedtls_x509_crt made;
	int r;

	mbedtls_x509_crt_init(&made);
	r = mbedtls_x509_crt_parse(&made, text, strlen((const char *)text) + 1);
	if (r != 0)
		r = pic_mbedtls_error(err, r, "the new certificate cannot be read");
	else if (made.issuer_raw.len != issuer->subject_raw.len ||
		 memcmp(made.issuer_raw.p, issuer->subject_raw.p, made.issuer_raw.len) != 0)
		r = pic_error_set(
			err, -EINVAL,
			"the authority's name is written in a way that cannot be repeated");
	mbedtls_x509_crt_free(&made);
	return r;
}

struct signing {
	const struct pic_certificate_order *order;
	const struct pic_key *subject_key, *issuer_key;
	const mbedtls_x509_crt *issuer; /* NULL: self-signed */
};

static int fill(mbedtls_x509write_cert *certificate, const struct signing *signing,
		struct pic_error *err)
{
	PIC_BUF struct pic_buf subject = PIC_BUF_INIT(1024), issuer = PIC_BUF_INIT(1024);
	int r = pic_x509_name(signing->order->common_name, signing->order->organization, &subject,
			      err);

	if (r == 0 && signing->issuer)
		r = issuer_name(signing->issuer, &issuer, err);
	if (r < 0)
		return r;
	mbedtls_x509write_crt_set_subject_key(certificate, pic_mbedtls_pk(signing->subject_key));
	mbedtls_x509write_crt_set_issuer_key(certificate, pic_mbedtls_pk(signing->issuer_key));
	r = set_facts(certificate, signing->order);
	if (r == 0)
		r = mbedtls_x509write_crt_set_subject_name(certificate, pic_buf_text(&subject));
	if (r == 0)
		r = mbedtls_x509write_crt_set_issuer_name(
			certificate, pic_buf_text(signing->issuer ? &issuer : &subject));
	if (r == 0)
		r = add_extensions(certificate, signing->order->use);
	if (r != 0)
		return pic_mbedtls_error(err, r, "cannot prepare a certificate");
	return add_addresses(certificate, signing->order->addresses, err);
}

static int sign(const struct signing *signing, struct pic_buf *pem, struct pic_error *err)
{
	mbedtls_x509write_cert certificate;
	unsigned char text[CERTIFICATE_PEM_MAX];
	int r;

	mbedtls_x509write_crt_init(&certificate);
	r = fill(&certificate, signing, err);
	if (r == 0) {
		r = mbedtls_x509write_crt_pem(&certificate, text, sizeof(text), pic_mbedtls_random,
					      NULL);
		if (r != 0)
			r = pic_mbedtls_error(err, r, "cannot sign a certificate");
	}
	mbedtls_x509write_crt_free(&certificate);
	if (r == 0 && signing->issuer)
		r = check_result(text, signing->issuer, err);
	if (r < 0)
		return r;
	pic_buf_text_add(pem, (const char *)text);
	return pic_buf_check(pem, "a certificate", err);
}

static int check_order(const struct signing *signing, struct pic_error *err)
{
	struct pic_sha256 issuer, key;

	if (signing->order->use > PIC_CERTIFICATE_TICKET)
		return pic_error_set(err, -EINVAL, "a certificate needs one use");
	if (signing->order->not_after_ms <= signing->order->not_before_ms)
		return pic_error_set(err, -EINVAL, "a certificate cannot end before it begins");
	if (!signing->issuer)
		return signing->issuer_key == signing->subject_key
			       ? 0
			       : pic_error_set(err, -EINVAL,
					       "a certificate without issuer signs itself");
	if (!signing->issuer->MBEDTLS_PRIVATE(ca_istrue))
		return pic_error_set(err, -EINVAL,
				     "the issuer's certificate is not an authority's");
	if (pic_key_pin(signing->issuer_key, &key, err) < 0)
		return err ? err->code : -EINVAL;
	pic_sha256_of(signing->issuer->pk_raw.p, signing->issuer->pk_raw.len, &issuer);
	if (!pic_sha256_equal(&issuer, &key))
		return pic_error_set(err, -EINVAL,
				     "the key does not belong to the issuer's certificate");
	return 0;
}

int pic_certificate_sign(const struct pic_certificate_order *order,
			 const struct pic_key *subject_key, const struct pic_key *issuer_key,
			 const char *issuer_pem, struct pic_buf *pem, struct pic_error *err)
{
	struct signing signing = { order, subject_key, issuer_key, NULL };
	mbedtls_x509_crt issuer;
	int r = 0;

	mbedtls_x509_crt_init(&issuer);
	if (issuer_pem) {
		r = mbedtls_x509_crt_parse(&issuer, (const unsigned char *)issuer_pem,
					   strnlen(issuer_pem, PIC_PEM_MAX) + 1);
		if (r != 0)
			r = pic_mbedtls_error(err, r, "cannot read the issuer's certificate");
		signing.issuer = &issuer;
	}
	if (r == 0)
		r = check_order(&signing, err);
	if (r == 0)
		r = sign(&signing, pem, err);
	mbedtls_x509_crt_free(&issuer);
	return r;
}
