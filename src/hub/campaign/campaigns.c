/*
 * The shell around the machine: listens to the store, remembers which activations a change or a time
 * concerns, and looks at each of them before the loop sleeps. An activation is asked about again only when
 * its last position is on the disk. After a restart everything is looked at once: what was waiting waits
 * on, what was under way is asked again.
 */
#include "hub/campaign/campaign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "hub/campaign/provider.h"
#include "hub/campaign/schedule.h"
#include "hub/engine/events.h"
#include "net/client.h"

#define ROUNDS_MAX 16
#define PAUSE_FIRST_MS 1000
#define PAUSE_LAST_MS 30000
/* The wall clock may be set: no timer is trusted for longer. */
#define SLEEP_MAX_MS 60000
#define FINISHED_MAX 500

static pic_stage_fn *const providers[PIC_STAGE_PROVIDER_COUNT] = {
	[PIC_STAGE_HTTP] = pic_stage_http,   [PIC_STAGE_PATCH] = pic_stage_patch,
	[PIC_STAGE_DELAY] = pic_stage_delay, [PIC_STAGE_WAIT] = pic_stage_wait,
	[PIC_STAGE_MOCK] = pic_stage_mock,   [PIC_STAGE_APPROVAL] = pic_stage_approval,
};

struct pic_actor pic_stage_actor(const char *activation, const char *verb,
				 char who[PIC_WHO_ACTIVATION])
{
	snprintf(who, PIC_WHO_ACTIVATION, "activation:%s", activation);
	return (struct pic_actor){ .who = who, .where = "", .verb = verb };
}

int pic_stage_tell(struct pic_hub *hub, struct pic_change *change, const struct pic_object *about,
		   bool is_warning, const char *reason, const char *message, int64_t now_ms)
{
	const struct pic_event_subject subject = { about->kind, about->space, about->name,
						   about->uid };
	struct pic_engine_note note = { .warning = is_warning };
	struct pic_error err = PIC_ERROR_INIT;

	snprintf(note.reason, sizeof(note.reason), "%s", reason);
	snprintf(note.message, sizeof(note.message), "%s", message);
	return pic_events_add(hub->store, change, &subject, &note, now_ms, &err);
}

/* Entries. */

static void entry_free(struct pic_campaign_entry *entry)
{
	free(entry->space);
	free(entry->name);
	free(entry->uid);
	free(entry);
}

static void drop_job(struct pic_campaign_entry *entry)
{
	struct pic_stage_job *job = entry->job;

	entry->job = NULL;
	if (!job)
		return;
	job->entry = NULL;
	if (job->cancel) {
		job->cancel(job);
		return;
	}
	job->next = job->campaigns->cancelled;
	job->campaigns->cancelled = job;
}

static void forget_cancelled(struct pic_stage_job *job)
{
	for (struct pic_stage_job **link = &job->campaigns->cancelled; *link;
	     link = &(*link)->next) {
		if (*link != job)
			continue;
		*link = job->next;
		return;
	}
}

/* Off the list; freed now, or when its commit comes back. */
static void entry_drop(struct pic_campaign_entry *entry)
{
	for (struct pic_campaign_entry **link = &entry->campaigns->entries; *link;
	     link = &(*link)->next) {
		if (*link != entry)
			continue;
		*link = entry->next;
		break;
	}
	drop_job(entry);
	entry->is_gone = true;
	if (!entry->is_committing)
		entry_free(entry);
}

static struct pic_campaign_entry *entry_find(struct pic_campaigns *campaigns,
					     const struct pic_object *activation)
{
	for (struct pic_campaign_entry *entry = campaigns->entries; entry; entry = entry->next)
		if (strcmp(entry->uid, activation->uid) == 0)
			return entry;
	return NULL;
}

static void entry_mark(struct pic_campaigns *campaigns, const struct pic_object *activation)
{
	struct pic_campaign_entry *entry = entry_find(campaigns, activation);
	struct pic_machine_place place;

	if (entry) {
		entry->is_dirty = true;
		return;
	}
	pic_machine_place(activation, &place);
	if (place.is_finished)
		return;
	entry = calloc(1, sizeof(*entry));
	if (entry) {
		entry->space = strdup(activation->space);
		entry->name = strdup(activation->name);
		entry->uid = strdup(activation->uid);
	}
	if (!entry || !entry->space || !entry->name || !entry->uid) {
		if (entry)
			entry_free(entry);
		pic_log(PIC_LOG_ERROR, "activation-not-run",
			PIC_TEXT("activation", activation->name), PIC_TEXT("error", "no memory"));
		return;
	}
	entry->campaigns = campaigns;
	entry->is_dirty = true;
	entry->next = campaigns->entries;
	campaigns->entries = entry;
}

/* Its activation, when it is still the same one. */
static struct pic_object *entry_activation(const struct pic_campaign_entry *entry)
{
	struct pic_object *activation = pic_store_get(
		entry->campaigns->hub->store, PIC_KIND_ACTIVATION, entry->space, entry->name);

	return activation && strcmp(activation->uid, entry->uid) == 0 ? activation : NULL;
}

/* Writing. */

static void mark_all(struct pic_campaigns *campaigns)
{
	struct pic_store *store = campaigns->hub->store;

	for (struct pic_object *one = pic_store_next(store, PIC_KIND_ACTIVATION, NULL, NULL); one;
	     one = pic_store_next(store, PIC_KIND_ACTIVATION, NULL, one))
		entry_mark(campaigns, one);
	campaigns->windows_dirty = true;
}

static void pause_over(void *data)
{
	struct pic_campaigns *campaigns = data;

	campaigns->is_paused = false;
	mark_all(campaigns);
}

/* What failed would only fail again at once. */
static void try_later(struct pic_campaigns *campaigns, const char *why)
{
	if (campaigns->is_paused)
		return;
	campaigns->pause_ms = campaigns->pause_ms ? 2 * campaigns->pause_ms : PAUSE_FIRST_MS;
	if (campaigns->pause_ms > PAUSE_LAST_MS)
		campaigns->pause_ms = PAUSE_LAST_MS;
	campaigns->is_paused = true;
	pic_timer_set(campaigns->pause, campaigns->pause_ms);
	pic_log(PIC_LOG_WARNING, "campaign-write-failed", PIC_TEXT("error", why),
		PIC_NUMBER("retry-ms", campaigns->pause_ms));
}

static void written(void *data, int status, const struct pic_error *err)
{
	struct pic_campaign_entry *entry = data;
	struct pic_campaigns *campaigns = entry->campaigns;

	entry->is_committing = false;
	if (entry->is_gone) {
		entry_free(entry);
		return;
	}
	entry->is_dirty = true;
	if (status < 0)
		try_later(campaigns, err ? err->text : "");
	else
		campaigns->pause_ms = 0;
}

static struct pic_json *with_status(const struct pic_object *activation, struct pic_json *status)
{
	struct pic_json *json = pic_json_new_object();

	pic_json_each(activation->json, i)
		pic_json_set(json, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	pic_json_set(json, "status", status);
	return json;
}

/* Room for one more that is finished: the oldest goes. */
static void forget_oldest(struct pic_store *store, struct pic_change *change)
{
	const struct pic_object *oldest = NULL;
	const char *oldest_time = NULL;
	size_t finished = 0;

	if (pic_store_count(store, PIC_KIND_ACTIVATION) <= FINISHED_MAX)
		return;
	for (struct pic_object *one = pic_store_next(store, PIC_KIND_ACTIVATION, NULL, NULL); one;
	     one = pic_store_next(store, PIC_KIND_ACTIVATION, NULL, one)) {
		struct pic_machine_place place;
		const char *time =
			pic_json_text_or(pic_json_get(pic_object_status(one), "updateTime"), "");

		pic_machine_place(one, &place);
		if (!place.is_finished)
			continue;
		finished++;
		if (!oldest || strcmp(time, oldest_time) < 0) {
			oldest = one;
			oldest_time = time;
		}
	}
	if (finished >= FINISHED_MAX)
		pic_change_delete(change, oldest->kind, oldest->space, oldest->name);
}

/* Takes the change over: the new position goes with what is in it already. */
static void commit(struct pic_campaign_entry *entry, const struct pic_object *activation,
		   struct pic_change *change, struct pic_machine_output *step, int64_t now_ms)
{
	struct pic_hub *hub = entry->campaigns->hub;
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_change_put(change, PIC_KIND_ACTIVATION,
			       with_status(activation, PIC_STEAL(step->status)), &err);

	if (r == 0 && *step->reason)
		r = pic_stage_tell(hub, change, activation, step->is_warning, step->reason,
				   step->message, now_ms);
	if (r < 0) {
		pic_change_drop(change);
		try_later(entry->campaigns, err.text);
		return;
	}
	if (step->is_finished)
		forget_oldest(hub->store, change);
	entry->is_committing = true;
	pic_change_commit(change, written, entry);
}

/* What a provider has said, with what it changes. Takes `change` over. */
static void apply_outcome(struct pic_campaign_entry *entry, int64_t number,
			  struct pic_change *change, const struct pic_outcome *outcome)
{
	PIC_CLEANUP(pic_object_unref_pointer)
	struct pic_object *activation = pic_object_ref(entry_activation(entry));
	struct pic_machine_output step = { .status = NULL };
	struct pic_error err = PIC_ERROR_INIT;
	const struct pic_machine_input input = {
		.activation = activation,
		.outcome = outcome,
		.number = number,
		.now_ms = pic_clock_wall_ms(),
	};

	if (!activation || pic_machine_step(&input, &step, &err) < 0) {
		if (*err.text)
			pic_log(PIC_LOG_INFO, "stage-outcome-late", PIC_TEXT("error", err.text));
		pic_change_drop(change);
		entry->is_dirty = true;
		return;
	}
	if (step.status)
		commit(entry, activation, change, &step, input.now_ms);
	else { /* it waits as it did */
		pic_change_drop(change);
		entry->until_ms = step.action == PIC_MACHINE_SLEEP ? step.until_ms : 0;
		entry->is_dirty |= entry->is_woken;
	}
	pic_machine_output_free(&step);
}

void pic_stage_job_start(struct pic_stage_job *job, const struct pic_stage_work *work)
{
	job->campaigns = work->entry->campaigns;
	job->entry = work->entry;
	job->number = work->place.number;
	work->entry->job = job;
}

void pic_stage_answer(struct pic_stage_job *job, struct pic_outcome *outcome)
{
	struct pic_campaign_entry *entry = job->entry;

	if (entry) {
		char who[PIC_WHO_ACTIVATION];
		const struct pic_actor actor = pic_stage_actor(entry->name, "stage", who);

		entry->job = NULL;
		apply_outcome(entry, job->number,
			      pic_change_new(entry->campaigns->hub->store, &actor), outcome);
	}
	if (!entry)
		forget_cancelled(job);
	job->free(job);
}

/* Asking. */

static void ask_provider(struct pic_stage_work *work, struct pic_outcome *out)
{
	enum pic_stage_provider provider = pic_stage_provider(work->stage);

	if (!work->stage || provider == PIC_STAGE_UNKNOWN)
		pic_outcome_fail(out, 400, "stage %.63s has no provider that this hub knows",
				 work->place.stage);
	else
		providers[provider](work, out);
}

/* The provider of the present stage is asked; its position is on the disk. */
static void act(struct pic_campaign_entry *entry, struct pic_object *activation)
{
	struct pic_campaigns *campaigns = entry->campaigns;
	PIC_CLEANUP(pic_object_unref_pointer)
	struct pic_object *held = pic_object_ref(activation);
	PIC_JSON struct pic_json *config = NULL, *inputs = NULL;
	PIC_OUTCOME struct pic_outcome outcome = { .kind = PIC_OUTCOME_FAILED };
	struct pic_error err = PIC_ERROR_INIT;
	char who[PIC_WHO_ACTIVATION];
	const struct pic_actor actor = pic_stage_actor(entry->name, "stage", who);
	struct pic_stage_work work = {
		.entry = entry,
		.hub = campaigns->hub,
		.activation = held,
		.change = pic_change_new(campaigns->hub->store, &actor),
		.now_ms = pic_clock_wall_ms(),
	};

	pic_machine_place(held, &work.place);
	work.stage = pic_stage_find(work.place.campaign, work.place.stage);
	int64_t number = work.place.number;
	int r = pic_machine_stage(held, work.place.stage, &config, &inputs, &err);

	work.config = config;
	work.inputs = inputs;
	entry->is_woken = false;
	if (r < 0)
		pic_outcome_fail(&outcome, 400, "%s", err.text);
	else
		ask_provider(&work, &outcome);
	if (outcome.kind == PIC_OUTCOME_PENDING) {
		pic_change_drop(work.change);
		return;
	}
	outcome.inputs = pic_json_ref(inputs);
	apply_outcome(entry, number, work.change, &outcome);
}

/* Looking. */

/* What a patch stage names must be there before anybody is asked; what is an expression shows later. */
static bool find_missing(struct pic_campaigns *campaigns, const struct pic_object *activation,
			 const struct pic_json *campaign, char out[PIC_MACHINE_TEXT_MAX])
{
	pic_json_each(pic_json_get(campaign, "stages"), i) {
		const struct pic_json *stage = pic_json_value(i);
		const struct pic_json *inputs = pic_json_get(stage, "inputs");
		const struct pic_json *name = pic_json_get(inputs, "objectName");
		char solution[PIC_OBJECT_NAME_MAX + 1];

		if (pic_stage_provider(stage) != PIC_STAGE_PATCH || pic_stage_is_expression(name) ||
		    !pic_stage_object_name(pic_json_text(name), solution) ||
		    pic_store_get(campaigns->hub->store, PIC_KIND_SOLUTION, activation->space,
				  solution))
			continue;
		snprintf(out, PIC_MACHINE_TEXT_MAX,
			 "stage %.63s patches solution %.200s, which does not exist in namespace "
			 "%.63s",
			 pic_json_key(i), solution, activation->space);
		return true;
	}
	pic_json_each(pic_json_get(campaign, "stages"), k) {
		const char *target =
			pic_json_text_or(pic_json_get(pic_json_value(k), "target"), "");

		if (!*target || pic_store_get(campaigns->hub->store, PIC_KIND_TARGET,
					      activation->space, target))
			continue;
		snprintf(out, PIC_MACHINE_TEXT_MAX,
			 "stage %.63s names target %.63s, which does not exist in namespace %.63s",
			 pic_json_key(k), target, activation->space);
		return true;
	}
	return false;
}

/* What it waits for may have come before it was known that it waits for it: it looks once. */
static void remember_wakers(struct pic_campaign_entry *entry, const struct pic_machine_place *place)
{
	const char *approval = pic_json_text_or(pic_json_get(place->memo, "approval"), "");
	bool objects = pic_json_true(pic_json_get(place->memo, "objects"));

	if ((*approval && strcmp(entry->approval, approval) != 0) ||
	    (objects && !entry->wakes_on_objects))
		entry->is_woken = true;
	snprintf(entry->approval, sizeof(entry->approval), "%s", approval);
	entry->wakes_on_objects = objects;
}

/* Nobody should be asked any more for what has been called off. */
static void withdraw(const struct pic_campaign_entry *entry)
{
	struct pic_hub *hub = entry->campaigns->hub;
	char who[PIC_WHO_ACTIVATION];
	const struct pic_actor actor = pic_stage_actor(entry->name, "withdraw", who);
	struct pic_error err = PIC_ERROR_INIT;

	if (!*entry->approval)
		return;
	/* -EALREADY: it has been decided, and stays so */
	if (pic_approval_decide(hub->approvals, &actor, entry->space, entry->approval,
				PIC_APPROVAL_REJECT, who, "its activation was deleted", NULL, NULL,
				&err) < 0)
		pic_log(PIC_LOG_DEBUG, "approval-not-withdrawn", PIC_TEXT("error", err.text));
}

static void look(struct pic_campaign_entry *entry)
{
	struct pic_campaigns *campaigns = entry->campaigns;
	PIC_CLEANUP(pic_object_unref_pointer)
	struct pic_object *activation = pic_object_ref(entry_activation(entry));
	struct pic_machine_output step = { .status = NULL };
	struct pic_error err = PIC_ERROR_INIT;
	char name[PIC_OBJECT_NAME_MAX + 1] = "", refusal[PIC_MACHINE_TEXT_MAX] = "";
	const struct pic_object *campaign = NULL;
	struct pic_machine_place place;

	if (!activation) {
		withdraw(entry);
		entry_drop(entry);
		campaigns->windows_dirty = true;
		return;
	}
	if (entry->is_committing || entry->job)
		return;
	if (pic_stage_campaign_name(activation, name))
		campaign = pic_store_get(campaigns->hub->store, PIC_KIND_CAMPAIGN,
					 activation->space, name);
	pic_machine_place(activation, &place);
	remember_wakers(entry, &place);
	bool is_missing = campaign && !*place.stage &&
			  find_missing(campaigns, activation, pic_object_spec(campaign), refusal);
	const struct pic_machine_input input = {
		.activation = activation,
		.campaign = campaign ? pic_object_spec(campaign) : NULL,
		.refusal = is_missing ? refusal : NULL,
		.is_woken = entry->is_woken,
		.now_ms = pic_clock_wall_ms(),
	};
	entry->until_ms = 0;
	if (pic_machine_step(&input, &step, &err) < 0) {
		try_later(campaigns, err.text);
		return;
	}
	char who[PIC_WHO_ACTIVATION];
	const struct pic_actor actor = pic_stage_actor(entry->name, "run", who);
	if (step.status)
		commit(entry, activation, pic_change_new(campaigns->hub->store, &actor), &step,
		       input.now_ms);
	else if (step.action == PIC_MACHINE_ACT)
		act(entry, activation);
	else if (step.action == PIC_MACHINE_SLEEP)
		entry->until_ms = step.until_ms;
	else if (place.is_finished)
		entry_drop(entry);
	pic_machine_output_free(&step);
}

static void set_timer(struct pic_campaigns *campaigns)
{
	int64_t first_ms = 0, now_ms = pic_clock_wall_ms();

	for (struct pic_campaign_entry *entry = campaigns->entries; entry; entry = entry->next)
		if (entry->until_ms && (!first_ms || entry->until_ms < first_ms))
			first_ms = entry->until_ms;
	if (!first_ms) {
		pic_timer_cancel(campaigns->timer);
		return;
	}
	int64_t left_ms = first_ms > now_ms ? first_ms - now_ms : 0;
	pic_timer_set(campaigns->timer, left_ms < SLEEP_MAX_MS ? left_ms : SLEEP_MAX_MS);
}

static void time_has_come(void *data)
{
	struct pic_campaigns *campaigns = data;
	int64_t now_ms = pic_clock_wall_ms();

	for (struct pic_campaign_entry *entry = campaigns->entries; entry; entry = entry->next)
		if (entry->until_ms && entry->until_ms <= now_ms)
			entry->is_dirty = true;
	set_timer(campaigns);
}

/* Looks at what is dirty; the list may change under it, so it begins again after each. */
static bool look_at_one(struct pic_campaigns *campaigns)
{
	for (struct pic_campaign_entry *entry = campaigns->entries; entry; entry = entry->next) {
		if (!entry->is_dirty)
			continue;
		entry->is_dirty = false;
		look(entry);
		return true;
	}
	return false;
}

static int64_t before_sleep(void *data)
{
	struct pic_campaigns *campaigns = data;
	bool is_busy = false;

	if (campaigns->is_paused)
		return -1;
	for (int i = 0; i < ROUNDS_MAX && !campaigns->is_paused; i++) {
		is_busy = look_at_one(campaigns);
		if (!is_busy)
			break;
	}
	if (campaigns->windows_dirty) {
		campaigns->windows_dirty = false;
		pic_windows_sweep(campaigns);
	}
	set_timer(campaigns);
	return is_busy && !campaigns->is_paused ? 0 : -1;
}

/* Listening. */

static void wake(struct pic_campaign_entry *entry)
{
	entry->is_woken = true;
	entry->is_dirty = true;
}

static void store_changed(void *data, enum pic_kind kind, struct pic_object *before,
			  struct pic_object *after, int64_t revision)
{
	struct pic_campaigns *campaigns = data;
	const struct pic_object *object = after ? after : before;

	(void)revision;
	if (kind == PIC_KIND_ACTIVATION) {
		if (before && (!after || strcmp(before->uid, after->uid) != 0)) {
			entry_mark(campaigns, before);
			campaigns->windows_dirty = true;
		}
		if (after)
			entry_mark(campaigns, after);
		return;
	}
	for (struct pic_campaign_entry *entry = campaigns->entries; entry; entry = entry->next) {
		if (strcmp(entry->space, object->space) != 0)
			continue;
		if (kind == PIC_KIND_APPROVAL && strcmp(entry->approval, object->name) == 0)
			wake(entry);
		else if (kind == PIC_KIND_CAMPAIGN)
			entry->is_dirty = true;
		else if (entry->wakes_on_objects &&
			 (kind == PIC_KIND_INSTANCE || kind == PIC_KIND_CATALOG ||
			  kind == PIC_KIND_SOLUTION || kind == PIC_KIND_TARGET))
			wake(entry);
	}
}

/* Life. */

static int open_parts(struct pic_campaigns *campaigns, struct pic_error *err)
{
	const struct pic_client_settings settings = {
		.user_agent = "piccolo-hub/" PIC_VERSION,
		.deny_link_local = true,
	};
	struct pic_hub *hub = campaigns->hub;
	int r = pic_client_new(&campaigns->client, hub->loop, &settings, err);

	if (r == 0)
		r = pic_loop_timer(hub->loop, time_has_come, campaigns, &campaigns->timer, err);
	if (r == 0)
		r = pic_loop_timer(hub->loop, pause_over, campaigns, &campaigns->pause, err);
	if (r == 0)
		r = pic_loop_prepare(hub->loop, before_sleep, campaigns, err);
	if (r < 0)
		return r;
	r = pic_store_listen(hub->store, PIC_STORE_APPLIED, store_changed, campaigns);
	if (r < 0) {
		pic_loop_prepare_remove(hub->loop, before_sleep, campaigns);
		pic_error_set(err, r, "the store takes no more listeners");
	}
	return r;
}

static void free_parts(struct pic_campaigns *campaigns)
{
	/* whoever would have called them back has stopped */
	while (campaigns->cancelled) {
		struct pic_stage_job *job = campaigns->cancelled;

		campaigns->cancelled = job->next;
		job->free(job);
	}
	pic_client_free(campaigns->client);
	pic_timer_free(campaigns->timer);
	pic_timer_free(campaigns->pause);
	free(campaigns);
}

int pic_campaigns_open(struct pic_campaigns **out, struct pic_hub *hub, struct pic_error *err)
{
	struct pic_campaigns *campaigns = calloc(1, sizeof(*campaigns));

	if (!campaigns)
		return pic_error_set(err, -ENOMEM, "no memory for campaigns");
	campaigns->hub = hub;
	pic_schedule_prepare();
	int r = open_parts(campaigns, err);
	if (r < 0) {
		free_parts(campaigns);
		return r;
	}
	mark_all(campaigns);
	*out = campaigns;
	return 0;
}

void pic_campaigns_stop(struct pic_campaigns *campaigns)
{
	if (!campaigns)
		return;
	pic_store_ignore(campaigns->hub->store, store_changed, campaigns);
	pic_loop_prepare_remove(campaigns->hub->loop, before_sleep, campaigns);
	pic_timer_cancel(campaigns->timer);
	pic_timer_cancel(campaigns->pause);
	while (campaigns->entries)
		entry_drop(campaigns->entries);
}

void pic_campaigns_close(struct pic_campaigns *campaigns)
{
	if (campaigns)
		free_parts(campaigns);
}
