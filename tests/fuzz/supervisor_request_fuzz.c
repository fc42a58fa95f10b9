/*
 * What the supervisor reads from others: requests, the ledger file, a runner's note. Whatever passes the edge
 * has texts that end and names that are safe as file names.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "protocol/ledger.h"
#include "protocol/ticket.h"
#include "workload/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const struct pic_workload_name *name)
{
	char text[PIC_WORKLOAD_FILE_TEXT];
	struct pic_workload_name again;

	pic_workload_file_text(name, text);
	if (strlen(text) < 3 || text[0] == '.' || strchr(text, '/') ||
	    pic_workload_file_parse(text, &again) < 0 ||
	    pic_workload_name_compare(name, &again) != 0)
		abort();
}

static void fuzz_request(const uint8_t *data, size_t size)
{
	struct pic_supervisor_request request;
	struct pic_error err = PIC_ERROR_INIT;

	memset(&request, 0xa5, sizeof(request));
	memcpy(&request, data, size < sizeof(request) ? size : sizeof(request));
	for (size_t fds = 0; fds < 2; fds++) {
		if (pic_supervisor_request_check(&request, size, fds, &err) < 0)
			continue;
		if (size > sizeof(request) || request.spec_size > PIC_SPEC_MAX)
			abort();
		if (request.operation == PIC_SUPERVISOR_START &&
		    strlen(request.type) > PIC_TYPE_MAX)
			abort();
		if (request.operation == PIC_SUPERVISOR_START ||
		    request.operation == PIC_SUPERVISOR_STOP ||
		    request.operation == PIC_SUPERVISOR_HOLD ||
		    request.operation == PIC_SUPERVISOR_LOG ||
		    request.operation == PIC_SUPERVISOR_REVOKE ||
		    request.operation == PIC_SUPERVISOR_METRICS ||
		    request.operation == PIC_SUPERVISOR_RELEASE)
			check_name(&request.name);
	}
}

static void fuzz_ledger(const uint8_t *data, size_t size)
{
	PIC_BUF struct pic_buf file = PIC_BUF_INIT(PIC_LEDGER_SIZE_MAX);
	struct pic_ledger_entry entry;
	static const struct pic_binding none = { .state = 0 };
	struct pic_ledger_head head;
	struct pic_binding binding;

	memset(&head, 0, sizeof(head));
	/* with a head that fits, else nothing of the entries would ever be looked at */
	if (size % 2 == 0 && size / sizeof(entry) <= PIC_LEDGER_ENTRIES_MAX) {
		pic_ledger_begin(&head, &none, (uint32_t)(size / sizeof(entry)), &file);
		size -= size % sizeof(entry);
	}
	pic_buf_add(&file, data, size);
	if (pic_buf_check(&file, "it", NULL) < 0 || pic_ledger_head_read(&file, &head, NULL) < 0)
		return;
	for (uint32_t i = 0; i < head.binding_count; i++)
		if (pic_ledger_binding_read(&file, i, &binding, NULL) == 0)
			check_name(&binding.name);
	for (uint32_t i = 0; i < head.entry_count; i++)
		if (pic_ledger_entry_read(&file, i, &entry, NULL) == 0) {
			check_name(&entry.name);
			if (strlen(entry.end_text) >= sizeof(entry.end_text) ||
			    strlen(entry.type) > PIC_TYPE_MAX)
				abort();
		}
}

static void fuzz_note(const uint8_t *data, size_t size)
{
	struct pic_end_facts facts = { .status_known = size & 1, .status = (int)size };
	struct pic_ledger_entry entry;
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("note", 0);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) < 0)
		return;
	pic_note_read(fd, &facts.note);
	memset(&entry, 0xa5, sizeof(entry));
	pic_end_judge(&facts, &entry);
	if (entry.end_kind > PIC_END_LAST || strlen(entry.end_text) >= sizeof(entry.end_text))
		abort();
}

/* What is a ticket has one form: writing it again gives the same bytes. */
static void fuzz_ticket(const uint8_t *data, size_t size)
{
	unsigned char bytes[PIC_TICKET_SIZE] = "pictkt1", again[PIC_TICKET_SIZE];
	struct pic_ticket ticket;

	memcpy(bytes + 8, data, size < sizeof(bytes) - 8 ? size : sizeof(bytes) - 8);
	if (pic_ticket_read(bytes, &ticket, NULL) < 0)
		return;
	check_name(&ticket.name);
	pic_ticket_write(&ticket, again);
	if (ticket.length_ms <= 0 || memcmp(bytes, again, sizeof(bytes)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_ticket(data, size);
	fuzz_request(data, size);
	fuzz_ledger(data, size);
	fuzz_note(data, size);
	return 0;
}
