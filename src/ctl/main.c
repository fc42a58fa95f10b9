/* piccoloctl: its commands and options. */
#include <stddef.h>

#include "base/log.h"
#include "base/version.h"
#include "ctl/ctl.h"

#define TEXT(field) offsetof(struct pic_ctl, field)

static const struct pic_option global_options[] = {
	{ "kubeconfig", 0, PIC_OPTION_TEXT, "FILE", NULL,
	  "credentials of the hub; else KUBECONFIG, else ~/.kube/config", TEXT(kubeconfig),
	  PIC_OPTION_GLOBAL | PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "namespace", 'n', PIC_OPTION_TEXT, "NAME", NULL,
	  "namespace; else the kubeconfig's, else default", TEXT(space),
	  PIC_OPTION_GLOBAL | PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "output", 'o', PIC_OPTION_CHOICE, "table|wide|yaml|json|name", "table",
	  "form of what is printed", TEXT(output), PIC_OPTION_GLOBAL | PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ 0 },
};

#define FILE_ROW \
	{ \
		"filename", 'f', PIC_OPTION_LIST, "FILE", NULL, \
			"file, folder or - for standard input; may be repeated", TEXT(files), \
			PIC_OPTION_FLAG_ONLY, 0, 0 \
	}
#define DRY_RUN_ROW \
	{ \
		"dry-run", 0, PIC_OPTION_FLAG, NULL, NULL, "check at the hub, store nothing", \
			TEXT(dry_run), PIC_OPTION_FLAG_ONLY, 0, 0 \
	}

static const struct pic_option file_options[] = { FILE_ROW, { 0 } };
static const struct pic_option apply_options[] = { FILE_ROW, DRY_RUN_ROW, { 0 } };
static const struct pic_option get_options[] = {
	{ "watch", 'w', PIC_OPTION_FLAG, NULL, NULL, "go on and print changes as they happen",
	  TEXT(watch), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "selector", 'l', PIC_OPTION_TEXT, "LABELS", NULL,
	  "only objects with these labels (k=v,k2 in (a,b))", TEXT(selector), PIC_OPTION_FLAG_ONLY,
	  0, 0 },
	{ "all-namespaces", 'A', PIC_OPTION_FLAG, NULL, NULL, "objects of all namespaces",
	  TEXT(all_spaces), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ 0 },
};
static const struct pic_option patch_options[] = {
	{ "patch", 'p', PIC_OPTION_TEXT, "PATCH", NULL, "the change, as JSON or YAML", TEXT(patch),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "type", 0, PIC_OPTION_CHOICE, "merge|json", "merge",
	  "a merge patch (RFC 7386) or a JSON patch (RFC 6902)", TEXT(patch_type),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	DRY_RUN_ROW,
	{ 0 },
};
static const struct pic_option wait_options[] = {
	{ "for", 0, PIC_OPTION_TEXT, "WHAT", "condition=Ready", "condition=NAME or delete",
	  TEXT(wait_for), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "timeout", 0, PIC_OPTION_DURATION, "TIME", "30s", "how long to wait", TEXT(timeout_ms),
	  PIC_OPTION_FLAG_ONLY, 1, 1000LL * 3600 * 24 * 30 },
	{ 0 },
};
static const struct pic_option push_options[] = {
	{ "name", 0, PIC_OPTION_TEXT, "NAME", NULL,
	  "name to publish under; the file's own by default", TEXT(name), PIC_OPTION_FLAG_ONLY, 0,
	  0 },
	{ 0 },
};
static const struct pic_option enroll_options[] = {
	{ "valid", 0, PIC_OPTION_DURATION, "TIME", "1h", "how long the token works", TEXT(valid_ms),
	  PIC_OPTION_FLAG_ONLY, 1000, 1000LL * 3600 * 24 * 30 },
	{ 0 },
};
static const struct pic_option ignition_options[] = {
	{ "extension", 0, PIC_OPTION_TEXT, "FILE|URL", NULL,
	  "the system extension piccolo-VERSION.raw: a file is pushed to the hub and fetched from there",
	  TEXT(extension), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "extension-hash", 0, PIC_OPTION_TEXT, "sha512-HEX", NULL,
	  "hash of an extension that is given by its URL", TEXT(extension_hash),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "network", 0, PIC_OPTION_TEXT, "FILE", NULL,
	  "a file for /etc/systemd/network (.network, .netdev, .link)", TEXT(network),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "ssh-key", 0, PIC_OPTION_LIST, "FILE", NULL,
	  "public keys that may sign in as core; may be repeated", TEXT(ssh_keys),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "merge", 0, PIC_OPTION_LIST, "FILE", NULL,
	  "another config laid over it, by Ignition's rules; may be repeated", TEXT(merges),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "pointer", 0, PIC_OPTION_FLAG, NULL, NULL,
	  "print a small config that has the rest fetched from the hub at boot", TEXT(pointer),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "valid", 0, PIC_OPTION_DURATION, "TIME", "1d", "how long the secret inside works",
	  TEXT(valid_ms), PIC_OPTION_FLAG_ONLY, 1000, 1000LL * 3600 * 24 * 30 },
	{ "to", 0, PIC_OPTION_TEXT, "FILE", NULL, "write it to a file that nobody else can read",
	  TEXT(to), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ 0 },
};
static const struct pic_option create_options[] = {
	{ "mac", 0, PIC_OPTION_TEXT, "ADDRESS", NULL, "hardware address of its network card",
	  TEXT(mac), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "uuid", 0, PIC_OPTION_TEXT, "UUID", NULL, "of its board (SMBIOS)", TEXT(uuid),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "serial", 0, PIC_OPTION_TEXT, "TEXT", NULL, "its serial number", TEXT(serial),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "label", 0, PIC_OPTION_LIST, "KEY=VALUE", NULL,
	  "more that a request for its Ignition config may name; may be repeated", TEXT(labels),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "ignition-for", 0, PIC_OPTION_DURATION, "TIME", "0s",
	  "for so long, give its Ignition config (and with it the right to join) to whoever asks",
	  TEXT(ignition_for_ms), PIC_OPTION_FLAG_ONLY, 0, 1000LL * 3600 * 24 * 7 },
	{ 0 },
};
static const struct pic_option logs_options[] = {
	{ "follow", 'f', PIC_OPTION_FLAG, NULL, NULL, "go on as the log grows", TEXT(follow),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "lines", 0, PIC_OPTION_NUMBER, "N", "100", "how many of the last lines", TEXT(lines),
	  PIC_OPTION_FLAG_ONLY, 1, 10000 },
	{ 0 },
};
static const struct pic_option accept_options[] = {
	{ "all", 0, PIC_OPTION_FLAG, NULL, NULL, "all devices", TEXT(all_devices),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ 0 },
};

static const struct pic_option requests_options[] = {
	{ "all-namespaces", 'A', PIC_OPTION_FLAG, NULL, NULL, "requests of all namespaces",
	  TEXT(all_spaces), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "url", 0, PIC_OPTION_FLAG, NULL, NULL,
	  "print this hub's address for stages of provider http, with its key", TEXT(show_url),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ 0 },
};
static const struct pic_option diagnose_options[] = {
	{ "for", 0, PIC_OPTION_DURATION, "TIME", "15m", "how long the program may run",
	  TEXT(for_ms), PIC_OPTION_FLAG_ONLY, 1000, 1000LL * 3600 * 24 * 366 },
	{ "reason", 0, PIC_OPTION_TEXT, "TEXT", NULL, "why; what the approver reads", TEXT(reason),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ "attach", 0, PIC_OPTION_LIST, "HOOK", NULL,
	  "where to, as in ebpf.attach (xdp:eth0, tp:sched/sched_switch ...); may be repeated",
	  TEXT(attach), PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ 0 },
};
static const struct pic_option decision_options[] = {
	{ "comment", 0, PIC_OPTION_TEXT, "TEXT", NULL, "why; kept with the decision", TEXT(comment),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ 0 },
};
static const struct pic_option approver_options[] = {
	{ "by-mail", 0, PIC_OPTION_FLAG, NULL, NULL,
	  "the link of a mail is enough to decide, without signing in", TEXT(by_mail),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ 0 },
};

static const struct pic_command approver_commands[] = {
	{ .name = "add",
	  .arguments = "MAIL",
	  .help = "let somebody decide requests; they are sent to this address",
	  .options = approver_options,
	  .run = pic_ctl_approver_add,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "list", .arguments = "", .help = "approvers", .run = pic_ctl_approver_list },
	{ .name = "remove",
	  .arguments = "MAIL",
	  .help = "end somebody's right to decide",
	  .run = pic_ctl_approver_remove,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ 0 },
};

static const struct pic_command ignition_commands[] = {
	{ .name = "validate",
	  .arguments = "FILE",
	  .help = "say what is wrong with any Ignition config, each with its JSON path",
	  .details =
		  "Errors are what Ignition refuses, exit status 1; warnings are what it lets pass "
		  "although\nit does something else than was meant.",
	  .run = pic_ctl_ignition_validate,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ 0 },
};

static const struct pic_command device_commands[] = {
	{ .name = "create",
	  .arguments = "NAME",
	  .help = "make a device known before its first boot, or change how it is recognized",
	  .options = create_options,
	  .run = pic_ctl_device_create,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "list",
	  .arguments = "",
	  .help = "devices with their health",
	  .run = pic_ctl_device_list },
	{ .name = "accept-epoch",
	  .arguments = "[NAME]",
	  .help = "let a device follow this hub's database after it was replaced",
	  .details =
		  "A device does not obey a database it does not know: an emptied or foreign one removes\n"
		  "nothing. This confirms that the present one is right.",
	  .options = accept_options,
	  .run = pic_ctl_device_accept,
	  .maximum_arguments = 1 },
	{ .name = "retire",
	  .arguments = "NAME",
	  .help = "forget a device: its certificate is worth nothing afterwards",
	  .run = pic_ctl_device_retire,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "release",
	  .arguments = "NAME",
	  .help = "end the quarantine of a device whose identity two machines used",
	  .run = pic_ctl_device_release,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ 0 },
};

static const struct pic_command commands[] = {
	{ .name = "apply",
	  .arguments = "-f FILE",
	  .help = "make objects exist as the files say",
	  .details = "All files are checked before the first object is sent.",
	  .options = apply_options,
	  .run = pic_ctl_apply },
	{ .name = "get",
	  .arguments = "KIND[,KIND] [NAME]",
	  .help = "show objects",
	  .options = get_options,
	  .run = pic_ctl_get,
	  .minimum_arguments = 1,
	  .maximum_arguments = 2 },
	{ .name = "describe",
	  .arguments = "KIND/NAME",
	  .help = "show one object with its conditions, components and events",
	  .run = pic_ctl_describe,
	  .minimum_arguments = 1,
	  .maximum_arguments = 2 },
	{ .name = "delete",
	  .arguments = "KIND/NAME... | -f FILE",
	  .help = "delete objects; devices follow",
	  .options = file_options,
	  .run = pic_ctl_delete,
	  .maximum_arguments = -1 },
	{ .name = "patch",
	  .arguments = "KIND/NAME -p PATCH",
	  .help = "change part of an object",
	  .options = patch_options,
	  .run = pic_ctl_patch,
	  .minimum_arguments = 1,
	  .maximum_arguments = 2 },
	{ .name = "edit",
	  .arguments = "KIND/NAME",
	  .help = "change an object in an editor (VISUAL, EDITOR, vi)",
	  .run = pic_ctl_edit,
	  .minimum_arguments = 1,
	  .maximum_arguments = 2 },
	{ .name = "wait",
	  .arguments = "KIND/NAME",
	  .help = "wait until an object is ready or gone",
	  .options = wait_options,
	  .run = pic_ctl_wait,
	  .minimum_arguments = 1,
	  .maximum_arguments = 2 },
	{ .name = "plan",
	  .arguments = "-f FILE",
	  .help = "what would change on which device, before it is applied",
	  .options = file_options,
	  .run = pic_ctl_plan },
	{ .name = "events",
	  .arguments = "",
	  .help = "what happened lately",
	  .options = get_options,
	  .run = pic_ctl_events },
	{ .name = "logs",
	  .arguments = "DEVICE INSTANCE/COMPONENT",
	  .help = "what a workload wrote",
	  .options = logs_options,
	  .run = pic_ctl_logs,
	  .minimum_arguments = 2,
	  .maximum_arguments = 2 },
	{ .name = "push",
	  .arguments = "FILE",
	  .help = "publish an artifact; prints its address and SHA-256",
	  .options = push_options,
	  .run = pic_ctl_push,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "enroll",
	  .arguments = "TARGET",
	  .help = "print the line that joins a device",
	  .options = enroll_options,
	  .run = pic_ctl_enroll,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "device", .arguments = "", .help = "devices", .commands = device_commands },
	{ .name = "ignition",
	  .arguments = "DEVICE",
	  .help = "print the Ignition config of a device's first boot",
	  .details =
		  "The hub keeps the parts, so that the device, or whoever boots it over the network, can fetch\n"
		  "the whole from /ignition/DEVICE. Give them again to change them.",
	  .options = ignition_options,
	  .commands = ignition_commands,
	  .run = pic_ctl_ignition,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "diagnose",
	  .arguments = "DEVICE FILE",
	  .help = "run an eBPF program on one device, by permission and for a limited time",
	  .details =
		  "Asks for an approval and prints the address to decide at, then follows: what the program\n"
		  "writes, what it counts. When the time is over, or on Ctrl-C, it is taken away again.\n"
		  "Exit status 3: the request was rejected, or the approval taken back.",
	  .options = diagnose_options,
	  .run = pic_ctl_diagnose,
	  .minimum_arguments = 2,
	  .maximum_arguments = 2 },
	{ .name = "requests",
	  .arguments = "",
	  .help = "requests for approval: what waits for a decision, what was decided",
	  .options = requests_options,
	  .run = pic_ctl_requests },
	{ .name = "approve",
	  .arguments = "NAME",
	  .help = "say yes to a request",
	  .options = decision_options,
	  .run = pic_ctl_approve,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "reject",
	  .arguments = "NAME",
	  .help = "say no to a request",
	  .options = decision_options,
	  .run = pic_ctl_reject,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "revoke",
	  .arguments = "NAME",
	  .help = "take an approval back; what it allowed ends",
	  .options = decision_options,
	  .run = pic_ctl_revoke,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "approver",
	  .arguments = "",
	  .help = "who may decide requests",
	  .commands = approver_commands },
	{ .name = "explain",
	  .arguments = "KIND[.FIELD]",
	  .help = "what the fields of a kind mean",
	  .run = pic_ctl_explain,
	  .minimum_arguments = 1,
	  .maximum_arguments = 1 },
	{ .name = "api-resources",
	  .arguments = "",
	  .help = "kinds of objects",
	  .run = pic_ctl_api_resources },
	{ 0 },
};

static const struct pic_program program = {
	.name = "piccoloctl",
	.summary = "talks to a Piccolo hub: apply, watch and delete what devices run",
	.version = PIC_VERSION,
	.environment_prefix = "PICCOLO_",
	.config_option = NULL,
	.root = { .name = "piccoloctl",
		  .arguments = "",
		  .help = "talks to a Piccolo hub",
		  .options = global_options,
		  .commands = commands },
};

int main(int argc, char **argv)
{
	struct pic_ctl ctl = { 0 };
	int status;

	pic_log_setup("piccoloctl", PIC_LOG_WARNING, PIC_LOG_FORMAT_TEXT);
	status = pic_program_run(&program, &ctl, argc, argv);
	pic_ctl_session_free(ctl.session);
	return status;
}
