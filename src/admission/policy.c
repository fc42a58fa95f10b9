/* policy.conf: one rule a line. Lines about eBPF are in policy_ebpf.c, what it allows in policy_allows.c. */
#include "admission/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "admission/policy_line.h"
#include "base/clock.h"
#include "base/text.h"

#define USER_MIN 1000
#define USER_MAX 4294967293LL
#define USERS_MAX 65536
#define LEASE_MAX_MS (366LL * 24 * 3600 * 1000)

/* What a policy starts from: nothing is allowed, limits are modest. */
static const struct pic_policy initial = {
	.user_first = 1900000000,
	.user_last = 1900000999,
	.memory_max = 256 << 20,
	.artifact_max = 64 << 20,
	.store_max = 512 << 20,
	.log_max = 1 << 20,
	.workloads_max = 64,
	.processes_max = 16,
	.approval_types = { "ebpf" },
	.approval_count = 1,
	.lease_max_seconds = 8 * 3600,
};

int pic_policy_bad_line(const struct pic_policy_line *line, struct pic_error *err, const char *what)
{
	return pic_error_set(err, -EINVAL, "%s:%u: %s", line->file, line->number, what);
}

static int full(const struct pic_policy_line *line, struct pic_error *err)
{
	return pic_error_set(err, -EINVAL, "%s:%u: too many '%s' lines", line->file, line->number,
			     line->words[0]);
}

/* -- one function for each kind of line ------------------------------------------------------- */

static int parse_allow(struct pic_policy *out, const struct pic_policy_line *line,
		       struct pic_error *err)
{
	const char *type = line->words[1];

	if (line->count != 2 || !pic_name_is_valid(type, sizeof(out->types[0]) - 1))
		return pic_policy_bad_line(line, err, "write `allow TYPE`, such as `allow wasm`");
	if (out->type_count >= PIC_POLICY_TYPES_MAX)
		return full(line, err);
	snprintf(out->types[out->type_count], sizeof(out->types[0]), "%s", type);
	out->type_lines[out->type_count++] = line->number;
	return 0;
}

/* "FIRST-LAST", or "ONE" when allowed. */
static int parse_range(const char *text, long long minimum, long long maximum, long long *first,
		       long long *last)
{
	char copy[64];
	char *dash;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	dash = strchr(copy, '-');
	if (dash)
		*dash = '\0';
	if (pic_integer_parse(copy, minimum, maximum, first) < 0 ||
	    pic_integer_parse(dash ? dash + 1 : copy, *first, maximum, last) < 0)
		return -EINVAL;
	return 0;
}

static int parse_users(struct pic_policy *out, const struct pic_policy_line *line,
		       struct pic_error *err)
{
	long long first, last;

	if (line->count != 2 ||
	    parse_range(line->words[1], USER_MIN, USER_MAX, &first, &last) < 0 ||
	    last - first >= USERS_MAX)
		return pic_policy_bad_line(
			line, err,
			"write `users FIRST-LAST`, numbers from 1000, at most 65536 of them, such as "
			"`users 1900000000-1900000999`");
	out->user_first = (uint32_t)first;
	out->user_last = (uint32_t)last;
	return 0;
}

/* "tcp 8000-8999 [on|to NETWORK]": NETWORK has the shape that pic_ports_parse knows without a port. */
static int parse_ports(struct pic_policy_ports *out, const struct pic_policy_line *line,
		       const char *before)
{
	long long first, last;
	struct pic_policy_ports ports = { .line = line->number };
	char text[128];

	if ((line->count != 3 && line->count != 5) ||
	    (strcmp(line->words[1], "tcp") != 0 && strcmp(line->words[1], "udp") != 0) ||
	    parse_range(line->words[2], 1, 65535, &first, &last) < 0)
		return -EINVAL;
	ports.transport = strcmp(line->words[1], "tcp") == 0 ? PIC_TCP : PIC_UDP;
	ports.first = (uint16_t)first;
	ports.last = (uint16_t)last;
	if (line->count == 5) {
		struct pic_policy_ports at;
		bool v6 = strchr(line->words[4], ':') != NULL;

		if (strcmp(line->words[3], before) != 0)
			return -EINVAL;
		snprintf(text, sizeof(text), v6 ? "[%.100s]:1" : "%.100s:1", line->words[4]);
		if (pic_ports_parse(text, strlen(text), &at, NULL) < 0)
			return -EINVAL;
		ports.network = at.network;
	}
	*out = ports;
	return 0;
}

static int parse_listen(struct pic_policy *out, const struct pic_policy_line *line,
			struct pic_error *err)
{
	if (out->listen_count >= PIC_POLICY_RULES_MAX)
		return full(line, err);
	if (parse_ports(&out->listen[out->listen_count], line, "on") < 0)
		return pic_policy_bad_line(
			line, err,
			"write `listen tcp|udp PORT[-PORT] [on ADDRESS[/BITS]]`, such as `listen tcp "
			"8000-8999`");
	out->listen_count++;
	return 0;
}

static int parse_connect(struct pic_policy *out, const struct pic_policy_line *line,
			 struct pic_error *err)
{
	if (out->connect_count >= PIC_POLICY_RULES_MAX)
		return full(line, err);
	if (parse_ports(&out->connect[out->connect_count], line, "to") < 0)
		return pic_policy_bad_line(
			line, err,
			"write `connect tcp|udp PORT[-PORT] [to ADDRESS[/BITS]]`, such as `connect tcp "
			"443 to 10.0.0.0/8`");
	out->connect_count++;
	return 0;
}

/* `needs-approval TYPE...` replaces the default; `needs-approval none`. */
static int parse_approval(struct pic_policy *out, const struct pic_policy_line *line,
			  struct pic_error *err)
{
	bool none = line->count == 2 && strcmp(line->words[1], "none") == 0;

	if (line->count < 2 || line->count > 1 + PIC_POLICY_TYPES_MAX)
		return pic_policy_bad_line(
			line, err, "write `needs-approval TYPE...`, or `needs-approval none`");
	memset(out->approval_types, 0, sizeof(out->approval_types));
	out->approval_count = 0;
	for (unsigned i = 1; i < line->count && !none; i++) {
		if (!pic_name_is_valid(line->words[i], sizeof(out->approval_types[0]) - 1) ||
		    strcmp(line->words[i], "none") == 0)
			return pic_policy_bad_line(
				line, err,
				"write `needs-approval TYPE...`, or `needs-approval none`");
		snprintf(out->approval_types[out->approval_count++], sizeof(out->approval_types[0]),
			 "%s", line->words[i]);
	}
	return 0;
}

static int parse_lease(struct pic_policy *out, const struct pic_policy_line *line,
		       struct pic_error *err)
{
	int64_t ms;

	if (line->count != 2 || pic_duration_parse(line->words[1], &ms) < 0 || ms % 1000 ||
	    ms < 1000 || ms > LEASE_MAX_MS)
		return pic_policy_bad_line(
			line, err,
			"write `lease-max DURATION`, from 1s to 366d, such as `lease-max 8h`");
	out->lease_max_seconds = (uint32_t)(ms / 1000);
	return 0;
}

/* Absolute, without "." and "..", no slash at the end: what is compared is what is opened. */
static bool is_plain_path(const char *path)
{
	size_t size = strlen(path);

	return path[0] == '/' && size < PIC_POLICY_PATH_MAX && !strstr(path, "//") &&
	       !strstr(path, "/./") && !strstr(path, "/../") && !pic_text_ends(path, "/.") &&
	       !pic_text_ends(path, "/..") && (size == 1 || path[size - 1] != '/');
}

static int parse_folder(struct pic_policy *out, const struct pic_policy_line *line,
			struct pic_error *err)
{
	struct pic_policy_folder *folder = &out->folders[out->folder_count];
	bool writable = line->count == 3 && strcmp(line->words[2], "writable") == 0;

	if (out->folder_count >= PIC_POLICY_RULES_MAX)
		return full(line, err);
	if (line->count != 3 || !is_plain_path(line->words[1]) ||
	    (!writable && strcmp(line->words[2], "read-only") != 0))
		return pic_policy_bad_line(
			line, err,
			"write `folder /ABSOLUTE/PATH read-only|writable`, without . and .. in it");
	snprintf(folder->path, sizeof(folder->path), "%s", line->words[1]);
	folder->writable = writable;
	folder->line = line->number;
	out->folder_count++;
	return 0;
}

/* -- lines with one value --------------------------------------------------------------------- */

struct single {
	const char *word;
	size_t offset;
	bool bytes; /* uint64_t, "64M"; else uint32_t */
	long long minimum, maximum;
};

#define AT(field) offsetof(struct pic_policy, field)

static const struct single singles[] = {
	{ "memory-max", AT(memory_max), true, 1 << 20, 1LL << 40 },
	{ "artifact-max", AT(artifact_max), true, 1 << 10, 1LL << 40 },
	{ "store-max", AT(store_max), true, 1 << 10, 1LL << 44 },
	{ "log-max", AT(log_max), true, 8 << 10, 1LL << 32 },
	{ "workloads-max", AT(workloads_max), false, 1, 1000 },
	{ "processes-max", AT(processes_max), false, 1, 32768 },
};

static int parse_single(struct pic_policy *out, const struct single *single,
			const struct pic_policy_line *line, struct pic_error *err)
{
	void *at = (char *)out + single->offset;
	unsigned long long bytes = 0;
	long long number = 0;
	bool good = line->count == 2;

	if (good && single->bytes)
		good = pic_size_parse(line->words[1], &bytes) == 0 &&
		       bytes >= (unsigned long long)single->minimum &&
		       bytes <= (unsigned long long)single->maximum;
	else if (good)
		good = pic_integer_parse(line->words[1], single->minimum, single->maximum,
					 &number) == 0;
	if (!good)
		return pic_error_set(err, -EINVAL, "%s:%u: write `%s %s`, from %lld to %lld",
				     line->file, line->number, single->word,
				     single->bytes ? "SIZE" : "NUMBER", single->minimum,
				     single->maximum);
	if (single->bytes)
		*(uint64_t *)at = bytes;
	else
		*(uint32_t *)at = (uint32_t)number;
	return 0;
}

/* -- the file --------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	int (*parse)(struct pic_policy *out, const struct pic_policy_line *line,
		     struct pic_error *err);
	bool once;
} rules[] = {
	{ "allow", parse_allow, false },    { "users", parse_users, true },
	{ "listen", parse_listen, false },  { "connect", parse_connect, false },
	{ "folder", parse_folder, false },  { "needs-approval", parse_approval, true },
	{ "lease-max", parse_lease, true }, { "ebpf", pic_policy_parse_ebpf, false },
};

/* Which single-valued lines there were: bits, in the order of the two tables. */
struct seen {
	uint32_t rules;
	uint32_t singles;
};

static int mark(uint32_t *seen, size_t bit, const struct pic_policy_line *line,
		struct pic_error *err)
{
	if (*seen & 1u << bit)
		return pic_error_set(err, -EINVAL, "%s:%u: there is an earlier '%s' line",
				     line->file, line->number, line->words[0]);
	*seen |= 1u << bit;
	return 0;
}

static int parse_line(struct pic_policy *out, const struct pic_policy_line *line, struct seen *seen,
		      struct pic_error *err)
{
	const char *word = line->words[0];
	int r;

	for (size_t i = 0; i < PIC_COUNT(rules); i++)
		if (strcmp(word, rules[i].word) == 0) {
			r = rules[i].parse(out, line, err);
			return r < 0 || !rules[i].once ? r : mark(&seen->rules, i, line, err);
		}
	for (size_t i = 0; i < PIC_COUNT(singles); i++)
		if (strcmp(word, singles[i].word) == 0) {
			r = parse_single(out, &singles[i], line, err);
			return r < 0 ? r : mark(&seen->singles, i, line, err);
		}
	return pic_policy_bad_line(
		line, err,
		"unknown rule; known are allow, users, listen, connect, folder, needs-approval, "
		"lease-max, ebpf, memory-max, artifact-max, store-max, log-max, workloads-max, "
		"processes-max");
}

/* Cuts the line into words; a '#' starts a comment. */
static int split(struct pic_policy_line *line, struct pic_error *err)
{
	char *rest = line->text, *word;

	line->text[strcspn(line->text, "#")] = '\0';
	line->count = 0;
	while ((word = strsep(&rest, " \t\r"))) {
		if (!*word)
			continue;
		if (line->count >= PIC_POLICY_WORDS_MAX)
			return pic_policy_bad_line(line, err, "too many words");
		line->words[line->count++] = word;
	}
	return 0;
}

int pic_policy_parse(struct pic_policy *out, const char *text, size_t size, const char *file_name,
		     struct pic_error *err)
{
	struct pic_policy policy;
	struct pic_policy_line line = { .file = file_name };
	const char *end = text + size;
	struct seen seen = { 0 };
	int r;

	/* padding too: the struct's digest says whether two policies are the same */
	memset(&policy, 0, sizeof(policy));
	memcpy(&policy, &initial, sizeof(initial));
	pic_policy_ebpf_defaults(&policy.ebpf);
	if (size > PIC_POLICY_FILE_MAX || memchr(text, '\0', size))
		return pic_error_set(err, -EINVAL, "%s is not a text of at most %d bytes",
				     file_name, PIC_POLICY_FILE_MAX);
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((stop ? stop : end) - text);

		line.number++;
		if (length >= sizeof(line.text))
			return pic_policy_bad_line(&line, err, "the line is too long");
		memcpy(line.text, text, length);
		line.text[length] = '\0';
		text += length + 1;
		r = split(&line, err);
		if (r == 0 && line.count > 0)
			r = parse_line(&policy, &line, &seen, err);
		if (r < 0)
			return r;
	}
	*out = policy;
	return 0;
}
