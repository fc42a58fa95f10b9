#include "protocol/binding.h"

#include <errno.h>
#include <string.h>

static struct pic_binding *look_up(const struct pic_ledger_head *head, struct pic_binding *bindings,
				   const unsigned char approval[PIC_APPROVAL_SIZE],
				   const struct pic_workload_name *name)
{
	for (uint32_t i = 0; i < head->binding_count; i++)
		if (memcmp(bindings[i].approval, approval, PIC_APPROVAL_SIZE) == 0 &&
		    pic_workload_name_compare(&bindings[i].name, name) == 0)
			return &bindings[i];
	return NULL;
}

static bool is_same(const struct pic_binding *binding, const struct pic_ticket *ticket)
{
	return strcmp(binding->type, ticket->type) == 0 && binding->grants == ticket->grants &&
	       memcmp(binding->digest, ticket->digest, PIC_DIGEST_SIZE) == 0 &&
	       memcmp(binding->terms, ticket->terms, PIC_TERMS_SIZE) == 0;
}

/* When the stamp was given out; an unused place in the list is nobody's. */
static int stamp_time(const struct pic_ledger_head *head, const struct pic_ticket *ticket,
		      int64_t *boot_ms)
{
	for (size_t i = 0; i < PIC_STAMPS_MAX; i++) {
		const struct pic_stamp *stamp = &head->stamps[i];

		if (stamp->boot_ms > 0 &&
		    memcmp(stamp->bytes, ticket->stamp, sizeof(stamp->bytes)) == 0) {
			*boot_ms = stamp->boot_ms;
			return 0;
		}
	}
	return -ESTALE;
}

/* A free place, or that of what has been over for longest. */
static struct pic_binding *find_room(struct pic_ledger_head *head, struct pic_binding *bindings,
				     int64_t now_boot_ms)
{
	struct pic_binding *oldest = &bindings[0];

	if (head->binding_count < PIC_BINDINGS_MAX)
		return &bindings[head->binding_count++];
	for (uint32_t i = 1; i < head->binding_count; i++)
		if (bindings[i].end_boot_ms < oldest->end_boot_ms)
			oldest = &bindings[i];
	return oldest->end_boot_ms < now_boot_ms ? oldest : NULL;
}

static int check_known(const struct pic_binding *binding, const struct pic_ticket *ticket,
		       struct pic_error *err)
{
	if (!is_same(binding, ticket))
		return pic_error_set(err, -EPERM,
				     "the approval of %s/%s is bound to other bytes or hooks here: "
				     "it needs a new one",
				     ticket->name.instance, ticket->name.component);
	if (binding->state != PIC_BINDING_OPEN)
		return pic_error_set(
			err, -EPERM,
			"the permission of %s/%s was taken back on this device: it needs "
			"a new approval",
			ticket->name.instance, ticket->name.component);
	return 0;
}

static void fill(struct pic_binding *binding, const struct pic_ticket *ticket, int64_t now_boot_ms,
		 int64_t end_boot_ms)
{
	memset(binding, 0, sizeof(*binding));
	memcpy(binding->approval, ticket->approval, sizeof(binding->approval));
	binding->name = ticket->name;
	memcpy(binding->type, ticket->type, sizeof(binding->type));
	memcpy(binding->digest, ticket->digest, sizeof(binding->digest));
	memcpy(binding->terms, ticket->terms, sizeof(binding->terms));
	binding->grants = ticket->grants;
	binding->state = PIC_BINDING_OPEN;
	binding->bound_boot_ms = now_boot_ms;
	binding->end_boot_ms = end_boot_ms;
}

int pic_binding_make(struct pic_ledger_head *head, struct pic_binding *bindings,
		     const struct pic_ticket *ticket, const char *device, int64_t now_boot_ms,
		     struct pic_binding **out, struct pic_error *err)
{
	const struct pic_workload_name *name = &ticket->name;
	struct pic_binding *binding = look_up(head, bindings, ticket->approval, name);
	int64_t stamped = 0;
	int r;

	if (strcmp(ticket->device, device) != 0)
		return pic_error_set(err, -EPERM,
				     "the ticket for %s/%s is for the device %s, this is %s",
				     name->instance, name->component, ticket->device, device);
	if (binding) {
		r = check_known(binding, ticket, err);
		if (r == 0)
			*out = binding;
		return r;
	}
	if (stamp_time(head, ticket, &stamped) < 0)
		return pic_error_set(
			err, -ESTALE,
			"the ticket for %s/%s answers no poll that this device remembers: it is old, "
			"was made before a restart of the machine, or is for another one",
			name->instance, name->component);
	if (stamped + ticket->length_ms <= now_boot_ms)
		return pic_error_set(err, -EPERM,
				     "the ticket for %s/%s came after its time was over",
				     name->instance, name->component);
	binding = find_room(head, bindings, now_boot_ms);
	if (!binding)
		return pic_error_set(
			err, -ENOSPC,
			"this device keeps %d permissions and has no room for that of %s/%s",
			PIC_BINDINGS_MAX, name->instance, name->component);
	fill(binding, ticket, now_boot_ms, stamped + ticket->length_ms);
	*out = binding;
	return 1;
}

/* -- starting ----------------------------------------------------------------------------------- */

static int64_t end_of(const struct pic_binding *binding, uint32_t lease_max_seconds)
{
	int64_t most = binding->bound_boot_ms + 1000LL * lease_max_seconds;

	return binding->end_boot_ms < most ? binding->end_boot_ms : most;
}

/* Why a binding of that workload does not allow the start; the later one is the better reason. */
enum lack { NOTHING_BOUND, CLOSED, OVER, OTHER_BYTES, OTHER_TERMS, NO_LACK };

static enum lack lack_of(const struct pic_binding *binding, const struct pic_binding_wish *wish,
			 int64_t end_boot_ms, int64_t now_boot_ms)
{
	if (binding->state != PIC_BINDING_OPEN)
		return CLOSED;
	if (end_boot_ms <= now_boot_ms)
		return OVER;
	if (strcmp(binding->type, wish->type) != 0 ||
	    memcmp(binding->digest, wish->digest, PIC_DIGEST_SIZE) != 0)
		return OTHER_BYTES;
	return memcmp(binding->terms, wish->terms, PIC_TERMS_SIZE) != 0 ? OTHER_TERMS : NO_LACK;
}

static void explain(enum lack lack, const struct pic_workload_name *name, struct pic_error *err)
{
	static const char *const reasons[] = {
		[NOTHING_BOUND] = "an approval and its ticket from the hub",
		[CLOSED] = "a new approval: the one it had was taken back",
		[OVER] = "a new approval: the time of the one it had is over",
		[OTHER_BYTES] = "a new approval: the one it has is for other bytes",
		[OTHER_TERMS] = "a new approval: the one it has is for other hooks",
	};

	pic_error_set(err, -EPERM, "%s/%s needs %s", name->instance, name->component,
		      reasons[lack]);
}

const struct pic_binding *pic_binding_find(const struct pic_ledger_head *head,
					   const struct pic_binding *bindings,
					   const struct pic_binding_wish *wish,
					   uint32_t lease_max_seconds, int64_t now_boot_ms,
					   int64_t *end_boot_ms, struct pic_error *err)
{
	const struct pic_binding *best = NULL;
	enum lack lack = NOTHING_BOUND;
	int64_t best_end = 0;

	for (uint32_t i = 0; i < head->binding_count; i++) {
		int64_t end = end_of(&bindings[i], lease_max_seconds);
		enum lack found;

		if (pic_workload_name_compare(&bindings[i].name, wish->name) != 0)
			continue;
		found = lack_of(&bindings[i], wish, end, now_boot_ms);
		if (found > lack)
			lack = found;
		if (found == NO_LACK && end > best_end) {
			best = &bindings[i];
			best_end = end;
		}
	}
	if (best)
		*end_boot_ms = best_end;
	else
		explain(lack, wish->name, err);
	return best;
}

/* -- closing ------------------------------------------------------------------------------------ */

struct pic_binding *pic_binding_close(struct pic_ledger_head *head, struct pic_binding *bindings,
				      const struct pic_workload_name *name, uint32_t *from)
{
	while (*from < head->binding_count) {
		struct pic_binding *binding = &bindings[(*from)++];

		if (binding->state != PIC_BINDING_OPEN ||
		    pic_workload_name_compare(&binding->name, name) != 0)
			continue;
		binding->state = PIC_BINDING_CLOSED;
		return binding;
	}
	return NULL;
}

bool pic_binding_holds(const struct pic_ledger_head *head, const struct pic_binding *bindings,
		       const struct pic_ledger_entry *entry)
{
	static const unsigned char none[PIC_APPROVAL_SIZE];

	if (memcmp(entry->approval, none, sizeof(none)) == 0)
		return true;
	for (uint32_t i = 0; i < head->binding_count; i++)
		if (bindings[i].state == PIC_BINDING_OPEN &&
		    memcmp(bindings[i].approval, entry->approval, sizeof(none)) == 0 &&
		    pic_workload_name_compare(&bindings[i].name, &entry->name) == 0)
			return true;
	return false;
}
