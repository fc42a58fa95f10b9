/* The terms of an eBPF component: properties to a struct, its validity and its digest. */
#include "admission/ebpf_terms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "admission/ebpf_attach.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/spelling.h"
#include "base/text.h"
#include "base/utf8.h"
#include "crypto/digest.h"

#define PREFIX "ebpf."
#define LEASE_MAX_S (PIC_TICKET_LENGTH_MAX_MS / 1000)
#define CONFIRM_MAX_S 600

typedef int property_function(struct pic_ebpf_terms *terms, const char *text,
			      struct pic_error *err);

static int parse_name(struct pic_ebpf_terms *terms, const char *text, struct pic_error *err)
{
	if (!pic_ebpf_symbol_is_clean(text, PIC_EBPF_PROGRAM_NAME_MAX))
		return pic_error_set(err, -EINVAL, "\"%.70s\" is not the name of a C function",
				     text);
	snprintf(terms->program, sizeof(terms->program), "%s", text);
	return 0;
}

/* The original's words, those of `bpftool net attach`; the interface is the default route's. */
static int parse_event(struct pic_ebpf_terms *terms, const char *text, struct pic_error *err)
{
	static const struct {
		const char *word;
		enum pic_ebpf_hook hook;
		enum pic_ebpf_mode mode;
	} events[] = {
		{ "xdp", PIC_EBPF_XDP, PIC_EBPF_MODE_DEFAULT },
		{ "xdpgeneric", PIC_EBPF_XDP, PIC_EBPF_MODE_SKB },
		{ "xdpdrv", PIC_EBPF_XDP, PIC_EBPF_MODE_DRV },
		{ "tcx_ingress", PIC_EBPF_TCX, PIC_EBPF_INGRESS },
		{ "tcx_egress", PIC_EBPF_TCX, PIC_EBPF_EGRESS },
	};

	if (terms->attach_count > 0)
		return pic_error_set(err, -EINVAL, "write ebpf.attach alone, it says it all");
	for (size_t i = 0; i < PIC_COUNT(events); i++)
		if (strcmp(text, events[i].word) == 0) {
			terms->attach[0].hook = events[i].hook;
			terms->attach[0].mode = events[i].mode;
			terms->attach_count = 1;
			return 0;
		}
	return pic_error_set(err, -EINVAL,
			     "\"%.40s\" is none of xdp, xdpgeneric, xdpdrv, tcx_ingress, "
			     "tcx_egress; other hooks are named with ebpf.attach",
			     text);
}

static bool attach_is_same(const struct pic_ebpf_attach *a, const struct pic_ebpf_attach *b)
{
	return a->hook == b->hook && a->mode == b->mode && strcmp(a->target, b->target) == 0 &&
	       strcmp(a->program, b->program) == 0;
}

static int add_attach(struct pic_ebpf_terms *terms, const char *word, struct pic_error *err)
{
	struct pic_ebpf_attach attach;
	int r;

	if (terms->attach_count == PIC_EBPF_ATTACH_MAX)
		return pic_error_set(err, -E2BIG, "more than %d hooks", PIC_EBPF_ATTACH_MAX);
	r = pic_ebpf_attach_parse(word, &attach, err);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < terms->attach_count; i++)
		if (attach_is_same(&attach, &terms->attach[i]))
			return pic_error_set(err, -EINVAL, "%.200s stands there twice", word);
	terms->attach[terms->attach_count++] = attach;
	return 0;
}

/* Hooks between commas or blanks. */
static int parse_attach(struct pic_ebpf_terms *terms, const char *text, struct pic_error *err)
{
	char word[PIC_EBPF_ATTACH_TEXT];
	int r;

	for (;;) {
		size_t size;

		text += strspn(text, ", \t\n");
		size = strcspn(text, ", \t\n");
		if (size == 0)
			break;
		if (size >= sizeof(word))
			return pic_error_set(err, -EINVAL, "\"%.60s...\" is too long for a hook",
					     text);
		memcpy(word, text, size);
		word[size] = '\0';
		r = add_attach(terms, word, err);
		if (r < 0)
			return r;
		text += size;
	}
	return terms->attach_count > 0 ? 0 : pic_error_set(err, -EINVAL, "it names no hook");
}

/* Whole seconds between `least` and `most`. */
static int parse_seconds(const char *text, int64_t least, int64_t most, uint32_t *out,
			 struct pic_error *err)
{
	int64_t ms;

	if (pic_duration_parse(text, &ms) < 0)
		return pic_error_set(err, -EINVAL, "\"%.40s\" is not a duration such as 15m or 2h",
				     text);
	if (ms % 1000 || ms / 1000 < least || ms / 1000 > most)
		return pic_error_set(err, -ERANGE,
				     "%.40s is not a number of whole seconds from %lld to %lld",
				     text, (long long)least, (long long)most);
	*out = (uint32_t)(ms / 1000);
	return 0;
}

static int parse_lease(struct pic_ebpf_terms *terms, const char *text, struct pic_error *err)
{
	return parse_seconds(text, 1, LEASE_MAX_S, &terms->lease_seconds, err);
}

static int parse_until(struct pic_ebpf_terms *terms, const char *text, struct pic_error *err)
{
	int64_t wall_ms;

	if (pic_time_parse(text, &wall_ms) < 0 || wall_ms <= 0)
		return pic_error_set(err, -EINVAL,
				     "\"%.40s\" is not a time such as 2026-11-24T14:00:00Z", text);
	terms->until_ms = wall_ms;
	return 0;
}

static int parse_confirm(struct pic_ebpf_terms *terms, const char *text, struct pic_error *err)
{
	long long seconds;

	if (strcmp(text, "off") == 0)
		seconds = 0;
	else if (pic_integer_parse(text, 0, CONFIRM_MAX_S, &seconds) < 0)
		return parse_seconds(text, 0, CONFIRM_MAX_S, &terms->confirm_seconds, err);
	terms->confirm_seconds = (uint32_t)seconds;
	return 0;
}

static bool prefix_is_clean(const char *text)
{
	size_t size = strlen(text);

	for (size_t at = 0; at < size;) {
		uint32_t point;
		size_t step = pic_utf8_next(text + at, size - at, &point);

		if (step == 0 || pic_utf8_is_control(point))
			return false;
		at += step;
	}
	return true;
}

static int parse_trace_prefix(struct pic_ebpf_terms *terms, const char *text, struct pic_error *err)
{
	if (text[0] == '\0' || strlen(text) > PIC_EBPF_PREFIX_MAX || !prefix_is_clean(text))
		return pic_error_set(err, -EINVAL,
				     "write 1 to %d bytes of text without control characters",
				     PIC_EBPF_PREFIX_MAX);
	snprintf(terms->trace_prefix, sizeof(terms->trace_prefix), "%s", text);
	return 0;
}

/* Where the bytes come from is checked where they are fetched. */
static int accept(struct pic_ebpf_terms *terms, const char *text, struct pic_error *err)
{
	(void)terms;
	(void)text;
	(void)err;
	return 0;
}

/* attach before event: the older word looks whether the newer one spoke. */
static const struct property {
	const char *name;
	property_function *parse;
} properties[] = {
	{ PREFIX "url", accept },
	{ PREFIX "sha256", accept },
	{ PREFIX "name", parse_name },
	{ PREFIX "attach", parse_attach },
	{ PREFIX "event", parse_event },
	{ PREFIX "lease", parse_lease },
	{ PREFIX "until", parse_until },
	{ PREFIX "confirm", parse_confirm },
	{ PREFIX "tracePrefix", parse_trace_prefix },
};

static int check_name(const char *name, struct pic_error *err)
{
	struct pic_spelling spelling = { .wanted = name };

	for (size_t i = 0; i < PIC_COUNT(properties); i++) {
		if (strcmp(name, properties[i].name) == 0)
			return 0;
		pic_spelling_offer(&spelling, properties[i].name);
	}
	return pic_error_set(err, -EINVAL, "%.60s: there is no such property%s%s%s", name,
			     spelling.nearest ? "; did you mean " : "",
			     spelling.nearest ? spelling.nearest : "", spelling.nearest ? "?" : "");
}

static int check_names(const struct pic_json *object, struct pic_error *err)
{
	int r;

	pic_json_each(object, i) {
		if (!pic_text_starts(pic_json_key(i), PREFIX))
			continue;
		r = check_name(pic_json_key(i), err);
		if (r < 0)
			return r;
	}
	return 0;
}

int pic_ebpf_terms_parse(const struct pic_json *object, struct pic_ebpf_terms *out,
			 struct pic_error *err)
{
	struct pic_ebpf_terms terms;
	int r = check_names(object, err);

	/* padding too: terms lie in a spec that is compared as bytes */
	memset(&terms, 0, sizeof(terms));
	terms.lease_seconds = PIC_EBPF_LEASE_DEFAULT_S;
	terms.confirm_seconds = PIC_EBPF_CONFIRM_DEFAULT_S;
	for (size_t i = 0; r == 0 && i < PIC_COUNT(properties); i++) {
		const struct pic_json *value = pic_json_get(object, properties[i].name);

		if (!value)
			continue;
		if (!pic_json_text(value))
			return pic_error_set(err, -EINVAL, "%s: must be a text (in quotes), not %s",
					     properties[i].name, pic_json_type_name(value));
		r = properties[i].parse(&terms, pic_json_text(value), err);
		if (r < 0)
			return pic_error_wrap(err, r, "%s", properties[i].name);
	}
	if (r == 0)
		memcpy(out, &terms, sizeof(terms));
	return r;
}

bool pic_ebpf_terms_are_valid(const struct pic_ebpf_terms *terms)
{
	if (!memchr(terms->program, '\0', sizeof(terms->program)) ||
	    (terms->program[0] &&
	     !pic_ebpf_symbol_is_clean(terms->program, PIC_EBPF_PROGRAM_NAME_MAX)) ||
	    !memchr(terms->trace_prefix, '\0', sizeof(terms->trace_prefix)) ||
	    !prefix_is_clean(terms->trace_prefix) || terms->attach_count > PIC_EBPF_ATTACH_MAX ||
	    terms->confirm_seconds > CONFIRM_MAX_S || terms->lease_seconds == 0 ||
	    terms->lease_seconds > LEASE_MAX_S || terms->until_ms < 0)
		return false;
	for (uint32_t i = 0; i < terms->attach_count; i++)
		if (!pic_ebpf_attach_is_valid(&terms->attach[i]))
			return false;
	return true;
}

/* -- the digest ------------------------------------------------------------------------------- */

/* Every field has a fixed width, so that no two terms have the same writing. */
#define MAGIC "piccolo ebpf terms 1"
#define ATTACH_BYTES (PIC_EBPF_PROGRAM_NAME_MAX + 1 + 4 + 4 + PIC_EBPF_TARGET_MAX + 1)
#define CANONICAL_BYTES \
	(sizeof(MAGIC) + PIC_EBPF_PROGRAM_NAME_MAX + 1 + 4 + PIC_EBPF_ATTACH_MAX * ATTACH_BYTES + \
	 PIC_EBPF_PREFIX_MAX + 1 + 4)

static unsigned char *put_text(unsigned char *at, const char *text, size_t room)
{
	memset(at, 0, room);
	memcpy(at, text, strnlen(text, room));
	return at + room;
}

static unsigned char *put_u32(unsigned char *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> (8 * i));
	return at + 4;
}

void pic_ebpf_terms_digest(const struct pic_ebpf_terms *terms, unsigned char out[PIC_TERMS_SIZE])
{
	static const struct pic_ebpf_attach nothing;
	unsigned char canonical[CANONICAL_BYTES], *at = canonical;
	struct pic_sha256 digest;

	at = put_text(at, MAGIC, sizeof(MAGIC));
	at = put_text(at, terms->program, sizeof(terms->program));
	at = put_u32(at, terms->attach_count);
	for (uint32_t i = 0; i < PIC_EBPF_ATTACH_MAX; i++) {
		const struct pic_ebpf_attach *attach = i < terms->attach_count ? &terms->attach[i]
									       : &nothing;

		at = put_text(at, attach->program, sizeof(attach->program));
		at = put_u32(at, attach->hook);
		at = put_u32(at, attach->mode);
		at = put_text(at, attach->target, sizeof(attach->target));
	}
	at = put_text(at, terms->trace_prefix, sizeof(terms->trace_prefix));
	at = put_u32(at, terms->confirm_seconds);
	pic_sha256_of(canonical, (size_t)(at - canonical), &digest);
	memcpy(out, digest.bytes, PIC_TERMS_SIZE);
}
