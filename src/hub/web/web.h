/*
 * The hub's page for people, on the TLS listener at "/": devices with their components, campaigns, requests
 * for approval and the page that decides one. A view over the store like the other faces; what it changes
 * goes through the rooms that own it (hub/approval).
 *
 * A person signs in with the admin token and gets a cookie that is worth something on these routes only.
 * A GET changes nothing. A POST carries the token of its session's forms, or of the decision page.
 */
#ifndef PIC_HUB_WEB_WEB_H
#define PIC_HUB_WEB_WEB_H

#include "hub/route.h"

struct pic_web;

int pic_web_open(struct pic_web **out, struct pic_hub *hub, struct pic_error *err);
/* Ends what is still open towards browsers; before the listeners are closed. */
void pic_web_stop(struct pic_web *web);
void pic_web_close(struct pic_web *web);

/* From the session cookie; never fails: NOBODY. Good for PIC_ACCESS_PAGE only. */
void pic_web_caller(struct pic_web *web, const struct pic_exchange *exchange,
		    struct pic_caller *out);

/* For browsers: a page with the sentence; on a page that wants a session, the form to sign in. */
pic_refuse_fn pic_web_refuse;
/* Whether the one who asks reads pages: its Accept names text/html. */
bool pic_web_is_browser(const struct pic_exchange *exchange);

#endif
