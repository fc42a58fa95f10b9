/*
 * The hub as a process: opens its rooms from the store upwards, serves until it is told to stop, and
 * closes them so that everybody who waits gets an answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/version.h"
#include "hub/address.h"
#include "hub/admin_token.h"
#include "hub/approval/approval.h"
#include "hub/artifacts/artifacts.h"
#include "hub/campaign/campaign.h"
#include "hub/device_api/devices.h"
#include "hub/engine/reconciler.h"
#include "hub/identity/identity.h"
#include "hub/kube_api/kube.h"
#include "hub/options.h"
#include "hub/server.h"
#include "hub/web/web.h"

#define PEM_MAX (64 * 1024)

/* The process: the hub's context and what only its start and stop need. */
struct run {
	const struct pic_hub_options *options;
	struct pic_hub hub;
	char state[4096];
	int state_fd;
	const char **listen; /* NULL-ended */
	struct pic_address_names names;
	struct pic_buf certificate, key; /* what the listeners show */
	struct pic_buf smtp_password, smtp_authority;
	struct pic_hub_mail mail;
	const char **approval_urls; /* NULL-ended */
	char public_url[512];
	char tls_pin[PIC_SHA256_TEXT + 8];
	struct pic_watchdog watchdog;
};

static int fail(const struct pic_error *err)
{
	fprintf(stderr, "piccolo-hub: %s\n", err->text);
	return PIC_EXIT_FAILED;
}

static int usage(const struct pic_error *err)
{
	fprintf(stderr, "piccolo-hub: %s\n", err->text);
	return PIC_EXIT_USAGE;
}

/* The process's own surroundings. */

static void settle_process(void)
{
	struct rlimit files;

	umask(077);
	signal(SIGPIPE, SIG_IGN);
	/* One more arena for one more thread would cost more than it saves. */
	mallopt(M_ARENA_MAX, 1);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int open_state(struct run *run, struct pic_error *err)
{
	const char *folder = pic_hub_options_state(run->options);
	int r = pic_folder_open(AT_FDCWD, folder, true, 0700, (uid_t)-1, (gid_t)-1, &run->state_fd,
				err);

	if (r < 0)
		return r;
	/* Absolute, so that what is printed can be used from anywhere. */
	if (*folder == '/') {
		snprintf(run->state, sizeof(run->state), "%s", folder);
		return pic_folder_sweep(run->state_fd, err);
	}
	char link[32];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", run->state_fd);
	ssize_t size = readlink(link, run->state, sizeof(run->state) - 1);
	if (size < 0)
		snprintf(run->state, sizeof(run->state), "%s", folder);
	else
		run->state[size] = '\0';
	return pic_folder_sweep(run->state_fd, err);
}

static int open_store(struct run *run, struct pic_error *err)
{
	struct pic_hub *hub = &run->hub;
	PIC_FREE char *token = NULL;
	int r = open_state(run, err);

	if (r == 0)
		r = pic_loop_new(&hub->loop, err);
	if (r == 0)
		r = pic_store_open(&hub->store, hub->loop, run->state, err);
	if (r == 0)
		r = pic_identity_open(&hub->identity, hub->store, run->state, &token, err);
	if (r == 0)
		r = pic_admin_token_hand_over(run->state_fd, run->state, token, run->options->dev,
					      err);
	if (token)
		explicit_bzero(token, strlen(token));
	return r;
}

/* Listeners. */

static int choose_listeners(struct run *run, struct pic_error *err)
{
	const struct pic_option_list *given = &run->options->listen;
	size_t count = given->count ? given->count : 1;

	run->listen = calloc(count + 1, sizeof(*run->listen));
	if (!run->listen)
		return pic_error_set(err, -ENOMEM, "no memory for the listeners");
	run->listen[0] = "127.0.0.1:8443";
	run->hub.is_loopback_only = true;
	for (size_t i = 0; i < given->count; i++)
		run->listen[i] = given->items[i];
	for (size_t i = 0; i < count; i++) {
		if (!pic_address_is_loopback(run->listen[i]))
			run->hub.is_loopback_only = false;
	}
	return pic_address_names(run->listen, run->options->public_url, &run->names, err);
}

/* A certificate of another authority: devices are given its pin when they join. */
static int read_foreign_certificate(struct run *run, struct pic_error *err)
{
	struct pic_certificate_facts facts;
	char pin[PIC_SHA256_TEXT];
	int r = pic_file_read_path(run->options->tls_cert, &run->certificate, err);

	if (r == 0)
		r = pic_certificate_read(pic_buf_text(&run->certificate), &facts, err);
	if (r < 0)
		return pic_error_wrap(err, r, "--tls-cert %s cannot be used",
				      run->options->tls_cert);
	r = pic_file_read_path(run->options->tls_key, &run->key, err);
	if (r < 0)
		return pic_error_wrap(err, r, "--tls-key %s cannot be used", run->options->tls_key);
	pic_sha256_text(&facts.key_pin, pin);
	snprintf(run->tls_pin, sizeof(run->tls_pin), "sha256:%s", pin);
	run->hub.tls_pin = run->tls_pin;
	return 0;
}

static void choose_url(struct run *run)
{
	const char *given = run->options->public_url;

	if (given)
		snprintf(run->public_url, sizeof(run->public_url), "%s", given);
	else
		pic_address_url(pic_hub_server_address(run->hub.server, 0), &run->names,
				run->public_url, sizeof(run->public_url));
	size_t size = strlen(run->public_url);
	while (size && run->public_url[size - 1] == '/')
		run->public_url[--size] = '\0';
	run->hub.public_url = run->public_url;
}

static int open_server(struct run *run, struct pic_error *err)
{
	const char *const *names = (const char *const *)run->names.items;
	struct pic_hub_server_settings settings = {
		.tls = run->listen,
		.plain = run->options->listen_http,
		.names = names,
		.artifact_max = run->options->artifact_max,
	};
	int r = run->options->tls_cert ? read_foreign_certificate(run, err)
				       : pic_identity_listener(run->hub.identity, names,
							       &run->certificate, &run->key, err);

	if (r < 0)
		return r;
	settings.certificate_pem = pic_buf_text(&run->certificate);
	settings.key_pem = pic_buf_text(&run->key);
	r = pic_hub_server_open(&run->hub.server, &run->hub, &settings, err);
	if (r == 0)
		choose_url(run);
	return r;
}

/* Rooms. Handlers run in the loop only, so the listeners may stand before the rooms do. */

/* A password in a file of its own is not seen by who lists processes; the line's end is not part of it. */
static int read_mail_settings(struct run *run, struct pic_error *err)
{
	const struct pic_hub_options *options = run->options;
	int r = 0;

	if (!options->smtp_url)
		return 0;
	run->mail = (struct pic_hub_mail){ .url = options->smtp_url, .from = options->mail_from };
	if (options->smtp_password_file) {
		r = pic_file_read_path(options->smtp_password_file, &run->smtp_password, err);
		if (r < 0)
			return pic_error_wrap(err, r, "--smtp-password-file");
		char *end = strpbrk(run->smtp_password.data ? run->smtp_password.data : "", "\r\n");
		if (end)
			*end = '\0';
		run->mail.password = pic_buf_text(&run->smtp_password);
	}
	if (options->smtp_ca) {
		r = pic_file_read_path(options->smtp_ca, &run->smtp_authority, err);
		if (r < 0)
			return pic_error_wrap(err, r, "--smtp-ca");
		run->mail.authority_pem = pic_buf_text(&run->smtp_authority);
	}
	run->hub.mail = &run->mail;
	return 0;
}

static int open_approvals(struct run *run, struct pic_error *err)
{
	const struct pic_option_list *urls = &run->options->approval_url;
	int r = read_mail_settings(run, err);

	if (r < 0)
		return r;
	run->approval_urls = calloc(urls->count + 1, sizeof(*run->approval_urls));
	if (!run->approval_urls)
		return pic_error_set(err, -ENOMEM, "no memory for approvals");
	for (size_t i = 0; i < urls->count; i++)
		run->approval_urls[i] = urls->items[i];
	run->hub.approval_urls = run->approval_urls;
	run->hub.state = run->state;
	return pic_approvals_open(&run->hub.approvals, &run->hub, err);
}

static int open_rooms(struct run *run, struct pic_error *err)
{
	struct pic_hub *hub = &run->hub;
	int r = pic_artifacts_open(&hub->artifacts, hub->store, run->state,
				   run->options->artifact_max, err);

	if (r == 0)
		r = open_approvals(run, err);
	if (r == 0)
		r = pic_devices_open(&hub->devices, hub, err);
	if (r == 0)
		r = pic_reconciler_open(&hub->reconciler, hub, err);
	if (r == 0)
		r = pic_kube_open(&hub->kube, hub, err);
	if (r == 0)
		r = pic_campaigns_open(&hub->campaigns, hub, err);
	if (r == 0)
		r = pic_web_open(&hub->web, hub, err);
	return r;
}

static void close_all(struct run *run)
{
	struct pic_hub *hub = &run->hub;

	/* Watches and polls end, what waits for the disk is answered, then nobody is left to answer. */
	pic_web_stop(hub->web);
	if (hub->kube)
		pic_kube_stop(hub->kube);
	pic_campaigns_stop(hub->campaigns);
	pic_approvals_stop(hub->approvals);
	if (hub->store)
		pic_store_settle(hub->store);
	pic_devices_close(hub->devices);
	if (hub->store)
		pic_store_settle(hub->store);
	pic_hub_server_close(hub->server);
	pic_web_close(hub->web);
	pic_artifacts_close(hub->artifacts);
	pic_identity_close(hub->identity);
	pic_store_close(hub->store);
	/* They have listened to the store until its last event. */
	pic_reconciler_close(hub->reconciler);
	pic_campaigns_close(hub->campaigns);
	pic_approvals_close(hub->approvals);
	if (hub->kube)
		pic_kube_close(hub->kube);
	if (hub->loop)
		pic_loop_free(hub->loop);
	pic_address_names_free(&run->names);
	pic_buf_free(&run->certificate);
	if (run->key.data)
		explicit_bzero(run->key.data, run->key.size);
	pic_buf_free(&run->key);
	if (run->smtp_password.data)
		explicit_bzero(run->smtp_password.data, run->smtp_password.size);
	pic_buf_free(&run->smtp_password);
	pic_buf_free(&run->smtp_authority);
	free(run->approval_urls);
	free(run->listen);
	pic_close_fd(&run->state_fd);
}

/* Serving. */

static void on_stop(void *data, int signo)
{
	struct run *run = data;

	pic_log(PIC_LOG_INFO, "stopping", PIC_NUMBER("signal", signo));
	pic_notify("STOPPING=1");
	pic_loop_stop(run->hub.loop);
}

static int watch_process(struct run *run, struct pic_error *err)
{
	int r = pic_loop_signal(run->hub.loop, SIGTERM, on_stop, run, err);

	if (r == 0)
		r = pic_loop_signal(run->hub.loop, SIGINT, on_stop, run, err);
	return r == 0 ? pic_watchdog_start(&run->watchdog, run->hub.loop, err) : r;
}

static int announce(struct run *run, struct pic_error *err)
{
	const char *plain = pic_hub_server_address(run->hub.server, -1), *address;

	for (int i = 0; (address = pic_hub_server_address(run->hub.server, i)); i++)
		pic_log(PIC_LOG_INFO, "listening", PIC_TEXT("address", address),
			PIC_TEXT("kind", "tls"));
	if (plain)
		pic_log(PIC_LOG_INFO, "listening", PIC_TEXT("address", plain),
			PIC_TEXT("kind", "plain"));
	if (run->hub.insecure_demo)
		pic_log(PIC_LOG_WARNING, "insecure-demo", PIC_TEXT("address", plain),
			PIC_TEXT("meaning", "everybody on this machine is administrator there"));
	if (!run->options->dev)
		return 0;
	int r = pic_admin_token_kubeconfig(&run->hub, run->state_fd,
					   run->hub.tls_pin
						   ? pic_buf_text(&run->certificate)
						   : pic_identity_authority(run->hub.identity),
					   err);
	if (r < 0)
		return r;
	printf("piccolo-hub %s\n  address:     %s/\n  kubeconfig:  %s/kubeconfig\n  admin token: "
	       "%s/admin.token\n",
	       PIC_VERSION, run->hub.public_url, run->state, run->state);
	return fflush(stdout) == 0 ? 0
				   : pic_error_errno(err, errno, "cannot write to the terminal");
}

static int serve(struct run *run, struct pic_error *err)
{
	int r = open_store(run, err);

	if (r == 0)
		r = choose_listeners(run, err);
	if (r == 0)
		r = open_server(run, err);
	if (r == 0)
		r = open_rooms(run, err);
	if (r == 0)
		r = watch_process(run, err);
	if (r == 0)
		r = announce(run, err);
	if (r < 0)
		return r;
	pic_notify("READY=1");
	return pic_loop_run(run->hub.loop, err);
}

static void run_init(struct run *run, const struct pic_hub_options *options)
{
	*run = (struct run){
		.options = options,
		.state_fd = -1,
		.certificate = PIC_BUF_INIT(PEM_MAX),
		.key = PIC_BUF_INIT(PEM_MAX),
		.smtp_password = PIC_BUF_INIT(4096),
		.smtp_authority = PIC_BUF_INIT(1024 * 1024),
	};
	run->hub.is_dev = options->dev;
	run->hub.insecure_demo = options->insecure_demo;
}

int pic_hub_verb_serve(void *options, int argc, char **argv)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct run run;

	(void)argc;
	(void)argv;
	run_init(&run, options);
	if (pic_hub_options_log(options, &err) < 0 || pic_hub_options_check(options, &err) < 0)
		return usage(&err);
	settle_process();
	int r = serve(&run, &err);
	close_all(&run);
	return r < 0 ? fail(&err) : PIC_EXIT_OK;
}

/* The other verbs. */

int pic_hub_verb_token(void *options, int argc, char **argv)
{
	static const struct pic_actor actor = { "root", "command line", "new admin token" };
	struct pic_error err = PIC_ERROR_INIT;
	char token[PIC_TOKEN_TEXT];
	PIC_FREE char *first = NULL;
	struct run run;

	(void)argc;
	(void)argv;
	run_init(&run, options);
	if (pic_hub_options_log(options, &err) < 0)
		return usage(&err);
	settle_process();
	int r = open_state(&run, &err);
	if (r == 0)
		r = pic_loop_new(&run.hub.loop, &err);
	if (r == 0)
		r = pic_store_open(&run.hub.store, run.hub.loop, run.state, &err);
	if (r == 0)
		r = pic_identity_open(&run.hub.identity, run.hub.store, run.state, &first, &err);
	if (r == 0)
		r = pic_identity_renew_admin(run.hub.identity, &actor, token, &err);
	if (r == 0)
		printf("%s\n", token);
	explicit_bzero(token, sizeof(token));
	close_all(&run);
	return r < 0 ? fail(&err) : PIC_EXIT_OK;
}

int pic_hub_verb_check(void *options, int argc, char **argv)
{
	const char *state = pic_hub_options_state(options);
	struct pic_error err = PIC_ERROR_INIT;

	(void)argc;
	(void)argv;
	if (pic_store_check(state, &err) < 0)
		return fail(&err);
	printf("the journal of %s is whole\n", state);
	return PIC_EXIT_OK;
}

int pic_hub_verb_routes(void *options, int argc, char **argv)
{
	(void)options;
	(void)argc;
	(void)argv;
	return pic_hub_routes_print(stdout) < 0 ? PIC_EXIT_FAILED : PIC_EXIT_OK;
}
