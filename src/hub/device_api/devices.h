/*
 * The devices as the hub talks with them: held polls, asks, sessions, who is online. Only what is
 * between two commits lives here; what must survive is in the device's record (record.h).
 *
 * A poll is held until its device's document changes (the store tells), an ask comes for it, or its
 * wait is over. Nothing is given to a device that is not durable: an answer waits for its commit.
 */
#ifndef PIC_HUB_DEVICE_API_DEVICES_H
#define PIC_HUB_DEVICE_API_DEVICES_H

#include "hub/hub.h"
#include "protocol/ask.h"

struct pic_devices;
struct pic_pending_ask;

int pic_devices_open(struct pic_devices **out, struct pic_hub *hub, struct pic_error *err);
/* Answers everything that is held with 503 and stops listening to the store. */
void pic_devices_close(struct pic_devices *devices);

bool pic_devices_online(struct pic_devices *devices, const char *name);
/* Does one of its components name this artifact? */
bool pic_devices_wants_artifact(struct pic_devices *devices, const char *name, const char *sha256);
/* Wall clock of the last request of that device, 0 when there was none since the record. */
int64_t pic_devices_last_seen(struct pic_devices *devices, const char *name);

/* Released from quarantine: which of the machines is the right one is open again. */
void pic_devices_forget_sessions(struct pic_devices *devices, const char *name);

struct pic_ask_answer {
	int status; /* of the device, 200 is good; 503: not connected, 504: no answer in time */
	const char *content_type; /* of the answer, lent */
	struct pic_view body;	  /* of a failure: one sentence, NUL-terminated */
	int64_t position;	  /* logs: where the next ask goes on; -1: not told */
};
/* Called once, from the loop, never from inside pic_devices_ask, unless the ask is cancelled. */
typedef void pic_ask_done_fn(void *data, const struct pic_ask_answer *answer);
/* `ask` without id, copied. */
int pic_devices_ask(struct pic_devices *devices, const char *name, const struct pic_ask *ask,
		    pic_ask_done_fn *done, void *data, struct pic_pending_ask **out,
		    struct pic_error *err);
void pic_devices_cancel(struct pic_pending_ask *ask);

struct pic_devices_facts {
	size_t known, online, polls, asks;
	uint64_t documents_given, reports, asks_answered, asks_failed;
};
void pic_devices_facts(struct pic_devices *devices, struct pic_devices_facts *out);

#endif
