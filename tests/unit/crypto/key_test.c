#include <errno.h>

#include "base/check.h"
#include "crypto/key.h"

#define PIC_KEY PIC_CLEANUP(pic_key_free_pointer)

/* openssl ecparam -name prime256v1 -genkey, and the SHA-256 of its SubjectPublicKeyInfo by openssl. */
static const char known[] = "-----BEGIN PRIVATE KEY-----\n"
			    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjZrgKPGDt08i67Df\n"
			    "vhjHO53xt993zYd3tC89jDAItj+hRANCAASIlEw3BsXSpnzgGQWs/ENTnK2wdENy\n"
			    "7eD9Q4jXQqowuApvJSlf6adszGPrHtoCtN7d3N9BU5p1BAtmDss6ba/t\n"
			    "-----END PRIVATE KEY-----\n";
static const char known_pin[] = "fcc7366a4add0ea5865ae100c05b40bc1b68d0f5d331b94a1c00e9b0a02b7f9a";
static const char p384[] = "-----BEGIN PRIVATE KEY-----\n"
			   "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBuZYSLragjEqIh9OHC\n"
			   "wozv5IlP+6Fv7LVYcwpQexWFyLOgZor8LSbZnbQ0tNIOdG2hZANiAAR7rjMvg2Sw\n"
			   "ZUrcI3mnXd37WgD9ey7+b7ZcI2RlDrNUa6elyUgiiibRylKv5M+4VHBxyynYEPol\n"
			   "IdfBZ285j7uW2TgQDJFgoHWX7TqVZxQUuwtBEVUjlVEuHfaLf+B5T2I=\n"
			   "-----END PRIVATE KEY-----\n";
static const char encrypted[] = "-----BEGIN EC PRIVATE KEY-----\n"
				"Proc-Type: 4,ENCRYPTED\n"
				"DEK-Info: AES-128-CBC,9567B89FF8C3562EE83C10C12A31341D\n"
				"\n"
				"GRTG85EgiZSIxHFRDVcKKNO0SgRgaEC0E9mRxuN5ZUAk3U/LPVG3gYaNvWdgAE55\n"
				"xT8hG2RAWdHfnuY7FH+6r5buAfqg7TJze0AciwfbTsN5ZyglWNb53tPRIOnTUtYn\n"
				"+9IP6974KPhuGsCMdEXYUKaCWMvULXauUibjwmOhPIs=\n"
				"-----END EC PRIVATE KEY-----\n";

static void makes_signs_and_verifies(void **state)
{
	PIC_KEY struct pic_key *key = NULL;
	PIC_KEY struct pic_key *other = NULL;
	unsigned char signature[PIC_SIGNATURE_MAX];
	struct pic_sha256 digest, another;
	size_t size = 0;

	(void)state;
	assert_int_equal(pic_key_generate(&key, NULL), 0);
	assert_int_equal(pic_key_generate(&other, NULL), 0);
	pic_sha256_of("message", 7, &digest);
	pic_sha256_of("messages", 8, &another);
	assert_int_equal(pic_key_sign(key, &digest, signature, &size, NULL), 0);
	assert_in_range(size, 60, 72);
	assert_int_equal(pic_key_verify(key, &digest, signature, size, NULL), 0);
	assert_int_equal(pic_key_verify(key, &another, signature, size, NULL), -EKEYREJECTED);
	assert_int_equal(pic_key_verify(other, &digest, signature, size, NULL), -EKEYREJECTED);
	assert_int_equal(pic_key_verify(key, &digest, signature, size - 1, NULL), -EKEYREJECTED);
	assert_int_equal(pic_key_verify(key, &digest, signature, 0, NULL), -EKEYREJECTED);
	signature[size] = 0; /* a byte more must not be accepted: one signature, one text */
	assert_int_equal(pic_key_verify(key, &digest, signature, size + 1, NULL), -EKEYREJECTED);
	for (size_t i = 0; i < size; i++) {
		signature[i] ^= 1;
		assert_int_equal(pic_key_verify(key, &digest, signature, size, NULL),
				 -EKEYREJECTED);
		signature[i] ^= 1;
	}
}

static void survives_pem(void **state)
{
	PIC_KEY struct pic_key *key = NULL;
	PIC_KEY struct pic_key *back = NULL;
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(4096), again = PIC_BUF_INIT(4096);
	struct pic_sha256 a, b, digest = { { 1 } };
	unsigned char signature[PIC_SIGNATURE_MAX];
	size_t size;

	(void)state;
	assert_int_equal(pic_key_generate(&key, NULL), 0);
	assert_int_equal(pic_key_write(key, &pem, NULL), 0);
	assert_contains(pem.data, "PRIVATE KEY");
	assert_int_equal(pic_key_parse(&back, pem.data, NULL), 0);
	assert_int_equal(pic_key_pin(key, &a, NULL), 0);
	assert_int_equal(pic_key_pin(back, &b, NULL), 0);
	assert_true(pic_sha256_equal(&a, &b));
	assert_int_equal(pic_key_sign(back, &digest, signature, &size, NULL), 0);
	assert_int_equal(pic_key_verify(key, &digest, signature, size, NULL), 0);
	assert_int_equal(pic_key_write(back, &again, NULL), 0);
	assert_string_equal(pem.data, again.data);
}

static void agrees_with_openssl(void **state)
{
	PIC_KEY struct pic_key *key = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_sha256 pin;
	char text[PIC_SHA256_TEXT];

	(void)state;
	if (pic_key_parse(&key, known, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(pic_key_pin(key, &pin, NULL), 0);
	pic_sha256_text(&pin, text);
	assert_string_equal(text, known_pin);
}

static void a_public_key_cannot_sign(void **state)
{
	static const char public_pem[] =
		"-----BEGIN PUBLIC KEY-----\n"
		"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEiJRMNwbF0qZ84BkFrPxDU5ytsHRD\n"
		"cu3g/UOI10KqMLgKbyUpX+mnbMxj6x7aArTe3dzfQVOadQQLZg7LOm2v7Q==\n"
		"-----END PUBLIC KEY-----\n";
	PIC_KEY struct pic_key *key = NULL;
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(4096);
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_sha256 digest = { { 1 } }, pin;
	unsigned char signature[PIC_SIGNATURE_MAX];
	char text[PIC_SHA256_TEXT];
	size_t size = 77;

	(void)state;
	assert_int_equal(pic_key_parse(&key, public_pem, NULL), 0);
	assert_int_equal(pic_key_sign(key, &digest, signature, &size, &err), -EINVAL);
	assert_string_equal(err.text, "a public key cannot sign");
	assert_int_equal(size, 77);
	assert_int_equal(pic_key_pin(key, &pin, NULL), 0);
	pic_sha256_text(&pin, text);
	assert_string_equal(text, known_pin);
	assert_int_equal(pic_key_write(key, &pem, NULL), 0);
	assert_string_equal(pem.data, public_pem);
}

static void assert_refused(const char *pem, const char *why)
{
	struct pic_key *key = (struct pic_key *)1;
	struct pic_error err = PIC_ERROR_INIT;

	assert_true(pic_key_parse(&key, pem, &err) < 0);
	assert_ptr_equal(key, (struct pic_key *)1);
	assert_contains(err.text, why);
}

static void refuses_other_keys(void **state)
{
	(void)state;
	assert_refused("", "not a key in PEM format");
	assert_refused(NULL, "not a key in PEM format");
	assert_refused("hello", "not a key in PEM format");
	assert_refused(p384, "not an ECDSA key on P-256");
	assert_refused(encrypted, "protected by a password");
	assert_refused("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_signs_and_verifies),
		cmocka_unit_test(survives_pem),
		cmocka_unit_test(agrees_with_openssl),
		cmocka_unit_test(a_public_key_cannot_sign),
		cmocka_unit_test(refuses_other_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
