/*
 * The hub's own authority as files: authority.key, authority.pem and listener.key in one folder. Made
 * at the first start; a key without its certificate, or one that does not fit it, is an error and never
 * replaced, because every device trusts exactly this one.
 */
#ifndef PIC_HUB_IDENTITY_AUTHORITY_H
#define PIC_HUB_IDENTITY_AUTHORITY_H

#include "crypto/certificate.h"

struct pic_authority {
	struct pic_key *key;
	struct pic_key *listener_key;
	struct pic_sha256 pin;
	char *pem;
};

int pic_authority_open(struct pic_authority *authority, int folder_fd, const char *folder,
		       struct pic_error *err);
void pic_authority_close(struct pic_authority *authority);

#endif
