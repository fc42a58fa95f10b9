#include "device/check/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pic_finding_say(struct pic_finding *finding, enum pic_finding_state state, const char *advice,
		     const char *format, ...)
{
	va_list arguments;

	finding->state = state;
	snprintf(finding->advice, sizeof(finding->advice), "%s", advice ? advice : "");
	va_start(arguments, format);
	vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
}

const char *pic_finding_word(enum pic_finding_state state)
{
	static const char *const words[] = { "ok", "unseen", "warning", "error" };

	return words[state];
}

static size_t judge_all(const struct pic_judge *judges, const struct pic_check_facts *facts,
			int flags, struct pic_finding *out)
{
	size_t count = 0;

	for (; judges->code; judges++) {
		struct pic_finding *finding = &out[count];

		if (flags & PIC_CHECK_LOCAL && !judges->local)
			continue;
		*finding = (struct pic_finding){ .code = judges->code, .name = judges->name };
		judges->judge(facts, finding);
		count += finding->text[0] !=
			 '\0'; /* what does not concern this device is not told */
	}
	return count;
}

size_t pic_check_judge(const struct pic_check_facts *facts, int flags,
		       struct pic_finding out[PIC_FINDINGS_MAX])
{
	size_t count = judge_all(pic_judges_kernel, facts, flags, out);

	return count + judge_all(pic_judges_device, facts, flags, out + count);
}
