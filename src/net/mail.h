/*
 * Sending mail over SMTP (RFC 5321; libcurl behind it). One mailer is one server, one sender and one
 * queue in memory; who must not lose a mail keeps it elsewhere until `done` says that the server has it.
 *
 * The library waits for some of the server's replies where it stands, so it runs in a thread of its own that
 * lives only while there is something to send. A server that is slow, silent or gone holds up nobody but
 * the mails behind it. `done` is called in the loop's thread, exactly once unless the mailer is freed.
 *
 * Addresses that come from strangers must be checked before: nothing here is quoted.
 */
#ifndef PIC_NET_MAIL_H
#define PIC_NET_MAIL_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/loop.h"

struct pic_mailer;

struct pic_mailer_settings {
	/* smtp://[USER[:PASSWORD]@]HOST[:PORT]: TLS by STARTTLS, but to a loopback address; smtps://: TLS from
	 * the first byte; smtp-plain://: never TLS, for a relay in one's own network, without a password. */
	const char *url;
	const char *password;	   /* in place of the one in the URL, or NULL */
	const char *authority_pem; /* trusted CAs as PEM; NULL: the system's */
	const char *from;	   /* the envelope's sender: "piccolo@edge.example" */
	int64_t reply_ms;	   /* how long the server may take for one reply; 0: 30 s */
};

/* -EINVAL with the sentence; it never holds the password. */
int pic_mailer_new(struct pic_mailer **out, struct pic_loop *loop,
		   const struct pic_mailer_settings *settings, struct pic_error *err);
/* What is under way is broken off; no `done` is called any more. */
void pic_mailer_free(struct pic_mailer *mailer);
/* "smtp://mail.example:587", for sentences. */
const char *pic_mailer_server(const struct pic_mailer *mailer);

enum pic_mail_result {
	PIC_MAIL_SENT,	  /* the server has taken it over */
	PIC_MAIL_LATER,	  /* not reached, or it said to come again */
	PIC_MAIL_REFUSED, /* it said no for good (5yz) */
};

/* `text` is the whole message, lines ended by CRLF; it is stolen (free()), failure included. */
typedef void pic_mail_done_fn(void *data, enum pic_mail_result result, const struct pic_error *err);
int pic_mailer_send(struct pic_mailer *mailer, const char *to, char *text, pic_mail_done_fn *done,
		    void *data, struct pic_error *err);

#endif
