/* Certificates and requests of strangers, in both forms. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/certificate.h"

#define MUST(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static char *authority;

/* Whatever is read, none of it chains to an authority that was made a moment ago. */
static void make_authority(void)
{
	struct pic_certificate_order order = { .use = PIC_CERTIFICATE_AUTHORITY,
					       .common_name = "fuzz",
					       .not_before_ms = 0,
					       .not_after_ms = 4102444800000 };
	struct pic_buf pem = PIC_BUF_INIT(1 << 16);
	struct pic_key *key;

	MUST(pic_key_generate(&key, NULL) == 0);
	MUST(pic_certificate_sign(&order, key, key, NULL, &pem, NULL) == 0);
	authority = pic_buf_take(&pem);
	pic_key_free(key);
}

static void as_pem(const char *text)
{
	struct pic_certificate_facts facts;
	struct pic_key *key = NULL;
	char name[PIC_OBJECT_NAME_MAX + 1];

	if (pic_certificate_read(text, &facts, NULL) == 0) {
		MUST(memchr(facts.common_name, '\0', sizeof(facts.common_name)) != NULL);
		MUST(pic_certificate_verify(text, authority, 0, NULL) < 0);
	}
	if (pic_certificate_key(text, &key, NULL) == 0)
		pic_key_free(key);
	if (pic_request_read(text, &key, name, NULL) == 0)
		pic_key_free(key);
	if (pic_key_parse(&key, text, NULL) == 0)
		pic_key_free(key);
}

/* libFuzzer changes bytes, not base64: the binary form goes in as PEM too. */
static void as_der(const uint8_t *data, size_t size, const char *label)
{
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(1 << 20);

	pic_buf_format(&pem, "-----BEGIN %s-----\n", label);
	pic_base64_encode(data, size, &pem);
	pic_buf_format(&pem, "\n-----END %s-----\n", label);
	if (!pem.failed)
		as_pem(pem.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pic_certificate_facts facts;
	char *text;

	if (!authority)
		make_authority();
	if (size > 65536 || !(text = strndup((const char *)data, size)))
		return 0;
	(void)pic_certificate_read_der(data, size, &facts, NULL);
	as_pem(text);
	as_der(data, size, "CERTIFICATE");
	as_der(data, size, "CERTIFICATE REQUEST");
	as_der(data, size, "EC PRIVATE KEY");
	free(text);
	return 0;
}
