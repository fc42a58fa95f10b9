/*
 * The machine of campaigns. Pure: an activation, what happened, and now in; the activation's next status
 * and what is to be done out.
 *
 * In the activation's status, beside what both eras of Symphony show (stage, nextStage, status,
 * statusMessage, errorMessage, isActive, inputs, outputs, updateTime, stageHistory), there is the machine's
 * own memory:
 *	run: {state, stage, previous, number, attempt, untilMs, memo, outputs: {stage: {...}}, campaign}
 * `number` counts runs of stages: an outcome of another run is too late and changes nothing. `campaign` is
 * the spec as it was at the start: who changes the campaign meanwhile changes the next activation. `memo`
 * is the provider's: what it wants to know again when it is woken, or asked again after a crash.
 *
 * States:  Scheduled --its time--> Acting --it waits--> Waiting --it ends--> the next stage, or Finished
 * A stage that waits is asked again when its time has come or when it is woken.
 *
 * When a stage has ended: its selector is evaluated. After a failure what it names is run only when that
 * stage has handleErrors, as in Symphony. One exception makes the published campaign work: a failure that
 * is an answer (403 of an approval or an http stage) does not stop an expression from choosing.
 */
#ifndef PIC_HUB_CAMPAIGN_MACHINE_H
#define PIC_HUB_CAMPAIGN_MACHINE_H

#include "hub/campaign/stage.h"

#define PIC_MACHINE_RUNS_MAX 10000
#define PIC_MACHINE_HISTORY_MAX 10
#define PIC_MACHINE_OUTPUTS_MAX (32 * 1024)
#define PIC_MACHINE_CAMPAIGN_MAX (256 * 1024)
#define PIC_MACHINE_TEXT_MAX 400

/* The rules, as bits, so that a property test can break each on purpose and must notice. */
enum pic_machine_rule {
	PIC_MACHINE_RULE_LATE_IS_IGNORED = 1 << 0,
	PIC_MACHINE_RULE_NOT_BEFORE_ITS_TIME = 1 << 1,
	PIC_MACHINE_RULE_FAILURE_NEEDS_HANDLER = 1 << 2,
	PIC_MACHINE_RULE_ANSWER_MAY_CHOOSE = 1 << 3,
	PIC_MACHINE_RULE_UNKNOWN_ENDS = 1 << 4,
	PIC_MACHINE_RULE_RUNS_ARE_BOUNDED = 1 << 5,
	PIC_MACHINE_RULE_RETRIES_ARE_BOUNDED = 1 << 6,
	PIC_MACHINE_RULE_HISTORY_IS_BOUNDED = 1 << 7,
	PIC_MACHINE_RULE_FINISHED_IS_FINAL = 1 << 8,
	PIC_MACHINE_RULE_NEW_RUN_NEW_NUMBER = 1 << 9,
	PIC_MACHINE_RULE_MEMO_IS_KEPT = 1 << 10,
	PIC_MACHINE_RULE_COUNT = 11,
};

/* What a provider says. */
enum pic_outcome_kind {
	PIC_OUTCOME_DONE,
	PIC_OUTCOME_FAILED,
	PIC_OUTCOME_WAITS,
	PIC_OUTCOME_PENDING, /* it will say later; never given to the machine */
};
struct pic_outcome {
	enum pic_outcome_kind kind;
	int status;	  /* FAILED: 403, 404, 500 ... */
	bool is_answer;	  /* FAILED: somebody has said no; an expression may choose what follows */
	bool is_paused;	  /* WAITS: shown as Paused, not Running */
	int64_t until_ms; /* WAITS: wall clock; 0: until something wakes it */
	struct pic_json *outputs, *memo, *inputs; /* owned, or NULL */
	char text[PIC_MACHINE_TEXT_MAX]; /* why, or what it waits for; DONE: a remark, or "" */
};
void pic_outcome_free(struct pic_outcome *outcome);
#define PIC_OUTCOME PIC_CLEANUP(pic_outcome_free)
void pic_outcome_fail(struct pic_outcome *outcome, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct pic_machine_input {
	const struct pic_object *activation;
	const struct pic_json *campaign;   /* spec, for the start; NULL: there is none yet */
	const char *refusal;		   /* at the start: why it cannot be run, or NULL */
	bool is_woken;			   /* what a waiting stage looks at may have changed */
	const struct pic_outcome *outcome; /* or NULL: only a look */
	int64_t number;			   /* of the run that the outcome is of */
	int64_t now_ms;
	uint32_t broken;
};

enum pic_machine_action {
	PIC_MACHINE_NOTHING, /* finished, or waits for something that is not a time */
	PIC_MACHINE_SLEEP,   /* look again at until_ms */
	PIC_MACHINE_ACT, /* the provider of the present stage is to be asked, once this is durable */
};

struct pic_machine_output {
	struct pic_json *status; /* owned; NULL: as it was */
	enum pic_machine_action action;
	int64_t until_ms;
	/* what happened, for an event; reason "" when there is nothing to tell */
	bool is_warning;
	char reason[32];
	char message[PIC_MACHINE_TEXT_MAX];
	bool is_finished;
};
void pic_machine_output_free(struct pic_machine_output *output);

/* -ESTALE: the outcome is of a run that is over; -ENOMEM. */
int pic_machine_step(const struct pic_machine_input *input, struct pic_machine_output *out,
		     struct pic_error *err);

/* What the shell asks of a status. */
struct pic_machine_place {
	const char *stage; /* lent; "" before the start */
	const char *previous;
	int64_t number;
	const struct pic_json *campaign, *memo, *outputs; /* lent; NULL: none */
	bool is_acting, is_waiting, is_finished;
};
void pic_machine_place(const struct pic_object *activation, struct pic_machine_place *out);

/* Config and inputs of a stage with their expressions evaluated, as of now. `stage` is a name. */
int pic_machine_stage(const struct pic_object *activation, const char *stage,
		      struct pic_json **config, struct pic_json **inputs, struct pic_error *err);

#endif
