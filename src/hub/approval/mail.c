/*
 * The queue of mails. On the disk it is status.mail of each approval; here are only the letters that are
 * under way or wait for their next try. A mail counts as sent when the server has said so and that is
 * durable: after a crash between the two it is sent again, with the same Message-ID and the same link.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "hub/approval/mail_text.h"
#include "hub/approval/room.h"

#define MESSAGE_MAX (512 * 1024)
#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS (5 * 60 * 1000)
#define LETTERS_MAX 4096

struct pic_approval_letter {
	struct pic_approval_letter *next;
	struct pic_approvals *approvals;
	struct pic_timer *timer; /* until the next try */
	int64_t delay_ms;
	bool is_sent; /* and that is being written down */
	char space[PIC_NAME_MAX + 1], name[PIC_OBJECT_NAME_MAX + 1], uid[64];
	char to[PIC_APPROVAL_MAIL_MAX + 1];
};

static void letter_free(struct pic_approval_letter *letter)
{
	for (struct pic_approval_letter **link = &letter->approvals->letters; *link;
	     link = &(*link)->next) {
		if (*link == letter) {
			*link = letter->next;
			break;
		}
	}
	pic_timer_free(letter->timer);
	free(letter);
}

static struct pic_approval_letter *find_letter(struct pic_approvals *approvals, const char *uid,
					       const char *to)
{
	for (struct pic_approval_letter *one = approvals->letters; one; one = one->next)
		if (strcmp(one->uid, uid) == 0 && strcmp(one->to, to) == 0)
			return one;
	return NULL;
}

/* The approval as it is now, when it is still the one and this letter is still to be sent. */
static const struct pic_object *letter_approval(const struct pic_approval_letter *letter)
{
	const struct pic_object *approval = pic_store_get(
		letter->approvals->hub->store, PIC_KIND_APPROVAL, letter->space, letter->name);

	return approval && strcmp(approval->uid, letter->uid) == 0 ? approval : NULL;
}

static struct pic_json *entry_of(const struct pic_json *status, const char *to)
{
	const struct pic_json *list = pic_json_get(status, "mail");

	for (size_t i = 0; i < pic_json_count(list); i++) {
		struct pic_json *one = pic_json_at(list, i);
		const char *its = pic_json_get_text(one, "to");

		if (its && strcmp(its, to) == 0)
			return one;
	}
	return NULL;
}

static void send_letter(struct pic_approval_letter *letter);

/* Writing down what came of it. */

static void on_recorded(void *data, int status, const struct pic_error *err)
{
	struct pic_approval_letter *letter = data;

	if (status < 0)
		pic_log(PIC_LOG_ERROR, "mail-not-recorded", PIC_TEXT("to", letter->to),
			PIC_TEXT("error", err->text));
	if (letter->is_sent)
		letter_free(letter);
}

static void record(struct pic_approval_letter *letter, const char *state, const char *error)
{
	static const struct pic_actor actor = { "hub", "", "mail" };
	const struct pic_object *approval = letter_approval(letter);
	struct pic_json *status = approval ? pic_approval_status_copy(approval) : NULL;
	struct pic_json *entry = entry_of(status, letter->to);
	struct pic_error err = PIC_ERROR_INIT;
	char now[PIC_TIME_TEXT];
	long long attempts = 0;

	if (!entry) { /* deleted meanwhile */
		pic_json_unref(status);
		on_recorded(letter, 0, NULL);
		return;
	}
	pic_approval_time_text(pic_clock_wall_ms(), now);
	pic_json_integer(pic_json_get(entry, "attempts"), &attempts);
	pic_json_set_text(entry, "state", state);
	pic_json_set_integer(entry, "attempts", attempts + 1);
	pic_json_set_text(entry, "at", now);
	if (error)
		pic_json_set_text(entry, "lastError", error);
	else
		pic_json_delete(entry, "lastError");
	if (pic_approval_put_status(letter->approvals, &actor, approval, status, NULL, NULL,
				    on_recorded, letter, &err) < 0)
		on_recorded(letter, err.code, &err);
}

static void try_later(struct pic_approval_letter *letter)
{
	int64_t delay = letter->delay_ms ? 2 * letter->delay_ms : RETRY_FIRST_MS;

	letter->delay_ms = delay < RETRY_LAST_MS ? delay : RETRY_LAST_MS;
	pic_timer_set(letter->timer,
		      letter->delay_ms / 2 +
			      (int64_t)pic_random_below((unsigned long long)letter->delay_ms));
}

static void on_sent(void *data, enum pic_mail_result result, const struct pic_error *err)
{
	struct pic_approval_letter *letter = data;

	if (result == PIC_MAIL_SENT) {
		pic_log(PIC_LOG_INFO, "mail-sent", PIC_TEXT("approval", letter->name),
			PIC_TEXT("to", letter->to));
		letter->is_sent = true;
		record(letter, "Sent", NULL);
		return;
	}
	pic_log(PIC_LOG_WARNING, "mail-not-sent", PIC_TEXT("approval", letter->name),
		PIC_TEXT("error", err->text));
	/* A "no for good" may be a mistake that somebody mends: it is tried again too, but shown as failed. */
	try_later(letter);
	record(letter, result == PIC_MAIL_REFUSED ? "Failed" : "Queued", err->text);
}

/* Sending. */

static int write_message(struct pic_approval_letter *letter, const struct pic_object *approval,
			 struct pic_buf *out, struct pic_error *err)
{
	struct pic_approvals *approvals = letter->approvals;
	const struct pic_hub *hub = approvals->hub;
	const char *id = pic_json_text_or(pic_json_get(pic_object_spec(approval), "id"), "");
	const bool by_mail = pic_approver_is_by_mail(pic_approver_find(hub->store, letter->to));
	char secret[PIC_APPROVAL_SECRET_TEXT];
	const struct pic_approval_mail mail = {
		.approval = approval,
		.public_url = hub->public_url,
		.from = hub->mail->from,
		.to = letter->to,
		.secret = by_mail ? secret : NULL,
		.now_ms = pic_clock_wall_ms(),
	};

	pic_approval_link_secret(approvals, id, letter->to, secret);
	return pic_approval_mail_write(&mail, out, err);
}

/* Whether the mail still makes sense; else its letter goes. */
static const struct pic_object *still_wanted(struct pic_approval_letter *letter)
{
	const struct pic_object *approval = letter_approval(letter);
	enum pic_approval_phase phase;

	if (approval && pic_approval_phase_of(approval, &phase) == 0 &&
	    phase == PIC_APPROVAL_PENDING)
		return approval;
	letter->is_sent = true; /* or as good as */
	if (approval)
		record(letter, "Failed", "it was decided before the mail could be sent");
	else
		letter_free(letter);
	return NULL;
}

static void send_letter(struct pic_approval_letter *letter)
{
	PIC_BUF struct pic_buf message = PIC_BUF_INIT(MESSAGE_MAX);
	const struct pic_object *approval = still_wanted(letter);
	struct pic_error err = PIC_ERROR_INIT;

	if (!approval)
		return;
	int r = write_message(letter, approval, &message, &err);
	if (r == 0)
		r = pic_mailer_send(letter->approvals->mailer, letter->to, pic_buf_take(&message),
				    on_sent, letter, &err);
	if (r < 0)
		on_sent(letter, PIC_MAIL_LATER, &err);
}

static void on_timer(void *data)
{
	send_letter(data);
}

static struct pic_approval_letter *new_letter(struct pic_approvals *approvals,
					      const struct pic_object *approval, const char *to)
{
	struct pic_approval_letter *letter = calloc(1, sizeof(*letter));
	struct pic_error err = PIC_ERROR_INIT;

	if (!letter)
		return NULL;
	letter->approvals = approvals;
	snprintf(letter->space, sizeof(letter->space), "%s", approval->space);
	snprintf(letter->name, sizeof(letter->name), "%s", approval->name);
	snprintf(letter->uid, sizeof(letter->uid), "%s", approval->uid);
	snprintf(letter->to, sizeof(letter->to), "%s", to);
	if (pic_loop_timer(approvals->hub->loop, on_timer, letter, &letter->timer, &err) < 0) {
		free(letter);
		return NULL;
	}
	letter->next = approvals->letters;
	approvals->letters = letter;
	return letter;
}

void pic_approval_mail_want(struct pic_approvals *approvals, const struct pic_object *approval)
{
	const struct pic_json *list = pic_json_get(pic_object_status(approval), "mail");
	enum pic_approval_phase phase;

	if (!approvals->mailer || pic_approval_phase_of(approval, &phase) < 0 ||
	    phase != PIC_APPROVAL_PENDING)
		return;
	for (size_t i = 0; i < pic_json_count(list); i++) {
		const struct pic_json *one = pic_json_at(list, i);
		const char *to = pic_json_get_text(one, "to");
		const char *state = pic_json_text_or(pic_json_get(one, "state"), "");

		if (!to || strcmp(state, "Sent") == 0 || !pic_approval_mail_is_valid(to) ||
		    find_letter(approvals, approval->uid, to))
			continue;
		struct pic_approval_letter *letter = new_letter(approvals, approval, to);
		if (letter)
			pic_timer_set(letter->timer, 0);
	}
}

void pic_approval_letters_free(struct pic_approvals *approvals)
{
	while (approvals->letters)
		letter_free(approvals->letters);
}
