#include <errno.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "crypto/mbedtls.h"
#include "crypto/x509.h"

/* Characters with a meaning in the text form of a name (RFC 4514), and what nobody should see raw. */
static bool is_plain(const char *text)
{
	size_t size = strlen(text), at = 0;

	if (size == 0 || size > PIC_OBJECT_NAME_MAX || text[0] == ' ' || text[size - 1] == ' ')
		return false;
	if (strpbrk(text, ",+=\"\\<>;#"))
		return false;
	while (at < size) {
		uint32_t point;
		size_t length = pic_utf8_next(text + at, size - at, &point);

		if (length == 0 || pic_utf8_is_control(point))
			return false;
		at += length;
	}
	return true;
}

int pic_x509_name(const char *common_name, const char *organization, struct pic_buf *out,
		  struct pic_error *err)
{
	if (!common_name || !is_plain(common_name) || (organization && !is_plain(organization)))
		return pic_error_set(err, -EINVAL, "the name cannot stand in a certificate");
	pic_buf_format(out, "CN=%s", common_name);
	if (organization)
		pic_buf_format(out, ",O=%s", organization);
	return pic_buf_check(out, "the name in a certificate", err);
}

static const mbedtls_x509_name *find(const mbedtls_x509_name *name, const char *attribute)
{
	for (; name; name = name->next) {
		const char *known = NULL;

		if (mbedtls_oid_get_attr_short_name(&name->oid, &known) == 0 &&
		    strcmp(known, attribute) == 0)
			return name;
	}
	return NULL;
}

int pic_x509_attribute(const mbedtls_x509_name *name, const char *attribute, char *out, size_t size)
{
	const mbedtls_x509_name *found = find(name, attribute);
	const char *text = found ? (const char *)found->val.p : "";
	size_t length = found ? found->val.len : 0;

	/* "admin\0.example": a classic */
	if (memchr(text, '\0', length))
		return -EINVAL;
	for (size_t at = 0, step; at < length; at += step) {
		uint32_t point;

		step = pic_utf8_next(text + at, length - at, &point);
		if (step == 0)
			return -EINVAL;
	}
	if (length >= size)
		length = pic_utf8_cut(text, size - 1);
	memcpy(out, text, length);
	out[length] = '\0';
	return 0;
}

const char *pic_x509_reason(uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *text;
	} reasons[] = {
		{ MBEDTLS_X509_BADCERT_NOT_TRUSTED, "it is not signed by the trusted authority" },
		{ MBEDTLS_X509_BADCERT_CN_MISMATCH, "it is for another name" },
		{ MBEDTLS_X509_BADCERT_EXPIRED, "it has expired" },
		{ MBEDTLS_X509_BADCERT_FUTURE, "it is not valid yet" },
		{ MBEDTLS_X509_BADCERT_KEY_USAGE, "its key is not for this use" },
		{ MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, "it is not for this use" },
		{ MBEDTLS_X509_BADCERT_BAD_MD, "its digest is too weak" },
		{ MBEDTLS_X509_BADCERT_BAD_KEY, "its key is too weak" },
	};

	for (size_t i = 0; i < PIC_COUNT(reasons); i++)
		if (flags & reasons[i].flag)
			return reasons[i].text;
	return "it cannot be verified";
}

int pic_x509_parse(mbedtls_x509_crt *out, const char *pem, const char *what, struct pic_error *err)
{
	size_t size = pem ? strnlen(pem, PIC_PEM_MAX + 1) : 0;
	int r;

	if (size == 0 || size > PIC_PEM_MAX)
		return pic_error_set(err, -EINVAL, "%s is not a certificate in PEM format", what);
	/* a DER certificate is not a text; the library would try to read one */
	if (!strstr(pem, "-----BEGIN CERTIFICATE-----"))
		return pic_error_set(err, -EINVAL, "%s is not a certificate in PEM format", what);
	r = mbedtls_x509_crt_parse(out, (const unsigned char *)pem, size + 1);
	if (r > 0)
		return pic_error_set(err, -EINVAL, "%s holds a damaged certificate", what);
	return r < 0 ? pic_mbedtls_error(err, r, "%s cannot be read", what) : 0;
}
