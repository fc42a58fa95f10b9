/*
 * What the files of this room share: one entry for each device that was heard of since the start.
 */
#ifndef PIC_HUB_DEVICE_API_STATE_H
#define PIC_HUB_DEVICE_API_STATE_H

#include "hub/device_api/catalogs.h"
#include "hub/device_api/devices.h"
#include "hub/device_api/record.h"
#include "hub/route.h"
#include "protocol/ticket.h"

#define PIC_SESSION_TEXT 33
#define PIC_OLDER_SESSIONS 4

/* A poll that is held. */
struct pic_poll {
	struct pic_kept kept; /* first */
	struct pic_device *device;
	struct pic_exchange *exchange;
	struct pic_timer *timer;
	struct pic_claim claim;
	bool is_over; /* the wait; only a commit under way still keeps it */
	int64_t arrived_boot_ms;
	bool has_stamp; /* it takes tickets */
	unsigned char stamp[PIC_TICKET_STAMP_SIZE];
	char settled[PIC_POLL_APPROVALS_MAX][PIC_TICKET_KEY_TEXT]; /* bound or refused there */
	size_t settled_count;
	char etag[64]; /* of the document received last, also when it was not taken */
};

struct pic_pending_ask {
	struct pic_pending_ask *next;
	struct pic_device *device;
	struct pic_timer *timer;
	struct pic_ask ask;
	bool given; /* the device has it */
	/* An answer that is not to be told from inside pic_devices_ask. */
	int failed_status;
	char failure[PIC_ERROR_TEXT];
	pic_ask_done_fn *done;
	void *data;
};

struct pic_older_session {
	char text[PIC_SESSION_TEXT];
	bool spoke; /* again, after the newer one */
};

struct pic_device {
	struct pic_devices *owner;
	char name[PIC_NAME_MAX + 1];
	struct pic_poll *poll;
	struct pic_pending_ask *asks;
	char session[PIC_SESSION_TEXT];
	struct pic_older_session older[PIC_OLDER_SESSIONS];
	size_t next_older;
	int64_t session_since_ms; /* boot clock */
	int64_t contact_wall_ms;
	int64_t contact_boot_ms;
	char address[64];
	bool changing;		 /* a commit about its document is under way */
	int64_t tickets_boot_ms; /* when it was given some last */
};

struct pic_devices {
	struct pic_hub *hub;
	struct pic_device **items; /* by name */
	size_t count, capacity;
	struct pic_timer *offline_timer;
	struct pic_target_catalogs catalogs;
	struct pic_devices_facts facts;
	bool silence_is_watched; /* the timer is armed */
	bool closing;
};

/* devices.c */
struct pic_device *pic_device_entry(struct pic_devices *devices,
				    const char *name); /* NULL: no memory */
struct pic_device *pic_device_find(struct pic_devices *devices, const char *name);
struct pic_object *pic_device_record(struct pic_devices *devices, const char *name);
/* Commits a record of that device; who acts is the device or the hub. */
void pic_device_commit(struct pic_devices *devices, const char *who, const char *where,
		       const char *verb, struct pic_json *record, pic_change_done_fn *done,
		       void *data);
/* It was heard: notes the time, and that it is online. */
void pic_device_heard(struct pic_device *device, struct pic_exchange *exchange);
/* After a poll ended: when nothing comes for a while, it is offline. */
void pic_devices_watch_silence(struct pic_devices *devices);

/* tickets.c */
/* Reads what the query says of stamp and approvals. -EINVAL with the sentence. */
int pic_tickets_read(struct pic_poll *poll, const struct pic_exchange *exchange,
		     struct pic_error *err);
/* Tickets for what the device's catalogs name and the poll does not call settled, signed for its stamp, as
 * members of the answer ("," first); *count tells how many. `out` NULL: only counts. */
int pic_tickets_write(struct pic_device *device, const char *epoch, struct pic_buf *out,
		      size_t *count, struct pic_error *err);

/* session.c: 0, or the exchange has been refused. `session` NULL: the request names none. */
int pic_device_admit(struct pic_device *device, struct pic_exchange *exchange, const char *session);
void pic_device_forget_sessions(struct pic_device *device); /* enrolled afresh, or released */

/* poll.c */
/* Answers the held poll when there is something to say. */
void pic_poll_consider(struct pic_device *device);
/* Ends the held poll with a refusal. */
void pic_poll_refuse(struct pic_device *device, int status, const char *reason, const char *why);

/* asks.c */
bool pic_asks_wait(const struct pic_device *device);	   /* some are not given yet */
struct pic_json *pic_asks_give(struct pic_device *device); /* as a list; they are given now */
void pic_asks_fail(struct pic_device *device, int status, const char *why);

/* Handlers. */
void pic_device_poll(struct pic_hub *hub, struct pic_exchange *exchange,
		     const struct pic_route_match *match);
void pic_device_report(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match);
void pic_device_answer(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match);
void pic_device_authority(struct pic_hub *hub, struct pic_exchange *exchange,
			  const struct pic_route_match *match);
void pic_device_join(struct pic_hub *hub, struct pic_exchange *exchange,
		     const struct pic_route_match *match);
void pic_device_renew(struct pic_hub *hub, struct pic_exchange *exchange,
		      const struct pic_route_match *match);

#endif
