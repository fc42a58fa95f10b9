/*
 * The room: opens with what the store says, follows it, and moves phases whose time has come.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/utf8.h"
#include "hub/approval/room.h"
#include "hub/engine/events.h"
#include "hub/engine/resolver.h"

/* The wall clock may be set: nothing is slept on for longer. */
#define SLEEP_MAX_MS (60LL * 1000)
#define RETRY_MS 5000

/* Approvers. */

struct pic_object *pic_approver_find(struct pic_store *store, const char *mail)
{
	for (struct pic_object *one = pic_store_next(store, PIC_KIND_APPROVER, NULL, NULL); one;
	     one = pic_store_next(store, PIC_KIND_APPROVER, NULL, one)) {
		const char *its = pic_json_get_text(pic_object_spec(one), "mail");

		if (its && mail && strcasecmp(its, mail) == 0)
			return one;
	}
	return NULL;
}

bool pic_approver_is_by_mail(const struct pic_object *approver)
{
	return approver && pic_json_true(pic_json_get(pic_object_spec(approver), "byMail"));
}

/* Writing. */

int pic_approval_put_status(struct pic_approvals *approvals, const struct pic_actor *actor,
			    const struct pic_object *approval, struct pic_json *status,
			    const char *reason, const char *message, pic_change_done_fn *done,
			    void *data, struct pic_error *err)
{
	struct pic_store *store = approvals->hub->store;
	const struct pic_event_subject subject = { PIC_KIND_APPROVAL, approval->space,
						   approval->name, approval->uid };
	struct pic_change *change = pic_change_new(store, actor);
	struct pic_engine_note note = { .warning = false };
	int r = pic_change_put(change, PIC_KIND_APPROVAL,
			       pic_approval_with_status(approval, status), err);

	if (r == 0 && reason) {
		snprintf(note.reason, sizeof(note.reason), "%s", reason);
		snprintf(note.message, sizeof(note.message), "%s", message);
		note.message[pic_utf8_cut(note.message, strlen(note.message))] = '\0';
		r = pic_events_add(store, change, &subject, &note, pic_clock_wall_ms(), err);
	}
	if (r < 0) {
		pic_change_drop(change);
		return r;
	}
	pic_change_commit(change, done, data);
	return 0;
}

/* Time. */

/* When an approval moves on by itself, and where to; INT64_MAX: never. */
static int64_t deadline_of(const struct pic_object *approval, enum pic_approval_phase *next)
{
	enum pic_approval_phase phase;

	if (pic_approval_phase_of(approval, &phase) < 0)
		return INT64_MAX;
	if (phase == PIC_APPROVAL_PENDING) {
		*next = PIC_APPROVAL_EXPIRED;
		return pic_approval_time(pic_object_spec(approval), "expires", INT64_MAX);
	}
	if (phase == PIC_APPROVAL_APPROVED) {
		*next = PIC_APPROVAL_ENDED;
		return pic_approval_time(pic_object_status(approval), "ends", INT64_MAX);
	}
	return INT64_MAX;
}

static void wake_at(struct pic_approvals *approvals, int64_t wall_ms, int64_t now_ms)
{
	int64_t after = wall_ms - now_ms;

	if (wall_ms == INT64_MAX || wall_ms >= approvals->timer_wall_ms)
		return;
	approvals->timer_wall_ms = wall_ms;
	pic_timer_set(approvals->timer, after < 0	       ? 0
					: after < SLEEP_MAX_MS ? after
							       : SLEEP_MAX_MS);
}

static void on_moved(void *data, int status, const struct pic_error *err)
{
	struct pic_approvals *approvals = data;

	if (status == 0)
		return;
	/* taken back: it is still due */
	pic_log(PIC_LOG_ERROR, "approval-not-moved", PIC_TEXT("error", err->text));
	pic_timer_set(approvals->timer, RETRY_MS);
}

static void move_on(struct pic_approvals *approvals, const struct pic_object *approval,
		    enum pic_approval_phase next)
{
	const bool ended = next == PIC_APPROVAL_ENDED;
	const struct pic_actor actor = { "hub", "", ended ? "end" : "expire" };
	struct pic_json *status = pic_approval_status_copy(approval);
	struct pic_error err = PIC_ERROR_INIT;

	pic_json_set_text(status, "phase", pic_approval_phase_text(next));
	if (pic_approval_put_status(approvals, &actor, approval, status,
				    pic_approval_phase_text(next),
				    ended ? "its time is over; what it allowed has ended"
					  : "nobody decided in time",
				    on_moved, approvals, &err) < 0)
		on_moved(approvals, err.code, &err);
}

/* One due approval, kept alive over the change; NULL when nothing is due, *next_ms the next time then. */
static struct pic_object *find_due(struct pic_approvals *approvals, int64_t now_ms,
				   enum pic_approval_phase *next, int64_t *next_ms)
{
	struct pic_store *store = approvals->hub->store;

	*next_ms = INT64_MAX;
	for (struct pic_object *one = pic_store_next(store, PIC_KIND_APPROVAL, NULL, NULL); one;
	     one = pic_store_next(store, PIC_KIND_APPROVAL, NULL, one)) {
		int64_t deadline = deadline_of(one, next);

		if (deadline <= now_ms)
			return pic_object_ref(one);
		if (deadline < *next_ms)
			*next_ms = deadline;
	}
	return NULL;
}

static void on_time(void *data)
{
	struct pic_approvals *approvals = data;
	int64_t now = pic_clock_wall_ms(), next_ms = INT64_MAX;
	enum pic_approval_phase next;
	struct pic_object *due;
	size_t left = pic_store_count(approvals->hub->store, PIC_KIND_APPROVAL);

	approvals->timer_wall_ms = INT64_MAX;
	/* memory changes at once, so each is found once; `left` is for a store that refuses */
	while ((due = find_due(approvals, now, &next, &next_ms)) && left-- > 0) {
		move_on(approvals, due, next);
		pic_object_unref(due);
	}
	pic_object_unref(due);
	wake_at(approvals, next_ms, now);
	wake_at(approvals, pic_approval_prune(approvals, now, on_moved), now);
}

/* Following the store. */

static void on_applied(void *data, enum pic_kind kind, struct pic_object *before,
		       struct pic_object *after, int64_t revision)
{
	struct pic_approvals *approvals = data;
	enum pic_approval_phase next;
	const int64_t now = pic_clock_wall_ms();

	(void)before;
	(void)revision;
	if (kind != PIC_KIND_APPROVAL || !after)
		return;
	wake_at(approvals, deadline_of(after, &next), now);
	if (pic_approval_over_at(after) < INT64_MAX)
		wake_at(approvals, now, now); /* one more that is kept */
}

static void on_durable(void *data, enum pic_kind kind, struct pic_object *before,
		       struct pic_object *after, int64_t revision)
{
	struct pic_approvals *approvals = data;

	(void)revision;
	if (kind != PIC_KIND_APPROVAL)
		return;
	if (after)
		pic_approval_mail_want(approvals, after);
	pic_approval_waits_tell(approvals, after ? after : before);
}

/* Opening. */

static int open_mailer(struct pic_approvals *approvals, struct pic_error *err)
{
	const struct pic_hub_mail *mail = approvals->hub->mail;

	if (!mail)
		return 0;
	const struct pic_mailer_settings settings = {
		.url = mail->url,
		.password = mail->password,
		.authority_pem = mail->authority_pem,
		.from = mail->from,
	};
	return pic_mailer_new(&approvals->mailer, approvals->hub->loop, &settings, err);
}

static int open_all(struct pic_approvals *approvals, struct pic_error *err)
{
	struct pic_hub *hub = approvals->hub;
	int r = pic_approval_key_load(hub->state, approvals->key, err);

	if (r == 0)
		r = pic_loop_timer(hub->loop, on_time, approvals, &approvals->timer, err);
	if (r == 0)
		r = pic_resolver_open(&approvals->resolver, hub, err);
	if (r == 0)
		r = open_mailer(approvals, err);
	if (r == 0 && (pic_store_listen(hub->store, PIC_STORE_APPLIED, on_applied, approvals) < 0 ||
		       pic_store_listen(hub->store, PIC_STORE_DURABLE, on_durable, approvals) < 0))
		r = pic_error_set(err, -ENOMEM, "no memory for approvals");
	return r;
}

int pic_approvals_open(struct pic_approvals **out, struct pic_hub *hub, struct pic_error *err)
{
	struct pic_approvals *approvals = calloc(1, sizeof(*approvals));

	if (!approvals)
		return pic_error_set(err, -ENOMEM, "no memory for approvals");
	approvals->hub = hub;
	approvals->timer_wall_ms = INT64_MAX;
	int r = open_all(approvals, err);
	if (r < 0) {
		pic_store_ignore(hub->store, on_applied, approvals);
		pic_store_ignore(hub->store, on_durable, approvals);
		pic_approvals_close(approvals);
		return r;
	}
	/* what a stop or a crash left: mails to send, times that have come */
	for (struct pic_object *one = pic_store_next(hub->store, PIC_KIND_APPROVAL, NULL, NULL);
	     one; one = pic_store_next(hub->store, PIC_KIND_APPROVAL, NULL, one))
		pic_approval_mail_want(approvals, one);
	pic_timer_set(approvals->timer, 0);
	*out = approvals;
	return 0;
}

void pic_approvals_stop(struct pic_approvals *approvals)
{
	if (!approvals)
		return;
	pic_approval_waits_stop(approvals);
	pic_approval_searches_stop(approvals);
	pic_mailer_free(approvals->mailer);
	approvals->mailer = NULL;
	pic_timer_cancel(approvals->timer);
}

void pic_approvals_close(struct pic_approvals *approvals)
{
	if (!approvals)
		return;
	pic_approvals_stop(approvals);
	pic_approval_letters_free(approvals);
	pic_resolver_close(approvals->resolver);
	pic_timer_free(approvals->timer);
	explicit_bzero(approvals->key, sizeof(approvals->key));
	free(approvals);
}
