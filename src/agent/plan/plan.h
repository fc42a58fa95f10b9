/*
 * The plan: from what should run and what does run to the next steps, and to what is said about each
 * workload. A pure function: no clock, no file, no memory of its own; the same input gives the same plan.
 *
 * What is wanted comes from the accepted document (agent/plan/wanted.h), what is actual from the
 * supervisor's ledger and from what the agent knows of artifacts. Steps that are under way are part of
 * the input (`busy`, the states that end in -ING), so planning again at any moment repeats nothing.
 *
 * The rules, each of which a test breaks on purpose to see that somebody notices (enum pic_plan_rule):
 * absence removes nothing, what is listed as removed goes and is proved, what is wanted runs as it is
 * asked for, the old one goes only when the new one can start, nothing foreign is touched, and what needs a
 * permission starts only by one that is bound and never again when it is over.
 *
 * Ownership: the input is lent; the plan owns its arrays, pic_plan_clear frees them.
 * Errors: -ENOMEM only.
 */
#ifndef PIC_AGENT_PLAN_PLAN_H
#define PIC_AGENT_PLAN_PLAN_H

#include "agent/plan/accept.h"
#include "protocol/report.h"
#include "protocol/supervisor.h"

#define PIC_FETCHES_MAX 2

enum pic_restart {
	PIC_RESTART_ALWAYS,
	PIC_RESTART_ON_FAILURE,
	PIC_RESTART_NEVER,
};

enum pic_busy {
	PIC_IDLE,
	PIC_BUSY_START, /* asked of the supervisor, not yet answered */
	PIC_BUSY_STOP,
};

/* What admission found: artifact and spec together. */
enum pic_verdict {
	PIC_VERDICT_NONE,
	PIC_VERDICT_SOUGHT, /* under way */
	PIC_VERDICT_GOOD,
	PIC_VERDICT_BAD, /* it can never run like this */
};

/* One component that should run, and what was learned when it was tried. */
struct pic_plan_component {
	struct pic_workload_name name;
	char type[PIC_TYPE_MAX + 1];
	bool orphaned; /* no longer in the document, but never listed as removed either */
	bool has_digest;
	unsigned char digest[PIC_DIGEST_SIZE];
	unsigned char spec_digest[PIC_DIGEST_SIZE];
	enum pic_restart restart;
	const char (*dependencies)[PIC_NAME_MAX + 1];
	size_t dependency_count;
	const char *problem; /* why it cannot run as it is described, or NULL */
	const char *problem_reason;
	const char *refusal;   /* why policy does not allow it, or NULL */
	bool needs_permission; /* by policy: a binding of its approval */
	bool has_approval;
	unsigned char approval[PIC_APPROVAL_SIZE];
	const char *ticket_refusal; /* why the supervisor did not take its ticket, or NULL */

	unsigned ends;	     /* runs in a row that ended soon; see pic_plan_note_end */
	int64_t noted_start; /* started_boot_ms of the last run that was counted in `ends` */
	const char *failure; /* why the supervisor could not start it, or NULL */
	enum pic_verdict verdict;
	const char *verdict_text; /* of PIC_VERDICT_BAD */
	bool failure_is_refusal; /* the supervisor's policy is another one than the one known here */
	int64_t retry_boot_ms;	 /* with failure: when to try again */
};

/* One ledger entry as the supervisor told it last. A start that was asked for is an entry at once, in
 * state PIC_LEDGER_STARTING and busy, so that nothing about it can be forgotten. */
struct pic_plan_entry {
	struct pic_ledger_entry ledger;
	enum pic_busy busy;
	int64_t retry_boot_ms; /* a STOP has failed: not before this time again */
};

/* A name that the document lists as removed. */
struct pic_plan_removed {
	struct pic_workload_name name;
	int64_t revision;
	bool proved; /* the supervisor has answered a STOP: nothing is left, not even its log */
	enum pic_busy busy;
	int64_t retry_boot_ms;
};

enum pic_artifact_state {
	PIC_ARTIFACT_UNKNOWN, /* nobody has looked */
	PIC_ARTIFACT_LOOKING, /* the supervisor is asked whether its store has it */
	PIC_ARTIFACT_ABSENT,
	PIC_ARTIFACT_FETCHING,
	PIC_ARTIFACT_FETCHED, /* the agent's own copy is whole and has the digest */
	PIC_ARTIFACT_TAKING,
	PIC_ARTIFACT_STORED, /* the supervisor's store has it, the agent's copy is gone */
	PIC_ARTIFACT_DROPPING,
};

struct pic_plan_artifact {
	unsigned char digest[PIC_DIGEST_SIZE];
	enum pic_artifact_state state;
	bool permanent;	       /* the failure lies in what the component says, not in the world */
	const char *reason;    /* of the last failure, one word; NULL: none */
	const char *text;      /* its sentence */
	int64_t retry_boot_ms; /* not before this time again */
};

struct pic_plan_input {
	const struct pic_plan_component *components; /* names are unique */
	size_t component_count;
	const struct pic_plan_removed *removed;
	size_t removed_count;
	int64_t revision;     /* of the document, 0: there is none */
	bool absence_removes; /* only for `piccolo run`: the file is all there is */
	const struct pic_plan_entry *entries;
	size_t entry_count;
	const struct pic_plan_artifact *artifacts;
	size_t artifact_count;
	const struct pic_binding *bindings; /* as the supervisor told them last */
	size_t binding_count;
	int64_t lease_max_ms; /* of policy, from when it was bound; 0: not known */
	int64_t now_boot_ms;
	uint32_t broken; /* bits of enum pic_plan_rule that a test has switched off */
};

enum pic_step_kind {
	PIC_STEP_STOP,
	PIC_STEP_DROP,	/* the artifact is of no use to anybody any more */
	PIC_STEP_LOOK,	/* ask the supervisor whether its store has the artifact */
	PIC_STEP_FETCH, /* download it */
	PIC_STEP_TAKE,	/* hand it to the supervisor's store */
	PIC_STEP_ADMIT, /* look whether it can run at all, as this component wants it */
	PIC_STEP_START,
};

struct pic_step {
	enum pic_step_kind kind;
	size_t component;		       /* index, but for STOP and DROP */
	struct pic_workload_name name;	       /* STOP, START, ADMIT */
	unsigned char digest[PIC_DIGEST_SIZE]; /* all but STOP */
	bool replaces; /* STOP: the same workload is to start anew, what it is permitted stays */
};

struct pic_plan {
	struct pic_step *steps;
	size_t step_count;
	struct pic_report_component *statuses; /* since_ms is left 0 */
	size_t status_count;
	int64_t removed_through;
	int64_t wake_boot_ms; /* plan again then even if nothing happens; 0: no need */
};

enum pic_plan_rule {
	PIC_RULE_ABSENCE_KEEPS = 1 << 0,
	PIC_RULE_REMOVED_STOPS = 1 << 1,
	PIC_RULE_REMOVAL_IS_PROVED = 1 << 2,
	PIC_RULE_REVISION_RISES = 1 << 3,     /* accept.c */
	PIC_RULE_EPOCH_IS_CONFIRMED = 1 << 4, /* accept.c */
	PIC_RULE_ORPHANS_ARE_KEPT = 1 << 5,   /* accept.c */
	PIC_RULE_DRIFT_IS_HEALED = 1 << 6,
	PIC_RULE_OLD_UNTIL_NEW_IS_READY = 1 << 7,
	PIC_RULE_ADMISSION = 1 << 8,
	PIC_RULE_STORED_BEFORE_START = 1 << 9,
	PIC_RULE_BACKOFF = 1 << 10,
	PIC_RULE_INVALID_STAYS_DOWN = 1 << 11,
	PIC_RULE_RESTART_POLICY = 1 << 12,
	PIC_RULE_HELD_STAYS_DOWN = 1 << 13,
	PIC_RULE_FAILURE_IS_LOCAL = 1 << 14,
	PIC_RULE_DEPENDENCIES = 1 << 15,
	PIC_RULE_USED_IS_KEPT = 1 << 16,
	PIC_RULE_UNUSED_IS_DROPPED = 1 << 17,
	PIC_RULE_FEW_FETCHES = 1 << 18,
	PIC_RULE_NOTHING_TWICE = 1 << 19,
	PIC_RULE_REFUSED_STAYS_DOWN = 1 << 20,
	PIC_RULE_RETRY_WAITS = 1 << 21,
	PIC_RULE_FILE_REMOVES = 1 << 22,
	PIC_RULE_PERMISSION = 1 << 23,
	PIC_RULE_EXPIRED_STAYS_DOWN = 1 << 24,
	PIC_RULE_COUNT = 25,
};

int pic_plan_make(const struct pic_plan_input *input, struct pic_plan *out);
void pic_plan_clear(struct pic_plan *plan);

/* The wait before the next start after `ends` runs in a row that ended soon. */
int64_t pic_plan_backoff_ms(unsigned ends);
/* The same for this component, by how it ended: a missing interface is looked for once a minute at most. */
int64_t pic_plan_wait_ms(const struct pic_plan_component *component,
			 const struct pic_ledger_entry *entry);
/* To be called when the ledger shows this component's entry: counts each end once and forgets after
 * a run that lasted. */
void pic_plan_note_end(struct pic_plan_component *component, const struct pic_ledger_entry *entry);
/* One sentence about how a run ended: "it was killed by signal 9 (Killed)". */
void pic_plan_end_text(const struct pic_ledger_entry *entry, char *out, size_t size);

#endif
