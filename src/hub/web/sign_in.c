/* Signing in with the admin token, and out. */
#include "hub/web/room.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* Strict: no link and no form of another site carries it. The prefix binds it to this host, and to TLS. */
#define COOKIE_FORM PIC_WEB_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict"

static void set_cookie(struct pic_exchange *exchange, const char *value, const char *more)
{
	char cookie[PIC_TOKEN_TEXT + 128];

	snprintf(cookie, sizeof(cookie), COOKIE_FORM "%s", value, more);
	pic_reply_header(exchange, "Set-Cookie", cookie);
	explicit_bzero(cookie, sizeof(cookie));
}

void pic_web_sign_in_page(struct pic_exchange *exchange, int status, const char *next,
			  const char *why)
{
	const struct pic_page_frame frame = { .title = "Sign in" };
	struct pic_page page;
	struct pic_html *html = &page.html;

	pic_page_begin(&page, &frame);
	if (why)
		pic_html_element(html, "p", why, "role", "alert", "class", "notice", NULL);
	pic_html_begin(html, "form", "method", "post", "action", "/sign-in", "class", "card narrow",
		       NULL);
	pic_page_hidden(&page, "next", next && pic_html_is_own_address(next) ? next : "/");
	pic_html_element(html, "label", "Admin token", "for", "token", NULL);
	pic_html_void(html, "input", "id", "token", "name", "token", "type", "password",
		      "autocomplete", "current-password", "required", "", "autofocus", "",
		      "spellcheck", "false", "aria-describedby", "where", NULL);
	pic_html_begin(html, "p", "id", "where", "class", "hint", NULL);
	pic_html_text(html, "With --dev it is in the file ");
	pic_html_element(html, "code", "admin.token", NULL);
	pic_html_text(html,
		      " of the state folder; otherwise the hub printed it at its first start.");
	pic_html_end(html);
	pic_html_element(html, "button", "Sign in", NULL);
	pic_page_reply(&page, exchange, status);
}

void pic_web_sign_in(struct pic_hub *hub, struct pic_exchange *exchange,
		     const struct pic_route_match *match)
{
	(void)match;
	if (pic_web_session(hub->web, exchange))
		pic_page_redirect(exchange, "/");
	else
		pic_web_sign_in_page(exchange, 200, pic_exchange_query(exchange, "next"), NULL);
}

static void too_many(struct pic_exchange *exchange, int64_t wait_ms)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%lld", (long long)(wait_ms + 999) / 1000);
	pic_reply_header(exchange, "Retry-After", seconds);
	pic_web_sign_in_page(exchange, 429, "/",
			     "Too many tries from your address; wait a minute.");
}

static void let_in(struct pic_hub *hub, struct pic_exchange *exchange, const char *next)
{
	const struct pic_actor actor = { "admin", pic_exchange_peer(exchange), "sign-in" };
	char cookie[PIC_TOKEN_TEXT];

	pic_store_journal(hub->store, &actor, "page", "signed in to the page");
	pic_web_session_begin(&hub->web->sessions, pic_clock_boot_ms(), cookie);
	set_cookie(exchange, cookie, "");
	explicit_bzero(cookie, sizeof(cookie));
	pic_page_redirect(exchange, next ? next : "/");
}

/* What was copied often has a blank or the end of its line with it. */
static bool is_token(struct pic_hub *hub, const char *given)
{
	char token[PIC_TOKEN_TEXT];
	size_t length;

	if (!given)
		return false;
	given += strspn(given, " \t\r\n");
	length = strlen(given);
	while (length && strchr(" \t\r\n", given[length - 1]))
		length--;
	if (length >= sizeof(token))
		return false;
	memcpy(token, given, length);
	token[length] = '\0';
	bool good = pic_identity_is_admin_token(hub->identity, token);
	explicit_bzero(token, sizeof(token));
	return good;
}

void pic_web_sign_in_post(struct pic_hub *hub, struct pic_exchange *exchange,
			  const struct pic_route_match *match)
{
	const char *peer = pic_exchange_peer(exchange);
	int64_t now = pic_clock_boot_ms();
	int64_t wait = pic_web_tries_wait(&hub->web->triers, peer, now);
	struct pic_form form;

	(void)match;
	if (wait > 0) {
		too_many(exchange, wait);
		return;
	}
	if (!pic_web_form_read(exchange, &form))
		return;
	if (is_token(hub, pic_form_get(&form, "token"))) {
		let_in(hub, exchange, pic_form_get(&form, "next"));
	} else {
		pic_log(PIC_LOG_WARNING, "sign-in-refused", PIC_TEXT("peer", peer));
		pic_web_tries_failed(&hub->web->triers, peer, now);
		pic_web_sign_in_page(exchange, 403, pic_form_get(&form, "next"),
				     "That is not the admin token of this hub.");
	}
	pic_form_free(&form);
}

void pic_web_sign_out(struct pic_hub *hub, struct pic_exchange *exchange,
		      const struct pic_route_match *match)
{
	struct pic_form form;

	(void)match;
	if (!pic_web_form(hub, exchange, &form))
		return;
	pic_form_free(&form);
	struct pic_web_session *session = pic_web_session(hub->web, exchange);
	pic_live_forget(hub->web->live, session);
	pic_web_session_end(session);
	set_cookie(exchange, "", "; Max-Age=0");
	pic_page_redirect(exchange, "/sign-in");
}
