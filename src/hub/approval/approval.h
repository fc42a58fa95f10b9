/*
 * Approvals: what a person is asked and what they answered. An Approval object in the store is the one
 * truth; this room makes it, decides it once, sends the mail, and tells who waits.
 *
 * Object (group approval.piccolo/v1, kind Approval, namespaced):
 *   metadata.name      "<activation>-<stage>" and a number when taken, or "diagnose-<device>-<n>"
 *   spec.id            32 hex digits, random: the locator in addresses ("/approvals/<id>") and in tickets
 *   spec.campaign, spec.activation, spec.stage   who asked; "" when a person asked directly
 *   spec.run           which time it is asked: "<uid of the activation>/<number of its stage run>"
 *   spec.requestedBy, spec.reason
 *   spec.items         [{target, instance, component, type, sha256, terms (64 hex), grants ["kernel-read"],
 *                        facts {programs [{name, type, hook}], helpers [..], maps [..], size}}]
 *                      instance as on the device ("<instance>" or "<instance>.<namespace>")
 *   spec.opens         RFC 3339, or absent: at the decision
 *   spec.closes        RFC 3339, or absent: opens + spec.lengthSeconds
 *   spec.lengthSeconds   never more than its devices allow
 *   spec.leaseMaxSeconds   present when more was asked for than its devices allow: what the longest of them allows
 *   spec.expires       RFC 3339: not decided by then is Expired
 *   spec.approvers     mail addresses that may decide; empty: any administrator
 *   status.phase       Pending | Approved | Rejected | Revoked | Expired | Ended
 *   status.decidedBy, status.decidedAt, status.comment
 *   status.opens, status.ends   RFC 3339, absolute, fixed when it is approved
 *   status.mail        [{to, state: Queued|Sent|Failed, attempts, lastError, at}]
 * Approver (group approval.piccolo/v1, cluster scoped): spec {mail, byMail}.
 *
 * A decision is a compare-and-set on status.phase in one change: the first wins, the second is told by whom
 * and when it was decided. Timers (expiry, end) are found again in the store after a restart.
 */
#ifndef PIC_HUB_APPROVAL_APPROVAL_H
#define PIC_HUB_APPROVAL_APPROVAL_H

#include "hub/hub.h"
#include "protocol/ticket.h"

#define PIC_APPROVAL_ITEMS_MAX 64

enum pic_approval_phase {
	PIC_APPROVAL_PENDING,
	PIC_APPROVAL_APPROVED,
	PIC_APPROVAL_REJECTED,
	PIC_APPROVAL_REVOKED,
	PIC_APPROVAL_EXPIRED, /* nobody decided in time */
	PIC_APPROVAL_ENDED,   /* was approved, its end has come */
};
const char *pic_approval_phase_text(enum pic_approval_phase phase);

/* One item of an Approval as the engine and the ticket maker read it. Pure readers: object.c */
struct pic_approval_item {
	char target[PIC_NAME_MAX + 1];
	struct pic_workload_name name;
	char type[PIC_TYPE_MAX + 1];
	unsigned char digest[PIC_DIGEST_SIZE];
	unsigned char terms[PIC_TERMS_SIZE];
	uint32_t grants;
};

struct pic_approval_facts {
	unsigned char id[PIC_APPROVAL_SIZE];
	enum pic_approval_phase phase;
	int64_t opens_ms, ends_ms; /* wall clock of the hub; 0 before it is approved */
	int64_t decided_ms;	   /* of the last decision, so that of a revocation; 0: not known */
	size_t item_count;
	struct pic_approval_item items[PIC_APPROVAL_ITEMS_MAX];
};
/* -EINVAL: the object is not one of ours (edited by hand, damaged): it then allows nothing. */
int pic_approval_read(const struct pic_object *object, struct pic_approval_facts *out,
		      struct pic_error *err);

struct pic_approvals; /* the room's context */
int pic_approvals_open(struct pic_approvals **out, struct pic_hub *hub, struct pic_error *err);
/* No more mails, searches or waiting callers; before the server and the store are closed. */
void pic_approvals_stop(struct pic_approvals *approvals);
/* After pic_store_close, whose last commits are still told here. */
void pic_approvals_close(struct pic_approvals *approvals);

/* A request: makes the Approval, queues its mail. `spec` is the object's spec without id; it is stolen.
 * `done` gets the name of the object (lent) once it is durable, or the failure; it is not called when this
 * returns a failure. The same spec.run asked twice gives the same object: a stage that is repeated after a
 * crash asks nobody twice. What is left out is filled in: approvers (all there are), expires (7 days, or
 * closes), lengthSeconds (the longest lease of the items). -EINVAL with the field's name. */
typedef void pic_approval_made_fn(void *data, const char *name, int status,
				  const struct pic_error *err);
int pic_approval_request(struct pic_approvals *approvals, const struct pic_actor *actor,
			 const char *space, struct pic_json *spec, pic_approval_made_fn *done,
			 void *data, struct pic_error *err);
/* The same, born decided: phase Approved, decidedBy `by`. For an http stage whose address an administrator
 * has listed with --approval-url: its answer is the decision, and nobody is sent a mail. */
int pic_approval_grant(struct pic_approvals *approvals, const struct pic_actor *actor,
		       const char *space, struct pic_json *spec, const char *by,
		       pic_approval_made_fn *done, void *data, struct pic_error *err);
/* Approve, reject or revoke. -EALREADY with who and when; -EACCES may not decide; -ETIME expired; -ENOENT.
 * `by` is a mail address, which has to be one of spec.approvers and belong to an Approver, or the name of a
 * caller whose rights are checked already ("admin"): an administrator may always decide. After a failure
 * that is returned `done` is not called. */
enum pic_approval_verb { PIC_APPROVAL_APPROVE, PIC_APPROVAL_REJECT, PIC_APPROVAL_REVOKE };
int pic_approval_decide(struct pic_approvals *approvals, const struct pic_actor *actor,
			const char *space, const char *name, enum pic_approval_verb verb,
			const char *by, const char *comment, pic_change_done_fn *done, void *data,
			struct pic_error *err);

/* By spec.id; borrowed from the store. NULL: there is none, or `id` is not 32 hexadecimal digits. */
struct pic_object *pic_approval_find_by_id(struct pic_approvals *approvals, const char *id);

/* The mail's link of an approver with byMail is "PUBLIC_URL/approvals/<id>?key=<secret>": it only shows the page
 * (mail scanners follow links). The GET of the page gives out a token, its POST brings it back; `by` gets
 * the approver's mail address. A token is good for this approval, this secret, this phase (so for one
 * decision) and an hour. Nothing is stored: secrets and tokens follow from a key in the state folder, so a
 * mail that is sent again after a crash holds the same link, and a page outlives a restart.
 * -EACCES: not a link of this approval, or the approver is gone or no longer byMail (one sentence for all of
 * it: nobody learns which); check also: not a token of this page, or too old. check: -EALREADY: used, or
 * somebody has decided since; the sentence says who and when. */
#define PIC_APPROVAL_PAGE_TOKEN_TEXT 128
#define PIC_APPROVAL_BY_TEXT 256
int pic_approval_page_token_make(struct pic_approvals *approvals, const char *id,
				 const char *secret, char token[PIC_APPROVAL_PAGE_TOKEN_TEXT],
				 char by[PIC_APPROVAL_BY_TEXT], struct pic_error *err);
int pic_approval_page_token_check(struct pic_approvals *approvals, const char *id,
				  const char *secret, const char *token,
				  char by[PIC_APPROVAL_BY_TEXT], struct pic_error *err);

/* The items of what a change of a solution would stage on devices and needs approval, with digests and facts
 * read from the hub's own copies of the artifacts; resolves URLs first, so it answers later.
 * `solution`: the object as it would be. *items is a list for spec.items (given away), NULL on failure;
 * an empty list: nothing of it needs approval. */
typedef void pic_approval_items_fn(void *data, struct pic_json *items, const struct pic_error *err);
int pic_approval_items(struct pic_approvals *approvals, const struct pic_object *solution,
		       pic_approval_items_fn *done, void *data, struct pic_error *err);

/* Whether an http stage that calls this URL asks for an approval: it begins with one of --approval-url, or is
 * this hub's own /approve. */
bool pic_approval_url_counts(const struct pic_hub *hub, const char *url);
/* This hub's own: nobody has to be called, pic_approval_request does the same. */
bool pic_approval_url_is_own(const struct pic_hub *hub, const char *url);

#endif
