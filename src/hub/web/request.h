/*
 * One request for approval as a page: who asks, for what, what it may do in sentences, from when to when, and what
 * has become of it. Reads an Approval object (hub/approval/approval.h); fields that are missing or
 * damaged are said to be so, and nothing of it is believed to be markup. Pure.
 */
#ifndef PIC_HUB_WEB_REQUEST_H
#define PIC_HUB_WEB_REQUEST_H

#include "hub/web/page.h"

const char *pic_request_phase(const struct pic_object *approval); /* "Pending" when there is none */
void pic_request_badge(struct pic_page *page, const struct pic_object *approval);

/* What has become of it, in one sentence with times. */
void pic_request_outcome(struct pic_page *page, const struct pic_object *approval);
/* Everything a person needs to decide. */
void pic_request_facts(struct pic_page *page, const struct pic_object *approval);

#endif
