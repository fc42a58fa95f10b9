/*
 * Who is who: the hub's own authority (made at first start), the certificate its listener shows, the
 * admin token and enrolment tokens (kept only as SHA-256), device certificates.
 */
#ifndef PIC_HUB_IDENTITY_IDENTITY_H
#define PIC_HUB_IDENTITY_IDENTITY_H

#include "crypto/certificate.h"
#include "hub/store/store.h"
#include "net/server.h"

struct pic_identity;

enum pic_role {
	PIC_ROLE_NOBODY,
	PIC_ROLE_DEVICE, /* a device's certificate; `name` is its target */
	PIC_ROLE_ADMIN,
};

struct pic_caller {
	enum pic_role role;
	char name[PIC_NAME_MAX + 1];
	struct pic_sha256 key_pin; /* DEVICE */
};

/* Loads or makes authority and keys in `folder` (0600). New admin token: *new_token gets it (free it),
 * else NULL. */
int pic_identity_open(struct pic_identity **out, struct pic_store *store, const char *folder,
		      char **new_token, struct pic_error *err);
void pic_identity_close(struct pic_identity *identity);
const char *pic_identity_authority(const struct pic_identity *identity); /* PEM */
void pic_identity_authority_pin(const struct pic_identity *identity, struct pic_sha256 *out);
/* A listener's certificate for these addresses out of the own authority. */
int pic_identity_listener(struct pic_identity *identity, const char *const *addresses,
			  struct pic_buf *certificate, struct pic_buf *key, struct pic_error *err);
/* From the client certificate or `Authorization: Bearer`; never fails: NOBODY. A revoked or retired
 * device is NOBODY. */
void pic_identity_caller(struct pic_identity *identity, const struct pic_exchange *exchange,
			 struct pic_caller *out);
/* A one-time enrolment token for a target; the text is shown once. */
int pic_identity_enroll(struct pic_identity *identity, const struct pic_actor *actor,
			const char *target, int64_t valid_ms, char token[72],
			pic_change_done_fn *done, void *data, struct pic_error *err);
/* Checks and uses up the token; -EACCES with a sentence: wrong, used, expired, other target. */
int pic_identity_redeem(struct pic_identity *identity, const char *target, const char *token,
			struct pic_change *change, struct pic_error *err);
/* A device certificate for the key of a request. */
int pic_identity_certify(struct pic_identity *identity, const char *target, const char *request_pem,
			 struct pic_buf *certificate, struct pic_sha256 *key_pin,
			 struct pic_error *err);

#endif
