/*
 * Whether an offered document is taken. Pure.
 *
 * A document is known by epoch and revision. Within an epoch revisions only rise. Another epoch is
 * another memory of the hub: its document is taken only when a person has confirmed it, by enrolling
 * the device afresh or at the hub. A document that is not taken changes nothing.
 *
 * What the document in force lists and the next one passes over in silence is kept: absence removes
 * nothing, also over a reboot.
 */
#ifndef PIC_AGENT_PLAN_ACCEPT_H
#define PIC_AGENT_PLAN_ACCEPT_H

#include "protocol/document.h"

struct pic_acceptance {
	char epoch[PIC_EPOCH_TEXT]; /* "": no document was accepted yet */
	int64_t revision;
	unsigned char digest[PIC_DIGEST_SIZE]; /* of the document's bytes */
	char confirmed
		[PIC_EPOCH_TEXT]; /* the epoch a person agreed to last, by joining or at the hub */
};

enum pic_accept {
	PIC_ACCEPT_NEW,	 /* take it */
	PIC_ACCEPT_SAME, /* it is the one in force */
	PIC_ACCEPT_REFUSED,
};

/* `confirmed_now`: the answer that carried it says that an administrator confirmed its epoch.
 * `broken`: see enum pic_plan_rule. On PIC_ACCEPT_REFUSED `err` says why. */
enum pic_accept pic_accept_document(const struct pic_acceptance *have, const char *device,
				    const struct pic_document *offered,
				    const unsigned char digest[PIC_DIGEST_SIZE], bool confirmed_now,
				    uint32_t broken, struct pic_error *err);

/* The components of `kept` and `old` (either may be NULL) that `next` neither lists nor removes, as a
 * document of their own in *out (NULL when there are none). Properties are shared. -E2BIG when there are
 * more than a document holds. */
int pic_accept_kept(const struct pic_document *kept, const struct pic_document *old,
		    const struct pic_document *next, uint32_t broken, struct pic_document **out,
		    struct pic_error *err);

#endif
