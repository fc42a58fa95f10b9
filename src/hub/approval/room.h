/* What the files of hub/approval share: the room's context. Nobody else includes this. */
#ifndef PIC_HUB_APPROVAL_ROOM_H
#define PIC_HUB_APPROVAL_ROOM_H

#include "base/clock.h"
#include "crypto/digest.h"
#include "hub/approval/object.h"
#include "net/mail.h"

struct pic_resolver;
struct pic_approval_letter; /* mail.c */
struct pic_approval_search; /* items.c */
struct pic_approval_wait;   /* wait.c */

struct pic_approvals {
	struct pic_hub *hub;
	unsigned char key[PIC_SHA256_SIZE]; /* what links and tokens follow from */
	struct pic_timer *timer;	    /* the next expiry or end */
	int64_t timer_wall_ms;		    /* what it is set to; INT64_MAX: not set */
	struct pic_resolver *resolver;
	struct pic_mailer *mailer; /* NULL: no mail is sent */
	struct pic_approval_letter *letters;
	struct pic_approval_search *searches;
	struct pic_approval_wait *waits;
};

/* approvals.c: a new status for an approval, with an event beside it. Fields of `status` as
 * pic_approval_status_copy gave them; it is stolen. */
int pic_approval_put_status(struct pic_approvals *approvals, const struct pic_actor *actor,
			    const struct pic_object *approval, struct pic_json *status,
			    const char *reason, const char *message, pic_change_done_fn *done,
			    void *data, struct pic_error *err);
/* The Approver with this address, whatever its letters' case; borrowed, or NULL. */
struct pic_object *pic_approver_find(struct pic_store *store, const char *mail);
bool pic_approver_is_by_mail(const struct pic_object *approver);

/* prune.c: when what was asked is decided and nothing of it holds any more; INT64_MAX: not yet. */
int64_t pic_approval_over_at(const struct pic_object *approval);
/* Deletes what was over long ago, and the oldest of too many. Gives the time to look again, INT64_MAX: none.
 * `done` gets the room; it is called only when something had to go. */
int64_t pic_approval_prune(struct pic_approvals *approvals, int64_t now_ms,
			   pic_change_done_fn *done);

/* decide.c: "approved by ops@edge.test at 2026-11-24T14:00:00Z", of a phase that is not Pending. */
void pic_approval_outcome_text(const struct pic_object *approval, struct pic_buf *out);

/* secret.c */
int pic_approval_key_load(const char *state, unsigned char key[PIC_SHA256_SIZE],
			  struct pic_error *err);
#define PIC_APPROVAL_SECRET_TEXT 65
void pic_approval_link_secret(const struct pic_approvals *approvals, const char *id,
			      const char *mail, char out[PIC_APPROVAL_SECRET_TEXT]);
/* The key in this hub's address for http stages. */
void pic_approval_url_secret(const struct pic_approvals *approvals,
			     char out[PIC_APPROVAL_SECRET_TEXT]);

/* mail.c: what has to be sent of this approval and is not under way yet. */
void pic_approval_mail_want(struct pic_approvals *approvals, const struct pic_object *approval);
void pic_approval_letters_free(struct pic_approvals *approvals);

/* items.c */
void pic_approval_searches_stop(struct pic_approvals *approvals);
/* How spec.run of a request begins that came through the address for http stages: "url/+<id>", "url/-<random>". */
#define PIC_APPROVAL_RUN_URL "url/"
/* wait.c: an approval has changed, durably. */
void pic_approval_waits_tell(struct pic_approvals *approvals, const struct pic_object *approval);
void pic_approval_waits_stop(struct pic_approvals *approvals);

#endif
