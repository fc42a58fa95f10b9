/*
 * Whether a ticket is what a hub signed that this device trusts: the certificate's chain to the authority that
 * root pinned, its use, the signature. Pure; a child without powers runs it, for the bytes are a stranger's.
 */
#ifndef PIC_WORKLOAD_TICKET_CHECK_H
#define PIC_WORKLOAD_TICKET_CHECK_H

#include "protocol/ticket.h"

/* `pin`: "sha256:<hex>" of the authority's key. 0, or negative with the sentence. No date is looked at: the
 * device's wall clock plays no part, a ticket is fresh by its stamp. */
int pic_ticket_check(const struct pic_signed_ticket *ticket, const char *pin,
		     struct pic_error *err);

#endif
