#include "admission/ebpf_attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define INTERFACE_MAX 15 /* IFNAMSIZ - 1 */

#define WORDS \
	"[PROGRAM=]xdp:IF[:skb|:drv], tcx:IF:ingress|egress, clsact:IF:ingress|egress, " \
	"tp:CATEGORY/EVENT, raw_tp:EVENT, section"

static const char *const hook_words[] = {
	[PIC_EBPF_SECTION] = "section", [PIC_EBPF_XDP] = "xdp",
	[PIC_EBPF_TCX] = "tcx",		[PIC_EBPF_CLSACT] = "clsact",
	[PIC_EBPF_TRACEPOINT] = "tp",	[PIC_EBPF_RAW_TRACEPOINT] = "raw_tp",
};

static const char *const mode_words[] = {
	[PIC_EBPF_MODE_DEFAULT] = "",	[PIC_EBPF_MODE_SKB] = "skb",  [PIC_EBPF_MODE_DRV] = "drv",
	[PIC_EBPF_INGRESS] = "ingress", [PIC_EBPF_EGRESS] = "egress",
};

static bool is_word_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

bool pic_ebpf_symbol_is_clean(const char *name, size_t maximum)
{
	size_t size = strnlen(name, maximum + 1);

	if (size == 0 || size > maximum)
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_word_character(name[i]) && name[i] != '.' && name[i] != '$')
			return false;
	return true;
}

bool pic_ebpf_interface_is_clean(const char *name)
{
	size_t size = strnlen(name, INTERFACE_MAX + 1);

	if (size == 0 || size > INTERFACE_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < size; i++)
		if (name[i] <= ' ' || name[i] > '~' || strchr("/:,=\\\"'`", name[i]))
			return false;
	return true;
}

/* One part of an event's place in tracefs. */
static bool event_is_clean(const char *name, size_t size)
{
	if (size == 0)
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_word_character(name[i]) && name[i] != '-')
			return false;
	return true;
}

static bool target_is_clean(const struct pic_ebpf_attach *attach)
{
	const char *target = attach->target, *slash = strchr(target, '/');

	switch ((enum pic_ebpf_hook)attach->hook) {
	case PIC_EBPF_SECTION:
		return target[0] == '\0';
	case PIC_EBPF_XDP:
	case PIC_EBPF_TCX:
	case PIC_EBPF_CLSACT:
		return target[0] == '\0' || pic_ebpf_interface_is_clean(target);
	case PIC_EBPF_TRACEPOINT:
		return slash && event_is_clean(target, (size_t)(slash - target)) &&
		       event_is_clean(slash + 1, strlen(slash + 1));
	case PIC_EBPF_RAW_TRACEPOINT:
		return event_is_clean(target, strlen(target));
	}
	return false;
}

static bool mode_fits(const struct pic_ebpf_attach *attach)
{
	switch ((enum pic_ebpf_hook)attach->hook) {
	case PIC_EBPF_XDP:
		return attach->mode <= PIC_EBPF_MODE_DRV;
	case PIC_EBPF_TCX:
	case PIC_EBPF_CLSACT:
		return attach->mode == PIC_EBPF_INGRESS || attach->mode == PIC_EBPF_EGRESS;
	case PIC_EBPF_SECTION:
	case PIC_EBPF_TRACEPOINT:
	case PIC_EBPF_RAW_TRACEPOINT:
		return attach->mode == PIC_EBPF_MODE_DEFAULT;
	}
	return false;
}

bool pic_ebpf_attach_is_valid(const struct pic_ebpf_attach *attach)
{
	return memchr(attach->program, '\0', sizeof(attach->program)) &&
	       memchr(attach->target, '\0', sizeof(attach->target)) &&
	       (attach->program[0] == '\0' ||
		pic_ebpf_symbol_is_clean(attach->program, PIC_EBPF_PROGRAM_NAME_MAX)) &&
	       target_is_clean(attach) && mode_fits(attach);
}

/* The index of `size` bytes in a table of words, or -1. */
static int find(const char *const words[], size_t count, const char *text, size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == size && memcmp(words[i], text, size) == 0)
			return (int)i;
	return -1;
}

/* Copies `size` bytes with a NUL behind them; false when there is no room. */
static bool take(char *out, size_t room, const char *text, size_t size)
{
	if (size >= room)
		return false;
	memcpy(out, text, size);
	out[size] = '\0';
	return true;
}

/* HOOK[:TARGET[:MODE]]; only network hooks have a mode, and no target of theirs has a colon. */
static bool parse_hook(struct pic_ebpf_attach *out, const char *text)
{
	size_t size = strcspn(text, ":");
	int hook = find(hook_words, PIC_COUNT(hook_words), text, size), mode = 0;

	if (hook < 0)
		return false;
	out->hook = (uint32_t)hook;
	text += size + (text[size] == ':');
	size = strcspn(text, ":");
	if (!take(out->target, sizeof(out->target), text, size))
		return false;
	text += size;
	if (*text == ':')
		mode = find(mode_words, PIC_COUNT(mode_words), text + 1, strlen(text + 1));
	if (mode < 0 || (*text == ':' && mode == 0))
		return false;
	out->mode = (uint32_t)mode;
	return true;
}

int pic_ebpf_attach_parse(const char *text, struct pic_ebpf_attach *out, struct pic_error *err)
{
	const char *equals = strchr(text, '=');
	struct pic_ebpf_attach attach;
	bool good = true;

	memset(&attach, 0, sizeof(attach));
	if (equals)
		good = equals > text &&
		       take(attach.program, sizeof(attach.program), text, (size_t)(equals - text));
	good = good && parse_hook(&attach, equals ? equals + 1 : text);
	if (!good || !pic_ebpf_attach_is_valid(&attach))
		return pic_error_set(err, -EINVAL, "\"%.100s\" is not one of %s", text, WORDS);
	*out = attach;
	return 0;
}

void pic_ebpf_attach_text(const struct pic_ebpf_attach *attach, char *out, size_t size)
{
	const char *hook = attach->hook < PIC_COUNT(hook_words) ? hook_words[attach->hook] : "?";
	const char *mode = attach->mode < PIC_COUNT(mode_words) ? mode_words[attach->mode] : "?";
	bool has_tail = attach->target[0] || mode[0];

	snprintf(out, size, "%.63s%s%s%s%.127s%s%s", attach->program, attach->program[0] ? "=" : "",
		 hook, has_tail ? ":" : "", attach->target, mode[0] ? ":" : "", mode);
}
