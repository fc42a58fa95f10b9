/* piccoloctl: its commands and options. */
#include <stddef.h>

#include "base/log.h"
#include "base/version.h"
#include "ctl/ctl.h"

#define TEXT(field) offsetof(struct pic_ctl, field)

static const struct pic_option global_options[] = {
	{"kubeconfig", 0, PIC_OPTION_TEXT, "FILE", NULL,
	 "Credentials of the hub; else KUBECONFIG, else ~/.kube/config", TEXT(kubeconfig),
	 PIC_OPTION_GLOBAL | PIC_OPTION_FLAG_ONLY, 0, 0},
	{"namespace", 'n', PIC_OPTION_TEXT, "NAME", NULL, "Namespace; else the kubeconfig's, else default",
	 TEXT(space), PIC_OPTION_GLOBAL | PIC_OPTION_FLAG_ONLY, 0, 0},
	{"output", 'o', PIC_OPTION_TEXT, "FORM", "table", "table, wide, yaml, json or name", TEXT(output),
	 PIC_OPTION_GLOBAL | PIC_OPTION_FLAG_ONLY, 0, 0},
	{0},
};

#define FILE_ROW                                                                              \
	{"filename", 'f', PIC_OPTION_LIST, "FILE", NULL, "File, folder or - for standard input; may be repeated", \
	 TEXT(files), PIC_OPTION_FLAG_ONLY, 0, 0}
#define DRY_RUN_ROW                                                                           \
	{"dry-run", 0, PIC_OPTION_FLAG, NULL, NULL, "Check at the hub, store nothing", TEXT(dry_run), \
	 PIC_OPTION_FLAG_ONLY, 0, 0}

static const struct pic_option file_options[] = {FILE_ROW, {0}};
static const struct pic_option apply_options[] = {FILE_ROW, DRY_RUN_ROW, {0}};
static const struct pic_option get_options[] = {
	{"watch", 'w', PIC_OPTION_FLAG, NULL, NULL, "Go on and print changes as they happen", TEXT(watch),
	 PIC_OPTION_FLAG_ONLY, 0, 0},
	{"selector", 'l', PIC_OPTION_TEXT, "LABELS", NULL, "Only objects with these labels (k=v,k2 in (a,b))",
	 TEXT(selector), PIC_OPTION_FLAG_ONLY, 0, 0},
	{"all-namespaces", 'A', PIC_OPTION_FLAG, NULL, NULL, "Objects of all namespaces", TEXT(all_spaces),
	 PIC_OPTION_FLAG_ONLY, 0, 0},
	{0},
};
static const struct pic_option patch_options[] = {
	{"patch", 'p', PIC_OPTION_TEXT, "PATCH", NULL, "The change, as JSON or YAML", TEXT(patch),
	 PIC_OPTION_FLAG_ONLY, 0, 0},
	{"type", 0, PIC_OPTION_TEXT, "TYPE", "merge", "merge (RFC 7386) or json (RFC 6902)", TEXT(patch_type),
	 PIC_OPTION_FLAG_ONLY, 0, 0},
	DRY_RUN_ROW,
	{0},
};
static const struct pic_option wait_options[] = {
	{"for", 0, PIC_OPTION_TEXT, "WHAT", "condition=Ready", "condition=NAME or delete", TEXT(wait_for),
	 PIC_OPTION_FLAG_ONLY, 0, 0},
	{"timeout", 0, PIC_OPTION_DURATION, "TIME", "30s", "How long to wait", TEXT(timeout_ms),
	 PIC_OPTION_FLAG_ONLY, 1, 1000LL * 3600 * 24 * 30},
	{0},
};
static const struct pic_option push_options[] = {
	{"name", 0, PIC_OPTION_TEXT, "NAME", NULL, "Name to publish under; the file's own by default",
	 TEXT(name), PIC_OPTION_FLAG_ONLY, 0, 0},
	{0},
};
static const struct pic_option enroll_options[] = {
	{"valid", 0, PIC_OPTION_DURATION, "TIME", "1h", "How long the token works", TEXT(valid_ms),
	 PIC_OPTION_FLAG_ONLY, 1000, 1000LL * 3600 * 24 * 30},
	{0},
};
static const struct pic_option logs_options[] = {
	{"follow", 'f', PIC_OPTION_FLAG, NULL, NULL, "Go on as the log grows", TEXT(follow),
	 PIC_OPTION_FLAG_ONLY, 0, 0},
	{"lines", 0, PIC_OPTION_NUMBER, "N", "100", "How many of the last lines", TEXT(lines),
	 PIC_OPTION_FLAG_ONLY, 1, 10000},
	{0},
};
static const struct pic_option accept_options[] = {
	{"all", 0, PIC_OPTION_FLAG, NULL, NULL, "All devices", TEXT(all_devices), PIC_OPTION_FLAG_ONLY, 0, 0},
	{0},
};

static const struct pic_command device_commands[] = {
	{"list", "", "Devices with their health", NULL, NULL, NULL, pic_ctl_device_list, 0, 0},
	{"accept-epoch", "[NAME]", "Let a device follow this hub's database after it was replaced",
	 "A device does not obey a database it does not know: an emptied or foreign one removes nothing.\n"
	 "This confirms that the present one is right.",
	 accept_options, NULL, pic_ctl_device_accept, 0, 1},
	{"retire", "NAME", "Forget a device: its certificate is worth nothing afterwards", NULL, NULL, NULL,
	 pic_ctl_device_retire, 1, 1},
	{0},
};

static const struct pic_command commands[] = {
	{"apply", "-f FILE", "Make objects exist as the files say",
	 "All files are checked before the first object is sent.", apply_options, NULL, pic_ctl_apply, 0, 0},
	{"get", "KIND[,KIND] [NAME]", "Show objects", NULL, get_options, NULL, pic_ctl_get, 1, 2},
	{"describe", "KIND/NAME", "Show one object with its conditions, components and events", NULL, NULL,
	 NULL, pic_ctl_describe, 1, 2},
	{"delete", "KIND/NAME... | -f FILE", "Delete objects; devices follow",
	 NULL, file_options, NULL, pic_ctl_delete, 0, -1},
	{"patch", "KIND/NAME -p PATCH", "Change part of an object", NULL, patch_options, NULL, pic_ctl_patch,
	 1, 2},
	{"edit", "KIND/NAME", "Change an object in an editor (VISUAL, EDITOR, vi)", NULL, NULL, NULL,
	 pic_ctl_edit, 1, 2},
	{"wait", "KIND/NAME", "Wait until an object is ready or gone", NULL, wait_options, NULL, pic_ctl_wait,
	 1, 2},
	{"plan", "-f FILE", "What would change on which device, before it is applied", NULL, file_options,
	 NULL, pic_ctl_plan, 0, 0},
	{"events", "", "What happened lately", NULL, get_options, NULL, pic_ctl_events, 0, 0},
	{"logs", "DEVICE INSTANCE/COMPONENT", "What a workload wrote", NULL, logs_options, NULL, pic_ctl_logs,
	 2, 2},
	{"push", "FILE", "Publish an artifact; prints its address and SHA-256", NULL, push_options, NULL,
	 pic_ctl_push, 1, 1},
	{"enroll", "TARGET", "Print the line that joins a device", NULL, enroll_options, NULL, pic_ctl_enroll,
	 1, 1},
	{"device", "", "Devices", NULL, NULL, device_commands, NULL, 0, 0},
	{"explain", "KIND[.FIELD]", "What the fields of a kind mean", NULL, NULL, NULL, pic_ctl_explain, 1, 1},
	{"api-resources", "", "Kinds of objects", NULL, NULL, NULL, pic_ctl_api_resources, 0, 0},
	{0},
};

static const struct pic_program program = {
	.name = "piccoloctl",
	.summary = "Talks to a Piccolo hub: apply, watch and delete what devices run",
	.version = PIC_VERSION,
	.environment_prefix = "PICCOLO_",
	.config_option = NULL,
	.root = {.name = "piccoloctl",
		 .arguments = "",
		 .help = "Talks to a Piccolo hub",
		 .options = global_options,
		 .commands = commands},
};

int main(int argc, char **argv)
{
	struct pic_ctl ctl = {0};
	int status;

	pic_log_setup("piccoloctl", PIC_LOG_WARNING, PIC_LOG_FORMAT_TEXT);
	status = pic_program_run(&program, &ctl, argc, argv);
	pic_ctl_session_free(ctl.session);
	return status;
}
