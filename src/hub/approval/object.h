/*
 * Approval objects as JSON: reading them back with every field checked, and writing their next status.
 * Pure: no store, no clock. Objects are never changed in place; writers give a new tree that shares what
 * did not change. Internal to hub/approval; others read with pic_approval_read.
 */
#ifndef PIC_HUB_APPROVAL_OBJECT_H
#define PIC_HUB_APPROVAL_OBJECT_H

#include "base/clock.h"
#include "hub/approval/approval.h"

#define PIC_APPROVAL_MAIL_MAX 254 /* RFC 5321 4.5.3.1.3 */

/* The phase, PENDING when there is no status yet; -EINVAL when it is none of ours. */
int pic_approval_phase_of(const struct pic_object *object, enum pic_approval_phase *out);
/* The table of allowed moves: nothing ever leads back, so each is made once. */
bool pic_approval_may_move(enum pic_approval_phase from, enum pic_approval_phase to);

/* RFC 3339 with milliseconds: a lease of seconds must not lose a part of one. */
void pic_approval_time_text(int64_t wall_ms, char out[PIC_TIME_TEXT]);
/* A time of spec or status; `fallback` when it is absent or damaged. */
int64_t pic_approval_time(const struct pic_json *part, const char *key, int64_t fallback);

/* Opening and end as they would be if it were approved at `now_ms`. -ETIME: it would have ended already;
 * -EINVAL: it says no length. */
int pic_approval_window(const struct pic_object *object, int64_t now_ms, int64_t *opens_ms,
			int64_t *ends_ms, struct pic_error *err);

/* The whole object with this status, which is stolen; NULL: no memory. */
struct pic_json *pic_approval_with_status(const struct pic_object *object, struct pic_json *status);
/* A status of one's own to change. */
struct pic_json *pic_approval_status_copy(const struct pic_object *object);

/* A mail address that can stand in an SMTP command and in a header as it is: one "@", no blank, no control
 * character, no quoting, ASCII. */
bool pic_approval_mail_is_valid(const char *mail);
/* Whether `mail` is in spec.approvers, whatever its letters' case. */
bool pic_approval_names(const struct pic_object *object, const char *mail);

#endif
