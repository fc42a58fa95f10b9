/*
 * `piccolo join URL`: makes this machine a device of a hub. The exchange is done by a child that is the
 * agent's user, so that the key is the agent's from its first moment and nothing from the network
 * reaches root; then root writes the configuration.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/link/join.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/version.h"
#include "crypto/certificate.h"
#include "device/agent_user.h"
#include "device/config_file.h"
#include "device/verbs.h"

struct attempt {
	struct pic_loop *loop;
	struct pic_agent_store store;
	int code;
	struct pic_error *err;
};

static void on_joined(void *data, int code, const char *reason, const char *text,
		      struct pic_agent_identity *identity)
{
	struct attempt *attempt = data;

	attempt->code = code;
	if (code < 0)
		pic_error_set(attempt->err, code, "%s (%s)", text, reason);
	else
		attempt->code = pic_agent_identity_save(identity, &attempt->store, attempt->err);
	pic_loop_stop(attempt->loop);
}

static int join(const struct pic_device_options *options, const struct pic_join_order *order,
		struct pic_error *err)
{
	struct attempt attempt = { .store = { -1, -1, -1 }, .code = -EIO, .err = err };
	struct pic_join *under_way = NULL;
	int r = pic_agent_store_open(&attempt.store, options->state, err);

	if (r == 0)
		r = pic_loop_new(&attempt.loop, err);
	if (r == 0)
		r = pic_join_start(&under_way, attempt.loop, order, on_joined, &attempt, err);
	if (r == 0)
		r = pic_loop_run(attempt.loop, err);
	if (r == 0)
		r = attempt.code;
	pic_loop_free(attempt.loop);
	pic_agent_store_close(&attempt.store);
	return r;
}

static int status_of(int r, const struct pic_error *err)
{
	if (r == 0)
		return PIC_EXIT_OK;
	fprintf(stderr, "piccolo: not joined: %s\n", err->text);
	switch (r) {
	case -EHOSTUNREACH:
		return PIC_EXIT_UNREACHABLE;
	case -EPERM: /* by the hub, or the hub by us */
		return PIC_EXIT_REFUSED;
	case -EINVAL:
		return PIC_EXIT_USAGE;
	default:
		return PIC_EXIT_FAILED;
	}
}

static int join_as_agent(const struct pic_device_options *options,
			 const struct pic_join_order *order)
{
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_device_become_agent(options, &err);

	return status_of(r < 0 ? r : join(options, order, &err), &err);
}

static int join_in_child(const struct pic_device_options *options,
			 const struct pic_join_order *order)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(join_as_agent(options, order));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : PIC_EXIT_FAILED;
}

/* Root makes what the supervisor would make at its first start. */
static int make_folders(const struct pic_device_options *options, struct pic_error *err)
{
	PIC_FD int state = -1, agent = -1;
	uid_t user = (uid_t)-1;
	gid_t group = (gid_t)-1;
	int r = geteuid() == 0 ? pic_device_agent_user(options, &user, &group, err) : 0;

	if (r == 0)
		r = pic_folder_open(AT_FDCWD, options->state, true, 0755, (uid_t)-1, (gid_t)-1,
				    &state, err);
	if (r == 0)
		r = pic_folder_open(state, "agent", true, 0700, user, group, &agent, err);
	return r;
}

static int write_configuration(const struct pic_device_options *options,
			       const struct pic_join_order *order, struct pic_error *err)
{
	PIC_FREE char *hub = strdup(order->hub);
	const struct pic_config_value values[] = {
		{ "hub", hub },
		{ "target", order->target },
		{ "ca-pin", order->ca_pin },
		{ "tls-pin", order->tls_pin },
	};
	int r;

	if (!hub)
		return pic_error_set(err, -ENOMEM, "no memory to write the configuration");
	while (pic_text_ends(hub, "/"))
		hub[strlen(hub) - 1] = '\0';
	r = pic_config_update(options->config, values, PIC_COUNT(values), err);
	if (r >= 0)
		printf("%s %s\n", options->config,
		       r == PIC_CONFIG_WRITTEN ? "is written" : "says so already");
	return r;
}

int pic_verb_join(void *program, int argc, char **argv)
{
	const struct pic_device_options *options = program;
	char token[PIC_TOKEN_MAX + 1] = "";
	const struct pic_join_order order = {
		.hub = argv[0],
		.target = options->target,
		.ca_pin = options->ca_pin,
		.tls_pin = options->tls_pin,
		.token = token,
		.user_agent = "piccolo/" PIC_VERSION,
	};
	struct pic_error err = PIC_ERROR_INIT;
	int status;

	(void)argc;
	if (!options->target || !options->ca_pin || !options->token_file) {
		fprintf(stderr,
			"piccolo: join needs --target, --ca-pin and --token-file; `piccoloctl enroll "
			"TARGET` prints the whole line\n");
		return PIC_EXIT_USAGE;
	}
	if (pic_join_read_token(options->token_file, token, &err) < 0 ||
	    make_folders(options, &err) < 0)
		return status_of(-EIO, &err);
	status = join_in_child(options, &order);
	explicit_bzero(token, sizeof(token));
	if (status != PIC_EXIT_OK)
		return status;
	printf("%s is a device of %s now\n", options->target, argv[0]);
	if (write_configuration(options, &order, &err) < 0)
		return pic_device_complain(-EIO, &err);
	/* enable --now would leave a supervisor running that knows no hub yet */
	printf("start it with `systemctl enable piccolo piccolo-agent && systemctl restart piccolo "
	       "piccolo-agent`, or `piccolo` in a terminal\n");
	return PIC_EXIT_OK;
}
