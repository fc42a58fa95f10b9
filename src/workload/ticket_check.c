#include "workload/ticket_check.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/certificate.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"

/* The signer's certificate, and behind it the authority's. */
static int split(const char *pem, char *signer, const char **authority, struct pic_error *err)
{
	const char *first = strstr(pem, BEGIN);
	const char *second = first ? strstr(first + 1, BEGIN) : NULL;

	if (!second || strstr(second + 1, BEGIN))
		return pic_error_set(err, -EBADMSG,
				     "a ticket needs two certificates, its signer's and the "
				     "authority's");
	memcpy(signer, pem, (size_t)(second - pem));
	signer[second - pem] = '\0';
	*authority = second;
	return 0;
}

static int check_authority(const char *pem, const char *pin, struct pic_error *err)
{
	struct pic_certificate_facts facts;
	struct pic_sha256 wanted;
	char is[PIC_SHA256_TEXT];

	if (pic_sha256_parse(pin, &wanted) < 0)
		return pic_error_set(err, -EBADMSG, "ca-pin is not one of a hub's authority");
	if (pic_certificate_read(pem, &facts, err) < 0)
		return pic_error_set(err, -EBADMSG, "the authority beside the ticket is damaged");
	pic_sha256_text(&facts.key_pin, is);
	if (!pic_sha256_equal(&facts.key_pin, &wanted))
		return pic_error_set(
			err, -EBADMSG,
			"the ticket is from the authority sha256:%s, which is not the one "
			"that this device has pinned (after `piccolo join` restart piccolo)",
			is);
	return 0;
}

static int check_signature(const struct pic_signed_ticket *ticket, const char *signer,
			   struct pic_error *err)
{
	PIC_CLEANUP(pic_key_free_pointer) struct pic_key *key = NULL;
	struct pic_sha256 digest;

	if (pic_certificate_key(signer, &key, err) < 0)
		return pic_error_set(err, -EBADMSG, "the ticket's certificate has no key of ours");
	pic_sha256_of(ticket->ticket, sizeof(ticket->ticket), &digest);
	if (pic_key_verify(key, &digest, ticket->signature, ticket->signature_size, err) < 0)
		return pic_error_set(err, -EBADMSG,
				     "the ticket's signature is wrong: somebody has changed it");
	return 0;
}

int pic_ticket_check(const struct pic_signed_ticket *ticket, const char *pin, struct pic_error *err)
{
	char signer[PIC_TICKET_CERTIFICATE_MAX];
	const char *authority;
	int r;

	if (!memchr(ticket->certificate, '\0', sizeof(ticket->certificate)) ||
	    ticket->signature_size > sizeof(ticket->signature))
		return pic_error_set(err, -EBADMSG, "the ticket's wrapping is damaged");
	r = split(ticket->certificate, signer, &authority, err);
	if (r == 0)
		r = check_authority(authority, pin, err);
	if (r < 0)
		return r;
	if (pic_certificate_verify_use(signer, authority, PIC_CERTIFICATE_TICKET, 0, err) < 0)
		return pic_error_wrap(err, -EBADMSG, "the ticket's certificate");
	return check_signature(ticket, signer, err);
}
