/* Words for phases and kinds of asks: one table each, both ways. */
#include <errno.h>
#include <string.h>

#include "protocol/ask.h"
#include "protocol/report.h"

static const char *const phases[] = {
	[PIC_PHASE_PENDING] = "Pending",   [PIC_PHASE_FETCHING] = "Fetching",
	[PIC_PHASE_STARTING] = "Starting", [PIC_PHASE_RUNNING] = "Running",
	[PIC_PHASE_BACKOFF] = "Backoff",   [PIC_PHASE_FAILED] = "Failed",
	[PIC_PHASE_REFUSED] = "Refused",   [PIC_PHASE_HELD] = "Held",
	[PIC_PHASE_REMOVING] = "Removing", [PIC_PHASE_FINISHED] = "Finished",
	[PIC_PHASE_EXPIRED] = "Expired",
};

const char *pic_phase_text(enum pic_phase phase)
{
	return (size_t)phase < PIC_COUNT(phases) ? phases[phase] : "Unknown";
}

int pic_phase_parse(const char *text, enum pic_phase *out)
{
	for (size_t i = 0; i < PIC_COUNT(phases); i++) {
		if (strcmp(text, phases[i]) == 0) {
			*out = (enum pic_phase)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *pic_ask_kind_text(enum pic_ask_kind kind)
{
	switch (kind) {
	case PIC_ASK_LOGS:
		return "logs";
	case PIC_ASK_SCRAPE:
		return "scrape";
	case PIC_ASK_UNKNOWN:
		break;
	}
	return "unknown";
}
