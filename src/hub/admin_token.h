/*
 * Where the admin token goes: with --dev into STATE/admin.token and STATE/kubeconfig (both 0600),
 * otherwise to the terminal, or without one to STATE/admin.token. Never to the log.
 */
#ifndef PIC_HUB_ADMIN_TOKEN_H
#define PIC_HUB_ADMIN_TOKEN_H

#include "hub/hub.h"

/* Right after the identity was opened. `fresh` is the first token, or NULL when there was one before. */
int pic_admin_token_hand_over(int state_fd, const char *state, const char *fresh, bool dev,
			      struct pic_error *err);
/* With --dev, once the listeners stand: the kubeconfig, with a new token when the file's is lost. */
int pic_admin_token_kubeconfig(struct pic_hub *hub, int state_fd, const char *trusted_pem,
			       struct pic_error *err);

#endif
