/*
 * The bindings of the ledger: what tickets have allowed, until when, and what was closed. Pure; the supervisor
 * keeps and writes them, the clock is passed in.
 *
 * A ticket binds (approval, workload) to an artifact, its terms and an end, once. The same approval again
 * changes nothing; only another approval allows more. What was closed stays listed until its end at
 * least, so that another ticket finds its approval used up; what is over, until its room is needed: no
 * ticket for it can be good any more.
 */
#ifndef PIC_PROTOCOL_BINDING_H
#define PIC_PROTOCOL_BINDING_H

#include "protocol/ledger.h"
#include "protocol/ticket.h"

/* 1: bound now, `*out` is new; 0: it was already, `*out` is what counts. -EPERM: the ticket is for another
 * device, its approval was closed here or is bound to something else, its time is over; -ESTALE: its stamp is
 * not one of ours; -ENOSPC. */
int pic_binding_make(struct pic_ledger_head *head, struct pic_binding *bindings,
		     const struct pic_ticket *ticket, const char *device, int64_t now_boot_ms,
		     struct pic_binding **out, struct pic_error *err);

/* What somebody wants to start. */
struct pic_binding_wish {
	const struct pic_workload_name *name;
	const char *type;
	const unsigned char *digest; /* PIC_DIGEST_SIZE */
	const unsigned char *terms;  /* PIC_TERMS_SIZE */
};
/* The open binding that allows it for the longest time, by the end in *end_boot_ms: that of the ticket, or
 * lease_max_seconds after it was bound. NULL: none does, with the sentence. */
const struct pic_binding *pic_binding_find(const struct pic_ledger_head *head,
					   const struct pic_binding *bindings,
					   const struct pic_binding_wish *wish,
					   uint32_t lease_max_seconds, int64_t now_boot_ms,
					   int64_t *end_boot_ms, struct pic_error *err);
/* Closes what is open for the workload, from `*from` on: the next one that was closed, or NULL. */
struct pic_binding *pic_binding_close(struct pic_ledger_head *head, struct pic_binding *bindings,
				      const struct pic_workload_name *name, uint32_t *from);
/* Whether the approval that an entry was started by is still open for it; true when there was none. */
bool pic_binding_holds(const struct pic_ledger_head *head, const struct pic_binding *bindings,
		       const struct pic_ledger_entry *entry);

#endif
