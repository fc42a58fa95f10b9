/*
 * Stage providers: one row each. A provider is asked with its memo (nothing at first), and answers at once,
 * or later through its job. What it changes goes into `work->change`, which is committed together with the
 * activation's new position: both happen, or neither does, so a crash repeats nothing.
 *
 * A provider may be asked again with the same memo after a crash of the hub; what it does outside of the
 * store must then be safe to repeat, or it must first wait (PIC_OUTCOME_WAITS) with a memo that says so.
 *
 * Internal to hub/campaign.
 */
#ifndef PIC_HUB_CAMPAIGN_PROVIDER_H
#define PIC_HUB_CAMPAIGN_PROVIDER_H

#include "crypto/digest.h"
#include "hub/approval/approval.h"
#include "hub/campaign/campaign.h"
#include "hub/campaign/machine.h"
#include "hub/engine/engine.h"

struct pic_client;
struct pic_stage_job;

/* An activation that is not finished. */
struct pic_campaign_entry {
	struct pic_campaign_entry *next;
	struct pic_campaigns *campaigns;
	char *space, *name, *uid;
	bool is_dirty;	    /* to be looked at before the loop sleeps */
	bool is_committing; /* its position is on the way to the disk */
	bool is_woken;
	bool is_gone;	  /* freed when its commit is done */
	int64_t until_ms; /* wall clock; 0: none */
	int64_t may_send; /* number of the run whose request this process has not sent yet; 0: none */
	struct pic_stage_job *job;		/* the provider is at work */
	char approval[PIC_OBJECT_NAME_MAX + 1]; /* whose decision wakes it, or "" */
	bool wakes_on_objects;
};

/* A provider at work: ends with pic_stage_answer, or is cancelled when its activation goes. */
struct pic_stage_job {
	struct pic_campaigns *campaigns;
	struct pic_stage_job *next; /* of those that are cancelled and wait for their call back */
	struct pic_campaign_entry
		*entry; /* NULL: cancelled; the job is freed at its next call back */
	int64_t number;
	void (*cancel)(
		struct pic_stage_job *job); /* NULL: what it waits for cannot be called off */
	void (*free)(struct pic_stage_job *job);
};

struct pic_stage_work {
	struct pic_campaign_entry *entry;
	struct pic_hub *hub;
	const struct pic_object *activation;
	struct pic_machine_place place;
	const struct pic_json *stage, *config, *inputs;
	struct pic_change *change;
	int64_t now_ms;
};

struct pic_campaigns {
	struct pic_hub *hub;
	struct pic_campaign_entry *entries;
	struct pic_stage_job *cancelled;
	struct pic_client *client;
	struct pic_timer *timer, *pause;
	bool windows_dirty, is_paused;
	int64_t pause_ms;
};

typedef void pic_stage_fn(struct pic_stage_work *work, struct pic_outcome *out);
pic_stage_fn pic_stage_http, pic_stage_patch, pic_stage_delay, pic_stage_wait, pic_stage_mock,
	pic_stage_approval;

/* Takes the job's place in its entry; the job is freed. Steals the outcome's contents. */
void pic_stage_answer(struct pic_stage_job *job, struct pic_outcome *outcome);
void pic_stage_job_start(struct pic_stage_job *job, const struct pic_stage_work *work);
#define PIC_WHO_ACTIVATION (PIC_OBJECT_NAME_MAX + 16)
/* For the journal: "activation:<name>". */
struct pic_actor pic_stage_actor(const char *activation, const char *verb,
				 char who[PIC_WHO_ACTIVATION]);
/* Adds an event about an object; -ENOMEM. */
int pic_stage_tell(struct pic_hub *hub, struct pic_change *change, const struct pic_object *about,
		   bool is_warning, const char *reason, const char *message, int64_t now_ms);

/* What a patch stage makes of its solution as it is now. -ENOENT, -EINVAL with a sentence. */
struct pic_patch;
int pic_stage_patch_plan(struct pic_hub *hub, const char *space, const struct pic_json *inputs,
			 struct pic_patch *out, const struct pic_object **solution,
			 struct pic_error *err);
/* spec of an Approval for what a patch stage does: all but items. */
struct pic_json *pic_stage_approval_spec(const struct pic_stage_work *work, const char *approves);

/* What a listed address is asked about (asked.c). False: it is being worked out, `out` says so; the stage is
 * asked again, with memo.asked {stage: digest}. */
bool pic_asked_is_known(struct pic_stage_work *work, const char *url, struct pic_outcome *out);
/* Of the items of an approval, without their facts; -E2BIG. */
int pic_asked_digest(const struct pic_json *items, char out[PIC_SHA256_TEXT]);

/* Windows (windows.c). Adds the window of a patch to the change. */
int pic_window_open(struct pic_stage_work *work, const struct pic_patch *patch,
		    const char *solution, int64_t closes_ms, struct pic_error *err);
/* Adds to the change what closes the window: the inverse patch when the component is still as it was
 * left, and that the window is gone. `text` gets what happened. */
int pic_window_close(struct pic_hub *hub, struct pic_change *change,
		     const struct pic_object *window, int64_t now_ms,
		     char text[PIC_MACHINE_TEXT_MAX], struct pic_error *err);
struct pic_object *pic_window_find(struct pic_hub *hub, const struct pic_object *activation);
/* Closes the windows whose activation is gone. */
void pic_windows_sweep(struct pic_campaigns *campaigns);

#endif
