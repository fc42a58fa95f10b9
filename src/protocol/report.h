/*
 * The report: what a device says of itself, POST /device/v1/report. One report is complete: the hub
 * replaces what it knew. Wire form, protocol 1:
 *   {"protocol":1,"device":"tiny-edge","session":"<32 hex>","sequence":3,
 *    "epoch":"..","revision":7,"digest":"<64 hex of the document's bytes>","removed-through":6,
 *    "agent":{"version":"0.1.0","boot":"<boot id>","uptime-seconds":12,"clock-set":true},
 *    "message":"why the document of another epoch was not taken, or empty",
 *    "components":[{"instance":"..","component":"..","type":"wasm","phase":"Running","reason":"Started",
 *       "message":"","since":"<RFC 3339>","restarts":1,"last-error":"..","last-error-at":"<RFC 3339>","orphaned":false,
 *       "evidence":{"pid":123,"sha256":"..","memory-bytes":1,"user":1900000001,
 *                   "text":"program 12, link 7 on eth0","ends-at":"<RFC 3339>"}}]}
 * Reasons of what needs a permission: AwaitingTicket (Pending), Expired and Revoked (Expired), RolledBack
 * (Failed). "ends-at" is by the device's wall clock, for people; what counts is its boot clock.
 */
#ifndef PIC_PROTOCOL_REPORT_H
#define PIC_PROTOCOL_REPORT_H

#include "protocol/document.h"

#define PIC_REPORT_TEXT_MAX 400
#define PIC_REPORT_EVIDENCE_TEXT 120
#define PIC_REPORT_SIZE_MAX (512 * 1024)

enum pic_phase {
	PIC_PHASE_PENDING,  /* known, nothing done yet */
	PIC_PHASE_FETCHING, /* downloading or being taken over */
	PIC_PHASE_STARTING,
	PIC_PHASE_RUNNING,
	PIC_PHASE_BACKOFF, /* ended, waits for its next start */
	PIC_PHASE_FAILED,  /* cannot run as it is described: bad module, bad digest ... */
	PIC_PHASE_REFUSED, /* by the device's policy */
	PIC_PHASE_HELD,	   /* stopped by hand on the device */
	PIC_PHASE_REMOVING,
	PIC_PHASE_FINISHED, /* ended with status 0 and is not to be restarted */
	PIC_PHASE_EXPIRED,  /* its time is over or its permission was taken back; never restarted */
};
const char *pic_phase_text(enum pic_phase phase); /* "Running" */
int pic_phase_parse(const char *text, enum pic_phase *out);

struct pic_report_component {
	struct pic_workload_name name;
	char type[PIC_TYPE_MAX + 1];
	enum pic_phase phase;
	char reason[48];		   /* CamelCase, one word: "DigestMismatch" */
	char message[PIC_REPORT_TEXT_MAX]; /* one sentence, may be empty */
	int64_t since_ms;		   /* wall clock of the last change of phase or reason */
	int64_t restarts;
	char last_error[PIC_REPORT_TEXT_MAX]; /* kept after it was overcome */
	int64_t last_error_ms;		      /* wall clock of the device; 0: not known */
	int64_t error_boot_ms; /* the same by CLOCK_BOOTTIME, 0: not known; on the device only */
	bool orphaned;	       /* runs, but no document of ours names it */
	/* evidence; 0 or all-zero when there is none */
	int64_t pid;
	int64_t user;
	int64_t memory_bytes;
	unsigned char digest[PIC_DIGEST_SIZE];
	char evidence[PIC_REPORT_EVIDENCE_TEXT];
	int64_t ends_at_ms;  /* wall clock of the device; 0: it has no end */
	int64_t end_boot_ms; /* the same by CLOCK_BOOTTIME: on the device only, does not travel */
};

struct pic_report {
	char device[PIC_NAME_MAX + 1];
	char session[33];
	int64_t sequence;
	char epoch[PIC_EPOCH_TEXT]; /* of the document that is in force; "" when none */
	int64_t revision;
	unsigned char digest[PIC_DIGEST_SIZE];
	int64_t removed_through; /* all removals up to this revision are done and proved */
	char version[32];
	char boot[40];
	int64_t uptime_seconds;
	bool clock_is_set;
	int64_t lease_max_seconds; /* the longest life its policy gives what needs an end; 0: not known */
	char message[PIC_REPORT_TEXT_MAX];
	struct pic_report_component *components;
	size_t component_count;
};

int pic_report_parse(struct pic_report **out, const char *text, size_t size, struct pic_error *err);
int pic_report_write(const struct pic_report *report, struct pic_buf *out);
void pic_report_free(struct pic_report *report);

#endif
