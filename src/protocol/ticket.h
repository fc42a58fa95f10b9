/*
 * A ticket: the signed proof of one approval for one component on one device, made by the hub for one
 * poll. The agent only carries it; the supervisor checks it and binds what it allows in its ledger.
 *
 * Freshness: `stamp` is the random number that the supervisor gave out for the poll that the hub answers,
 * `length_ms` the time from that poll's arrival at the hub to the end. The end on the device is stamp's boot
 * time + length, so no wall clock of the device plays a part, and a ticket that was withheld, replayed, made
 * for another device or before a reboot has a stamp that the ledger does not know.
 *
 * On the wire (base64 in the answer to a poll) it is PIC_TICKET_SIZE bytes of fixed layout, little endian,
 * texts filled with zeros; the signature (ECDSA P-256 over SHA-256, DER) and the signer's certificate travel
 * beside it. The certificate must be one for tickets and be signed by the authority's, which follows it in the
 * same PEM text and whose key must be the one that root pinned (--ca-pin).
 */
#ifndef PIC_PROTOCOL_TICKET_H
#define PIC_PROTOCOL_TICKET_H

#include "base/buffer.h"
#include "protocol/document.h"

#define PIC_TERMS_SIZE 32
#define PIC_TICKET_STAMP_SIZE 16
#define PIC_TICKET_LENGTH_MAX_MS (366LL * 24 * 3600 * 1000)

/* What a component may do beyond the default; an approver reads these as sentences. */
enum pic_grant {
	PIC_GRANT_KERNEL_READ = 1 << 0, /* reads kernel memory: tracing programs, bpf_printk */
	PIC_GRANT_REDIRECT = 1 << 1,	/* sends packets elsewhere: bpf_redirect and its kin */
	PIC_GRANT_MASK = 3,
};
/* "kernel-read"; NULL when it is not one bit of the mask. */
const char *pic_grant_text(uint32_t bit);
int pic_grant_parse(const char *text, uint32_t *bit);

struct pic_ticket {
	unsigned char approval[PIC_APPROVAL_SIZE];
	char device[PIC_NAME_MAX + 1];
	struct pic_workload_name name;
	char type[PIC_TYPE_MAX + 1];
	unsigned char digest[PIC_DIGEST_SIZE]; /* of the artifact */
	unsigned char terms[PIC_TERMS_SIZE]; /* of what it may hook into; admission/ebpf_terms.h */
	uint32_t grants;		     /* bits of enum pic_grant */
	unsigned char stamp[PIC_TICKET_STAMP_SIZE];
	int64_t length_ms; /* > 0 */
};

#define PIC_TICKET_SIZE \
	(8 + PIC_APPROVAL_SIZE + 3 * (PIC_NAME_MAX + 1) + (PIC_TYPE_MAX + 1) + PIC_DIGEST_SIZE + \
	 PIC_TERMS_SIZE + 4 + PIC_TICKET_STAMP_SIZE + 8)

void pic_ticket_write(const struct pic_ticket *ticket, unsigned char out[PIC_TICKET_SIZE]);
/* -EPROTO with the sentence: wrong magic, text without end, unknown grant, length out of range. */
int pic_ticket_read(const unsigned char bytes[PIC_TICKET_SIZE], struct pic_ticket *out,
		    struct pic_error *err);

/* What the agent hands to the supervisor: PIC_SUPERVISOR_TICKET, in the request's `spec`. */
#define PIC_TICKET_SIGNATURE_MAX 80
#define PIC_TICKET_CERTIFICATE_MAX 2048
struct pic_signed_ticket {
	unsigned char ticket[PIC_TICKET_SIZE];
	uint16_t signature_size;
	unsigned char signature[PIC_TICKET_SIGNATURE_MAX];
	char certificate
		[PIC_TICKET_CERTIFICATE_MAX]; /* PEM of signer and authority, NUL-terminated */
};

/* In the answer to a poll: "ticket-epoch":"<32 hex>" (of the document they belong to; the device drops them
 * when another one is in force), "ticket-certificate":"PEM", "tickets":[{"approval":"<32 hex>",
 * "instance":"..","component":"..","ticket":"<base64>","signature":"<base64>"}].
 * In a poll: "&stamp=<32 hex>&approvals=" and a list of "<key>b" (bound) or "<key>r" (refused), separated by
 * commas, at most PIC_POLL_APPROVALS_MAX. An approval may be for several components of a device, and each has
 * its own ticket, so the key (16 hexadecimal digits) is made of both: pic_ticket_key. */
#define PIC_POLL_APPROVALS_MAX 32
#define PIC_TICKET_KEY_TEXT 17

/* Tells approvals of one device apart in few bytes (FNV-1a); a device that lies with it harms itself. */
void pic_ticket_key(const unsigned char approval[PIC_APPROVAL_SIZE],
		    const struct pic_workload_name *name, char out[PIC_TICKET_KEY_TEXT]);

#endif
