#include "hub/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/version.h"
#include "hub/address.h"
#include "hub/approval/object.h"

#define AT(field) offsetof(struct pic_hub_options, field)

static const struct pic_option options[] = {
	{ "config", 0, PIC_OPTION_TEXT, "FILE", "/etc/piccolo/hub.conf", "configuration file",
	  AT(config), PIC_OPTION_GLOBAL, 0, 0 },
	{ "state", 0, PIC_OPTION_TEXT, "DIR", NULL,
	  "objects, keys and artifacts (default: /var/lib/piccolo-hub, or ./piccolo-hub-dev with --dev)",
	  AT(state), PIC_OPTION_GLOBAL, 0, 0 },
	{ "dev", 0, PIC_OPTION_FLAG, NULL, NULL,
	  "try it out: a state folder here, admin token and kubeconfig written into it", AT(dev),
	  PIC_OPTION_GLOBAL, 0, 0 },
	{ "listen", 0, PIC_OPTION_LIST, "ADDR:PORT", NULL,
	  "where to serve over TLS; may be given several times (default: 127.0.0.1:8443)",
	  AT(listen), 0, 0, 0 },
	{ "listen-http", 0, PIC_OPTION_TEXT, "ADDR:PORT", NULL,
	  "also serve Symphony's routes without TLS, on a loopback address", AT(listen_http), 0, 0,
	  0 },
	{ "tls-cert", 0, PIC_OPTION_TEXT, "FILE", NULL,
	  "certificate (PEM) that the listeners show, in place of one of the hub's own",
	  AT(tls_cert), 0, 0, 0 },
	{ "tls-key", 0, PIC_OPTION_TEXT, "FILE", NULL, "its key (PEM)", AT(tls_key), 0, 0, 0 },
	{ "public-url", 0, PIC_OPTION_TEXT, "URL", NULL,
	  "how devices and people reach this hub (default: https:// and the first address)",
	  AT(public_url), 0, 0, 0 },
	{ "smtp-url", 0, PIC_OPTION_TEXT, "URL", NULL,
	  "mail server that takes requests for approval: smtp://[USER@]HOST[:PORT] (TLS by STARTTLS), "
	  "smtps://, or smtp-plain:// without TLS",
	  AT(smtp_url), 0, 0, 0 },
	{ "smtp-password-file", 0, PIC_OPTION_TEXT, "FILE", NULL,
	  "the password for the USER of --smtp-url", AT(smtp_password_file), 0, 0, 0 },
	{ "smtp-ca", 0, PIC_OPTION_TEXT, "FILE", NULL,
	  "authority (PEM) that has signed the mail server's certificate (default: the system's)",
	  AT(smtp_ca), 0, 0, 0 },
	{ "mail-from", 0, PIC_OPTION_TEXT, "ADDRESS", NULL, "sender of the hub's mails",
	  AT(mail_from), 0, 0, 0 },
	{ "approval-url", 0, PIC_OPTION_LIST, "PREFIX", NULL,
	  "a stage of provider http that calls an address beginning so approves the patch that "
	  "follows; may be given several times",
	  AT(approval_url), 0, 0, 0 },
	{ "insecure-demo", 0, PIC_OPTION_FLAG, NULL, NULL,
	  "let the original's clients in on --listen-http as admin without a password",
	  AT(insecure_demo), 0, 0, 0 },
	{ "artifact-max", 0, PIC_OPTION_SIZE, "SIZE", "64M", "largest artifact that is taken",
	  AT(artifact_max), 0, 1024, 1024LL * 1024 * 1024 },
	{ "log-level", 0, PIC_OPTION_TEXT, "LEVEL", "info", "error, warning, info or debug",
	  AT(log_level), PIC_OPTION_GLOBAL, 0, 0 },
	{ "log-format", 0, PIC_OPTION_TEXT, "FORMAT", "text", "text or json", AT(log_format),
	  PIC_OPTION_GLOBAL, 0, 0 },
	{ .name = NULL },
};

static const struct pic_option routes_options[] = {
	{ "output", 'o', PIC_OPTION_TEXT, "FORMAT", "json", "json", AT(output),
	  PIC_OPTION_FLAG_ONLY, 0, 0 },
	{ .name = NULL },
};

static const struct pic_command commands[] = {
	{ .name = "token",
	  .arguments = "",
	  .help = "make a new admin token; the old ones end. The hub must be stopped",
	  .run = pic_hub_verb_token },
	{ .name = "check",
	  .arguments = "",
	  .help = "check the journal's chain of hashes; the hub may run",
	  .run = pic_hub_verb_check },
	{ .name = "routes",
	  .arguments = "",
	  .help = "every route with who may call it",
	  .options = routes_options,
	  .run = pic_hub_verb_routes },
	{ .name = NULL },
};

const struct pic_program pic_hub_program = {
	.name = "piccolo-hub",
	.summary = "a control plane for small machines: Symphony's objects, the kube API, devices that dial out",
	.version = PIC_VERSION,
	.environment_prefix = "PICCOLO_",
	.config_option = "config",
	.root = {
		.name = "piccolo-hub",
		.arguments = "",
		.help = "without a command: serve until SIGTERM or Ctrl-C",
		.options = options,
		.commands = commands,
		.run = pic_hub_verb_serve,
	},
};

const char *pic_hub_options_state(const struct pic_hub_options *values)
{
	if (values->state && *values->state)
		return values->state;
	return values->dev ? "piccolo-hub-dev" : "/var/lib/piccolo-hub";
}

/* Of "https://HOST/": a prefix that ends inside of the host would fit other hosts too. */
static bool is_prefix_of_one_host(const char *url)
{
	const char *host = strncmp(url, "https://", 8) == 0  ? url + 8
			   : strncmp(url, "http://", 7) == 0 ? url + 7
							     : NULL;

	return host && *host != '/' && strchr(host, '/') && !memchr(host, '@', strcspn(host, "/"));
}

static int check_approvals(const struct pic_hub_options *values, struct pic_error *err)
{
	if (values->smtp_url && !values->mail_from)
		return pic_error_set(err, -EINVAL,
				     "--smtp-url needs --mail-from: the sender of the mails");
	if (values->mail_from && !pic_approval_mail_is_valid(values->mail_from))
		return pic_error_set(err, -EINVAL, "--mail-from %.100s is no mail address",
				     values->mail_from);
	if (!values->smtp_url && (values->smtp_password_file || values->smtp_ca))
		return pic_error_set(err, -EINVAL,
				     "--smtp-password-file and --smtp-ca belong to --smtp-url");
	for (size_t i = 0; i < values->approval_url.count; i++)
		if (!is_prefix_of_one_host(values->approval_url.items[i]))
			return pic_error_set(err, -EINVAL,
					     "--approval-url %.200s must begin with https://HOST/ "
					     "or http://HOST/, the slash included",
					     values->approval_url.items[i]);
	return 0;
}

int pic_hub_options_check(const struct pic_hub_options *values, struct pic_error *err)
{
	if (!values->tls_cert != !values->tls_key)
		return pic_error_set(err, -EINVAL,
				     "--tls-cert and --tls-key belong together; give both");
	if (values->listen_http && !pic_address_is_loopback(values->listen_http))
		return pic_error_set(
			err, -EINVAL,
			"--listen-http %s: without TLS only a loopback address such as "
			"127.0.0.1:8082 is allowed",
			values->listen_http);
	if (values->insecure_demo && !values->listen_http)
		return pic_error_set(
			err, -EINVAL,
			"--insecure-demo needs --listen-http: the open login is for loopback only");
	if (values->public_url && strncmp(values->public_url, "https://", 8) != 0)
		return pic_error_set(err, -EINVAL, "--public-url %s must begin with https://",
				     values->public_url);
	return check_approvals(values, err);
}

int pic_hub_options_log(const struct pic_hub_options *values, struct pic_error *err)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	const bool json = strcmp(values->log_format, "json") == 0;

	if (!json && strcmp(values->log_format, "text") != 0)
		return pic_error_set(err, -EINVAL, "--log-format %s is neither text nor json",
				     values->log_format);
	for (size_t i = 0; i < PIC_COUNT(levels); i++) {
		if (strcmp(values->log_level, levels[i]) == 0) {
			pic_log_setup("piccolo-hub", (enum pic_log_level)i,
				      json ? PIC_LOG_FORMAT_JSON : PIC_LOG_FORMAT_TEXT);
			return 0;
		}
	}
	return pic_error_set(err, -EINVAL,
			     "--log-level %s is not one of error, warning, info, debug",
			     values->log_level);
}
