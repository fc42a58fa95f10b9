/* How runs end, how they are counted, and how long the next start waits. */
#include "agent/plan/plan.h"

#include <stdio.h>
#include <string.h>

#define FIRST_MS 100
#define LONGEST_MS (5 * 60 * 1000)
#define MISSING_MS (60 * 1000)
#define LASTED_MS (10 * 60 * 1000)

int64_t pic_plan_wait_ms(const struct pic_plan_component *component,
			 const struct pic_ledger_entry *entry)
{
	int64_t ms = pic_plan_backoff_ms(component->ends);

	/* what is plugged in comes by a hand, not within a second */
	return entry->end_kind == PIC_END_MISSING && ms < MISSING_MS ? MISSING_MS : ms;
}

int64_t pic_plan_backoff_ms(unsigned ends)
{
	int64_t ms = FIRST_MS;

	for (; ends > 1 && ms < LONGEST_MS; ends--)
		ms *= 2;
	return ms < LONGEST_MS ? ms : LONGEST_MS;
}

void pic_plan_note_end(struct pic_plan_component *component, const struct pic_ledger_entry *entry)
{
	bool lasted = entry->ended_boot_ms - entry->started_boot_ms >= LASTED_MS;

	if (entry->state != PIC_LEDGER_ENDED || entry->end_kind == PIC_END_NONE ||
	    memcmp(entry->spec_digest, component->spec_digest, PIC_DIGEST_SIZE) != 0 ||
	    component->noted_start == entry->started_boot_ms)
		return;
	if (component->ends == 0) /* the agent starts anew: the ledger remembers */
		component->ends = entry->restarts;
	component->ends = lasted ? 1 : component->ends + 1;
	component->noted_start = entry->started_boot_ms;
}

void pic_plan_end_text(const struct pic_ledger_entry *entry, char *out, size_t size)
{
	const char *text = entry->end_text;
	char plain[40];

	switch ((enum pic_end_kind)entry->end_kind) {
	case PIC_END_STATUS:
		snprintf(plain, sizeof(plain), "ended with status %d", entry->end_value);
		if (!text[0] || strncmp(text, plain, strlen(plain)) == 0)
			snprintf(out, size, "it %s", text[0] ? text : plain);
		else
			snprintf(out, size, "it %s: %s", plain, text);
		return;
	case PIC_END_TRAP:
		snprintf(out, size, "it trapped: %s", text);
		return;
	case PIC_END_SIGNAL:
		snprintf(out, size, "it was killed by signal %d (%s)", entry->end_value,
			 strsignal(entry->end_value));
		return;
	case PIC_END_MEMORY:
		snprintf(out, size, "it was killed because it needed more memory than its limit");
		return;
	case PIC_END_MISSING:
		snprintf(out, size, "it cannot start yet: %s", text);
		return;
	case PIC_END_INVALID:
		snprintf(out, size, "it cannot run: %s", text);
		return;
	case PIC_END_LEASE:
	case PIC_END_ROLLED_BACK:
		snprintf(out, size, "%s", text);
		return;
	case PIC_END_NONE:
	case PIC_END_UNKNOWN:
		break;
	}
	snprintf(out, size, "it ended and left no note why");
}
