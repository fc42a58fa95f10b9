/*
 * Tickets on their way from the hub to the supervisor, and the mirror of what the supervisor has bound. The agent
 * only carries: what a ticket is worth the supervisor says.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/context.h"
#include "base/clock.h"
#include "base/log.h"

#define RETRY_FIRST_MS 1000
#define RETRY_LONGEST_MS (5 * 60 * 1000)
#define REFUSED_MS (60 * 60 * 1000)
#define TICKETS_MAX (2 * PIC_POLL_APPROVALS_MAX)

/* One (approval, workload) that a ticket came for. */
struct pic_ticket_errand {
	struct pic_ticket_errand *next;
	struct pic_agent *agent;
	unsigned char approval[PIC_APPROVAL_SIZE];
	struct pic_workload_name name;
	bool under_way; /* the supervisor is asked */
	unsigned failures;
	int64_t retry_boot_ms; /* not before this time again; 0: no failure */
};

static struct pic_ticket_errand *find_errand(const struct pic_agent *agent,
					     const unsigned char approval[PIC_APPROVAL_SIZE],
					     const struct pic_workload_name *name)
{
	for (struct pic_ticket_errand *e = agent->tickets; e; e = e->next)
		if (memcmp(e->approval, approval, PIC_APPROVAL_SIZE) == 0 &&
		    pic_workload_name_compare(&e->name, name) == 0)
			return e;
	return NULL;
}

static void forget_errand(struct pic_ticket_errand *errand)
{
	struct pic_ticket_errand **at = &errand->agent->tickets;

	while (*at != errand)
		at = &(*at)->next;
	*at = errand->next;
	free(errand);
}

/* Its component is wanted, and by this approval. */
static bool is_waited_for(const struct pic_agent *agent, const struct pic_ticket_errand *errand)
{
	size_t index = pic_wanted_find(&agent->wanted, &errand->name);

	return index != PIC_WANTED_NONE && memcmp(agent->wanted.components[index].approval,
						  errand->approval, PIC_APPROVAL_SIZE) == 0;
}

/* Room is made of those that nobody waits for any more. */
static bool has_room(struct pic_agent *agent)
{
	size_t count = 0;

	for (struct pic_ticket_errand *e = agent->tickets, *next; e; e = next) {
		next = e->next;
		count++;
		if (!e->under_way && !is_waited_for(agent, e)) {
			forget_errand(e);
			count--;
		}
	}
	return count < TICKETS_MAX;
}

static struct pic_ticket_errand *make_errand(struct pic_agent *agent,
					     const struct pic_ticket *ticket)
{
	struct pic_ticket_errand *errand = find_errand(agent, ticket->approval, &ticket->name);

	if (errand || !has_room(agent))
		return errand;
	errand = calloc(1, sizeof(*errand));
	if (!errand)
		return NULL;
	errand->agent = agent;
	errand->name = ticket->name;
	memcpy(errand->approval, ticket->approval, sizeof(errand->approval));
	errand->next = agent->tickets;
	agent->tickets = errand;
	return errand;
}

void pic_agent_tickets_free(struct pic_agent *agent)
{
	while (agent->tickets)
		forget_errand(agent->tickets);
	free(PIC_STEAL(agent->told_approvals));
}

/* -- the mirror ------------------------------------------------------------------------------------- */

static struct pic_binding *find_binding(const struct pic_agent *agent,
					const unsigned char approval[PIC_APPROVAL_SIZE],
					const struct pic_workload_name *name)
{
	for (size_t i = 0; i < agent->binding_count; i++)
		if (memcmp(agent->bindings[i].approval, approval, PIC_APPROVAL_SIZE) == 0 &&
		    pic_workload_name_compare(&agent->bindings[i].name, name) == 0)
			return &agent->bindings[i];
	return NULL;
}

/* A new place; when the list is full that of what is over for longest, where the supervisor has put it, too. */
static struct pic_binding *make_room(struct pic_agent *agent)
{
	struct pic_binding *oldest;

	if (!agent->bindings)
		agent->bindings = calloc(PIC_BINDINGS_MAX, sizeof(*agent->bindings));
	oldest = agent->bindings;
	if (oldest && agent->binding_count < PIC_BINDINGS_MAX)
		return &agent->bindings[agent->binding_count++];
	for (size_t i = 1; oldest && i < agent->binding_count; i++)
		if (agent->bindings[i].end_boot_ms < oldest->end_boot_ms)
			oldest = &agent->bindings[i];
	return oldest;
}

void pic_agent_bound(void *data, const struct pic_binding *news, bool first)
{
	struct pic_agent *agent = data;
	struct pic_binding *binding;

	if (first) {
		free(PIC_STEAL(agent->bindings));
		agent->binding_count = 0;
	}
	if (!news)
		return;
	binding = find_binding(agent, news->approval, &news->name);
	if (!binding)
		binding = make_room(agent);
	if (binding)
		*binding = *news;
	pic_agent_plan_soon(agent);
}

/* -- what polls say ---------------------------------------------------------------------------------- */

enum stand { SETTLED, REFUSED, UNDER_WAY, MISSING };

static enum stand stand_of(const struct pic_agent *agent,
			   const struct pic_plan_component *component)
{
	const struct pic_ticket_errand *errand;

	if (!component->needs_permission ||
	    find_binding(agent, component->approval, &component->name))
		return SETTLED;
	errand = find_errand(agent, component->approval, &component->name);
	if (errand && errand->under_way)
		return UNDER_WAY;
	return errand && pic_clock_boot_ms() < errand->retry_boot_ms ? REFUSED : MISSING;
}

void pic_agent_approvals(void *data, struct pic_buf *out)
{
	struct pic_agent *agent = data;
	size_t from = out->size, told = 0;

	for (size_t i = 0; i < agent->wanted.count && told < PIC_POLL_APPROVALS_MAX; i++) {
		const struct pic_plan_component *component = &agent->wanted.components[i];
		char key[PIC_TICKET_KEY_TEXT];
		enum stand stand;

		if (!component->has_approval)
			continue;
		stand = stand_of(agent, component);
		if (stand == MISSING || stand == UNDER_WAY)
			continue;
		pic_ticket_key(component->approval, &component->name, key);
		pic_buf_format(out, "%s%s%c", told++ ? "," : "", key, stand == SETTLED ? 'b' : 'r');
	}
	free(PIC_STEAL(agent->told_approvals));
	agent->told_approvals = strdup(out->size > from ? out->data + from : "");
}

/* A poll that is held knows of everything that was missing when it was sent. What is missing since then (the
 * supervisor's memory was wiped, a refusal is to be tried again) needs another one. */
void pic_agent_tickets_look(struct pic_agent *agent)
{
	PIC_BUF struct pic_buf now = PIC_BUF_INIT(PIC_POLL_APPROVALS_MAX * 20);
	PIC_FREE char *told = agent->told_approvals ? strdup(agent->told_approvals) : NULL;
	bool missing = false;

	for (size_t i = 0; i < agent->wanted.count; i++) {
		const struct pic_plan_component *component = &agent->wanted.components[i];
		const struct pic_ticket_errand *errand;

		if (!component->has_approval)
			continue;
		missing |= stand_of(agent, component) == MISSING;
		errand = find_errand(agent, component->approval, &component->name);
		if (errand && stand_of(agent, component) == REFUSED)
			pic_timer_set_at(agent->ticket_timer, errand->retry_boot_ms);
	}
	if (!missing || !told || !agent->link || !agent->dialect->again)
		return;
	pic_agent_approvals(agent, &now);
	if (strcmp(pic_buf_text(&now), told) != 0)
		agent->dialect->again(agent->link);
}

/* -- carrying ----------------------------------------------------------------------------------------- */

/* What may be another matter with the next ticket. */
static bool passes(int code)
{
	return code == -ESTALE || code == -EAGAIN || code == -ENOSPC || code == -ENOMEM;
}

static void refused(struct pic_ticket_errand *errand, int code, const char *text)
{
	struct pic_agent *agent = errand->agent;
	size_t index = pic_wanted_find(&agent->wanted, &errand->name);
	int64_t delay = RETRY_FIRST_MS;

	for (unsigned i = 0; i < errand->failures && delay < RETRY_LONGEST_MS; i++)
		delay *= 2;
	errand->failures++;
	errand->retry_boot_ms = pic_clock_boot_ms() + (passes(code) ? delay : REFUSED_MS);
	pic_log(PIC_LOG_WARNING, "ticket-not-taken", PIC_TEXT("instance", errand->name.instance),
		PIC_TEXT("component", errand->name.component), PIC_TEXT("why", text));
	if (is_waited_for(agent, errand))
		pic_wanted_note_ticket(&agent->wanted, index, text);
}

static void accepted(struct pic_ticket_errand *errand)
{
	struct pic_agent *agent = errand->agent;
	size_t index = pic_wanted_find(&agent->wanted, &errand->name);

	if (index != PIC_WANTED_NONE)
		pic_wanted_note_ticket(&agent->wanted, index, NULL);
	forget_errand(errand);
}

static void on_answer(void *data, const struct pic_supervisor_message *message, int fds[2])
{
	struct pic_ticket_errand *errand = data;
	struct pic_agent *agent = errand->agent;

	(void)fds;
	errand->under_way = false;
	agent->tickets_under_way--;
	if (message && message->status == 0)
		accepted(errand);
	else
		refused(errand, message ? message->status : -EAGAIN,
			message ? message->text : "the supervisor went away");
	if (agent->tickets_under_way == 0 && agent->stamp_waits)
		pic_agent_stamp_wanted(agent);
	pic_agent_plan_soon(agent);
}

void pic_agent_ticketed(void *data, const char *epoch,
			const struct pic_signed_ticket *signed_ticket)
{
	struct pic_agent *agent = data;
	struct pic_supervisor_call call = {
		.operation = PIC_SUPERVISOR_TICKET,
		.spec = signed_ticket,
		.spec_size = sizeof(*signed_ticket),
		.answer = on_answer,
	};
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ticket_errand *errand;
	struct pic_ticket ticket;

	if (pic_ticket_read(signed_ticket->ticket, &ticket, &err) < 0 ||
	    (strcmp(epoch, agent->acceptance.epoch) != 0 &&
	     pic_error_set(&err, -EPERM, "it belongs to another memory of the hub"))) {
		pic_log(PIC_LOG_WARNING, "ticket-dropped", PIC_TEXT("why", err.text));
		return;
	}
	errand = make_errand(agent, &ticket);
	if (!errand || errand->under_way)
		return;
	call.data = errand;
	if (pic_supervisor_link_ask(agent->supervisor, &call, &err) < 0) {
		refused(errand, -EAGAIN, err.text);
		return;
	}
	errand->under_way = true;
	agent->tickets_under_way++;
}
