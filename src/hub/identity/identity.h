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
	PIC_ROLE_BOOT, /* a machine with the key of an Ignition config; `name` is what it will be */
};

struct pic_caller {
	enum pic_role role;
	char name[PIC_NAME_MAX + 1];
	struct pic_sha256 key_pin; /* DEVICE */
	bool is_demo; /* ADMIN by the open login of --insecure-demo: good on the plain listener only */
	bool may_configure; /* BOOT: the key opens the config, not only what the config names */
	bool is_unknown; /* NOBODY, with a certificate of our own for a device that the store lacks: `name` */
};

#define PIC_TOKEN_TEXT 72

/* Loads or makes authority and keys in `folder`/identity (0600). When there is no admin token yet, one is
 * made and stored: *new_token gets it (free it), else NULL. Waits for the disk. */
int pic_identity_open(struct pic_identity **out, struct pic_store *store, const char *folder,
		      char **new_token, struct pic_error *err);
void pic_identity_close(struct pic_identity *identity);
const char *pic_identity_authority(const struct pic_identity *identity); /* PEM */
void pic_identity_authority_pin(const struct pic_identity *identity, struct pic_sha256 *out);
/* A listener's certificate for these addresses out of the own authority. */
int pic_identity_listener(struct pic_identity *identity, const char *const *addresses,
			  struct pic_buf *certificate, struct pic_buf *key, struct pic_error *err);
/* Signs the bytes of a ticket. *certificate: PEM of the signer and the authority, lent until the next call. */
int pic_identity_sign_ticket(struct pic_identity *identity, const void *ticket, size_t size,
			     unsigned char signature[PIC_SIGNATURE_MAX], size_t *signature_size,
			     const char **certificate, struct pic_error *err);
/* From the client certificate or `Authorization: Bearer`; never fails: NOBODY. A revoked or retired
 * device is NOBODY. */
void pic_identity_caller(struct pic_identity *identity, const struct pic_exchange *exchange,
			 struct pic_caller *out);
/* The same for a token without its header: ADMIN or, *out untouched, nobody's. */
void pic_identity_token_caller(struct pic_identity *identity, const char *token,
			       struct pic_caller *out);
bool pic_identity_is_admin_token(struct pic_identity *identity, const char *token);
/* What a login gives: good for 24 h, kept hashed and in memory only. */
void pic_identity_session(struct pic_identity *identity, char token[PIC_TOKEN_TEXT]);
/* The one token of the open login, made at each start. */
void pic_identity_demo_session(struct pic_identity *identity, char token[PIC_TOKEN_TEXT]);
/* Ends every admin token, with the sessions it opened, and makes a new one; waits for the disk: only while the hub does not serve. */
int pic_identity_renew_admin(struct pic_identity *identity, const struct pic_actor *actor,
			     char token[PIC_TOKEN_TEXT], struct pic_error *err);
/* A one-time enrolment token for a target; the text is shown once. */
int pic_identity_enroll(struct pic_identity *identity, const struct pic_actor *actor,
			const char *target, int64_t valid_ms, char token[PIC_TOKEN_TEXT],
			pic_change_done_fn *done, void *data, struct pic_error *err);
/* Checks and uses up the token; -EACCES with a sentence: wrong, used, expired, other target. */
int pic_identity_redeem(struct pic_identity *identity, const char *target, const char *token,
			struct pic_change *change, struct pic_error *err);
/* For an Ignition config, as a part of `change`: a one-time enrolment token and the key that fetches the config and
 * what it names. Either may be NULL. A key that goes along with a token stands in the config itself and opens only what
 * that names: else who has a key would get the next one by it, for ever. Those of the same target that were made long
 * before end. */
int pic_identity_first_boot(struct pic_identity *identity, struct pic_change *change,
			    const char *target, int64_t valid_ms, char token[PIC_TOKEN_TEXT],
			    char key[PIC_TOKEN_TEXT], struct pic_error *err);
/* A key as it came in `Authorization: Bearer`: BOOT or NOBODY. */
void pic_identity_boot_caller(struct pic_identity *identity, const struct pic_exchange *exchange,
			      struct pic_caller *out);
/* Ends every token and key of a target, used ones and others, as a part of `change`. */
void pic_identity_void(struct pic_identity *identity, struct pic_change *change,
		       const char *target);
/* A device certificate, good for a year, for the key of a request that names `target`. */
int pic_identity_certify(struct pic_identity *identity, const char *target, const char *request_pem,
			 struct pic_buf *certificate, struct pic_sha256 *key_pin,
			 struct pic_error *err);

#endif
