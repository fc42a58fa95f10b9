#include "hub/web/page.h"

#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "hub/web/assets.h"

#define HTML_TYPE "text/html; charset=utf-8"

void pic_page_headers(struct pic_exchange *exchange)
{
	/* Nothing from elsewhere, nothing inline, in nobody's frame. */
	static const char policy[] =
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

	pic_reply_header(exchange, "Content-Security-Policy", policy);
	pic_reply_header(exchange, "X-Frame-Options", "DENY");
	/* With no-referrer a browser sends "Origin: null" with the page's own forms, and the gate refuses
	 * them. This one tells other sites just as little. */
	pic_reply_header(exchange, "Referrer-Policy", "same-origin");
	pic_reply_header(exchange, "Cross-Origin-Opener-Policy", "same-origin");
	pic_reply_header(exchange, "Cross-Origin-Resource-Policy", "same-origin");
	pic_reply_header(exchange, "Permissions-Policy",
			 "camera=(), geolocation=(), microphone=(), usb=()");
}

/* The frame. */

static void write_head(struct pic_page *page, const char *title)
{
	struct pic_html *html = &page->html;
	char path[PIC_WEB_ASSET_PATH];

	pic_html_begin(html, "head", NULL);
	pic_html_void(html, "meta", "charset", "utf-8", NULL);
	pic_html_void(html, "meta", "name", "viewport", "content",
		      "width=device-width, initial-scale=1", NULL);
	pic_html_void(html, "meta", "name", "color-scheme", "content", "light dark", NULL);
	pic_html_void(html, "meta", "name", "robots", "content", "noindex", NULL);
	pic_html_begin(html, "title", NULL);
	pic_html_format(html, "%s · Piccolo", title);
	pic_html_end(html);
	pic_html_void(html, "link", "rel", "icon", "type", "image/svg+xml", "href",
		      pic_web_asset_path("icon.svg", path), NULL);
	pic_html_void(html, "link", "rel", "stylesheet", "href",
		      pic_web_asset_path("style.css", path), NULL);
	pic_html_element(html, "script", NULL, "defer", "", "src",
			 pic_web_asset_path("live.js", path), NULL);
	pic_html_end(html);
}

static void write_place(struct pic_page *page, const struct pic_page_frame *frame,
			enum pic_page_place place, const char *address, const char *text)
{
	struct pic_html *html = &page->html;

	pic_html_begin(html, "a", "href", address, "aria-current",
		       frame->place == place ? "page" : NULL, NULL);
	pic_html_text(html, text);
	if (place == PIC_PLACE_APPROVALS && frame->waiting > 0) {
		pic_html_begin(html, "span", "class", "count", NULL);
		pic_html_format(html, "%zu", frame->waiting);
		pic_html_element(html, "span", " waiting", "class", "unseen", NULL);
		pic_html_end(html);
	}
	pic_html_end(html);
}

static void write_navigation(struct pic_page *page, const struct pic_page_frame *frame)
{
	struct pic_html *html = &page->html;

	pic_html_begin(html, "nav", "aria-label", "Pages", "id", "pages", "data-live", "", NULL);
	write_place(page, frame, PIC_PLACE_DEVICES, "/", "Devices");
	write_place(page, frame, PIC_PLACE_CAMPAIGNS, "/campaigns", "Campaigns");
	write_place(page, frame, PIC_PLACE_APPROVALS, "/approvals", "Approvals");
	pic_html_end(html);
	pic_html_begin(html, "form", "method", "post", "action", "/sign-out", NULL);
	pic_page_hidden(page, "token", frame->session->form_token);
	pic_html_element(html, "button", "Sign out", "class", "quiet", NULL);
	pic_html_end(html);
}

static void write_header(struct pic_page *page, const struct pic_page_frame *frame)
{
	struct pic_html *html = &page->html;
	char path[PIC_WEB_ASSET_PATH];

	pic_html_element(html, "a", "Skip to the content", "class", "skip", "href", "#main", NULL);
	pic_html_begin(html, "header", NULL);
	pic_html_begin(html, "a", "class", "brand", "href", "/", NULL);
	pic_html_void(html, "img", "alt", "", "width", "24", "height", "24", "src",
		      pic_web_asset_path("icon.svg", path), NULL);
	pic_html_text(html, "Piccolo");
	pic_html_end(html);
	if (frame->session)
		write_navigation(page, frame);
	pic_html_end(html);
}

void pic_page_begin(struct pic_page *page, const struct pic_page_frame *frame)
{
	struct pic_html *html = &page->html;

	page->buf = (struct pic_buf)PIC_BUF_INIT(PIC_PAGE_MAX);
	page->now_ms = pic_clock_wall_ms();
	pic_html_start(html, &page->buf);
	pic_html_begin(html, "html", "lang", "en", NULL);
	write_head(page, frame->title);
	pic_html_begin(html, "body", NULL);
	write_header(page, frame);
	pic_html_begin(html, "main", "id", "main", "tabindex", "-1", "data-topic", frame->topic,
		       NULL);
	if (frame->up) {
		pic_html_begin(html, "p", "class", "up", NULL);
		pic_html_element(html, "a", frame->up_text, "href", frame->up, NULL);
		pic_html_end(html);
	}
	pic_html_element(html, "h1", frame->title, NULL);
}

static void write_footer(struct pic_page *page)
{
	while (page->html.depth > 2) /* html, body */
		pic_html_end(&page->html);
	pic_html_element(&page->html, "footer", "Piccolo hub " PIC_VERSION, NULL);
}

void pic_page_reply(struct pic_page *page, struct pic_exchange *exchange, int status)
{
	struct pic_error err = PIC_ERROR_INIT;

	write_footer(page);
	int r = pic_html_finish(&page->html, &err);
	pic_page_headers(exchange);
	pic_reply_header(exchange, "Cache-Control", "no-store");
	if (r < 0)
		pic_plain_refuse(exchange, 500, err.text);
	else
		pic_reply(exchange, status, HTML_TYPE, page->buf.data, page->buf.size);
	pic_buf_free(&page->buf);
}

void pic_page_say(struct pic_exchange *exchange, int status, const char *title, const char *why)
{
	const struct pic_page_frame frame = { .title = title };
	struct pic_page page;

	pic_page_begin(&page, &frame);
	pic_html_begin(&page.html, "p", "role", "alert", NULL);
	pic_html_format(&page.html, "%s.", why);
	pic_html_end(&page.html);
	pic_html_begin(&page.html, "p", NULL);
	pic_html_element(&page.html, "a", "To the devices", "href", "/", NULL);
	pic_html_end(&page.html);
	pic_page_reply(&page, exchange, status);
}

void pic_page_redirect(struct pic_exchange *exchange, const char *address)
{
	pic_page_headers(exchange);
	pic_reply_header(exchange, "Cache-Control", "no-store");
	pic_reply_header(exchange, "Location", pic_html_is_own_address(address) ? address : "/");
	pic_reply(exchange, 303, NULL, NULL, 0);
}

/* Parts. */

static void write_distance(struct pic_page *page, int64_t time_ms, bool is_short)
{
	static const char *const forms[2][2] = { { " (in %s)", " (%s ago)" },
						 { "in %s", "%s ago" } };
	char age[PIC_TIME_TEXT], text[2 * PIC_TIME_TEXT];
	int64_t distance = time_ms - page->now_ms;
	const char *form = forms[is_short][distance <= 0], *place = strstr(form, "%s");

	pic_duration_age(distance < 0 ? -distance : distance, age);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(place - form), form, age, place + 2);
	pic_html_element(&page->html, "span", text, "class", "distance", "data-short",
			 is_short ? "" : NULL, NULL);
}

void pic_page_time(struct pic_page *page, const char *time)
{
	char exact[PIC_TIME_TEXT];
	int64_t time_ms;

	if (!time || pic_time_parse(time, &time_ms) < 0)
		return;
	pic_time_format(time_ms, exact);
	pic_html_begin(&page->html, "time", "datetime", exact, NULL);
	pic_html_format(&page->html, "%.10s %.8s UTC", exact, exact + 11);
	write_distance(page, time_ms, false);
	pic_html_end(&page->html);
}

void pic_page_age(struct pic_page *page, const char *time)
{
	char exact[PIC_TIME_TEXT];
	int64_t time_ms;

	if (!time || pic_time_parse(time, &time_ms) < 0)
		return;
	pic_time_format(time_ms, exact);
	pic_html_begin(&page->html, "time", "datetime", exact, "title", exact, NULL);
	write_distance(page, time_ms, true);
	pic_html_end(&page->html);
}

void pic_page_fact(struct pic_page *page, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	pic_html_element(&page->html, "dt", name, NULL);
	pic_html_element(&page->html, "dd", text, NULL);
}

void pic_page_fact_time(struct pic_page *page, const char *name, const char *time)
{
	int64_t time_ms;

	if (!time || pic_time_parse(time, &time_ms) < 0)
		return;
	pic_html_element(&page->html, "dt", name, NULL);
	pic_html_begin(&page->html, "dd", NULL);
	pic_page_time(page, time);
	pic_html_end(&page->html);
}

void pic_page_badge(struct pic_page *page, const char *tone, const char *text)
{
	pic_html_element(&page->html, "span", text, "class", "badge", "data-tone", tone, NULL);
}

void pic_page_hidden(struct pic_page *page, const char *name, const char *value)
{
	pic_html_void(&page->html, "input", "type", "hidden", "name", name, "value", value, NULL);
}

void pic_page_live(struct pic_page *page, const char *tag, const char *id, const char *class)
{
	pic_html_begin(&page->html, tag, "id", id, "class", class, "data-live", "", NULL);
}
