/*
 * Who the device is at its hub: made by `piccolo join`, kept in STATE/agent/identity.json (mode 0600),
 * rewritten when the certificate is renewed or another epoch was confirmed.
 */
#ifndef PIC_AGENT_STORE_IDENTITY_H
#define PIC_AGENT_STORE_IDENTITY_H

#include "agent/store/store.h"

struct pic_agent_identity {
	char *hub; /* https://..., no final slash */
	char target[PIC_NAME_MAX + 1];
	char *key;	   /* PEM; a secret */
	char *certificate; /* PEM */
	char *authority;   /* PEM of the hub's CA, checked against the pin at the first contact */
	char *tls_pin;	   /* of the listener's key, or NULL */
	char epoch[PIC_EPOCH_TEXT]; /* the epoch a person agreed to last */
};

/* -ENOENT: the device has not joined. */
int pic_agent_identity_load(struct pic_agent_identity *out, const struct pic_agent_store *store,
			    struct pic_error *err);
int pic_agent_identity_save(const struct pic_agent_identity *identity,
			    const struct pic_agent_store *store, struct pic_error *err);
void pic_agent_identity_clear(struct pic_agent_identity *identity);
#define PIC_IDENTITY PIC_CLEANUP(pic_agent_identity_clear)

#endif
