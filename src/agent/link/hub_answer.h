/*
 * What the hub answers, read once. Pure: bytes in, facts or one sentence out.
 */
#ifndef PIC_AGENT_LINK_HUB_ANSWER_H
#define PIC_AGENT_LINK_HUB_ANSWER_H

#include "protocol/ask.h"
#include "protocol/ticket.h"

#define PIC_HUB_ASKS_MAX 32

struct pic_hub_answer {
	struct pic_buf document; /* compact JSON, as its digest covers it; empty: none came */
	bool confirmed;		 /* an administrator confirmed the document's epoch */
	struct pic_ask asks[PIC_HUB_ASKS_MAX];
	size_t ask_count;
	char ticket_epoch[PIC_EPOCH_TEXT]; /* "": no tickets came */
	struct pic_signed_ticket *tickets;
	size_t ticket_count;
};

/* On success the caller frees it with pic_hub_answer_clear. Asks and tickets of a wrong shape are left out. */
int pic_hub_answer_parse(struct pic_hub_answer *out, const char *text, size_t size,
			 const char *content_type, struct pic_error *err);

void pic_hub_answer_clear(struct pic_hub_answer *answer);

/* A refusal: {"error":"sentence","reason":"Word"}. What is not that gets a sentence of ours. `reason`
 * holds 48 bytes. */
void pic_hub_refusal_parse(int status, const char *text, size_t size, const char *content_type,
			   char *reason, struct pic_error *err);

/* True for an answer that a captive portal could have given. */
bool pic_answer_is_page(const char *text, size_t size, const char *content_type);

#endif
