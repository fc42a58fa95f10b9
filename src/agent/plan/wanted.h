/*
 * What is wanted: a document, turned into what the plan compares with. Each component's properties are
 * read by the driver of its type once, for the digest of what is asked for; the spec itself is made
 * again from the properties when it is started, so that an idle agent keeps no specs in memory.
 *
 * Ownership: struct pic_wanted owns all of it, the texts that the plan's components point to included.
 */
#ifndef PIC_AGENT_PLAN_WANTED_H
#define PIC_AGENT_PLAN_WANTED_H

#include "agent/plan/plan.h"
#include "protocol/policy.h"

/* What stands behind components[i] of the plan. */
struct pic_wanted_source {
	char *url;	  /* or NULL */
	char *properties; /* compact JSON */
	char *problem, *refusal, *failure, *verdict, *ticket_refusal;
	unsigned failures; /* admissions and starts in a row that the supervisor could not do */
};

struct pic_wanted {
	char epoch[PIC_EPOCH_TEXT]; /* "": no document */
	int64_t revision;
	unsigned char digest[PIC_DIGEST_SIZE]; /* of the document's bytes; filled by the caller */
	struct pic_plan_component *components;
	struct pic_wanted_source *sources;
	size_t count;
	struct pic_plan_removed *removed;
	size_t removed_count;
};

/* `document` and `kept` may be NULL; `policy` too (then only the supervisor knows what it refuses).
 * A component that cannot run is no error: its problem says why. -ENOMEM is the only one. */
int pic_wanted_make(struct pic_wanted *out, const struct pic_document *document,
		    const struct pic_document *kept, const struct pic_policy *policy,
		    struct pic_error *err);
void pic_wanted_clear(struct pic_wanted *wanted);
/* What was learned about a component that is asked for in the same way stays known. */
void pic_wanted_inherit(struct pic_wanted *wanted, struct pic_wanted *old);
/* Asks policy again for all of them. */
void pic_wanted_judge(struct pic_wanted *wanted, const struct pic_policy *policy);
/* The driver's spec of component `index`; free() it. */
int pic_wanted_spec(const struct pic_wanted *wanted, size_t index, void **spec, size_t *size,
		    struct pic_error *err);
size_t pic_wanted_find(const struct pic_wanted *wanted, const struct pic_workload_name *name);
#define PIC_WANTED_NONE ((size_t)-1)

/* A START of `index` failed (code -EPERM: the supervisor's policy forbids it); or (code 0) it is up. */
void pic_wanted_note_start(struct pic_wanted *wanted, size_t index, int code, const char *text,
			   int64_t now_boot_ms);

/* The supervisor did not take the ticket of `index`, or (NULL) that is forgotten. */
void pic_wanted_note_ticket(struct pic_wanted *wanted, size_t index, const char *text);
/* What admission found: code 0, -EINVAL (never) or another one (not found out, try again). */
void pic_wanted_note_verdict(struct pic_wanted *wanted, size_t index, int code, const char *text,
			     int64_t now_boot_ms);

#endif
