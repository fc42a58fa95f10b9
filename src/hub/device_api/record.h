/*
 * The record of one device: an object of kind DEVICE in the store,
 *   {"metadata":{"name":T},
 *    "spec":{"epoch","keyPin","nextKeyPin"?,"certificateSerial","enrolledAt","acceptEpoch"?},
 *    "status":{"revision","documents":["<revision> <issued ms> <sha256>",...],"documentDigest",
 *              "removedThrough","report":{...},"reportedAt","lastSeen","address","session","online",
 *              "quarantine"?:"why"}}
 * The engine writes status.revision, the device's face everything else. Pure: no clock, no store.
 *
 * `documents` are those that were given to the device and that it may still claim to have: what it
 * claims and is not there was given by another store (a restored backup, another hub).
 */
#ifndef PIC_HUB_DEVICE_API_RECORD_H
#define PIC_HUB_DEVICE_API_RECORD_H

#include "crypto/digest.h"
#include "protocol/report.h"
#include "symphony/object.h"

/* Texts are lent from the object and never NULL. */
const char *pic_record_epoch(const struct pic_object *device);
const char *pic_record_quarantine(const struct pic_object *device); /* "": none */
int64_t pic_record_revision(const struct pic_object *device);
bool pic_record_is_online(const struct pic_object *device);
/* The longest life that the device's policy gives what needs an end, in seconds; 0: it has not said. */
int64_t pic_record_lease_max(const struct pic_object *device);
bool pic_record_accepts_epoch(const struct pic_object *device); /* an administrator confirmed it */

/* What a device says it has in force. */
struct pic_claim {
	char epoch[PIC_EPOCH_TEXT]; /* "": nothing */
	int64_t revision;
	struct pic_sha256 digest;
};

enum pic_claim_kind {
	PIC_CLAIM_NOTHING, /* no document yet */
	PIC_CLAIM_CURRENT,
	PIC_CLAIM_BEHIND,
	PIC_CLAIM_FOREIGN, /* of another epoch: not confirmed yet */
	PIC_CLAIM_UNKNOWN, /* of our epoch, but never given by this store: it needs a new epoch */
};
enum pic_claim_kind pic_record_judge(const struct pic_object *device,
				     const struct pic_claim *claim);

struct pic_given_document {
	int64_t revision;
	int64_t issued_ms;
	struct pic_sha256 digest;
};
/* The one given last for this revision; false: none. */
bool pic_record_given(const struct pic_object *device, int64_t revision,
		      struct pic_given_document *out);

/* Changes: each takes and returns kube's form to put. `edit` is a copy whose spec and status may be
 * written to; values below them are shared and are only ever replaced. */
struct pic_json *pic_record_edit(const struct pic_object *device);

struct pic_record_enrolment {
	const char *name;
	const char *epoch; /* of a new device; a known one keeps its own */
	struct pic_sha256 key_pin;
	const char *serial;
	int64_t now_ms;
};
/* `known` is the record so far, or NULL. Ends a quarantine and an unanswered new epoch. */
struct pic_json *pic_record_enrol(const struct pic_object *known,
				  const struct pic_record_enrolment *enrolment);
void pic_record_new_epoch(struct pic_json *json, const char *epoch);
/* Adds `given`; forgets documents older than what the device claims to have. */
void pic_record_give(struct pic_json *json, const struct pic_claim *claim,
		     const struct pic_given_document *given);
/* `body` is the report as it came (shared). */
void pic_record_report(struct pic_json *json, const struct pic_report *report,
		       struct pic_json *body, int64_t now_ms);
void pic_record_seen(struct pic_json *json, bool online, const char *address, int64_t now_ms);

#endif
