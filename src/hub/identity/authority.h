/*
 * The hub's own authority as files: authority.key, authority.pem, listener.key and the signer of tickets,
 * ticket.key and ticket.pem, in one folder. Made at the first start; an authority's key without its
 * certificate, or one that does not fit it, is an error and never replaced, because every device trusts
 * exactly this one. The signer's certificate can always be made again, and is in time.
 */
#ifndef PIC_HUB_IDENTITY_AUTHORITY_H
#define PIC_HUB_IDENTITY_AUTHORITY_H

#include "crypto/certificate.h"

struct pic_authority {
	struct pic_key *key;
	struct pic_key *listener_key;
	struct pic_sha256 pin;
	char *pem;
	struct pic_key *ticket_key;
	char *ticket_pem; /* of the signer, and the authority's behind it */
	int64_t ticket_until_ms;
};

int pic_authority_open(struct pic_authority *authority, int folder_fd, const char *folder,
		       struct pic_error *err);
/* Looks whether the signer's certificate is good for a while longer, else makes it anew. */
int pic_authority_renew_ticket(struct pic_authority *authority, int folder_fd, int64_t now_ms,
			       struct pic_error *err);
void pic_authority_close(struct pic_authority *authority);

#endif
