/* Decisions: one change that compares and sets, so the first one wins and the others are told by whom. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "hub/approval/room.h"

#define COMMENT_MAX 1000

void pic_approval_outcome_text(const struct pic_object *approval, struct pic_buf *out)
{
	const struct pic_json *status = pic_object_status(approval);
	const char *by = pic_json_get_text(status, "decidedBy");
	const char *at = pic_json_get_text(status, "decidedAt");
	enum pic_approval_phase phase = PIC_APPROVAL_PENDING;

	pic_approval_phase_of(approval, &phase);
	switch (phase) {
	case PIC_APPROVAL_PENDING:
		pic_buf_text_add(out, "not decided");
		return;
	case PIC_APPROVAL_EXPIRED:
		pic_buf_format(out, "not decided by anybody before %s",
			       pic_json_text_or(pic_json_get(pic_object_spec(approval), "expires"),
						"its end"));
		return;
	case PIC_APPROVAL_APPROVED:
	case PIC_APPROVAL_ENDED:
		pic_buf_text_add(out, "approved");
		break;
	case PIC_APPROVAL_REJECTED:
		pic_buf_text_add(out, "rejected");
		break;
	case PIC_APPROVAL_REVOKED:
		pic_buf_text_add(out, "revoked");
		break;
	}
	pic_buf_format(out, " by %s at %s", by ? by : "somebody", at ? at : "an unknown time");
	if (phase == PIC_APPROVAL_ENDED)
		pic_buf_format(out, ", and its time is over since %s",
			       pic_json_text_or(pic_json_get(status, "ends"), "then"));
}

static const struct {
	enum pic_approval_phase to;
	const char *verb, *done;
} verbs[] = {
	[PIC_APPROVAL_APPROVE] = { PIC_APPROVAL_APPROVED, "approve", "approved" },
	[PIC_APPROVAL_REJECT] = { PIC_APPROVAL_REJECTED, "reject", "rejected" },
	[PIC_APPROVAL_REVOKE] = { PIC_APPROVAL_REVOKED, "revoke", "revoked" },
};

/* Addresses are checked here; other names are those of callers whose rights the route has checked. */
static int check_right(struct pic_approvals *approvals, const struct pic_object *approval,
		       const char *by, struct pic_error *err)
{
	if (!strchr(by, '@'))
		return 0;
	if (pic_approval_names(approval, by) && pic_approver_find(approvals->hub->store, by))
		return 0;
	return pic_error_set(err, -EACCES, "%.100s may not decide approval %s", by, approval->name);
}

static int check_move(const struct pic_object *approval, enum pic_approval_verb verb,
		      struct pic_error *err)
{
	PIC_BUF struct pic_buf outcome = PIC_BUF_INIT(1024);
	enum pic_approval_phase phase;

	if (pic_approval_phase_of(approval, &phase) < 0)
		return pic_error_set(err, -EINVAL,
				     "approval %s cannot be read; it allows nothing, ask for a "
				     "new one",
				     approval->name);
	if (pic_approval_may_move(phase, verbs[verb].to))
		return 0;
	if (phase == PIC_APPROVAL_PENDING)
		return pic_error_set(err, -EINVAL,
				     "approval %s is not decided yet; reject it instead",
				     approval->name);
	if (phase == PIC_APPROVAL_APPROVED && verb == PIC_APPROVAL_REJECT)
		return pic_error_set(
			err, -EALREADY, "approval %s was approved by %.100s; revoke it instead",
			approval->name,
			pic_json_text_or(pic_json_get(pic_object_status(approval), "decidedBy"),
					 "somebody"));
	pic_approval_outcome_text(approval, &outcome);
	return pic_error_set(err, phase == PIC_APPROVAL_EXPIRED ? -ETIME : -EALREADY,
			     "approval %s was %s", approval->name, pic_buf_text(&outcome));
}

static int check_time(const struct pic_object *approval, int64_t now_ms, struct pic_error *err)
{
	enum pic_approval_phase phase = PIC_APPROVAL_PENDING;

	/* the timer that moves it may be a moment late */
	if (pic_approval_phase_of(approval, &phase) < 0 || phase != PIC_APPROVAL_PENDING ||
	    pic_approval_time(pic_object_spec(approval), "expires", INT64_MAX) > now_ms)
		return 0;
	return pic_error_set(err, -ETIME, "approval %s can no longer be decided: it expired at %s",
			     approval->name,
			     pic_json_text_or(pic_json_get(pic_object_spec(approval), "expires"),
					      ""));
}

static int set_decision(struct pic_json *status, const struct pic_object *approval,
			enum pic_approval_verb verb, const char *by, const char *comment,
			int64_t now_ms, struct pic_error *err)
{
	char opens[PIC_TIME_TEXT], ends[PIC_TIME_TEXT], now[PIC_TIME_TEXT];
	int64_t opens_ms, ends_ms;
	int r = 0;

	pic_approval_time_text(now_ms, now);
	if (verb == PIC_APPROVAL_APPROVE) {
		r = pic_approval_window(approval, now_ms, &opens_ms, &ends_ms, err);
		if (r < 0)
			return r;
		pic_approval_time_text(opens_ms, opens);
		pic_approval_time_text(ends_ms, ends);
		pic_json_set_text(status, "opens", opens);
		pic_json_set_text(status, "ends", ends);
	}
	pic_json_set_text(status, "phase", pic_approval_phase_text(verbs[verb].to));
	pic_json_set_text(status, "decidedBy", by);
	pic_json_set_text(status, "decidedAt", now);
	if (comment && pic_json_set_text(status, "comment", comment) < 0)
		return pic_error_set(err, -EINVAL, "the comment is no text in UTF-8");
	return r;
}

int pic_approval_decide(struct pic_approvals *approvals, const struct pic_actor *actor,
			const char *space, const char *name, enum pic_approval_verb verb,
			const char *by, const char *comment, pic_change_done_fn *done, void *data,
			struct pic_error *err)
{
	const struct pic_object *approval =
		pic_store_get(approvals->hub->store, PIC_KIND_APPROVAL, space, name);
	const struct pic_actor decider = { by, actor->where, verbs[verb].verb };
	const int64_t now = pic_clock_wall_ms();
	char message[256];

	if (!approval)
		return pic_error_set(err, -ENOENT, "there is no approval %.100s in namespace %.63s",
				     name, space);
	if (comment && strlen(comment) > COMMENT_MAX)
		return pic_error_set(err, -EINVAL, "the comment is longer than %d bytes",
				     COMMENT_MAX);
	int r = check_right(approvals, approval, by, err);
	if (r == 0)
		r = check_move(approval, verb, err);
	if (r == 0)
		r = check_time(approval, now, err);
	if (r < 0)
		return r;
	PIC_JSON struct pic_json *status = pic_approval_status_copy(approval);
	r = set_decision(status, approval, verb, by, comment && *comment ? comment : NULL, now,
			 err);
	if (r < 0)
		return r;
	snprintf(message, sizeof(message), "%s by %.150s", verbs[verb].done, by);
	pic_log(PIC_LOG_INFO, "approval-decided", PIC_TEXT("approval", name),
		PIC_TEXT("decision", verbs[verb].done), PIC_TEXT("by", by));
	return pic_approval_put_status(approvals, &decider, approval, PIC_STEAL(status),
				       pic_approval_phase_text(verbs[verb].to), message, done, data,
				       err);
}
