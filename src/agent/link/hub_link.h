/*
 * Inside of the hub's dialect: the link's state, shared by hub.c (polls), hub_send.c (reports, answers)
 * and hub_renew.c (certificate). Nobody else includes this.
 */
#ifndef PIC_AGENT_LINK_HUB_LINK_H
#define PIC_AGENT_LINK_HUB_LINK_H

#include "agent/link/link.h"
#include "net/client.h"

#define PIC_HUB_ANSWER_MAX (PIC_DOCUMENT_SIZE_MAX + 64 * 1024)
#define PIC_HUB_SHORT_MS 30000 /* for what the hub answers at once */

struct pic_link {
	struct pic_link_settings settings;
	struct pic_link_state state;
	struct pic_client *client;
	unsigned borrowed;  /* downloads that use the client */
	bool client_is_old; /* a newer certificate is known, or the clock was set meanwhile */
	bool dates_ignored; /* the client was made while the clock was not set */

	struct pic_timer *poll_timer;
	struct pic_request_handle *poll;
	bool wants_stamp; /* the next poll waits for it */
	int64_t sent_boot_ms;
	int64_t wait_s;				/* how long the poll under way may be held */
	int64_t hold_s;				/* how long polls are held when all is well */
	unsigned quiet;				/* polls in a row that were held to their end */
	unsigned failures;			/* in a row */
	char refused_etag[PIC_EPOCH_TEXT + 32]; /* of a document that was not taken; "": none */

	struct pic_timer *report_timer;
	struct pic_buf report;	    /* the newest, not yet sent */
	struct pic_buf report_sent; /* lent to the request under way */
	struct pic_request_handle *report_request;
	unsigned report_failures;

	struct hub_reply *replies; /* answers to asks under way */

	struct pic_request_handle *renewal;
	struct pic_buf renewal_body;
	int64_t renew_after_boot_ms; /* after a failed one, not before this time */
};

/* hub.c */
int pic_hub_client(struct pic_link *link, struct pic_client **out, struct pic_error *err);
/* scheme://hub + path into `out` (PIC_URL_MAX). */
void pic_hub_url(const struct pic_link *link, char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* hub_send.c */
void pic_hub_report(struct pic_link *link, struct pic_buf *body);
void pic_hub_report_again(void *link); /* timer */
void pic_hub_answer(struct pic_link *link, const struct pic_link_reply *reply,
		    struct pic_buf *body);
void pic_hub_cancel_sends(struct pic_link *link);

/* hub_renew.c: true when a renewal is under way and the poll has to wait for it; then poll_timer is set
 * when it is over. */
bool pic_hub_renew(struct pic_link *link);
void pic_hub_cancel_renewal(struct pic_link *link);

#endif
