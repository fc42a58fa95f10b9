/*
 * `piccolo`: one program, its verbs and its option table.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "base/version.h"
#include "device/options.h"
#include "device/verbs.h"

#define AT(field) offsetof(struct pic_device_options, field)

static const struct pic_option global_options[] = {
	{ "config", 0, PIC_OPTION_TEXT, "FILE", "/etc/piccolo/piccolo.conf", "configuration file",
	  AT(config), PIC_OPTION_GLOBAL, 0, 0 },
	{ "policy", 0, PIC_OPTION_TEXT, "FILE", "/etc/piccolo/policy.conf",
	  "what workloads may do; owned by root", AT(policy), PIC_OPTION_GLOBAL, 0, 0 },
	{ "state", 0, PIC_OPTION_TEXT, "DIR", "/var/lib/piccolo",
	  "what outlives a reboot: desired state, artifacts, logs", AT(state), PIC_OPTION_GLOBAL, 0,
	  0 },
	{ "run-dir", 0, PIC_OPTION_TEXT, "DIR", "/run/piccolo",
	  "what is gone with the boot: ledger and sockets", AT(run_dir), PIC_OPTION_GLOBAL, 0, 0 },
	{ "user", 0, PIC_OPTION_TEXT, "NAME|NUMBER", "piccolo",
	  "user of the agent; without such a user, the number below policy's workload users",
	  AT(user), PIC_OPTION_GLOBAL, 0, 0 },
	{ "hub", 0, PIC_OPTION_TEXT, "URL", NULL, "address of the hub", AT(hub), PIC_OPTION_GLOBAL,
	  0, 0 },
	{ "target", 0, PIC_OPTION_TEXT, "NAME", NULL, "name of this device at the hub", AT(target),
	  PIC_OPTION_GLOBAL, 0, 0 },
	{ "ca-pin", 0, PIC_OPTION_TEXT, "HASH", NULL, "sha256:HEX of the key of the hub's CA",
	  AT(ca_pin), PIC_OPTION_GLOBAL, 0, 0 },
	{ "tls-pin", 0, PIC_OPTION_TEXT, "HASH", NULL,
	  "sha256:HEX of the listener's key, when the hub shows a certificate of another CA",
	  AT(tls_pin), PIC_OPTION_GLOBAL, 0, 0 },
	{ "token-file", 0, PIC_OPTION_TEXT, "FILE", NULL,
	  "one-time token for joining; - is standard input", AT(token_file), PIC_OPTION_GLOBAL, 0,
	  0 },
	{ "metrics", 0, PIC_OPTION_TEXT, "ADDR:PORT", "127.0.0.1:9095",
	  "where Prometheus can scrape the device, or off", AT(metrics), PIC_OPTION_GLOBAL, 0, 0 },
	{ "log-level", 0, PIC_OPTION_CHOICE, "error|warning|info|debug", "info",
	  "what is told on standard error", AT(log_level), PIC_OPTION_GLOBAL, 0, 0 },
	{ "log-format", 0, PIC_OPTION_CHOICE, "text|json", "text", "form of the log",
	  AT(log_format), PIC_OPTION_GLOBAL, 0, 0 },
	{ .name = NULL },
};

static const struct pic_option status_options[] = {
	{ "output", 'o', PIC_OPTION_CHOICE, "table|json", "table", "for people or programs",
	  AT(output), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ .name = NULL },
};

static const struct pic_option logs_options[] = {
	{ "follow", 'f', PIC_OPTION_FLAG, "", NULL, "wait for more lines", AT(follow),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "lines", 'n', PIC_OPTION_NUMBER, "N", "100", "how many of the last lines; 0 for all",
	  AT(lines), PIC_OPTION_FLAG_ONLY, 0, 1000000 },
	{ .name = NULL },
};

static const struct pic_option config_options[] = {
	{ "effective", 0, PIC_OPTION_FLAG, "", NULL,
	  "every option, its value and where it came from", AT(effective), PIC_OPTION_FLAG_ONLY, 0,
	  0 },
	{ .name = NULL },
};

static const struct pic_option purge_options[] = {
	{ "all", 0, PIC_OPTION_FLAG, "", NULL,
	  "also forget the hub: certificate, desired state and the state folder itself", AT(all),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ .name = NULL },
};

static const struct pic_command policy_commands[] = {
	{ .name = "why",
	  .arguments = "INSTANCE/COMPONENT",
	  .help = "say which line policy.conf lacks for a component",
	  .run = pic_verb_policy_why,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = NULL },
};

static const struct pic_command commands[] = {
	{ .name = "supervise",
	  .arguments = "",
	  .help = "the privileged half alone: starts, limits and ends workloads",
	  .details = "Needs root. Workloads go on when it ends; the next one takes them over.",
	  .run = pic_verb_supervise },
	{ .name = "sweep",
	  .arguments = "",
	  .help = "end what is past its end or nobody's, when no supervisor runs",
	  .details = "Needs root. What the ledger knows and whose time is not over goes on.",
	  .run = pic_verb_sweep },
	{ .name = "agent",
	  .arguments = "",
	  .help = "the half that faces the network alone, without privileges",
	  .run = pic_verb_agent },
	{ .name = "join",
	  .arguments = "URL",
	  .help = "make this machine a device of a hub and write the configuration",
	  .run = pic_verb_join,
	  .makes_config = true,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "run",
	  .arguments = "FILE.json",
	  .help = "run a desired state from a file, without a hub",
	  .run = pic_verb_run,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "check",
	  .arguments = "",
	  .help = "say what this machine offers and what is missing, in numbered findings with advice",
	  .details =
		  "Exit status: 0 when no error is found (warnings may be), 1 when one is. Run as root to see all: what "
		  "another user cannot see is named. Nothing is changed.",
	  .options = status_options,
	  .run = pic_verb_check },
	{ .name = "status",
	  .arguments = "",
	  .help = "what should run and what does",
	  .options = status_options,
	  .run = pic_verb_status },
	{ .name = "logs",
	  .arguments = "INSTANCE/COMPONENT",
	  .help = "the log of a workload",
	  .options = logs_options,
	  .run = pic_verb_logs,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "stop",
	  .arguments = "INSTANCE/COMPONENT",
	  .help = "stop a workload by hand; it stays stopped until `piccolo start`",
	  .run = pic_verb_stop,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "start",
	  .arguments = "INSTANCE/COMPONENT",
	  .help = "let a workload run again that was stopped by hand",
	  .run = pic_verb_start,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "policy",
	  .arguments = "",
	  .help = "questions about policy.conf",
	  .commands = policy_commands },
	{ .name = "config",
	  .arguments = "",
	  .help = "the configuration in force",
	  .options = config_options,
	  .run = pic_verb_config },
	{ .name = "purge",
	  .arguments = "",
	  .help = "stop every workload and remove artifacts, logs and holds",
	  .options = purge_options,
	  .run = pic_verb_purge,
	  .makes_config = true },
	{ .name = "wasm",
	  .arguments = "",
	  .help = "run or inspect a WebAssembly module",
	  .commands = pic_commands_wasm },
	{ .name = "ebpf",
	  .arguments = "",
	  .help = "run or inspect an eBPF program",
	  .commands = pic_commands_ebpf },
	{ .name = NULL },
};

const struct pic_program pic_device_program = {
	.name = "piccolo",
	.summary = "runs WebAssembly applications on a small Linux machine, managed by a hub",
	.version = PIC_VERSION,
	.environment_prefix = "PICCOLO_",
	.config_option = "config",
	.root = {
		.name = "piccolo",
		.arguments = "",
		.help = "without a command: supervisor and agent, until Ctrl-C",
		.options = global_options,
		.commands = commands,
		.run = pic_verb_daemon,
	},
};

int main(int argc, char **argv)
{
	struct pic_device_options options = { .argv = argv };

	return pic_program_run(&pic_device_program, &options, argc, argv);
}
