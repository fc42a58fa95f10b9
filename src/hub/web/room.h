/* What the files of this room share. */
#ifndef PIC_HUB_WEB_ROOM_H
#define PIC_HUB_WEB_ROOM_H

#include "hub/web/form.h"
#include "hub/web/page.h"
#include "hub/web/session.h"
#include "hub/web/web.h"

struct pic_live; /* live.c */

struct pic_web {
	struct pic_hub *hub;
	struct pic_web_sessions sessions;
	struct pic_web_triers triers;
	struct pic_live *live;
};

/* web.c */
struct pic_web_session *pic_web_session(struct pic_web *web, const struct pic_exchange *exchange);
/* The frame of a page of somebody who is signed in. */
struct pic_page_frame pic_web_frame(struct pic_hub *hub, const struct pic_exchange *exchange,
				    const char *title, enum pic_page_place place);
/* The form of a POST whose session and token are good (free it); false: the exchange has been refused. */
bool pic_web_form(struct pic_hub *hub, struct pic_exchange *exchange, struct pic_form *out);
/* The same before the token is known to be good. Refuses what another site's page sent. */
bool pic_web_form_read(struct pic_exchange *exchange, struct pic_form *out);

/* sign_in.c */
void pic_web_sign_in_page(struct pic_exchange *exchange, int status, const char *next,
			  const char *why);

/* live.c: tells open pages that what they show has changed. */
int pic_live_open(struct pic_live **out, struct pic_web *web, struct pic_error *err);
void pic_live_stop(struct pic_live *live);
void pic_live_close(struct pic_live *live);
/* Ends the streams of a session. */
void pic_live_forget(struct pic_live *live, const struct pic_web_session *session);

/* Handlers. */
typedef void pic_web_handler(struct pic_hub *hub, struct pic_exchange *exchange,
			     const struct pic_route_match *match);
pic_web_handler pic_web_serve_asset;
pic_web_handler pic_web_sign_in;
pic_web_handler pic_web_sign_in_post;
pic_web_handler pic_web_sign_out;
pic_web_handler pic_web_events;
pic_web_handler pic_web_devices;
pic_web_handler pic_web_device;
pic_web_handler pic_web_component;
pic_web_handler pic_web_lines;
pic_web_handler pic_web_metrics;
pic_web_handler pic_web_campaigns;
pic_web_handler pic_web_activation;
pic_web_handler pic_web_approvals;
pic_web_handler pic_web_approval;
pic_web_handler pic_web_decide;

#endif
