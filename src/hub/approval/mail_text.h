/*
 * The mail that asks: one MIME message (RFC 5322, 2045, 2046) with the same as text and as HTML. Pure.
 *
 * Names, reasons and facts are strangers' words. No byte of them reaches a header but as RFC 2047 base64 or
 * printable ASCII without line ends; in the text they cannot end a line or turn the writing's direction; in
 * HTML all but letters, digits and blanks is a numeric reference.
 */
#ifndef PIC_HUB_APPROVAL_MAIL_TEXT_H
#define PIC_HUB_APPROVAL_MAIL_TEXT_H

#include "hub/approval/object.h"

struct pic_approval_mail {
	const struct pic_object *approval;
	const char *public_url;
	const char *from, *to; /* checked addresses */
	const char *secret;    /* of `to`, or NULL: who follows the link has to sign in */
	int64_t now_ms;
};

/* "https://hub.example/approvals/<id>", with "?key=<secret>" */
void pic_approval_mail_link(const struct pic_approval_mail *mail, struct pic_buf *out);
/* The whole message, lines ended by CRLF. The same approval and recipient: the same Message-ID and link. */
int pic_approval_mail_write(const struct pic_approval_mail *mail, struct pic_buf *out,
			    struct pic_error *err);

#endif
