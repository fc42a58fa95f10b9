/*
 * Tokens: 256 random bits as text, kept only as SHA-256. An object of kind TOKEN is named by purpose
 * and the digest's first half, so that one is found without walking all.
 */
#ifndef PIC_HUB_IDENTITY_TOKEN_H
#define PIC_HUB_IDENTITY_TOKEN_H

#include "hub/identity/identity.h"

enum pic_token_purpose {
	PIC_TOKEN_ADMIN,
	PIC_TOKEN_ENROLL,
	PIC_TOKEN_SESSION, /* never stored */
	PIC_TOKEN_BOOT, /* of a device that is yet to come: opens its Ignition config and what that names */
};

/* A new one: its text and what is kept of it. */
void pic_token_make(enum pic_token_purpose purpose, char token[PIC_TOKEN_TEXT],
		    struct pic_sha256 *digest);
/* The digest of a text a stranger sent; false when it cannot be a token. */
bool pic_token_digest(const char *token, struct pic_sha256 *digest);
/* The stored object, borrowed, or NULL. */
struct pic_object *pic_token_find(struct pic_store *store, enum pic_token_purpose purpose,
				  const struct pic_sha256 *digest);
/* Kube's form to put; `target` and `expires_ms` for enrolment, else NULL and 0. */
struct pic_json *pic_token_object(enum pic_token_purpose purpose, const struct pic_sha256 *digest,
				  const char *target, int64_t expires_ms);
bool pic_token_is(const struct pic_object *object, enum pic_token_purpose purpose);

#endif
