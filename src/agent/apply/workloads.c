/*
 * The mirror of the supervisor's ledger, and the steps that change it. A start that was asked for is an
 * entry of the mirror at once, so that nothing about it is forgotten until the answer is here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/admit/admit.h"
#include "agent/context.h"
#include "base/clock.h"
#include "base/log.h"

#define RETRY_MS 2000

/* -- the mirror --------------------------------------------------------------------------------------- */

static struct pic_plan_entry *find_entry(struct pic_agent *agent,
					 const struct pic_workload_name *name)
{
	for (size_t i = 0; i < agent->entry_count; i++)
		if (pic_workload_name_compare(&agent->entries[i].ledger.name, name) == 0)
			return &agent->entries[i];
	return NULL;
}

static struct pic_plan_entry *make_entry(struct pic_agent *agent,
					 const struct pic_workload_name *name)
{
	struct pic_plan_entry *entry = find_entry(agent, name);

	if (entry)
		return entry;
	if (agent->entry_count == agent->entry_room) {
		size_t room = agent->entry_room ? 2 * agent->entry_room : 4;
		struct pic_plan_entry *grown = realloc(agent->entries, room * sizeof(*grown));

		if (!grown)
			return NULL;
		agent->entries = grown;
		agent->entry_room = room;
	}
	entry = &agent->entries[agent->entry_count++];
	memset(entry, 0, sizeof(*entry));
	entry->ledger.name = *name;
	return entry;
}

static void remove_entry(struct pic_agent *agent, struct pic_plan_entry *entry)
{
	*entry = agent->entries[--agent->entry_count];
	if (agent->entry_count == 0) {
		free(PIC_STEAL(agent->entries));
		agent->entry_room = 0;
	}
}

/* Events carry no figures: the last ones of the same process stay. */
static void update(struct pic_plan_entry *entry, const struct pic_ledger_entry *news)
{
	struct pic_ledger_entry old = entry->ledger;

	entry->ledger = *news;
	if (news->pid != old.pid || news->pid_start != old.pid_start || news->memory_bytes)
		return;
	entry->ledger.memory_bytes = old.memory_bytes;
	entry->ledger.cpu_us = old.cpu_us;
}

static void on_changed(void *data, const struct pic_ledger_entry *news)
{
	struct pic_agent *agent = data;
	struct pic_plan_entry *entry = find_entry(agent, &news->name);

	if (!agent->listed)
		return; /* the list that is on its way has it */
	if (news->state == 0) {
		if (entry)
			remove_entry(agent, entry);
	} else {
		if (!entry)
			entry = make_entry(agent, &news->name);
		if (entry)
			update(entry, news);
		else
			pic_supervisor_link_list(agent->supervisor); /* no memory now: ask again */
	}
	pic_agent_plan_soon(agent);
}

static void serve_fresh(struct pic_agent *agent)
{
	struct pic_fresh *waiting = PIC_STEAL(agent->fresh);

	while (waiting) {
		struct pic_fresh *next = waiting->next;

		waiting->then(agent, waiting->data);
		free(waiting);
		waiting = next;
	}
}

static void on_listed(void *data, const struct pic_ledger_entry *entries, size_t count)
{
	struct pic_agent *agent = data;

	for (size_t i = agent->entry_count; i-- > 0;) {
		bool there = agent->entries[i].busy == PIC_BUSY_START;

		for (size_t k = 0; k < count && !there; k++)
			there = pic_workload_name_compare(&agent->entries[i].ledger.name,
							  &entries[k].name) == 0;
		if (!there)
			remove_entry(agent, &agent->entries[i]);
	}
	agent->listed = true;
	for (size_t i = 0; i < count; i++) {
		struct pic_plan_entry *entry = make_entry(agent, &entries[i].name);

		if (!entry)
			agent->listed = false; /* half a mirror would be a lie */
		else if (entry->busy != PIC_BUSY_START || entries[i].state < PIC_LEDGER_STOPPING)
			entry->ledger = entries[i];
	}
	pic_agent_uplink_tell(agent);
	serve_fresh(agent);
	pic_agent_plan_soon(agent);
}

static void on_lost(void *data)
{
	struct pic_agent *agent = data;

	agent->listed = false;
	agent->uplink_told = false;
	for (size_t i = 0; i < agent->entry_count; i++)
		agent->entries[i].busy = PIC_IDLE;
	for (size_t i = 0; i < agent->wanted.removed_count; i++)
		agent->wanted.removed[i].busy = PIC_IDLE;
	pic_agent_artifacts_lost(agent);
	serve_fresh(agent);
	pic_agent_report_soon(agent);
}

struct pic_supervisor_handler pic_agent_supervisor_handler(struct pic_agent *agent)
{
	return (struct pic_supervisor_handler){
		.listed = on_listed,
		.changed = on_changed,
		.bound = pic_agent_bound,
		.lost = on_lost,
		.data = agent,
	};
}

void pic_agent_when_fresh(struct pic_agent *agent,
			  void (*then)(struct pic_agent *agent, void *data), void *data)
{
	struct pic_fresh *fresh = agent->listed ? malloc(sizeof(*fresh)) : NULL;

	if (!fresh) {
		then(agent, data);
		return;
	}
	*fresh = (struct pic_fresh){ .next = agent->fresh, .then = then, .data = data };
	agent->fresh = fresh;
	pic_supervisor_link_list(agent->supervisor);
}

void pic_agent_forget_fresh(struct pic_agent *agent, const void *data)
{
	for (struct pic_fresh **at = &agent->fresh; *at;) {
		struct pic_fresh *fresh = *at;

		if (fresh->data != data) {
			at = &fresh->next;
			continue;
		}
		*at = fresh->next;
		free(fresh);
	}
}

/* -- asking the supervisor ------------------------------------------------------------------------------- */

/* Whom an answer is about. */
struct errand {
	struct pic_agent *agent;
	struct pic_workload_name name;
};

static struct errand *errand_new(struct pic_agent *agent, const struct pic_workload_name *name)
{
	struct errand *errand = malloc(sizeof(*errand));

	if (errand)
		*errand = (struct errand){ agent, *name };
	return errand;
}

static void start_failed(struct pic_agent *agent, const struct pic_workload_name *name, int code,
			 const char *text)
{
	size_t index = pic_wanted_find(&agent->wanted, name);

	pic_log(PIC_LOG_WARNING, "start-failed", PIC_TEXT("instance", name->instance),
		PIC_TEXT("component", name->component), PIC_TEXT("why", text));
	if (index == PIC_WANTED_NONE)
		return;
	if (code == -ENOENT)
		pic_agent_artifact_is_gone(agent, agent->wanted.components[index].digest);
	pic_wanted_note_start(&agent->wanted, index, code, text, pic_clock_boot_ms());
}

static void on_started(void *data, const struct pic_supervisor_message *message, int fds[2])
{
	PIC_FREE struct errand *errand = data;
	struct pic_agent *agent = errand->agent;
	struct pic_plan_entry *entry = find_entry(agent, &errand->name);
	size_t index = pic_wanted_find(&agent->wanted, &errand->name);

	(void)fds;
	if (!message)
		return; /* the next list tells what became of it */
	if (entry)
		entry->busy = PIC_IDLE;
	if (message->status < 0)
		start_failed(agent, &errand->name, message->status, message->text);
	else if (index != PIC_WANTED_NONE)
		pic_wanted_note_start(&agent->wanted, index, 0, "", pic_clock_boot_ms());
	/* what the mirror says was a promise of ours: now the ledger's own word */
	if (message->status < 0 || (entry && entry->ledger.pid == 0))
		pic_supervisor_link_list(agent->supervisor);
	else
		pic_agent_plan_soon(agent);
}

static void promise(struct pic_plan_entry *entry, const struct pic_plan_component *component)
{
	struct pic_ledger_entry *ledger = &entry->ledger;
	bool again = memcmp(ledger->spec_digest, component->spec_digest, PIC_DIGEST_SIZE) == 0;

	ledger->restarts = again ? ledger->restarts + 1 : 0;
	ledger->state = PIC_LEDGER_STARTING;
	ledger->pid = 0;
	memcpy(ledger->type, component->type, sizeof(ledger->type));
	memcpy(ledger->digest, component->digest, PIC_DIGEST_SIZE);
	memcpy(ledger->spec_digest, component->spec_digest, PIC_DIGEST_SIZE);
	memcpy(ledger->approval, component->approval, PIC_APPROVAL_SIZE);
	entry->busy = PIC_BUSY_START;
}

void pic_agent_start_workload(struct pic_agent *agent, const struct pic_step *step)
{
	const struct pic_plan_component *component = &agent->wanted.components[step->component];
	struct pic_supervisor_call call = {
		.operation = PIC_SUPERVISOR_START,
		.name = &component->name,
		.type = component->type,
		.digest = component->digest,
		.answer = on_started,
	};
	struct pic_error err = PIC_ERROR_INIT;
	PIC_FREE void *spec = NULL;
	struct errand *errand = errand_new(agent, &component->name);
	struct pic_plan_entry *entry = make_entry(agent, &component->name);
	int r = errand && entry ? 0 : pic_error_set(&err, -ENOMEM, "no memory to start it");

	if (r == 0)
		r = pic_wanted_spec(&agent->wanted, step->component, &spec, &call.spec_size, &err);
	call.spec = spec;
	call.data = errand;
	if (r == 0)
		r = pic_supervisor_link_ask(agent->supervisor, &call, &err);
	if (r == 0) {
		promise(entry, component);
		return;
	}
	free(errand);
	if (entry && entry->ledger.state == 0)
		remove_entry(agent, entry);
	start_failed(agent, &component->name, r, err.text);
	pic_agent_plan_soon(agent);
}

static struct pic_plan_removed *find_removed(struct pic_agent *agent,
					     const struct pic_workload_name *name)
{
	for (size_t i = 0; i < agent->wanted.removed_count; i++)
		if (pic_workload_name_compare(&agent->wanted.removed[i].name, name) == 0)
			return &agent->wanted.removed[i];
	return NULL;
}

static void stop_failed(struct pic_agent *agent, const struct pic_workload_name *name,
			const char *text)
{
	struct pic_plan_entry *entry = find_entry(agent, name);
	struct pic_plan_removed *removed = find_removed(agent, name);
	int64_t retry = pic_clock_boot_ms() + RETRY_MS;

	pic_log(PIC_LOG_WARNING, "stop-failed", PIC_TEXT("instance", name->instance),
		PIC_TEXT("component", name->component), PIC_TEXT("why", text));
	if (entry)
		entry->retry_boot_ms = retry;
	if (removed)
		removed->retry_boot_ms = retry;
}

static void on_stopped(void *data, const struct pic_supervisor_message *message, int fds[2])
{
	PIC_FREE struct errand *errand = data;
	struct pic_agent *agent = errand->agent;
	struct pic_plan_entry *entry = find_entry(agent, &errand->name);
	struct pic_plan_removed *removed = find_removed(agent, &errand->name);

	(void)fds;
	if (!message)
		return;
	/* the event came first, and what stands there now may be the next start */
	if (entry && entry->busy != PIC_BUSY_STOP)
		entry = NULL;
	if (entry)
		entry->busy = PIC_IDLE;
	if (removed)
		removed->busy = PIC_IDLE;
	if (message->status < 0) {
		stop_failed(agent, &errand->name, message->text);
	} else {
		if (removed)
			removed->proved = true;
		if (entry)
			remove_entry(agent, entry);
	}
	pic_agent_plan_soon(agent);
}

void pic_agent_stop_workload(struct pic_agent *agent, const struct pic_step *step)
{
	struct pic_supervisor_call call = {
		.operation = PIC_SUPERVISOR_STOP,
		.name = &step->name,
		.flags = step->replaces ? PIC_STOP_TO_REPLACE : 0,
		.answer = on_stopped,
		.data = errand_new(agent, &step->name),
	};
	struct pic_plan_entry *entry = find_entry(agent, &step->name);
	struct pic_plan_removed *removed = find_removed(agent, &step->name);
	struct pic_error err = PIC_ERROR_INIT;
	int r = call.data ? pic_supervisor_link_ask(agent->supervisor, &call, &err)
			  : pic_error_set(&err, -ENOMEM, "no memory to stop it");

	if (r < 0) {
		free(call.data);
		stop_failed(agent, &step->name, err.text);
		pic_agent_plan_soon(agent);
		return;
	}
	if (entry)
		entry->busy = PIC_BUSY_STOP;
	if (removed)
		removed->busy = PIC_BUSY_STOP;
}

/* -- admission -------------------------------------------------------------------------------------------- */

struct pic_admitting {
	struct pic_admitting *next;
	struct pic_agent *agent;
	struct pic_workload_name name;
	unsigned char spec_digest[PIC_DIGEST_SIZE];
	struct pic_admission *admission;
};

static void admitting_free(struct pic_admitting *admitting)
{
	struct pic_admitting **at = &admitting->agent->admitting;

	while (*at != admitting)
		at = &(*at)->next;
	*at = admitting->next;
	free(admitting);
}

static void note_verdict(struct pic_agent *agent, const struct pic_workload_name *name,
			 const unsigned char spec_digest[PIC_DIGEST_SIZE], int code,
			 const char *text)
{
	size_t index = pic_wanted_find(&agent->wanted, name);

	/* what was looked at may be wanted otherwise by now */
	if (index != PIC_WANTED_NONE &&
	    memcmp(agent->wanted.components[index].spec_digest, spec_digest, PIC_DIGEST_SIZE) == 0)
		pic_wanted_note_verdict(&agent->wanted, index, code, text, pic_clock_boot_ms());
	if (code < 0)
		pic_log(PIC_LOG_WARNING, "not-admitted", PIC_TEXT("instance", name->instance),
			PIC_TEXT("component", name->component), PIC_TEXT("why", text));
	pic_agent_plan_soon(agent);
}

static void on_admitted(void *data, int code, const char *text)
{
	struct pic_admitting *admitting = data;

	note_verdict(admitting->agent, &admitting->name, admitting->spec_digest, code, text);
	admitting_free(admitting);
}

/* The supervisor's copy: what is looked at is what will run. */
static int open_stored(const struct pic_agent *agent, const unsigned char digest[PIC_DIGEST_SIZE],
		       struct pic_error *err)
{
	char hex[2 * PIC_DIGEST_SIZE + 1], path[512];
	int fd;

	pic_hex_encode(digest, PIC_DIGEST_SIZE, hex);
	snprintf(path, sizeof(path), "%s/store/%s", agent->settings->state_folder, hex);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? pic_error_errno(err, errno, "%s cannot be read", path) : fd;
}

static int admit(struct pic_agent *agent, size_t index, struct pic_admitting *admitting,
		 struct pic_error *err)
{
	const struct pic_plan_component *component = &agent->wanted.components[index];
	PIC_FD int fd = open_stored(agent, component->digest, err);
	struct pic_admit_order order = {
		.type = component->type,
		.fd = fd,
		.done = on_admitted,
		.data = admitting,
	};
	PIC_FREE void *spec = NULL;
	size_t size;
	int r = fd < 0 ? fd : pic_wanted_spec(&agent->wanted, index, &spec, &size, err);

	if (r < 0)
		return r == -EINVAL ? -EIO : r;
	order.spec = spec;
	return pic_admit_start(&admitting->admission, agent->loop, &order, err);
}

void pic_agent_admit(struct pic_agent *agent, const struct pic_step *step)
{
	struct pic_plan_component *component = &agent->wanted.components[step->component];
	struct pic_admitting *admitting = calloc(1, sizeof(*admitting));
	struct pic_error err = PIC_ERROR_INIT;
	int r;

	if (!admitting) {
		note_verdict(agent, &component->name, component->spec_digest, -ENOMEM,
			     "no memory to look at the artifact");
		return;
	}
	admitting->agent = agent;
	admitting->name = component->name;
	memcpy(admitting->spec_digest, component->spec_digest, PIC_DIGEST_SIZE);
	admitting->next = agent->admitting;
	agent->admitting = admitting;
	r = admit(agent, step->component, admitting, &err);
	if (r == 0) {
		component->verdict = PIC_VERDICT_SOUGHT;
		return;
	}
	admitting_free(admitting);
	if (r == -ENOENT)
		pic_agent_artifact_is_gone(agent, component->digest);
	note_verdict(agent, &component->name, component->spec_digest, r == -EINVAL ? -EIO : r,
		     err.text);
}

void pic_agent_cancel_admissions(struct pic_agent *agent)
{
	while (agent->admitting) {
		pic_admit_cancel(agent->admitting->admission);
		admitting_free(agent->admitting);
	}
}
