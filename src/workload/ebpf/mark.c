#include "workload/ebpf/mark.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRACE_MS 1000 /* the supervisor kills so long after the end */

void pic_ebpf_mark_write(const struct pic_ebpf_mark *mark, char out[PIC_EBPF_MARK_TEXT])
{
	char file[PIC_WORKLOAD_FILE_TEXT];

	pic_workload_file_text(&mark->name, file);
	snprintf(out, PIC_EBPF_MARK_TEXT,
		 "piccolo-%" PRIu64 "-%" PRId32 "-%" PRIu64 "-%" PRId64 "-%c-%s", mark->space,
		 mark->pid, mark->pid_start, mark->end_boot_ms, mark->made_qdisc ? 'q' : 'k', file);
}

/* Digits and a dash; what is left. */
static const char *number(const char *text, uint64_t maximum, uint64_t *out)
{
	char *end;
	unsigned long long value;

	if (!text || !isdigit((unsigned char)*text))
		return NULL;
	value = strtoull(text, &end, 10);
	if (*end != '-' || end - text > 19 || value > maximum)
		return NULL;
	*out = value;
	return end + 1;
}

bool pic_ebpf_mark_read(const char *text, struct pic_ebpf_mark *out)
{
	static const char head[] = "piccolo-";
	uint64_t pid, end;
	struct pic_ebpf_mark mark;

	if (strncmp(text, head, sizeof(head) - 1) != 0)
		return false;
	text = number(text + sizeof(head) - 1, UINT64_MAX, &mark.space);
	text = number(text, INT32_MAX, &pid);
	text = number(text, UINT64_MAX, &mark.pid_start);
	text = number(text, INT64_MAX, &end);
	if (!text || (*text != 'q' && *text != 'k') || text[1] != '-' ||
	    pic_workload_file_parse(text + 2, &mark.name) < 0)
		return false;
	mark.made_qdisc = *text == 'q';
	mark.pid = (int32_t)pid;
	mark.end_boot_ms = (int64_t)end;
	*out = mark;
	return true;
}

static bool is_named(const struct pic_workload_name *a, const struct pic_workload_name *b)
{
	return strcmp(a->instance, b->instance) == 0 && strcmp(a->component, b->component) == 0;
}

bool pic_ebpf_mark_is_ownerless(const struct pic_ebpf_mark *mark,
				const struct pic_ebpf_owner *owner,
				const struct pic_ebpf_swept *swept)
{
	if (mark->space != owner->space ||
	    (swept->gone && !is_named(&mark->name, &swept->gone->name)))
		return false;
	for (size_t i = 0; i < swept->live_count; i++)
		if (swept->live[i].pid == mark->pid && swept->live[i].pid_start == mark->pid_start)
			return false;
	/* one that lives though no ledger knows it was started by hand, and has its own end */
	return !owner->alive || owner->now_boot_ms > mark->end_boot_ms + GRACE_MS;
}
