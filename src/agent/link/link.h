/*
 * The link to whoever tells the device what it should run. One file for each dialect of it; the hub's
 * own is hub.c, a file on disk (`piccolo run`) is file.c. A dialect turns what arrives into the bytes of
 * a document, once and validated, and carries reports and answers back.
 *
 * Ownership: settings are copied, what they point to is lent for the link's life. Handlers are called
 * from the loop; `changed` also from inside a call of the link's.
 */
#ifndef PIC_AGENT_LINK_LINK_H
#define PIC_AGENT_LINK_LINK_H

#include "agent/plan/accept.h"
#include "agent/store/identity.h"
#include "base/loop.h"
#include "protocol/ask.h"
#include "protocol/report.h"
#include "protocol/ticket.h"

struct pic_client;
struct pic_link;

enum pic_link_connection {
	PIC_LINK_NONE,	     /* no hub is set */
	PIC_LINK_CONNECTING, /* not yet answered, or not any more */
	PIC_LINK_CONNECTED,
	PIC_LINK_REFUSED, /* it answers, but not to this device */
};

struct pic_link_state {
	enum pic_link_connection connection;
	char reason[48]; /* one word of the other side's or ours, "" while all is well */
	char problem[PIC_REPORT_TEXT_MAX]; /* the sentence to it */
	int64_t contact_wall_ms;	   /* the last answer; 0: none yet */
	int64_t contact_boot_ms;
	uint64_t polls, failures, reports;
};

struct pic_link_handler {
	/* A document was offered. 0: it is in force now; 1: it was already; -EPERM: it is not taken, and coming
	 * back with the same one is of no use; other negative: not now, try again later. */
	int (*document)(void *data, const char *bytes, size_t size, bool confirmed);
	void (*ask)(void *data, const struct pic_ask *ask);
	/* A ticket came, for a document of that epoch; after the document that came with it. */
	void (*ticket)(void *data, const char *epoch, const struct pic_signed_ticket *ticket);
	/* Appends what a poll says of approvals: keys of pic_ticket_key with 'b' or 'r', separated by commas. */
	void (*approvals)(void *data, struct pic_buf *out);
	/* A fresh stamp is wanted: answer with pic_link_dialect.stamp, at once or later. */
	void (*stamp)(void *data);
	void (*changed)(void *data); /* the state below is another one */
	/* Who is at the other end of the connection. */
	void (*peer)(void *data, const char *address, int port);
	void *data;
};

struct pic_link_settings {
	struct pic_loop *loop;
	const struct pic_agent_store *store;
	struct pic_agent_identity *identity;   /* the certificate in it is renewed and saved */
	const struct pic_acceptance *in_force; /* read at each poll */
	const char *session;		       /* 32 hexadecimal digits */
	const char *user_agent;
	const char *file; /* file dialect: what to read */
	struct pic_link_handler handler;
};

/* The answer to an ask, besides its body. */
struct pic_link_reply {
	const char *ask_id;
	int status; /* 200 or why not */
	const char *content_type;
	int64_t position; /* logs: where the next ask goes on; -1: not told */
};

struct pic_link_dialect {
	const char *name;
	int (*open)(struct pic_link **out, const struct pic_link_settings *settings,
		    struct pic_error *err);
	void (*close)(struct pic_link *link); /* NULL is fine */
	/* The newest report replaces one that could not be sent yet. The buffer is emptied. */
	void (*report)(struct pic_link *link, struct pic_buf *body);
	void (*answer)(struct pic_link *link, const struct pic_link_reply *reply,
		       struct pic_buf *body);
	void (*stamp)(struct pic_link *link, const unsigned char *bytes); /* NULL: there is none */
	/* What a poll says has changed, or something is missing: one that is held is asked anew. */
	void (*again)(struct pic_link *link);
	const struct pic_link_state *(*state)(const struct pic_link *link);
	/* The client that knows the hub, for downloads from it: lent until it is given back, or until the link is
	 * closed. *keep: nothing else will open this connection. NULL: there is none. */
	struct pic_client *(*borrow)(struct pic_link *link, bool *keep);
	void (*give_back)(struct pic_link *link);
};

extern const struct pic_link_dialect pic_link_hub;
extern const struct pic_link_dialect pic_link_file;

const char *pic_link_connection_text(enum pic_link_connection connection);

#endif
