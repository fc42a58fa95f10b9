/* Who may sign a ticket: the hub's own signer, under the authority that root pinned, and nobody else. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/certificate.h"
#include "workload/ticket_check.h"

#define NOW 1795528800000LL
#define DAY 86400000LL

static struct {
	struct pic_key *authority_key, *other_key, *key;
	char *authority, *other, *signer, *device;
	char pin[80];
} made;

static char *certify(enum pic_certificate_use use, const struct pic_key *subject,
		     const struct pic_key *issuer, const char *issuer_pem)
{
	struct pic_buf pem = PIC_BUF_INIT(65536);
	struct pic_error err = PIC_ERROR_INIT;
	const struct pic_certificate_order order = {
		.use = use,
		.common_name = "Piccolo hub",
		.organization = use == PIC_CERTIFICATE_DEVICE ? "device" : NULL,
		.not_before_ms = NOW - DAY,
		.not_after_ms = NOW + DAY,
	};

	if (pic_certificate_sign(&order, subject, issuer, issuer_pem, &pem, &err) < 0)
		fail_msg("%s", err.text);
	return pic_buf_take(&pem);
}

static int setup(void **state)
{
	struct pic_sha256 pin;

	(void)state;
	assert_int_equal(pic_key_generate(&made.authority_key, NULL), 0);
	assert_int_equal(pic_key_generate(&made.other_key, NULL), 0);
	assert_int_equal(pic_key_generate(&made.key, NULL), 0);
	made.authority =
		certify(PIC_CERTIFICATE_AUTHORITY, made.authority_key, made.authority_key, NULL);
	made.other = certify(PIC_CERTIFICATE_AUTHORITY, made.other_key, made.other_key, NULL);
	made.signer = certify(PIC_CERTIFICATE_TICKET, made.key, made.authority_key, made.authority);
	made.device = certify(PIC_CERTIFICATE_DEVICE, made.key, made.authority_key, made.authority);
	assert_int_equal(pic_key_pin(made.authority_key, &pin, NULL), 0);
	strcpy(made.pin, "sha256:");
	pic_sha256_text(&pin, made.pin + 7);
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
	free(made.signer);
	free(made.device);
	return 0;
}

static struct pic_signed_ticket ticket_by(const struct pic_key *key, const char *certificate,
					  const char *authority)
{
	struct pic_signed_ticket out = { .ticket = "pictkt1" };
	struct pic_sha256 digest;
	size_t size = 0;

	memset(out.ticket + 8, 0x5a, sizeof(out.ticket) - 8);
	pic_sha256_of(out.ticket, sizeof(out.ticket), &digest);
	assert_int_equal(pic_key_sign(key, &digest, out.signature, &size, NULL), 0);
	out.signature_size = (uint16_t)size;
	assert_true(snprintf(out.certificate, sizeof(out.certificate), "%s%s", certificate,
			     authority) < (int)sizeof(out.certificate));
	return out;
}

static void refused(const struct pic_signed_ticket *ticket, const char *pin, const char *sentence)
{
	struct pic_error err = PIC_ERROR_INIT;

	assert_true(pic_ticket_check(ticket, pin, &err) < 0);
	if (!strstr(err.text, sentence))
		fail_msg("'%s' does not say '%s'", err.text, sentence);
}

static void the_hubs_own_is_good(void **state)
{
	const struct pic_signed_ticket ticket = ticket_by(made.key, made.signer, made.authority);
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	if (pic_ticket_check(&ticket, made.pin, &err) < 0)
		fail_msg("%s", err.text);
}

static void every_altered_byte_is_seen(void **state)
{
	const struct pic_signed_ticket good = ticket_by(made.key, made.signer, made.authority);
	struct pic_signed_ticket bad;

	(void)state;
	for (size_t i = 0; i < sizeof(bad.ticket); i += 13) {
		bad = good;
		bad.ticket[i] ^= 1;
		refused(&bad, made.pin, "signature is wrong");
	}
	bad = good;
	bad.signature[bad.signature_size - 1u] ^= 1;
	refused(&bad, made.pin, "signature is wrong");
	bad = good;
	bad.signature_size--;
	refused(&bad, made.pin, "signature is wrong");
	bad = good;
	bad.signature_size = PIC_TICKET_SIGNATURE_MAX + 1;
	refused(&bad, made.pin, "wrapping");
	bad = good;
	memset(bad.certificate, 'a', sizeof(bad.certificate));
	refused(&bad, made.pin, "wrapping");
}

static void only_a_signer_of_tickets_counts(void **state)
{
	char *forged = certify(PIC_CERTIFICATE_TICKET, made.key, made.other_key, made.other);
	char *self_made = certify(PIC_CERTIFICATE_AUTHORITY, made.key, made.key, NULL);
	char *by_device = certify(PIC_CERTIFICATE_TICKET, made.other_key, made.key, self_made);
	struct pic_signed_ticket ticket;

	(void)state;
	/* a device's certificate is of the same authority and has a key that its device can use */
	ticket = ticket_by(made.key, made.device, made.authority);
	refused(&ticket, made.pin, "not for this use");
	/* a device makes itself a signer, in the authority's name but with its own key */
	ticket = ticket_by(made.other_key, by_device, made.authority);
	refused(&ticket, made.pin, "the ticket's certificate");
	/* the authority's own key signs no tickets */
	ticket = ticket_by(made.authority_key, made.authority, made.authority);
	refused(&ticket, made.pin, "not for this use");
	/* another authority, with a signer of its own; then with ours beside it */
	ticket = ticket_by(made.key, forged, made.other);
	refused(&ticket, made.pin, "not the one that this device has pinned");
	ticket = ticket_by(made.key, forged, made.authority);
	refused(&ticket, made.pin, "the ticket's certificate");
	/* somebody else's key under the right certificate */
	ticket = ticket_by(made.other_key, made.signer, made.authority);
	refused(&ticket, made.pin, "signature is wrong");
	free(forged);
	free(by_device);
	free(self_made);
}

static void the_chain_has_two_links(void **state)
{
	struct pic_signed_ticket ticket = ticket_by(made.key, made.signer, "");

	(void)state;
	refused(&ticket, made.pin, "two certificates");
	snprintf(ticket.certificate, sizeof(ticket.certificate),
		 "-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n"
		 "-----BEGIN CERTIFICATE-----\n");
	refused(&ticket, made.pin, "two certificates");
	snprintf(ticket.certificate, sizeof(ticket.certificate),
		 "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n%s",
		 made.authority);
	refused(&ticket, made.pin, "the ticket's certificate");
	snprintf(ticket.certificate, sizeof(ticket.certificate),
		 "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", made.signer);
	refused(&ticket, made.pin, "beside the ticket is damaged");
	ticket = ticket_by(made.key, made.signer, made.authority);
	refused(&ticket, "sha256:12", "ca-pin");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hubs_own_is_good),
		cmocka_unit_test(every_altered_byte_is_seen),
		cmocka_unit_test(only_a_signer_of_tickets_counts),
		cmocka_unit_test(the_chain_has_two_links),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
