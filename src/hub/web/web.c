/* The room itself: its context, who calls, what a form needs, and the table of its routes. */
#include "hub/web/room.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

int pic_web_open(struct pic_web **out, struct pic_hub *hub, struct pic_error *err)
{
	struct pic_web *web = calloc(1, sizeof(*web));

	if (!web)
		return pic_error_set(err, -ENOMEM, "no memory for the hub's page");
	web->hub = hub;
	int r = pic_live_open(&web->live, web, err);
	if (r < 0) {
		free(web);
		return r;
	}
	*out = web;
	return 0;
}

void pic_web_stop(struct pic_web *web)
{
	if (web)
		pic_live_stop(web->live);
}

void pic_web_close(struct pic_web *web)
{
	if (!web)
		return;
	pic_live_close(web->live);
	explicit_bzero(web, sizeof(*web));
	free(web);
}

struct pic_web_session *pic_web_session(struct pic_web *web, const struct pic_exchange *exchange)
{
	return pic_web_session_find(&web->sessions, pic_exchange_header(exchange, "Cookie"),
				    pic_clock_boot_ms());
}

void pic_web_caller(struct pic_web *web, const struct pic_exchange *exchange,
		    struct pic_caller *out)
{
	*out = (struct pic_caller){ .role = PIC_ROLE_NOBODY };
	if (!pic_web_session(web, exchange))
		return;
	out->role = PIC_ROLE_ADMIN;
	strcpy(out->name, "admin");
}

static size_t count_waiting(struct pic_store *store)
{
	size_t waiting = 0;

	for (struct pic_object *object = pic_store_next(store, PIC_KIND_APPROVAL, NULL, NULL);
	     object; object = pic_store_next(store, PIC_KIND_APPROVAL, NULL, object)) {
		const char *phase = pic_json_get_text(pic_object_status(object), "phase");

		waiting += !phase || strcmp(phase, "Pending") == 0;
	}
	return waiting;
}

struct pic_page_frame pic_web_frame(struct pic_hub *hub, const struct pic_exchange *exchange,
				    const char *title, enum pic_page_place place)
{
	return (struct pic_page_frame){
		.title = title,
		.place = place,
		.session = pic_web_session(hub->web, exchange),
		.waiting = count_waiting(hub->store),
	};
}

/* Forms. */

/* Browsers say where a request was made. The gate has looked at Origin already; this is the second look. */
static bool is_from_own_page(const struct pic_exchange *exchange)
{
	const char *site = pic_exchange_header(exchange, "Sec-Fetch-Site");

	return !site || strcmp(site, "same-origin") == 0;
}

bool pic_web_form_read(struct pic_exchange *exchange, struct pic_form *out)
{
	const char *type = pic_exchange_header(exchange, "Content-Type");
	struct pic_error err = PIC_ERROR_INIT;

	if (!is_from_own_page(exchange)) {
		pic_web_refuse(exchange, 403, "forms of another site are refused");
		return false;
	}
	if (!type || !pic_text_starts(type, "application/x-www-form-urlencoded")) {
		pic_web_refuse(exchange, 415, "only the forms of this page are taken here");
		return false;
	}
	int r = pic_form_parse(pic_exchange_body(exchange), out, &err);
	if (r < 0)
		pic_web_refuse(exchange, r == -E2BIG ? 413 : 400, err.text);
	return r == 0;
}

bool pic_web_form(struct pic_hub *hub, struct pic_exchange *exchange, struct pic_form *out)
{
	const struct pic_web_session *session = pic_web_session(hub->web, exchange);

	if (!session) {
		pic_web_refuse(exchange, 401, "you are not signed in");
		return false;
	}
	if (!pic_web_form_read(exchange, out))
		return false;
	const char *token = pic_form_get(out, "token");
	if (token && pic_text_equal_secret(token, session->form_token))
		return true;
	pic_form_free(out);
	pic_web_refuse(
		exchange, 403,
		"the form is not one of your present session; go back and load the page again");
	return false;
}

/* Refusals. */

bool pic_web_is_browser(const struct pic_exchange *exchange)
{
	const char *accept = pic_exchange_header(exchange, "Accept");

	return accept && strstr(accept, "text/html");
}

/* The page that was asked for wants a session. */
static bool is_page(const struct pic_exchange *exchange)
{
	static const struct pic_route *const tables[] = { pic_web_routes, NULL };
	struct pic_route_match match;

	return pic_route_find(tables, pic_exchange_method(exchange), pic_exchange_path(exchange),
			      PIC_LISTENER_TLS, &match) == 0 &&
	       (match.route->access == PIC_ACCESS_PAGE ||
		strcmp(match.route->pattern, "/approvals/{id}") == 0);
}

/* A strict cookie does not come with a link on another site, a web mail's say: the page asks once more,
 * by itself, and then it does. */
static bool comes_from_elsewhere(const struct pic_exchange *exchange)
{
	const char *site = pic_exchange_header(exchange, "Sec-Fetch-Site");

	return site && strcmp(pic_exchange_method(exchange), "GET") == 0 &&
	       (strcmp(site, "cross-site") == 0 || strcmp(site, "same-site") == 0);
}

static void ask_once_more(struct pic_exchange *exchange)
{
	PIC_BUF struct pic_buf again = PIC_BUF_INIT(4096);
	struct pic_html html;
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(16 * 1024);

	pic_buf_format(&again, "0; url=%s", pic_exchange_path(exchange));
	pic_html_start(&html, &out);
	pic_html_begin(&html, "html", "lang", "en", NULL);
	pic_html_void(&html, "meta", "http-equiv", "refresh", "content", pic_buf_text(&again),
		      NULL);
	pic_html_element(&html, "title", "Piccolo", NULL);
	pic_html_element(&html, "a", "Go on to the page", "href", pic_exchange_path(exchange),
			 NULL);
	pic_page_headers(exchange);
	pic_reply_header(exchange, "Cache-Control", "no-store");
	if (pic_html_finish(&html, NULL) < 0)
		pic_plain_refuse(exchange, 500, "no memory for the page");
	else
		pic_reply(exchange, 200, "text/html; charset=utf-8", out.data, out.size);
}

void pic_web_refuse(struct pic_exchange *exchange, int status, const char *why)
{
	const bool wants_session = status == 401 && is_page(exchange);
	const bool is_get = strcmp(pic_exchange_method(exchange), "GET") == 0;

	if (wants_session && comes_from_elsewhere(exchange) &&
	    pic_html_is_own_address(pic_exchange_path(exchange)))
		ask_once_more(exchange);
	else if (wants_session)
		pic_web_sign_in_page(exchange, status, is_get ? pic_exchange_path(exchange) : "/",
				     is_get ? NULL : "Your session is over; sign in again.");
	else
		pic_page_say(exchange, status, status == 404 ? "Not found" : "Refused", why);
}

#define PAGE PIC_ACCESS_PAGE
#define OPEN PIC_ACCESS_OPEN
#define TLS PIC_LISTENER_TLS

const struct pic_route pic_web_routes[] = {
	{ "GET", "/", PAGE, TLS, pic_web_devices },
	{ "GET", "/assets/{hash}/{name}", OPEN, TLS, pic_web_serve_asset },
	{ "GET", "/sign-in", OPEN, TLS, pic_web_sign_in },
	{ "POST", "/sign-in", OPEN, TLS, pic_web_sign_in_post },
	{ "POST", "/sign-out", PAGE, TLS, pic_web_sign_out },
	{ "GET", "/events", PAGE, TLS, pic_web_events },
	{ "GET", "/devices/{name}", PAGE, TLS, pic_web_device },
	{ "GET", "/devices/{name}/{instance}/{component}", PAGE, TLS, pic_web_component },
	{ "GET", "/devices/{name}/{instance}/{component}/lines", PAGE, TLS, pic_web_lines },
	{ "GET", "/devices/{name}/{instance}/{component}/metrics", PAGE, TLS, pic_web_metrics },
	{ "GET", "/campaigns", PAGE, TLS, pic_web_campaigns },
	{ "GET", "/campaigns/{namespace}/{activation}", PAGE, TLS, pic_web_activation },
	{ "GET", "/approvals", PAGE, TLS, pic_web_approvals },
	/* Two ways in, each of which the handler checks: a session, or the mail's link. */
	{ "GET", "/approvals/{id}", OPEN, TLS, pic_web_approval },
	{ "POST", "/approvals/{id}", OPEN, TLS, pic_web_decide },
	{ NULL, NULL, OPEN, 0, NULL },
};
