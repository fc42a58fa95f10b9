#include "workload/ebpf/trace_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pic_ebpf_trace_line_read(const char *line, size_t size, struct pic_ebpf_trace_line *out)
{
	static const char mark[] = ": bpf_trace_printk: ", lost[] = " [LOST ";
	const char *at = memmem(line, size, mark, sizeof(mark) - 1), *time;

	*out = (struct pic_ebpf_trace_line){ .lost = 0 };
	if (at) {
		for (time = at; time > line && time[-1] != ' ';)
			time--;
		out->time = (struct pic_view){ time, (size_t)(at - time) };
		at += sizeof(mark) - 1;
		out->text = (struct pic_view){ at, (size_t)(line + size - at) };
		return true;
	}
	at = size > 4 && memcmp(line, "CPU:", 4) == 0 ? memmem(line, size, lost, sizeof(lost) - 1)
						      : NULL;
	/* the line ends with a newline that the caller took for its end, so the number ends too */
	if (at)
		out->lost = strtoull(at + sizeof(lost) - 1, NULL, 10);
	return at != NULL;
}

void pic_ebpf_heads_add(void *data, const char *text, size_t size)
{
	struct pic_ebpf_heads *heads = data;
	const char *newline = memchr(text, '\n', size);

	if (newline)
		size = (size_t)(newline - text);
	if (size == 0) {
		heads->any = true;
		return;
	}
	pic_buf_add(&heads->texts, text, size);
	pic_buf_char(&heads->texts, '\0');
}

static bool begins(const struct pic_view *text, const char *head)
{
	size_t size = strlen(head);

	return text->size >= size && memcmp(text->data, head, size) == 0;
}

bool pic_ebpf_heads_fit(const struct pic_ebpf_heads *heads, const char *prefix,
			const struct pic_view *text)
{
	const char *head = pic_buf_text(&heads->texts);
	const char *end = head + heads->texts.size;

	if (!begins(text, prefix))
		return false;
	if (*prefix && (heads->any || heads->texts.size == 0))
		return true;
	for (; head < end; head += strlen(head) + 1)
		if (begins(text, head))
			return true;
	return false;
}
