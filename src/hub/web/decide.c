/*
 * The page of one request, and its decision. Two ways in: an administrator who is signed in, or the link of a
 * mail to an approver with byMail. Looking decides nothing; the POST brings the token that the page gave out.
 */
#include "hub/web/room.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/approval/approval.h"
#include "hub/web/request.h"

#define COMMENT_MAX 400

/* Who looks or decides. */
struct visitor {
	const struct pic_web_session *session;	  /* or NULL: the mail's link */
	const char *key;			  /* of the link; NULL when signed in */
	char token[PIC_APPROVAL_PAGE_TOKEN_TEXT]; /* for the form */
	char by[PIC_APPROVAL_BY_TEXT];
};

/* The address of the page for this visitor. */
static void address_of(const char *id, const struct visitor *visitor, struct pic_buf *out)
{
	pic_html_path(out, "/approvals/%s", id);
	if (visitor->key)
		pic_html_path(out, "?key=%s", visitor->key);
}

static struct pic_object *find(struct pic_hub *hub, struct pic_exchange *exchange, const char *id)
{
	struct pic_object *approval = pic_approval_find_by_id(hub->approvals, id);

	if (!approval)
		pic_web_refuse(exchange, 404, "there is no such request (any more)");
	return approval;
}

/* False: the exchange has been refused. A stranger does not learn which requests there are. */
static bool let_look(struct pic_hub *hub, struct pic_exchange *exchange, const char *id,
		     struct visitor *out)
{
	struct pic_error err = PIC_ERROR_INIT;

	*out = (struct visitor){ .session = pic_web_session(hub->web, exchange) };
	if (out->session) {
		snprintf(out->token, sizeof(out->token), "%s", out->session->form_token);
		snprintf(out->by, sizeof(out->by), "admin");
		return true;
	}
	out->key = pic_exchange_query(exchange, "key");
	if (!out->key) {
		pic_web_refuse(exchange, 401, "sign in, or use the link of the mail");
		return false;
	}
	int r = pic_approval_page_token_make(hub->approvals, id, out->key, out->token, out->by,
					     &err);
	if (r < 0)
		pic_web_refuse(exchange, pic_status_of_error(r), err.text);
	return r == 0;
}

static void write_form_begin(struct pic_page *page, const char *id, const struct visitor *visitor)
{
	PIC_BUF struct pic_buf address = PIC_BUF_INIT(8192);

	address_of(id, visitor, &address);
	pic_html_begin(&page->html, "form", "method", "post", "action", pic_buf_text(&address),
		       "class", "card decide", NULL);
	pic_page_hidden(page, "token", visitor->token);
}

static void write_button(struct pic_page *page, const char *class, const char *verb,
			 const char *text)
{
	pic_html_element(&page->html, "button", text, "class", class, "name", "decision", "value",
			 verb, NULL);
}

/* A text area, not an input: Enter in an input would press the first button. */
static void write_comment(struct pic_page *page)
{
	pic_html_element(&page->html, "label", "Remark (may be left empty)", "for", "comment",
			 NULL);
	pic_html_element(&page->html, "textarea", NULL, "id", "comment", "name", "comment", "rows",
			 "2", "maxlength", "400", NULL);
}

static void write_forms(struct pic_page *page, const char *id, const char *phase,
			const struct visitor *visitor)
{
	struct pic_html *html = &page->html;

	if (strcmp(phase, "Pending") == 0) {
		write_form_begin(page, id, visitor);
		pic_html_begin(html, "p", NULL);
		pic_html_format(html, "You decide as %s.", visitor->by);
		pic_html_end(html);
		write_comment(page);
		pic_html_begin(html, "div", "class", "actions", NULL);
		write_button(page, "approve", "approve", "Approve");
		write_button(page, "reject", "reject", "Reject");
		pic_html_end(html);
		pic_html_end(html);
	} else if (strcmp(phase, "Approved") == 0 && visitor->session) {
		write_form_begin(page, id, visitor);
		pic_html_element(html, "p",
				 "Taking it back ends it at once on every device that can be "
				 "reached, and elsewhere at its next contact or its end.",
				 NULL);
		write_comment(page);
		pic_html_begin(html, "div", "class", "actions", NULL);
		write_button(page, "reject", "revoke", "Take it back");
		pic_html_end(html);
		pic_html_end(html);
	}
}

static void show(struct pic_hub *hub, struct pic_exchange *exchange,
		 const struct pic_object *approval, const struct visitor *visitor, int status,
		 const char *notice)
{
	const char *id = pic_json_text_or(pic_json_get(pic_object_spec(approval), "id"), "");
	struct pic_page_frame frame = { .title = "May this run?" };
	struct pic_page page;

	if (visitor->session) {
		frame = pic_web_frame(hub, exchange, "May this run?", PIC_PLACE_APPROVALS);
		frame.topic = "approvals";
		frame.up = "/approvals";
		frame.up_text = "Approvals";
	}
	pic_page_begin(&page, &frame);
	if (notice) {
		pic_html_begin(&page.html, "p", "class", "notice", "role", "alert", NULL);
		pic_html_format(&page.html, "%s.", notice);
		pic_html_end(&page.html);
	}
	pic_page_live(&page, "section", "outcome", NULL);
	pic_request_outcome(&page, approval);
	pic_html_end(&page.html);
	pic_page_live(&page, "div", "request", NULL);
	pic_request_facts(&page, approval);
	pic_html_end(&page.html);
	pic_page_live(&page, "div", "decision", NULL);
	write_forms(&page, id, pic_request_phase(approval), visitor);
	pic_page_reply(&page, exchange, status);
}

void pic_web_approval(struct pic_hub *hub, struct pic_exchange *exchange,
		      const struct pic_route_match *match)
{
	struct visitor visitor;

	if (!let_look(hub, exchange, match->captured[0], &visitor))
		return;
	const struct pic_object *approval = find(hub, exchange, match->captured[0]);
	if (approval)
		show(hub, exchange, approval, &visitor, 200, NULL);
}

/* Deciding. */

struct decision {
	struct pic_kept kept;	       /* first */
	struct pic_exchange *exchange; /* NULL: its peer went away; the decision goes on */
	char *address;		       /* of the page that shows the outcome */
};

static void decision_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	struct decision *decision = (struct decision *)kept;

	(void)exchange;
	decision->exchange = NULL;
}

static void decision_free(struct decision *decision)
{
	free(decision->address);
	free(decision);
}

static void on_decided(void *data, int status, const struct pic_error *err)
{
	struct decision *decision = data;

	if (decision->exchange) {
		pic_exchange_set_data(decision->exchange, NULL);
		if (status < 0)
			pic_web_refuse(decision->exchange, pic_status_of_error(status), err->text);
		else
			pic_page_redirect(decision->exchange, decision->address);
	}
	decision_free(decision);
}

static bool verb_of(const struct pic_form *form, const struct visitor *visitor,
		    enum pic_approval_verb *out)
{
	const char *text = pic_form_get(form, "decision");

	if (text && strcmp(text, "approve") == 0)
		*out = PIC_APPROVAL_APPROVE;
	else if (text && strcmp(text, "reject") == 0)
		*out = PIC_APPROVAL_REJECT;
	else if (text && strcmp(text, "revoke") == 0 && visitor->session)
		*out = PIC_APPROVAL_REVOKE;
	else
		return false;
	return true;
}

/* The form of one who may decide; false: the exchange has been refused. */
static bool let_decide(struct pic_hub *hub, struct pic_exchange *exchange, const char *id,
		       struct visitor *out, struct pic_form *form)
{
	struct pic_error err = PIC_ERROR_INIT;

	*out = (struct visitor){ .session = pic_web_session(hub->web, exchange) };
	if (out->session) {
		snprintf(out->token, sizeof(out->token), "%s", out->session->form_token);
		snprintf(out->by, sizeof(out->by), "admin");
		return pic_web_form(hub, exchange, form);
	}
	out->key = pic_exchange_query(exchange, "key");
	if (!out->key) {
		pic_web_refuse(exchange, 401, "sign in, or use the link of the mail");
		return false;
	}
	if (!pic_web_form_read(exchange, form))
		return false;
	const char *token = pic_form_get(form, "token");
	int r = pic_approval_page_token_check(hub->approvals, id, out->key, token ? token : "",
					      out->by, &err);
	if (r == 0)
		return true;
	pic_form_free(form);
	pic_web_refuse(exchange, r == -EALREADY ? 409 : pic_status_of_error(r), err.text);
	return false;
}

static int start_decision(struct pic_hub *hub, struct pic_exchange *exchange,
			  const struct pic_object *approval, const struct visitor *visitor,
			  enum pic_approval_verb verb, const char *comment, struct pic_error *err)
{
	static const char *const words[] = { "approve", "reject", "revoke" };
	PIC_BUF struct pic_buf address = PIC_BUF_INIT(8192);
	const char *id = pic_json_text_or(pic_json_get(pic_object_spec(approval), "id"), "");
	const struct pic_actor actor = { visitor->by, pic_exchange_peer(exchange), words[verb] };
	struct decision *decision = calloc(1, sizeof(*decision));

	if (!decision)
		return pic_error_set(err, -ENOMEM, "no memory for the decision");
	address_of(id, visitor, &address);
	decision->kept.gone = decision_gone;
	decision->exchange = exchange;
	decision->address = pic_buf_take(&address);
	if (!decision->address) {
		decision_free(decision);
		return pic_error_set(err, -ENOMEM, "no memory for the decision");
	}
	pic_exchange_set_data(exchange, decision);
	int r = pic_approval_decide(hub->approvals, &actor, approval->space, approval->name, verb,
				    visitor->by, comment, on_decided, decision, err);
	if (r < 0) {
		pic_exchange_set_data(exchange, NULL);
		decision_free(decision);
	}
	return r;
}

static void decide(struct pic_hub *hub, struct pic_exchange *exchange, const char *id,
		   const struct visitor *visitor, const struct pic_form *form)
{
	const struct pic_object *approval = find(hub, exchange, id);
	const char *comment = pic_form_get(form, "comment");
	struct pic_error err = PIC_ERROR_INIT;
	enum pic_approval_verb verb;

	if (!approval)
		return;
	if (!verb_of(form, visitor, &verb) || (comment && strlen(comment) > 4 * COMMENT_MAX)) {
		pic_web_refuse(exchange, 400, "the form says no decision, or too long a remark");
		return;
	}
	int r = start_decision(hub, exchange, approval, visitor, verb, comment ? comment : "",
			       &err);
	/* Somebody was faster, or it is too late: the page as it is now, under the sentence that says so. */
	if (r == -EALREADY || r == -ETIME)
		show(hub, exchange, approval, visitor, 409, err.text);
	else if (r < 0)
		pic_web_refuse(exchange, pic_status_of_error(r), err.text);
}

void pic_web_decide(struct pic_hub *hub, struct pic_exchange *exchange,
		    const struct pic_route_match *match)
{
	struct visitor visitor;
	struct pic_form form;

	if (!let_decide(hub, exchange, match->captured[0], &visitor, &form))
		return;
	decide(hub, exchange, match->captured[0], &visitor, &form);
	pic_form_free(&form);
}
