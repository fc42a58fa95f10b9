#include "workload/ebpf/explain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define LINES 4
#define TAIL_MAX 280

struct hint {
	int error; /* 0: any */
	const char *log, *said;
	const char *words;
};

/* The first that fits. */
static const struct hint load_hints[] = {
	{ E2BIG, NULL, NULL, "the verifier found too many ways through it: bound its loops" },
	{ 0, "too large. Processed", NULL,
	  "the verifier found too many ways through it: bound its loops" },
	{ 0, "jumps is too complex", NULL,
	  "the verifier found too many ways through it: bound its loops" },
	{ 0, "infinite loop detected", NULL, "it has a loop without an end" },
	{ 0, "back-edge", NULL, "it has a loop, which this kernel does not take" },
	{ 0, NULL, "failed to resolve CO-RE relocation",
	  "it reads a field that this kernel does not have: guard it with bpf_core_field_exists" },
	{ 0, NULL, "failed to find kernel BTF type ID",
	  "it names a function or event that this kernel does not have" },
	{ 0, NULL, "vmlinux BTF is not found",
	  "this kernel has no type information (CONFIG_DEBUG_INFO_BTF), which the object needs" },
	{ 0, "pointer -= pointer prohibited", NULL,
	  "it subtracts pointers, which needs kernel-read: compare them instead" },
	{ 0, "pointer arithmetic on", NULL, "it computes with a pointer that it may not" },
	{ 0, "unknown func", NULL, "it calls a helper that this kernel lacks or refuses" },
	{ 0, "cannot use helper", NULL, "it calls a helper that this kernel lacks or refuses" },
	{ 0, "cannot call GPL-restricted function", NULL,
	  "it calls a helper that only GPL programs may" },
	{ 0, "invalid access to packet", NULL,
	  "it reads beyond the packet: compare with data_end" },
	{ 0, "unreachable insn", NULL, "it has code that is never reached" },
	{ EINVAL, NULL, "failed to create: Invalid argument",
	  "the kernel takes no map of that size or type; a ring buffer is a power of two of pages" },
	{ ENOMEM, NULL, NULL, "there is no memory for its maps" },
	{ EPERM, NULL, NULL,
	  "the kernel refused this type of program; trampolines are often switched off" },
};

static const struct {
	uint32_t hook;
	int error;
	const char *words;
} attach_hints[] = {
	{ PIC_EBPF_XDP, EBUSY, "another program is there already" },
	{ PIC_EBPF_XDP, EOPNOTSUPP,
	  "the interface's driver has no such mode: xdp:INTERFACE:skb works everywhere" },
	{ PIC_EBPF_XDP, EINVAL,
	  "the interface's driver does not take it: xdp:INTERFACE:skb works everywhere" },
	{ PIC_EBPF_TCX, EINVAL, "this kernel has no tcx (Linux 6.6): use clsact" },
	{ PIC_EBPF_TRACEPOINT, EACCES, "it reads beyond the fields of this event" },
	{ PIC_EBPF_RAW_TRACEPOINT, ENOENT, "this kernel has no such event" },
};

static const char *load_hint(const struct pic_ebpf_failure *failure)
{
	for (size_t i = 0; i < PIC_COUNT(load_hints); i++) {
		const struct hint *hint = &load_hints[i];

		if ((hint->error == 0 || hint->error == failure->error) &&
		    (!hint->log || strstr(failure->log, hint->log)) &&
		    (!hint->said || strstr(failure->said, hint->said)))
			return hint->words;
	}
	return NULL;
}

static const char *attach_hint(const struct pic_ebpf_failure *failure)
{
	for (size_t i = 0; i < PIC_COUNT(attach_hints); i++)
		if (attach_hints[i].hook == failure->hook &&
		    attach_hints[i].error == failure->error)
			return attach_hints[i].words;
	return NULL;
}

/* The verifier's statistics at the end say nothing about the cause. */
static bool is_noise(const char *line, size_t size)
{
	static const char *const heads[] = { "processed ", "verification time", "stack depth",
					     "max_states_per_insn" };

	for (size_t i = 0; i < PIC_COUNT(heads); i++)
		if (size >= strlen(heads[i]) && strncmp(line, heads[i], strlen(heads[i])) == 0)
			return true;
	return size == 0;
}

/* The last lines of a log, the last one last, between bars. */
static void tail(const char *log, char out[TAIL_MAX])
{
	const char *ends[LINES], *begins[LINES];
	const char *end = log + strlen(log);
	unsigned count = 0;
	size_t used = 0;

	while (end > log && count < LINES) {
		const char *begin = end;

		while (begin > log && begin[-1] != '\n')
			begin--;
		if (!is_noise(begin, (size_t)(end - begin))) {
			begins[count] = begin;
			ends[count++] = end;
		}
		end = begin > log ? begin - 1 : log;
	}
	out[0] = '\0';
	for (unsigned i = count; i > 0 && used < TAIL_MAX - 1; i--) {
		int n = snprintf(out + used, TAIL_MAX - used, "%s%.*s", used ? " | " : "",
				 (int)(ends[i - 1] - begins[i - 1]), begins[i - 1]);

		used += n < 0 ? 0 : (size_t)n;
	}
}

const char *pic_ebpf_last_lines(const char *text, unsigned lines, size_t size)
{
	const char *end = text + strlen(text), *begin = end;
	const char *first = (size_t)(end - text) > size ? end - size : text;

	while (begin > first && (begin == end || begin[-1] != '\n' || --lines > 0))
		begin--;
	return begin;
}

void pic_ebpf_failed_program(const char *said, char out[PIC_EBPF_PROGRAM_NAME_MAX + 1])
{
	static const char head[] = "prog '", foot[] = "': BPF program load failed";

	*out = '\0';
	for (const char *at = strstr(said, head); at; at = strstr(at, head)) {
		const char *end = strchr(at += sizeof(head) - 1, '\'');

		if (end && strncmp(end, foot, sizeof(foot) - 1) == 0 &&
		    end - at <= PIC_EBPF_PROGRAM_NAME_MAX)
			snprintf(out, PIC_EBPF_PROGRAM_NAME_MAX + 1, "%.*s", (int)(end - at), at);
	}
}

/* What another time may be different: the object itself is not at fault. */
static bool is_passing(const struct pic_ebpf_failure *failure)
{
	return failure->error == ENOMEM || failure->error == EBUSY || failure->error == EAGAIN ||
	       failure->error == ENODEV;
}

int pic_ebpf_explain(const struct pic_ebpf_failure *failure, struct pic_error *err)
{
	static const char *const verbs[] = { "opened", "loaded", "attached" };
	const char *hint = failure->stage == PIC_EBPF_ATTACH ? attach_hint(failure)
							     : load_hint(failure);
	const char *name = strerrorname_np(failure->error);
	char lines[TAIL_MAX];

	tail(*failure->log ? failure->log : failure->said, lines);
	return pic_error_set(err, is_passing(failure) ? -failure->error : -EINVAL,
			     "%s%s%s%s cannot be %s (%s)%s%s%s%s",
			     *failure->program ? "program " : "",
			     *failure->program ? failure->program : "the object",
			     *failure->place ? " at " : "", failure->place, verbs[failure->stage],
			     name ? name : "unknown error", hint ? ": " : "", hint ? hint : "",
			     *lines ? "; the last words were: " : "", lines);
}
