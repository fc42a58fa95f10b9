/*
 * Downloads by digest: from one of several addresses into downloads/SHA256.part, hashed as they come,
 * resumed where they broke off, renamed to downloads/SHA256 when the digest is right. What has another
 * digest is thrown away, and the sentence says what it was.
 *
 * Ownership: an order is copied. `done` is called once for each download that was not cancelled, from
 * the loop; its result is lent. Waiting and trying again is the caller's business.
 */
#ifndef PIC_AGENT_FETCH_FETCH_H
#define PIC_AGENT_FETCH_FETCH_H

#include "agent/store/identity.h"
#include "base/loop.h"

#define PIC_FETCH_SOURCES_MAX 2

struct pic_client;
struct pic_fetcher;

struct pic_fetch_order {
	unsigned char digest[PIC_DIGEST_SIZE];
	/* In this order; NULL ends. Addresses below the hub's are asked with the device's certificate. */
	const char *sources[PIC_FETCH_SOURCES_MAX + 1];
	uint64_t maximum; /* bytes */
	uint64_t room;	  /* bytes that all downloads together may take */
};

struct pic_fetch_result {
	int code;	    /* 0: the whole file is there */
	const char *reason; /* one word, constant */
	bool permanent;	    /* the order itself is wrong, the network is not to blame */
	const char *text;
	int64_t retry_after_ms; /* what the server asked for, -1: nothing */
};

struct pic_fetch_handler {
	void (*done)(void *data, const unsigned char digest[PIC_DIGEST_SIZE],
		     const struct pic_fetch_result *result);
	void *data;
};

/* Where a connection to the hub may be open already. */
struct pic_fetch_lender {
	/* The client of the hub's link; *keep: its connection may stay open afterwards. NULL: there is none. */
	struct pic_client *(*borrow)(void *data, bool *keep);
	void (*give_back)(void *data);
	void *data;
};

struct pic_fetch_settings {
	int folder;				   /* downloads; lent */
	const struct pic_agent_identity *identity; /* NULL: no hub; lent, read at each start */
	const char *user_agent;
	struct pic_fetch_lender lender; /* borrow NULL: nobody */
	bool files_allowed;		/* file: addresses, for `piccolo run` */
};

int pic_fetcher_new(struct pic_fetcher **out, struct pic_loop *loop,
		    const struct pic_fetch_settings *settings,
		    const struct pic_fetch_handler *handler, struct pic_error *err);
void pic_fetcher_free(struct pic_fetcher *fetcher);
/* -EDQUOT: what is there already takes all the room. */
int pic_fetch_start(struct pic_fetcher *fetcher, const struct pic_fetch_order *order,
		    struct pic_error *err);
/* The link goes: downloads on its client fail and are tried again later. */
void pic_fetch_leave(struct pic_fetcher *fetcher);
void pic_fetch_cancel(struct pic_fetcher *fetcher, const unsigned char digest[PIC_DIGEST_SIZE]);

#endif
