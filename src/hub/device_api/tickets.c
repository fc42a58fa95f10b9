/*
 * Tickets in the answer to a poll: for each component of the device's document that has an open approval and
 * that the device does not call settled. The stamp is that of the poll that is answered, the length what is
 * left, counted from that poll's arrival, so that a ticket that is withheld does not lengthen anything.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "hub/approval/approval.h"
#include "hub/device_api/state.h"
#include "hub/engine/engine.h"
#include "hub/engine/staged.h"
#include "hub/identity/identity.h"

static bool is_hex(const char *text, size_t size)
{
	return strspn(text, "0123456789abcdef") >= size;
}

static int read_settled(struct pic_poll *poll, const char *text, struct pic_error *err)
{
	const size_t size = PIC_TICKET_KEY_TEXT - 1;

	while (*text) {
		char state = strnlen(text, size + 1) > size ? text[size] : '\0';

		if (!is_hex(text, size) || (state != 'b' && state != 'r') ||
		    poll->settled_count == PIC_POLL_APPROVALS_MAX)
			return pic_error_set(err, -EINVAL,
					     "approvals must be a list of at most %d keys",
					     PIC_POLL_APPROVALS_MAX);
		memcpy(poll->settled[poll->settled_count], text, size);
		poll->settled[poll->settled_count++][size] = '\0';
		text += size + 1;
		if (*text && *text++ != ',')
			return pic_error_set(err, -EINVAL, "approvals must be separated by commas");
	}
	return 0;
}

int pic_tickets_read(struct pic_poll *poll, const struct pic_exchange *exchange,
		     struct pic_error *err)
{
	const char *stamp = pic_exchange_query(exchange, "stamp");
	const char *approvals = pic_exchange_query(exchange, "approvals");

	/* an older agent tells no approvals, and one whose supervisor is away has no stamp: no tickets for them */
	if (!stamp || !*stamp || !approvals)
		return 0;
	if (pic_hex_decode(stamp, poll->stamp, sizeof(poll->stamp)) < 0)
		return pic_error_set(err, -EINVAL, "stamp must be 32 hexadecimal digits");
	poll->has_stamp = true;
	return read_settled(poll, approvals, err);
}

static bool is_settled(const struct pic_poll *poll, const unsigned char *approval,
		       const struct pic_workload_name *name)
{
	char key[PIC_TICKET_KEY_TEXT];

	pic_ticket_key(approval, name, key);
	for (size_t i = 0; i < poll->settled_count; i++)
		if (strcmp(poll->settled[i], key) == 0)
			return true;
	return false;
}

/* The approval with that id, read; NULL: there is none that can be read. free() it. */
static struct pic_approval_facts *find_approval(struct pic_store *store, const char *space,
						const char *id)
{
	struct pic_approval_facts *facts = NULL;

	for (struct pic_object *object = pic_store_next(store, PIC_KIND_APPROVAL, space, NULL);
	     object && !facts; object = pic_store_next(store, PIC_KIND_APPROVAL, space, object)) {
		const char *text = pic_json_get_text(pic_object_spec(object), "id");

		if (!text || strcmp(text, id) != 0)
			continue;
		facts = malloc(sizeof(*facts));
		if (!facts || pic_approval_read(object, facts, NULL) < 0) {
			free(facts);
			return NULL;
		}
	}
	return facts;
}

static const struct pic_approval_item *find_item(const struct pic_approval_facts *approval,
						 const char *target,
						 const struct pic_workload_name *name)
{
	for (size_t i = 0; i < approval->item_count; i++)
		if (strcmp(approval->items[i].target, target) == 0 &&
		    pic_workload_name_compare(&approval->items[i].name, name) == 0)
			return &approval->items[i];
	return NULL;
}

/* What is left, as counted from the poll's arrival; the hub's clock may have been set since. */
static int64_t length_of(const struct pic_poll *poll, const struct pic_approval_facts *approval)
{
	int64_t left = approval->ends_ms - pic_clock_wall_ms();

	return left <= 0 ? 0 : left + pic_clock_boot_ms() - poll->arrived_boot_ms;
}

/* False: there is nothing to be permitted now. */
static bool fill(const struct pic_device *device, const struct pic_approval_facts *approval,
		 const struct pic_workload_name *name, struct pic_ticket *out)
{
	const struct pic_approval_item *item = find_item(approval, device->name, name);
	int64_t length = length_of(device->poll, approval);

	if (!item || approval->phase != PIC_APPROVAL_APPROVED || length <= 0 ||
	    length > PIC_TICKET_LENGTH_MAX_MS || pic_clock_wall_ms() < approval->opens_ms)
		return false;
	memset(out, 0, sizeof(*out));
	memcpy(out->approval, approval->id, sizeof(out->approval));
	strcpy(out->device, device->name);
	out->name = *name;
	strcpy(out->type, item->type);
	memcpy(out->digest, item->digest, sizeof(out->digest));
	memcpy(out->terms, item->terms, sizeof(out->terms));
	out->grants = item->grants;
	memcpy(out->stamp, device->poll->stamp, sizeof(out->stamp));
	out->length_ms = length;
	return true;
}

struct writer {
	struct pic_device *device;
	struct pic_json *list; /* NULL: only counts */
	const char *certificate;
	size_t count;
	struct pic_error *err;
};

static void set_base64(struct pic_json *object, const char *key, const void *bytes, size_t size)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);

	pic_base64_encode(bytes, size, &text);
	pic_json_set_text(object, key, pic_buf_text(&text));
}

static int write_one(struct writer *writer, const char *id, const struct pic_ticket *ticket)
{
	unsigned char bytes[PIC_TICKET_SIZE], signature[PIC_SIGNATURE_MAX];
	struct pic_json *object;
	size_t size = 0;
	int r;

	writer->count++;
	if (!writer->list)
		return 0;
	pic_ticket_write(ticket, bytes);
	r = pic_identity_sign_ticket(writer->device->owner->hub->identity, bytes, sizeof(bytes),
				     signature, &size, &writer->certificate, writer->err);
	if (r < 0)
		return r;
	object = pic_json_new_object();
	pic_json_set_text(object, "approval", id);
	pic_json_set_text(object, "instance", ticket->name.instance);
	pic_json_set_text(object, "component", ticket->name.component);
	set_base64(object, "ticket", bytes, sizeof(bytes));
	set_base64(object, "signature", signature, size);
	return pic_json_append(writer->list, object) < 0
		       ? pic_error_set(writer->err, -ENOMEM, "no memory for a ticket")
		       : 0;
}

static int write_entry(struct writer *writer, const char *space, const char *instance,
		       const struct pic_staged_entry *entry)
{
	const char *id = pic_json_text(pic_json_find(entry->json, "approval", "id", NULL));
	struct pic_workload_name name = { .instance = "" };
	unsigned char approval[PIC_APPROVAL_SIZE];
	PIC_FREE struct pic_approval_facts *facts = NULL;
	struct pic_ticket ticket;

	if (entry->removed || !id || writer->count == PIC_POLL_APPROVALS_MAX ||
	    pic_hex_decode(id, approval, sizeof(approval)) < 0)
		return 0;
	strcpy(name.instance, instance);
	strcpy(name.component, entry->name);
	if (is_settled(writer->device->poll, approval, &name))
		return 0;
	facts = find_approval(writer->device->owner->hub->store, space, id);
	if (!facts || !fill(writer->device, facts, &name, &ticket))
		return 0;
	return write_one(writer, id, &ticket);
}

static int write_catalog(struct writer *writer, const struct pic_object *catalog)
{
	struct pic_staged staged = { .entries = NULL };
	struct pic_engine_owner owner;
	char instance[PIC_NAME_MAX + 1];
	int r;

	if (!pic_engine_catalog_owner(catalog, &owner) ||
	    strcmp(owner.target, writer->device->name) != 0 ||
	    !pic_engine_workload_instance(catalog->space, owner.instance, instance))
		return 0;
	r = pic_staged_read(catalog, 0, &staged, writer->err);
	for (size_t i = 0; r == 0 && i < staged.count; i++)
		r = write_entry(writer, catalog->space, instance, &staged.entries[i]);
	pic_staged_free(&staged);
	return r;
}

static int write_all(struct writer *writer)
{
	struct pic_devices *devices = writer->device->owner;
	const struct pic_object *const *catalogs = NULL;
	size_t count = 0;
	int r = pic_target_catalogs_of(&devices->catalogs, devices->hub->store,
				       writer->device->name, &catalogs, &count);

	if (r < 0)
		return pic_error_set(writer->err, r, "no memory for the tickets of %s",
				     writer->device->name);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = write_catalog(writer, catalogs[i]);
	return r;
}

static void write_members(const struct writer *writer, const char *epoch, struct pic_buf *out)
{
	PIC_JSON struct pic_json *certificate = pic_json_new_text(writer->certificate);

	pic_buf_format(out, ",\"ticket-epoch\":\"%s\",\"ticket-certificate\":", epoch);
	pic_json_write(certificate, PIC_JSON_COMPACT, out);
	pic_buf_text_add(out, ",\"tickets\":");
	pic_json_write(writer->list, PIC_JSON_COMPACT, out);
}

int pic_tickets_write(struct pic_device *device, const char *epoch, struct pic_buf *out,
		      size_t *count, struct pic_error *err)
{
	PIC_JSON struct pic_json *list = out ? pic_json_new_array() : NULL;
	struct writer writer = { .device = device, .list = list, .err = err };
	int r;

	*count = 0;
	if (!device->poll->has_stamp ||
	    pic_store_count(device->owner->hub->store, PIC_KIND_APPROVAL) == 0)
		return 0;
	r = write_all(&writer);
	if (r == 0 && out && writer.count > 0)
		write_members(&writer, epoch, out);
	if (r == 0 && out && out->failed)
		r = pic_error_set(err, -ENOBUFS, "too many tickets for %s", device->name);
	if (r == 0)
		*count = writer.count;
	return r;
}
