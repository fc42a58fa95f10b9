/* A kubeconfig with the authority and the token in it: one file serves kubectl and piccoloctl. */
#ifndef PIC_HUB_KUBECONFIG_H
#define PIC_HUB_KUBECONFIG_H

#include "base/buffer.h"

/* `authority_pem` is what the client trusts. */
void pic_kubeconfig_write(const char *server, const char *authority_pem, const char *token,
			  struct pic_buf *out);

#endif
