/* `piccolo wasm run` and `piccolo wasm inspect`. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "device/options.h"
#include "device/report.h"
#include "device/verbs.h"
#include "device/wasm_run.h"
#include "workload/wasm/inspect.h"
#include "workload/wasm/runner.h"

#define AT(field) offsetof(struct pic_device_options, field)

static const struct pic_option run_options[] = {
	{ "listen", 0, PIC_OPTION_LIST, "[tcp:|udp:][ADDR:]PORT[-PORT]", NULL,
	  "where the module may listen; several times", AT(wasm_listen), PIC_OPTION_FLAG_ONLY, 0,
	  0 },
	{ "connect", 0, PIC_OPTION_LIST, "[tcp:|udp:]ADDR[/BITS]:PORT[-PORT]", NULL,
	  "where the module may connect to; several times", AT(wasm_connect), PIC_OPTION_FLAG_ONLY,
	  0, 0 },
	{ "dir", 0, PIC_OPTION_LIST, "GUEST:HOST[:rw]", NULL,
	  "a folder of this machine that the module sees as GUEST; several times", AT(wasm_folders),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "env", 0, PIC_OPTION_LIST, "NAME=VALUE", NULL,
	  "a variable of its environment; several times", AT(wasm_environment),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "memory", 0, PIC_OPTION_TEXT, "SIZE", "64M", "how much linear memory it may have",
	  AT(wasm_memory), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ .name = NULL },
};

static const struct pic_option inspect_options[] = {
	{ "output", 'o', PIC_OPTION_CHOICE, "text|json", "text", "for people or programs",
	  AT(output), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "memory", 0, PIC_OPTION_TEXT, "SIZE", "64M", "how much linear memory it may have",
	  AT(wasm_memory), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ .name = NULL },
};

typedef int word_function(struct pic_wasm_spec *spec, const char *word, struct pic_error *err);

static int add_all(struct pic_wasm_spec *spec, const char *flag, const struct pic_option_list *list,
		   word_function *add, struct pic_error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		int r = add(spec, list->items[i], err);

		if (r < 0)
			return pic_error_wrap(err, r, "%s", flag);
	}
	return 0;
}

static int make_spec(const struct pic_device_options *options, int argc, char **argv,
		     struct pic_wasm_spec *spec, struct pic_error *err)
{
	const struct pic_option_list arguments = { (const char **)argv + 1, (size_t)argc - 1 };
	int r;

	pic_wasm_spec_init(spec);
	r = pic_wasm_spec_memory(spec, options->wasm_memory, err);
	if (r < 0)
		return pic_error_wrap(err, r, "--memory");
	r = add_all(spec, "--listen", &options->wasm_listen, pic_wasm_spec_listen, err);
	if (r == 0)
		r = add_all(spec, "--connect", &options->wasm_connect, pic_wasm_spec_connect, err);
	if (r == 0)
		r = add_all(spec, "--dir", &options->wasm_folders, pic_wasm_spec_folder, err);
	if (r == 0)
		r = add_all(spec, "arguments", &arguments, pic_wasm_spec_argument, err);
	if (r == 0)
		r = add_all(spec, "--env", &options->wasm_environment, pic_wasm_spec_environment,
			    err);
	/* Without an instance there is no trace folder of one: the folder itself then. */
	for (uint32_t i = 0; i < spec->folder_count; i++)
		spec->folders[i].trace = false;
	return r;
}

static int open_module(const char *file, struct pic_error *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? pic_error_errno(err, errno, "it cannot be opened") : fd;
}

/* "samples/hello.wasm" is "hello" to itself. */
static void module_name(const char *file, char out[PIC_NAME_MAX + 1])
{
	const char *slash = strrchr(file, '/');
	char *dot;

	snprintf(out, PIC_NAME_MAX + 1, "%.*s", PIC_NAME_MAX, slash ? slash + 1 : file);
	dot = strrchr(out, '.');
	if (dot && dot != out)
		*dot = '\0';
}

static int verb_run(void *program, int argc, char **argv)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_wasm_spec spec;
	PIC_BUF struct pic_buf shown = PIC_BUF_INIT(16 * 1024);
	char name[PIC_NAME_MAX + 1];
	int PIC_FD fd = -1;
	int r = make_spec(program, argc, argv, &spec, &err);

	if (r < 0) {
		fprintf(stderr, "piccolo: %s\n", err.text);
		return PIC_EXIT_USAGE;
	}
	fd = open_module(argv[0], &err);
	if (fd < 0)
		return pic_device_complain_file(argv[0], &err);
	module_name(argv[0], name);
	pic_text_escape(argv[0], strlen(argv[0]), false, &shown);
	r = pic_wasm_run_here(fd, pic_buf_text(&shown), name, &spec, &err);
	return r < 0 ? pic_device_complain_file(argv[0], &err) : r;
}

static int verb_inspect(void *program, int argc, char **argv)
{
	const struct pic_device_options *options = program;
	bool json = strcmp(options->output, "json") == 0;
	struct pic_wasm_inspection inspection;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_json *PIC_JSON report = NULL;
	struct pic_wasm_spec spec;
	int PIC_FD fd = -1;

	(void)argc;
	pic_wasm_spec_init(&spec);
	if (pic_wasm_spec_memory(&spec, options->wasm_memory, &err) < 0) {
		fprintf(stderr, "piccolo: --memory: %s\n", err.text);
		return PIC_EXIT_USAGE;
	}
	fd = open_module(argv[0], &err);
	if (fd < 0 || pic_wasm_inspect(fd, spec.memory_max, &inspection, &report, &err) < 0)
		return pic_device_complain_file(argv[0], &err);
	if (pic_device_print_report(argv[0], report, json, pic_wasm_inspection_text) != PIC_EXIT_OK)
		return PIC_EXIT_FAILED;
	return inspection.runnable ? PIC_EXIT_OK : PIC_EXIT_FAILED;
}

const struct pic_command pic_commands_wasm[] = {
	{
		.name = "run",
		.arguments = "FILE [-- ARGUMENT...]",
		.help = "run a WebAssembly module in the foreground",
		.details =
			"The module gets no file, no port and no address but what the flags name; without\n"
			"--listen it may listen on TCP 8000 to 8999 of the loopback addresses. Root is not\n"
			"needed. The exit status is the module's; 134 after a trap.",
		.options = run_options,
		.run = verb_run,
		.minimum_arguments = 1,
		.maximum_arguments = -1,
	},
	{
		.name = "inspect",
		.arguments = "FILE",
		.help = "say whether a WebAssembly module is valid, can run here, and what it needs",
		.details =
			"Exit status 0 when it can run here, 1 when it is invalid or something is missing.",
		.options = inspect_options,
		.run = verb_inspect,
		.minimum_arguments = 1,
		.maximum_arguments = 1,
	},
	{ .name = NULL },
};
