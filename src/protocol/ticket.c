#include "protocol/ticket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const unsigned char magic[8] = "pictkt1";

static const struct {
	uint32_t bit;
	const char *text;
} grants[] = {
	{ PIC_GRANT_KERNEL_READ, "kernel-read" },
	{ PIC_GRANT_REDIRECT, "redirect" },
};

const char *pic_grant_text(uint32_t bit)
{
	for (size_t i = 0; i < PIC_COUNT(grants); i++)
		if (grants[i].bit == bit)
			return grants[i].text;
	return NULL;
}

int pic_grant_parse(const char *text, uint32_t *bit)
{
	for (size_t i = 0; i < PIC_COUNT(grants); i++) {
		if (strcmp(grants[i].text, text) == 0) {
			*bit = grants[i].bit;
			return 0;
		}
	}
	return -EINVAL;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 0x100000001b3;
	return hash;
}

void pic_ticket_key(const unsigned char approval[PIC_APPROVAL_SIZE],
		    const struct pic_workload_name *name, char out[PIC_TICKET_KEY_TEXT])
{
	uint64_t hash = mix(0xcbf29ce484222325, approval, PIC_APPROVAL_SIZE);

	hash = mix(hash, name->instance, strlen(name->instance) + 1);
	hash = mix(hash, name->component, strlen(name->component) + 1);
	snprintf(out, PIC_TICKET_KEY_TEXT, "%016" PRIx64, hash);
}

/* -- bytes -------------------------------------------------------------------------------------- */

static void put(unsigned char **at, const void *bytes, size_t size)
{
	memcpy(*at, bytes, size);
	*at += size;
}

/* What stands behind a text's end is not told. */
static void put_text(unsigned char **at, const char *text, size_t room)
{
	size_t size = strnlen(text, room - 1);

	memset(*at, 0, room);
	memcpy(*at, text, size);
	*at += room;
}

static void put_number(unsigned char **at, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		*(*at)++ = (unsigned char)(number >> (8 * i));
}

void pic_ticket_write(const struct pic_ticket *ticket, unsigned char out[PIC_TICKET_SIZE])
{
	unsigned char *at = out;

	put(&at, magic, sizeof(magic));
	put(&at, ticket->approval, sizeof(ticket->approval));
	put_text(&at, ticket->device, sizeof(ticket->device));
	put_text(&at, ticket->name.instance, sizeof(ticket->name.instance));
	put_text(&at, ticket->name.component, sizeof(ticket->name.component));
	put_text(&at, ticket->type, sizeof(ticket->type));
	put(&at, ticket->digest, sizeof(ticket->digest));
	put(&at, ticket->terms, sizeof(ticket->terms));
	put_number(&at, ticket->grants, 4);
	put(&at, ticket->stamp, sizeof(ticket->stamp));
	put_number(&at, (uint64_t)ticket->length_ms, 8);
}

static void get(const unsigned char **at, void *bytes, size_t size)
{
	memcpy(bytes, *at, size);
	*at += size;
}

/* A name that ends, and zeros behind it: one ticket has one form. */
static bool get_name(const unsigned char **at, char *out, size_t room)
{
	size_t size = strnlen((const char *)*at, room);

	for (size_t i = size; i < room; i++)
		if ((*at)[i])
			return false;
	if (size == room)
		return false;
	get(at, out, room);
	return pic_name_is_valid(out, room - 1);
}

static uint64_t get_number(const unsigned char **at, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number |= (uint64_t) * (*at)++ << (8 * i);
	return number;
}

int pic_ticket_read(const unsigned char bytes[PIC_TICKET_SIZE], struct pic_ticket *out,
		    struct pic_error *err)
{
	const unsigned char *at = bytes + sizeof(magic);
	struct pic_ticket ticket;
	uint64_t length;

	if (memcmp(bytes, magic, sizeof(magic)) != 0)
		return pic_error_set(err, -EPROTO, "these bytes are not a ticket of this version");
	get(&at, ticket.approval, sizeof(ticket.approval));
	if (!get_name(&at, ticket.device, sizeof(ticket.device)) ||
	    !get_name(&at, ticket.name.instance, sizeof(ticket.name.instance)) ||
	    !get_name(&at, ticket.name.component, sizeof(ticket.name.component)) ||
	    !get_name(&at, ticket.type, sizeof(ticket.type)))
		return pic_error_set(err, -EPROTO, "a name in the ticket is damaged");
	get(&at, ticket.digest, sizeof(ticket.digest));
	get(&at, ticket.terms, sizeof(ticket.terms));
	ticket.grants = (uint32_t)get_number(&at, 4);
	get(&at, ticket.stamp, sizeof(ticket.stamp));
	length = get_number(&at, 8);
	if (ticket.grants & ~(uint32_t)PIC_GRANT_MASK)
		return pic_error_set(
			err, -EPROTO,
			"the ticket for %s/%s grants %#x, which this device does not know",
			ticket.name.instance, ticket.name.component, ticket.grants);
	if (length == 0 || length > PIC_TICKET_LENGTH_MAX_MS)
		return pic_error_set(err, -EPROTO, "the ticket for %s/%s has no length that counts",
				     ticket.name.instance, ticket.name.component);
	ticket.length_ms = (int64_t)length;
	*out = ticket;
	return 0;
}
