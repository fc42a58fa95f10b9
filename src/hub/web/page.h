/*
 * The frame around every page: head, navigation, footer, and the headers that a browser obeys. A page is
 * built in memory and replied at once; nothing of it is kept by browsers.
 */
#ifndef PIC_HUB_WEB_PAGE_H
#define PIC_HUB_WEB_PAGE_H

#include "base/clock.h"
#include "hub/route.h"
#include "hub/web/html.h"
#include "hub/web/session.h"

#define PIC_PAGE_MAX (4 * 1024 * 1024)

enum pic_page_place {
	PIC_PLACE_NONE,
	PIC_PLACE_DEVICES,
	PIC_PLACE_CAMPAIGNS,
	PIC_PLACE_APPROVALS,
};

struct pic_page {
	struct pic_buf buf;
	struct pic_html html;
	int64_t now_ms; /* wall clock */
};

struct pic_page_frame {
	const char *title;
	enum pic_page_place place;
	const char *topic; /* what makes the page stale, for GET /events; NULL: it stays as it is */
	const struct pic_web_session *session; /* NULL: nobody is signed in: no navigation */
	size_t waiting;		  /* requests that wait for a decision: shown in the navigation */
	const char *up, *up_text; /* address and name of the page above this one, or NULL */
};

/* The page's main part is open afterwards, with its heading written. */
void pic_page_begin(struct pic_page *page, const struct pic_page_frame *frame);
/* Ends the page and the exchange. */
void pic_page_reply(struct pic_page *page, struct pic_exchange *exchange, int status);
/* For every answer of this room, assets too. */
void pic_page_headers(struct pic_exchange *exchange);
/* A page with one sentence; nothing of a session is on it. */
void pic_page_say(struct pic_exchange *exchange, int status, const char *title, const char *why);
void pic_page_redirect(struct pic_exchange *exchange, const char *address);

/* Parts that several pages have. */

/* `since` (RFC 3339) as "2026-11-24 14:00:05 UTC (3m ago)"; NULL or damaged: nothing. */
void pic_page_time(struct pic_page *page, const char *time);
/* As "3m ago", for lists. */
void pic_page_age(struct pic_page *page, const char *time);
/* One row of a list of facts: <dt>, <dd>; NULL or "": no row. */
void pic_page_fact(struct pic_page *page, const char *name, const char *text);
void pic_page_fact_time(struct pic_page *page, const char *name, const char *time);
/* A word with a colour: tone is "good", "busy", "bad", "calm" or "ask". */
void pic_page_badge(struct pic_page *page, const char *tone, const char *text);
void pic_page_hidden(struct pic_page *page, const char *name, const char *value);
/* A part that is replaced when it has changed. Ends with pic_html_end. */
void pic_page_live(struct pic_page *page, const char *tag, const char *id, const char *class);

#endif
