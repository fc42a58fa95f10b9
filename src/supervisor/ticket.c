/*
 * Tickets: a child that is nobody checks certificate and signature, because their bytes are a stranger's; what
 * it finds good is bound in the ledger here. Only what was bound allows a start.
 */
#include <errno.h>
#include <string.h>

#include "admission/policy.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "protocol/binding.h"
#include "sandbox/privilege.h"
#include "supervisor/context.h"
#include "workload/ticket_check.h"

#define NOBODY 65534
#define LIMIT_MS 5000

/* One ticket being looked at. */
struct pic_look {
	struct pic_look *next;
	bool closed; /* somebody closed its workload meanwhile */
	struct pic_supervisor *supervisor;
	struct pic_child **slot;
	struct pic_waiter who;
	struct pic_signed_ticket ticket;
};

static void work(void *data, int result_fd)
{
	const struct pic_privileges nobody = { .user = NOBODY,
					       .group = NOBODY,
					       .cpu_seconds_max = 2 };
	const struct pic_look *look = data;
	struct pic_error err = PIC_ERROR_INIT;

	pic_signals_reset();
	if (pic_descriptors_arrange(&result_fd, 1, &err) == 0 &&
	    pic_privileges_drop(&nobody, &err) == 0)
		pic_ticket_check(&look->ticket, look->supervisor->settings->ca_pin, &err);
	pic_fd_write_all(0, &err, sizeof(err));
}

static void tell_binding(struct pic_supervisor *supervisor, const struct pic_binding *binding)
{
	const struct pic_supervisor_message event = { .version = PIC_SUPERVISOR_VERSION,
						      .kind = PIC_SUPERVISOR_BINDING,
						      .binding = *binding };

	pic_message_all(supervisor, &event);
}

static int bind_ticket(struct pic_supervisor *supervisor,
		       const struct pic_signed_ticket *signed_ticket, bool closed, int64_t *end,
		       struct pic_error *err)
{
	struct pic_binding *binding = NULL, before;
	struct pic_ticket ticket;
	uint32_t count = supervisor->ledger.binding_count;
	int r = pic_ticket_read(signed_ticket->ticket, &ticket, err);

	if (r < 0)
		return r;
	if (closed)
		return pic_error_set(err, -EPERM,
				     "%s/%s was closed while its ticket was looked at: "
				     "it needs a new approval",
				     ticket.name.instance, ticket.name.component);
	r = pic_binding_make(&supervisor->ledger, supervisor->bindings, &ticket,
			     supervisor->settings->target, pic_clock_boot_ms(), &binding, err);
	if (r < 0)
		return r;
	*end = binding->end_boot_ms;
	if (r == 0)
		return 0;
	/* what the ledger does not hold is forgotten again: it would not survive us */
	before = *binding;
	r = pic_ledger_write(supervisor, err);
	if (r < 0) {
		supervisor->ledger.binding_count = count;
		memset(binding, 0, sizeof(*binding));
		return r;
	}
	pic_log(PIC_LOG_INFO, "permission-bound", PIC_TEXT("instance", before.name.instance),
		PIC_TEXT("component", before.name.component),
		PIC_NUMBER("left-ms", *end - pic_clock_boot_ms()));
	tell_binding(supervisor, &before);
	return 0;
}

static void done(void *data, const void *result, size_t size)
{
	struct pic_look *look = data, **at = &look->supervisor->looks;
	struct pic_supervisor_message reply = { .version = PIC_SUPERVISOR_VERSION,
						.kind = PIC_SUPERVISOR_REPLY,
						.id = look->who.request };
	struct pic_error err = PIC_ERROR_INIT;

	*look->slot = NULL;
	while (*at != look)
		at = &(*at)->next;
	*at = look->next;
	if (size == sizeof(err))
		memcpy(&err, result, sizeof(err));
	else
		pic_error_set(&err, -EBADMSG, "the ticket could not be checked in time");
	err.text[sizeof(err.text) - 1] = '\0';
	if (err.code == 0)
		err.code = bind_ticket(look->supervisor, &look->ticket, look->closed, &reply.value,
				       &err);
	else
		err.code = -EBADMSG;
	if (err.code < 0)
		pic_log(PIC_LOG_WARNING, "ticket-refused", PIC_TEXT("why", err.text));
	reply.status = err.code;
	memcpy(reply.text, err.text, sizeof(reply.text) - 1);
	pic_message_to(look->supervisor, look->who.connection, &reply, NULL, 0);
	free(look);
}

int pic_ticket_take(struct pic_supervisor *supervisor, const struct pic_waiter *who,
		    const struct pic_supervisor_request *request, struct pic_error *err)
{
	struct pic_child_order order = { .work = work, .done = done, .limit_ms = LIMIT_MS };
	struct pic_child **slot = pic_job_slot(supervisor);
	struct pic_look *look;
	int r;

	if (!supervisor->settings->target || !supervisor->settings->ca_pin)
		return pic_error_set(
			err, -EPERM,
			"this device trusts no hub yet: `piccolo join` pins its authority; "
			"when it has joined, restart piccolo");
	if (!slot)
		return pic_error_set(err, -EAGAIN, "too much is being looked at, ask again later");
	look = order.data = malloc(sizeof(*look));
	if (!look)
		return pic_error_set(err, -ENOMEM, "no memory to check a ticket");
	*look = (struct pic_look){ .supervisor = supervisor, .slot = slot, .who = *who };
	memcpy(&look->ticket, request->spec, sizeof(look->ticket));
	r = pic_child_start(slot, supervisor->loop, &order, err);
	if (r < 0) {
		free(look);
		return r;
	}
	look->next = supervisor->looks;
	supervisor->looks = look;
	return 0;
}

int pic_permissions_close(struct pic_supervisor *supervisor, const struct pic_workload_name *name,
			  struct pic_error *err)
{
	struct pic_binding *closed;
	struct pic_error why = PIC_ERROR_INIT;
	struct pic_ticket ticket;

	for (struct pic_look *look = supervisor->looks; look; look = look->next)
		if (pic_ticket_read(look->ticket.ticket, &ticket, NULL) == 0 &&
		    pic_workload_name_compare(&ticket.name, name) == 0)
			look->closed = true;
	for (uint32_t i = 0;
	     (closed = pic_binding_close(&supervisor->ledger, supervisor->bindings, name, &i));) {
		pic_log(PIC_LOG_INFO, "permission-closed", PIC_TEXT("instance", name->instance),
			PIC_TEXT("component", name->component));
		supervisor->closing_unwritten = true;
		tell_binding(supervisor, closed);
	}
	if (!supervisor->closing_unwritten || pic_ledger_write(supervisor, &why) == 0)
		return 0;
	return pic_error_set(err, why.code,
			     "what was taken back is not in the ledger yet, ask again: %s",
			     why.text);
}

/* Root at the keyboard is asked by nobody; an end its workload has all the same. */
static void permit_by_hand(const struct pic_supervisor *supervisor, const struct pic_driver *driver,
			   const void *spec, struct pic_permit *out)
{
	const struct pic_policy *policy = supervisor->policy;
	uint32_t seconds = driver->lease ? driver->lease(spec) : 0;

	if (!driver->lease)
		return;
	if (seconds == 0 || seconds > policy->lease_max_seconds)
		seconds = policy->lease_max_seconds;
	out->end_boot_ms = pic_clock_boot_ms() + 1000LL * seconds;
	out->grants = policy->ebpf.grants_by_hand;
}

int pic_permit(struct pic_supervisor *supervisor, const struct pic_supervisor_request *request,
	       bool by_root, const struct pic_driver *driver, struct pic_permit *out,
	       struct pic_error *err)
{
	unsigned char terms[PIC_TERMS_SIZE] = { 0 };
	const struct pic_binding_wish wish = { .name = &request->name,
					       .type = request->type,
					       .digest = request->digest,
					       .terms = terms };
	const struct pic_binding *binding;

	memset(out, 0, sizeof(*out));
	if (by_root || supervisor->settings->by_hand ||
	    !pic_policy_needs_approval(supervisor->policy, request->type)) {
		permit_by_hand(supervisor, driver, request->spec, out);
		return 0;
	}
	if (driver->terms)
		driver->terms(request->spec, terms);
	binding = pic_binding_find(&supervisor->ledger, supervisor->bindings, &wish,
				   supervisor->policy->lease_max_seconds, pic_clock_boot_ms(),
				   &out->end_boot_ms, err);
	if (!binding)
		return -EPERM;
	memcpy(out->approval, binding->approval, sizeof(out->approval));
	out->grants = binding->grants;
	return 0;
}
