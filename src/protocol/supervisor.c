/* The edge of the supervisor: is what came in a request at all? Nothing behind it checks shapes again. */
#include "protocol/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/ticket.h"

#define HEAD offsetof(struct pic_supervisor_request, spec)

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool is_name(const struct pic_workload_name *name)
{
	return is_text(name->instance, sizeof(name->instance)) &&
	       is_text(name->component, sizeof(name->component)) &&
	       pic_name_is_valid(name->instance, PIC_NAME_MAX) &&
	       pic_name_is_valid(name->component, PIC_NAME_MAX);
}

static bool needs_name(uint32_t operation)
{
	switch ((enum pic_supervisor_operation)operation) {
	case PIC_SUPERVISOR_START:
	case PIC_SUPERVISOR_STOP:
	case PIC_SUPERVISOR_LOG:
	case PIC_SUPERVISOR_REVOKE:
	case PIC_SUPERVISOR_METRICS:
	case PIC_SUPERVISOR_HOLD:
	case PIC_SUPERVISOR_RELEASE:
		return true;
	case PIC_SUPERVISOR_SUBSCRIBE:
	case PIC_SUPERVISOR_LIST:
	case PIC_SUPERVISOR_STAMP:
	case PIC_SUPERVISOR_TAKE:
	case PIC_SUPERVISOR_HAS:
	case PIC_SUPERVISOR_DROP:
	case PIC_SUPERVISOR_TICKET:
	case PIC_SUPERVISOR_UPLINK:
	case PIC_SUPERVISOR_ROOT_ONLY:
	case PIC_SUPERVISOR_PURGE:
	case PIC_SUPERVISOR_RELOAD:
		return false;
	}
	return false;
}

static bool is_operation(uint32_t operation)
{
	return (operation >= PIC_SUPERVISOR_SUBSCRIBE && operation <= PIC_SUPERVISOR_METRICS) ||
	       (operation > PIC_SUPERVISOR_ROOT_ONLY && operation <= PIC_SUPERVISOR_RELOAD);
}

/* How many bytes a spec may have, from `*least` to the result. */
static uint32_t spec_room(uint32_t operation, uint32_t *least)
{
	*least = 0;
	if (operation == PIC_SUPERVISOR_START)
		return PIC_SPEC_MAX;
	if (operation == PIC_SUPERVISOR_TICKET)
		*least = sizeof(struct pic_signed_ticket);
	else if (operation == PIC_SUPERVISOR_UPLINK)
		*least = sizeof(struct pic_uplink);
	return *least;
}

int pic_supervisor_request_check(const struct pic_supervisor_request *request, size_t size,
				 size_t descriptors, struct pic_error *err)
{
	uint32_t least, most;
	bool starts;

	if (size < HEAD || request->version != PIC_SUPERVISOR_VERSION)
		return pic_error_set(err, -EPROTO, "a request of %zu bytes is not of version %d",
				     size, PIC_SUPERVISOR_VERSION);
	if (!is_operation(request->operation))
		return pic_error_set(err, -EPROTO, "operation %u does not exist",
				     request->operation);
	starts = request->operation == PIC_SUPERVISOR_START;
	most = spec_room(request->operation, &least);
	if (request->spec_size < least || request->spec_size > most ||
	    size != HEAD + request->spec_size)
		return pic_error_set(err, -EPROTO,
				     "a request of %zu bytes does not hold a spec of %u", size,
				     request->spec_size);
	if (descriptors != (request->operation == PIC_SUPERVISOR_TAKE) ||
	    request->flags & ~(request->operation == PIC_SUPERVISOR_STOP ? PIC_STOP_TO_REPLACE : 0))
		return pic_error_set(err, -EPROTO,
				     "%zu descriptors or flags %#x were not asked for", descriptors,
				     request->flags);
	if (needs_name(request->operation) && !is_name(&request->name))
		return pic_error_set(err, -EPROTO, "the name of a workload is damaged");
	if (starts && (!is_text(request->type, sizeof(request->type)) ||
		       !pic_name_is_valid(request->type, PIC_TYPE_MAX)))
		return pic_error_set(err, -EPROTO, "the type of a workload is damaged");
	return 0;
}

bool pic_ledger_entry_is_valid(const struct pic_ledger_entry *entry)
{
	return is_name(&entry->name) && is_text(entry->type, sizeof(entry->type)) &&
	       is_text(entry->end_text, sizeof(entry->end_text)) &&
	       is_text(entry->evidence, sizeof(entry->evidence)) &&
	       entry->state >= PIC_LEDGER_STARTING && entry->state <= PIC_LEDGER_HELD &&
	       entry->end_kind <= PIC_END_LAST && entry->pid >= 0;
}

bool pic_binding_is_valid(const struct pic_binding *binding)
{
	return is_name(&binding->name) && is_text(binding->type, sizeof(binding->type)) &&
	       binding->state >= PIC_BINDING_OPEN && binding->state <= PIC_BINDING_CLOSED &&
	       !(binding->grants & ~(uint32_t)PIC_GRANT_MASK);
}

bool pic_ledger_entry_lives(const struct pic_ledger_entry *entry)
{
	return entry->state == PIC_LEDGER_STARTING || entry->state == PIC_LEDGER_RUNNING ||
	       entry->state == PIC_LEDGER_STOPPING;
}

void pic_workload_file_text(const struct pic_workload_name *name, char out[PIC_WORKLOAD_FILE_TEXT])
{
	snprintf(out, PIC_WORKLOAD_FILE_TEXT, "%s~%s", name->instance, name->component);
}

int pic_workload_file_parse(const char *text, struct pic_workload_name *out)
{
	const char *wave = strchr(text, '~');
	struct pic_workload_name name = { 0 };

	if (!wave || (size_t)(wave - text) >= sizeof(name.instance) ||
	    strlen(wave + 1) >= sizeof(name.component))
		return -EINVAL;
	memcpy(name.instance, text, (size_t)(wave - text));
	memcpy(name.component, wave + 1, strlen(wave + 1));
	if (!is_name(&name))
		return -EINVAL;
	*out = name;
	return 0;
}
