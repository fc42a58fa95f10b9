/*
 * This hub's address for http stages, "PUBLIC_URL/approve?key=<secret>": a call makes an approval and is
 * answered when it is decided, 200 or 403. For a Symphony elsewhere; campaigns of this hub need no call.
 *
 *   id=TEXT         which question this is: asked again under the same id, also after it was decided, the same
 *                   answer comes. Without it a call joins the one that waits for the same reason, or asks anew
 *   reason=TEXT     what the approver reads
 *   namespace=NAME  where the approval is kept (default)
 *   wait=SECONDS    202 with Retry-After when nobody has decided by then; without it the call is held
 *
 * A call that breaks off, or whose hub is killed, loses nothing: the approval stays, the next call joins it.
 */
#ifndef PIC_HUB_APPROVAL_WAIT_H
#define PIC_HUB_APPROVAL_WAIT_H

#include "hub/approval/approval.h"
#include "hub/route.h"

void pic_approval_url_handle(struct pic_hub *hub, struct pic_exchange *exchange,
			     const struct pic_route_match *match);
/* The address with its key; for administrators. */
void pic_approval_url_write(struct pic_approvals *approvals, struct pic_buf *out);

#endif
