/* `piccolo ebpf run` and `piccolo ebpf inspect`. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "admission/policy.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/ports.h"
#include "base/text.h"
#include "device/ebpf_run.h"
#include "device/options.h"
#include "device/report.h"
#include "device/verbs.h"
#include "workload/ebpf/inspect.h"
#include "workload/ebpf/runner.h"

#define AT(field) offsetof(struct pic_device_options, field)

static const struct pic_option run_options[] = {
	{ "attach", 0, PIC_OPTION_LIST, "[PROGRAM=]HOOK", NULL,
	  "where a program hooks in: xdp:IF[:skb|:drv], tcx:IF:ingress|egress, "
	  "clsact:IF:ingress|egress, tp:CATEGORY/EVENT, raw_tp:EVENT; several times; without it "
	  "each program's section says so",
	  AT(ebpf_attach), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "name", 0, PIC_OPTION_TEXT, "PROGRAM", NULL, "the only program of the object to load",
	  AT(ebpf_name), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "for", 0, PIC_OPTION_TEXT, "DURATION", "10m",
	  "how long it stays; policy has the last word", AT(ebpf_lease), PIC_OPTION_FLAG_ONLY, 0,
	  0 },
	{ "trace-prefix", 0, PIC_OPTION_TEXT, "TEXT", NULL, "only lines that begin so are printed",
	  AT(ebpf_prefix), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "confirm", 0, PIC_OPTION_TEXT, "SECONDS", "15",
	  "how soon --uplink must answer; 0 switches dry run and proof off", AT(ebpf_confirm),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "uplink", 0, PIC_OPTION_TEXT, "ADDR:PORT", NULL,
	  "an address that must go on answering, else the program is detached", AT(ebpf_uplink),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ .name = NULL },
};

static const struct pic_option inspect_options[] = {
	{ "output", 'o', PIC_OPTION_TEXT, "FORMAT", "text", "text or json", AT(output),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ .name = NULL },
};

static int usage(const char *what, const struct pic_error *err)
{
	fprintf(stderr, "piccolo: %s%s%s\n", what, *what ? ": " : "", err->text);
	return PIC_EXIT_USAGE;
}

/* policy.conf of this device; the shipped rules where there is none. */
static int read_policy(const struct pic_device_options *options, struct pic_policy *out,
		       struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_POLICY_FILE_MAX);
	int r = pic_file_read_path(options->policy, &text, err);

	if (r == -ENOENT)
		r = 0;
	return r < 0 ? r
		     : pic_policy_parse(out, pic_buf_text(&text), text.size, options->policy, err);
}

/* "hook hook", as ebpf.attach has them. */
static void join(const struct pic_option_list *list, struct pic_buf *out)
{
	for (size_t i = 0; i < list->count; i++)
		pic_buf_format(out, "%s%s", i ? " " : "", list->items[i]);
}

/* The flags are the component's properties under other names, so they are read by the same code. */
static int make_spec(const struct pic_device_options *options, struct pic_ebpf_spec *spec,
		     struct pic_error *err)
{
	struct pic_json *PIC_JSON properties = pic_json_new_object();
	PIC_BUF struct pic_buf attach = PIC_BUF_INIT(8192);
	const struct {
		const char *key, *value;
	} texts[] = {
		{ "ebpf.name", options->ebpf_name },
		{ "ebpf.lease", options->ebpf_lease },
		{ "ebpf.confirm", options->ebpf_confirm },
		{ "ebpf.tracePrefix", options->ebpf_prefix },
		{ "ebpf.attach", options->ebpf_attach.count ? "" : NULL },
	};

	join(&options->ebpf_attach, &attach);
	for (size_t i = 0; i < PIC_COUNT(texts); i++)
		if (texts[i].value)
			pic_json_set_text(properties, texts[i].key,
					  *texts[i].value ? texts[i].value : pic_buf_text(&attach));
	return pic_ebpf_parse(properties, spec, err);
}

static int make_uplink(const char *text, struct pic_uplink *out, struct pic_error *err)
{
	struct pic_policy_ports ports;
	int r = pic_ports_parse(text, strlen(text), &ports, err);

	if (r < 0)
		return r;
	if (ports.first != ports.last || !ports.network.family)
		return pic_error_set(err, -EINVAL, "\"%.60s\" is not one address and port", text);
	*out = (struct pic_uplink){ .family = ports.network.family, .port = ports.first };
	memcpy(out->address, ports.network.address, sizeof(out->address));
	return 0;
}

/* A copy that nobody changes while it is read twice. */
static int copy_object(const char *file, struct pic_error *err)
{
	PIC_BUF struct pic_buf bytes = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX);
	PIC_FD int fd = -1;
	int r = pic_file_read_path(file, &bytes, err);

	if (r < 0)
		return r;
	fd = memfd_create("object", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	r = fd < 0 ? -errno : pic_fd_write_all(fd, bytes.data, bytes.size);
	if (r == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		r = -errno;
	return r < 0 ? pic_error_errno(err, -r, "no memory for a copy of %s", file)
		     : PIC_STEAL_FD(fd);
}

/* "samples/hello.bpf.o" is "hello". */
static void object_name(const char *file, char out[PIC_NAME_MAX + 1])
{
	const char *slash = strrchr(file, '/');
	size_t used = 0;

	for (const char *c = slash ? slash + 1 : file; *c && *c != '.' && used < 32; c++)
		if (isalnum((unsigned char)*c))
			out[used++] = (char)tolower((unsigned char)*c);
	out[used] = '\0';
	if (used == 0)
		strcpy(out, "object");
}

static int64_t choose_end(const struct pic_ebpf_spec *spec, const struct pic_policy *policy)
{
	uint32_t seconds = spec->terms.lease_seconds;

	if (policy->lease_max_seconds && seconds > policy->lease_max_seconds)
		seconds = policy->lease_max_seconds;
	return pic_clock_boot_ms() + (int64_t)seconds * 1000;
}

static int run(const struct pic_device_options *options, const char *file,
	       const struct pic_ebpf_spec *spec, const struct pic_uplink *uplink)
{
	PIC_FREE struct pic_policy *policy = calloc(1, sizeof(*policy));
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ebpf_by_hand order = { .spec = spec, .policy = policy, .uplink = *uplink };
	PIC_BUF struct pic_buf shown = PIC_BUF_INIT(16 * 1024);
	char name[PIC_NAME_MAX + 1];
	PIC_FD int fd = -1;
	int r = policy ? read_policy(options, policy, &err) : -ENOMEM;

	if (r < 0)
		return pic_device_complain(r, &err);
	if (geteuid() != 0) {
		pic_error_set(&err, -EPERM,
			      "only root may put a program into the kernel: run it with sudo");
		return pic_device_complain_file(file, &err);
	}
	fd = copy_object(file, &err);
	if (fd < 0)
		return pic_device_complain_file(NULL, &err);
	object_name(file, name);
	order.object_fd = fd;
	order.name = name;
	pic_text_escape(file, strlen(file), false, &shown);
	order.file = pic_buf_text(&shown);
	order.end_boot_ms = choose_end(spec, policy);
	r = pic_ebpf_run_here(&order, &err);
	return r < 0 ? pic_device_complain_file(file, &err) : PIC_EXIT_OK;
}

static int verb_run(void *program, int argc, char **argv)
{
	const struct pic_device_options *options = program;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_uplink uplink = { 0 };
	struct pic_ebpf_spec spec;

	(void)argc;
	if (make_spec(options, &spec, &err) < 0)
		return usage("", &err);
	if (options->ebpf_uplink && make_uplink(options->ebpf_uplink, &uplink, &err) < 0)
		return usage("--uplink", &err);
	return run(options, argv[0], &spec, &uplink);
}

static int verb_inspect(void *program, int argc, char **argv)
{
	const struct pic_device_options *options = program;
	PIC_FREE struct pic_policy *policy = calloc(1, sizeof(*policy));
	PIC_BUF struct pic_buf bytes = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX);
	bool json = strcmp(options->output, "json") == 0;
	struct pic_json *PIC_JSON report = NULL;
	struct pic_ebpf_inspection inspection;
	struct pic_error err = PIC_ERROR_INIT;

	(void)argc;
	if (!json && strcmp(options->output, "text") != 0) {
		pic_error_set(&err, -EINVAL, "it is text or json");
		return usage("--output", &err);
	}
	/* a policy that this user may not read is not asked */
	if (policy && read_policy(options, policy, NULL) < 0) {
		free(policy);
		policy = NULL;
	}
	if (pic_file_read_path(argv[0], &bytes, &err) < 0)
		return pic_device_complain_file(NULL, &err);
	if (pic_ebpf_inspect((const unsigned char *)pic_buf_text(&bytes), bytes.size, policy,
			     &inspection, &report, &err) < 0)
		return pic_device_complain_file(argv[0], &err);
	if (pic_device_print_report(argv[0], report, json, pic_ebpf_inspection_text) != PIC_EXIT_OK)
		return PIC_EXIT_FAILED;
	return inspection.allowed ? PIC_EXIT_OK : PIC_EXIT_FAILED;
}

const struct pic_command pic_commands_ebpf[] = {
	{
		.name = "run",
		.arguments = "FILE",
		.help = "run an eBPF program in this machine's kernel, for a limited time",
		.details =
			"Needs root. What it may do is said by policy.conf, with the grants of `ebpf by-hand`. Its\n"
			"lines are printed as they come, its figures at the end; Ctrl-C ends it. Nothing of it is\n"
			"left in the kernel afterwards.",
		.options = run_options,
		.run = verb_run,
		.minimum_arguments = 1,
		.maximum_arguments = 1,
	},
	{
		.name = "inspect",
		.arguments = "FILE",
		.help = "say what an eBPF object file is, what it wants and whether it may run",
		.details =
			"Needs no privileges and loads nothing. Exit status 0 when it may run, else 1.",
		.options = inspect_options,
		.run = verb_inspect,
		.minimum_arguments = 1,
		.maximum_arguments = 1,
	},
	{ .name = NULL },
};
