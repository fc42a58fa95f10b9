#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "crypto/certificate.h"

#define NOW 1795528800000LL /* 2026-11-24T14:00:00Z */
#define DAY 86400000LL

/* An authority and one certificate of each use. */
static struct {
	struct pic_key *authority_key, *other_key, *key;
	char *authority, *other, *leaf[4];
} made;

static char *sign(enum pic_certificate_use use, const char *name, const struct pic_key *subject,
		  const struct pic_key *issuer, const char *issuer_pem)
{
	static const char *const addresses[] = { "hub.example", "127.0.0.1", "::1", "[fd00::2]",
						 NULL };
	struct pic_buf pem = PIC_BUF_INIT(65536);
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_certificate_order order = {
		.use = use,
		.common_name = name,
		.organization = use == PIC_CERTIFICATE_DEVICE ? "device" : NULL,
		.addresses = use == PIC_CERTIFICATE_SERVER ? addresses : NULL,
		.not_before_ms = NOW - DAY,
		.not_after_ms = NOW + (issuer_pem ? 10 : 3650) * DAY,
	};

	if (pic_certificate_sign(&order, subject, issuer, issuer_pem, &pem, &err) < 0)
		fail_msg("%s", err.text);
	return pic_buf_take(&pem);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(pic_key_generate(&made.authority_key, NULL), 0);
	assert_int_equal(pic_key_generate(&made.other_key, NULL), 0);
	assert_int_equal(pic_key_generate(&made.key, NULL), 0);
	made.authority = sign(PIC_CERTIFICATE_AUTHORITY, "Piccolo hub", made.authority_key,
			      made.authority_key, NULL);
	made.other = sign(PIC_CERTIFICATE_AUTHORITY, "Piccolo hub", made.other_key, made.other_key,
			  NULL);
	for (int use = PIC_CERTIFICATE_SERVER; use <= PIC_CERTIFICATE_TICKET; use++)
		made.leaf[use] = sign((enum pic_certificate_use)use, "tiny-edge", made.key,
				      made.authority_key, made.authority);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pic_key_free(made.authority_key);
	pic_key_free(made.other_key);
	pic_key_free(made.key);
	free(made.authority);
	free(made.other);
	for (int i = 0; i < 4; i++)
		free(made.leaf[i]);
	return 0;
}

static void tells_the_facts(void **state)
{
	struct pic_certificate_facts facts;
	struct pic_sha256 pin;

	(void)state;
	assert_int_equal(pic_certificate_read(made.leaf[PIC_CERTIFICATE_DEVICE], &facts, NULL), 0);
	assert_string_equal(facts.common_name, "tiny-edge");
	assert_string_equal(facts.organization, "device");
	assert_int_equal(strlen(facts.serial), 32);
	assert_true(facts.not_before_ms == NOW - DAY);
	assert_true(facts.not_after_ms == NOW + 10 * DAY);
	assert_false(facts.is_authority);
	assert_int_equal(facts.use, PIC_CERTIFICATE_DEVICE);
	pic_key_pin(made.key, &pin, NULL);
	assert_true(pic_sha256_equal(&facts.key_pin, &pin));
	assert_int_equal(pic_certificate_read(made.authority, &facts, NULL), 0);
	assert_true(facts.is_authority);
	assert_int_equal(facts.use, PIC_CERTIFICATE_AUTHORITY);
	assert_string_equal(facts.organization, "");
	assert_int_equal(pic_certificate_read(made.leaf[PIC_CERTIFICATE_SERVER], &facts, NULL), 0);
	assert_int_equal(facts.use, PIC_CERTIFICATE_SERVER);
	assert_int_equal(pic_certificate_read(made.leaf[PIC_CERTIFICATE_TICKET], &facts, NULL), 0);
	assert_int_equal(facts.use, PIC_CERTIFICATE_TICKET);
}

static void reads_der(void **state)
{
	struct pic_certificate_facts facts, same;
	PIC_BUF struct pic_buf der = PIC_BUF_INIT(65536);
	char *begin = strstr(made.authority, "-----\n") + 6, *end = strstr(begin, "\n-----END");
	char *plain = strndup(begin, (size_t)(end - begin)), *to = plain;

	(void)state;
	for (char *from = plain; *from != '\0'; from++)
		if (*from != '\n')
			*to++ = *from;
	assert_int_equal(pic_base64_decode(plain, (size_t)(to - plain), &der), 0);
	free(plain);
	assert_int_equal(pic_certificate_read_der(der.data, der.size, &facts, NULL), 0);
	assert_int_equal(pic_certificate_read(made.authority, &same, NULL), 0);
	assert_true(pic_sha256_equal(&facts.fingerprint, &same.fingerprint));
	assert_true(pic_certificate_read_der(der.data, der.size - 1, &facts, NULL) < 0);
	assert_true(pic_certificate_read_der("", 0, &facts, NULL) < 0);
}

static void verifies_a_chain(void **state)
{
	(void)state;
	for (int use = PIC_CERTIFICATE_SERVER; use <= PIC_CERTIFICATE_TICKET; use++)
		assert_int_equal(pic_certificate_verify(made.leaf[use], made.authority, NOW, NULL),
				 0);
	assert_int_equal(pic_certificate_verify(made.leaf[1], made.authority, 0, NULL), 0);
}

static void assert_refused(const char *pem, const char *authority, int64_t now, const char *why)
{
	struct pic_error err = PIC_ERROR_INIT;

	assert_true(pic_certificate_verify(pem, authority, now, &err) < 0);
	assert_contains(err.text, why);
}

static void refuses_the_wrong_authority(void **state)
{
	char *lone = sign(PIC_CERTIFICATE_SERVER, "tiny-edge", made.key, made.key, NULL);
	PIC_BUF struct pic_buf both = PIC_BUF_INIT(65536);

	(void)state;
	/* of the same name, even */
	assert_refused(made.leaf[1], made.other, NOW, "not signed by the trusted authority");
	assert_refused(lone, made.authority, NOW, "not signed by the trusted authority");
	assert_refused(made.other, made.authority, NOW, "not signed by the trusted authority");
	/* nor with the stranger's authority sent along */
	free(lone);
	lone = sign(PIC_CERTIFICATE_SERVER, "tiny-edge", made.key, made.other_key, made.other);
	pic_buf_format(&both, "%s%s", lone, made.other);
	assert_refused(both.data, made.authority, NOW, "not signed by the trusted authority");
	free(lone);
}

static void looks_at_the_callers_clock(void **state)
{
	(void)state;
	assert_refused(made.leaf[1], made.authority, NOW + 11 * DAY, "it has expired");
	assert_refused(made.leaf[1], made.authority, NOW - 2 * DAY, "it is not valid yet");
	assert_refused(made.leaf[1], made.authority, NOW + 4000 * DAY, "it has expired");
	assert_int_equal(pic_certificate_verify(made.leaf[1], made.authority, NOW + 10 * DAY, NULL),
			 0);
	assert_int_equal(pic_certificate_verify(made.leaf[1], made.authority, NOW - DAY, NULL), 0);
}

/* A leaf's key signs another certificate: the classic hole. */
static void a_leaf_is_no_authority(void **state)
{
	struct pic_certificate_order order = {
		PIC_CERTIFICATE_TICKET, "evil", NULL, NULL, NOW - DAY, NOW + DAY
	};
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(65536), chain = PIC_BUF_INIT(65536);
	struct pic_error err = PIC_ERROR_INIT;
	char *forged, *authority_of_same_name;

	(void)state;
	assert_int_equal(pic_certificate_sign(&order, made.other_key, made.key, made.leaf[2], &pem,
					      &err),
			 -EINVAL);
	assert_contains(err.text, "not an authority");
	/* forge it all the same: an authority of the leaf's name and key makes the signature */
	authority_of_same_name =
		sign(PIC_CERTIFICATE_AUTHORITY, "tiny-edge", made.key, made.key, NULL);
	forged = sign(PIC_CERTIFICATE_TICKET, "evil", made.other_key, made.key,
		      authority_of_same_name);
	pic_buf_format(&chain, "%s%s", forged, made.leaf[PIC_CERTIFICATE_SERVER]);
	assert_refused(chain.data, made.authority, NOW, "not signed by the trusted authority");
	free(forged);
	free(authority_of_same_name);
}

static void asks_for_the_use(void **state)
{
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	for (int is = PIC_CERTIFICATE_SERVER; is <= PIC_CERTIFICATE_TICKET; is++)
		for (int asked = PIC_CERTIFICATE_AUTHORITY; asked <= PIC_CERTIFICATE_TICKET;
		     asked++)
			assert_int_equal(pic_certificate_verify_use(made.leaf[is], made.authority,
								    (enum pic_certificate_use)asked,
								    NOW, &err),
					 is == asked ? 0 : -EKEYREJECTED);
	assert_contains(err.text, "not for this use");
	assert_int_equal(pic_certificate_verify_use(made.authority, made.authority,
						    PIC_CERTIFICATE_TICKET, NOW, &err),
			 -EKEYREJECTED);
}

/* By openssl: a certificate for server and client, and one that says nothing of its use. */
static void several_uses_are_none_of_ours(void **state)
{
	static const char both[] =
		"-----BEGIN CERTIFICATE-----\n"
		"MIIBoTCCAUegAwIBAgIUEqG2An/F7zIYsU7xPHhwlMsMSNswCgYIKoZIzj0EAwIw\n"
		"DzENMAsGA1UEAwwEYm90aDAgFw0yNjExMjQxNjAwMTlaGA8yMTI2MTAzMTE2MDAx\n"
		"OVowDzENMAsGA1UEAwwEYm90aDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKTp\n"
		"yOZ8uKU8XAZRTpcuLRnfbpSxmA4kd3Paj40kx9nrSyWMGLKidxX89eqr9IsqDW/N\n"
		"XHvy8P1YJRCm2nQCRBejfzB9MB0GA1UdDgQWBBR9QUYqTKkVd4WW57zbTZqpMYqk\n"
		"ljAfBgNVHSMEGDAWgBR9QUYqTKkVd4WW57zbTZqpMYqkljAMBgNVHRMBAf8EAjAA\n"
		"MA4GA1UdDwEB/wQEAwIHgDAdBgNVHSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIw\n"
		"CgYIKoZIzj0EAwIDSAAwRQIhAMFT0MBACXMEvR4uf9t0a0rxyDezjU/Vv8pH0LRL\n"
		"7DNCAiBw38igE2iM5YgeCgS603ZtXbjR6+Ko92qrqUs7te845A==\n"
		"-----END CERTIFICATE-----\n";
	static const char none[] =
		"-----BEGIN CERTIFICATE-----\n"
		"MIIBcTCCARigAwIBAgIUGmt/bMdFbiyjwsplYXUcGP0MKk0wCgYIKoZIzj0EAwIw\n"
		"DzENMAsGA1UEAwwEbm9uZTAgFw0yNjExMjQxNjAwMTlaGA8yMTI2MTAzMTE2MDAx\n"
		"OVowDzENMAsGA1UEAwwEbm9uZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDoP\n"
		"UnF36ghHYXcju9GoYeUI2DtspYE9mowJE3FB5wYtE1Hf9Jv5FMTI4N0YZWXZVYVF\n"
		"STlRk0VbKmyC+RsE8EWjUDBOMB0GA1UdDgQWBBS6X1j7HtAfLoiH8wyyyPiC98dY\n"
		"1zAfBgNVHSMEGDAWgBS6X1j7HtAfLoiH8wyyyPiC98dY1zAMBgNVHRMBAf8EAjAA\n"
		"MAoGCCqGSM49BAMCA0cAMEQCIBpIrRppQhkgNVTEpI3N62S4enH7IZ5at+k/BnaK\n"
		"HX4AAiBdG7WCJ6q7ihtMjViyJhR+hfG1NPjywA89Us4Ug10B5g==\n"
		"-----END CERTIFICATE-----\n";
	struct pic_certificate_facts facts;

	(void)state;
	assert_int_equal(pic_certificate_read(both, &facts, NULL), 0);
	assert_int_equal(facts.use, PIC_CERTIFICATE_OTHER);
	assert_string_equal(facts.common_name, "both");
	assert_int_equal(pic_certificate_read(none, &facts, NULL), 0);
	assert_int_equal(facts.use, PIC_CERTIFICATE_OTHER);
	for (int use = PIC_CERTIFICATE_AUTHORITY; use <= PIC_CERTIFICATE_TICKET; use++)
		assert_int_equal(pic_certificate_verify_use(none, none,
							    (enum pic_certificate_use)use, 0, NULL),
				 -EKEYREJECTED);
}

static void takes_no_name_that_is_two(void **state)
{
	static const char *const bad[] = { "a,O=admin", "a+O=admin", "a\nO=admin", "a\\",
					   "",		" a",	     "a ",	   "#a",
					   "a\xff",	"a\"b",	     "a=b",	   "a\x1b" };
	struct pic_certificate_order order = {
		PIC_CERTIFICATE_DEVICE, NULL, "device", NULL, NOW, NOW + DAY
	};
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(bad); i++) {
		order.common_name = bad[i];
		assert_int_equal(pic_certificate_sign(&order, made.key, made.authority_key,
						      made.authority, &pem, NULL),
				 -EINVAL);
		order.common_name = "fine";
		order.organization = bad[i];
		assert_int_equal(pic_certificate_sign(&order, made.key, made.authority_key,
						      made.authority, &pem, NULL),
				 -EINVAL);
		order.organization = "device";
	}
	assert_int_equal(pem.size, 0);
}

static void signs_only_what_makes_sense(void **state)
{
	struct pic_certificate_order order = { PIC_CERTIFICATE_DEVICE, "a", NULL, NULL, NOW, NOW };
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(65536);
	const char *bad_address[] = { "a b", NULL };
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_true(pic_certificate_sign(&order, made.key, made.authority_key, made.authority, &pem,
					 &err) < 0);
	assert_contains(err.text, "cannot end before it begins");
	order.not_after_ms = NOW + DAY;
	assert_true(pic_certificate_sign(&order, made.key, made.other_key, made.authority, &pem,
					 &err) < 0);
	assert_contains(err.text, "does not belong");
	assert_true(pic_certificate_sign(&order, made.key, made.other_key, NULL, &pem, &err) < 0);
	assert_true(pic_certificate_sign(&order, made.key, made.authority_key, "rubbish", &pem,
					 &err) < 0);
	order.addresses = bad_address;
	assert_true(pic_certificate_sign(&order, made.key, made.authority_key, made.authority, &pem,
					 &err) < 0);
	assert_int_equal(pem.size, 0);
}

static void long_names_and_far_dates(void **state)
{
	struct pic_certificate_order order = { PIC_CERTIFICATE_DEVICE, NULL, NULL, NULL, 0,
					       4102444800000LL };
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(65536);
	struct pic_certificate_facts facts;
	char name[PIC_OBJECT_NAME_MAX + 1];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	order.common_name = name;
	assert_int_equal(pic_certificate_sign(&order, made.key, made.authority_key, made.authority,
					      &pem, NULL),
			 0);
	assert_int_equal(pic_certificate_read(pem.data, &facts, NULL), 0);
	assert_string_equal(facts.common_name, name);
	assert_true(facts.not_before_ms == 0);
	assert_true(facts.not_after_ms == 4102444800000LL); /* 2100 */
}

static void requests_carry_key_and_name(void **state)
{
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(65536);
	struct pic_key *key = NULL;
	struct pic_sha256 a, b;
	char name[PIC_OBJECT_NAME_MAX + 1] = "";

	(void)state;
	assert_int_equal(pic_request_write(made.key, "tiny-edge", &pem, NULL), 0);
	assert_int_equal(pic_request_read(pem.data, &key, name, NULL), 0);
	assert_string_equal(name, "tiny-edge");
	pic_key_pin(made.key, &a, NULL);
	pic_key_pin(key, &b, NULL);
	assert_true(pic_sha256_equal(&a, &b));
	pic_key_free(key);
	assert_int_equal(pic_request_write(made.key, "a,CN=b", &pem, NULL), -EINVAL);
}

/* One flipped bit at a time: never accepted with another name or key. */
static void a_damaged_request_is_refused(void **state)
{
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(65536);
	int refused = 0, tried = 0;

	(void)state;
	assert_int_equal(pic_request_write(made.key, "tiny-edge", &pem, NULL), 0);
	for (size_t i = strcspn(pem.data, "\n") + 1; i < pem.size - 40; i++) {
		char name[PIC_OBJECT_NAME_MAX + 1], saved = pem.data[i];
		struct pic_key *key = NULL;

		if (saved == '\n' || saved == '=')
			continue;
		pem.data[i] = saved == 'A' ? 'B' : 'A';
		tried++;
		if (pic_request_read(pem.data, &key, name, NULL) < 0)
			refused++;
		else
			pic_key_free(key);
		pem.data[i] = saved;
	}
	/* the last digit before the padding may carry bits that mean nothing */
	assert_true(refused >= tried - 1);
}

static void rubbish_is_refused(void **state)
{
	struct pic_certificate_facts facts;
	struct pic_key *key;
	char name[PIC_OBJECT_NAME_MAX + 1];
	PIC_BUF struct pic_buf half = PIC_BUF_INIT(65536);

	(void)state;
	assert_true(pic_certificate_read("", &facts, NULL) < 0);
	assert_true(pic_certificate_read(NULL, &facts, NULL) < 0);
	assert_true(pic_certificate_read("-----BEGIN CERTIFICATE-----\n", &facts, NULL) < 0);
	assert_true(pic_request_read("", &key, name, NULL) < 0);
	assert_true(pic_request_read(made.authority, &key, name, NULL) < 0);
	assert_true(pic_certificate_key("x", &key, NULL) < 0);
	/* a good certificate and a damaged one behind it */
	pic_buf_format(&half, "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		       made.authority);
	assert_true(pic_certificate_read(half.data, &facts, NULL) < 0);
}

/* What openssl thinks of it, where there is one. */
static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	fputs(text, out);
	fclose(out);
}

static void openssl_agrees(void **state)
{
	char folder[] = "/tmp/pic-openssl-XXXXXX", output[8192] = "";
	FILE *shell;

	(void)state;
	if (system("command -v openssl >/dev/null") != 0)
		skip();
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	write_file("ca.pem", made.authority);
	write_file("server.pem", made.leaf[PIC_CERTIFICATE_SERVER]);
	write_file("device.pem", made.leaf[PIC_CERTIFICATE_DEVICE]);
	write_file("ticket.pem", made.leaf[PIC_CERTIFICATE_TICKET]);
	shell = popen(
		"V='openssl verify -x509_strict -attime 1795528800 -CAfile ca.pem'\n"
		"$V -purpose sslserver -verify_hostname hub.example server.pem\n"
		"$V -purpose sslserver -verify_ip 127.0.0.1 server.pem\n"
		"$V -purpose sslserver -verify_ip fd00::2 server.pem\n"
		"$V -purpose sslclient device.pem\n"
		"$V -purpose sslclient server.pem >/dev/null 2>&1 || echo server is no client\n"
		"$V -purpose sslclient ticket.pem >/dev/null 2>&1 || echo ticket is no client\n"
		"openssl x509 -noout -text -in server.pem | grep -c -e 'Digital Signature' -e critical "
		"-e 'TLS Web Server Authentication' -e 'Subject Key Identifier' -e 'Authority Key Identifier'",
		"r");
	assert_true(fread(output, 1, sizeof(output) - 1, shell) > 0);
	pclose(shell);
	assert_int_equal(system("rm ca.pem server.pem device.pem ticket.pem"), 0);
	assert_int_equal(chdir("/"), 0);
	rmdir(folder);
	assert_string_equal(output,
			    "server.pem: OK\nserver.pem: OK\nserver.pem: OK\ndevice.pem: OK\n"
			    "server is no client\nticket is no client\n6\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_facts),
		cmocka_unit_test(reads_der),
		cmocka_unit_test(verifies_a_chain),
		cmocka_unit_test(refuses_the_wrong_authority),
		cmocka_unit_test(looks_at_the_callers_clock),
		cmocka_unit_test(a_leaf_is_no_authority),
		cmocka_unit_test(asks_for_the_use),
		cmocka_unit_test(several_uses_are_none_of_ours),
		cmocka_unit_test(takes_no_name_that_is_two),
		cmocka_unit_test(signs_only_what_makes_sense),
		cmocka_unit_test(long_names_and_far_dates),
		cmocka_unit_test(requests_carry_key_and_name),
		cmocka_unit_test(a_damaged_request_is_refused),
		cmocka_unit_test(rubbish_is_refused),
		cmocka_unit_test(openssl_agrees),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
