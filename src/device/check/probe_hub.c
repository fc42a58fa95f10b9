/* Who this device is at its hub, whether the hub is there, and whether it is the one that was joined. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/store/identity.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/version.h"
#include "crypto/certificate.h"
#include "device/check/check.h"
#include "net/client.h"
#include "sandbox/privilege.h"

#define LIMIT_MS 10000
#define NOBODY 65534

/* Read only: whoever made the agent's folder here would own it. */
static int find_identity(const char *state, struct pic_agent_identity *out, struct pic_error *err)
{
	struct pic_agent_store store = { -1, -1, -1 };
	char path[512];
	int r;

	snprintf(path, sizeof(path), "%s/agent", state);
	store.folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store.folder < 0)
		return -errno;
	r = pic_agent_identity_load(out, &store, err);
	pic_agent_store_close(&store);
	return r;
}

static void look_at_certificate(const struct pic_agent_identity *identity,
				struct pic_check_facts *facts)
{
	struct pic_certificate_facts certificate;

	snprintf(facts->joined_as, sizeof(facts->joined_as), "%s", identity->target);
	if (pic_certificate_read(identity->certificate, &certificate, &facts->certificate_error) <
		    0 ||
	    pic_certificate_verify(identity->certificate, identity->authority, 0,
				   &facts->certificate_error) < 0)
		return;
	snprintf(facts->certificate_name, sizeof(facts->certificate_name), "%s",
		 certificate.common_name);
	facts->not_before_ms = certificate.not_before_ms;
	facts->not_after_ms = certificate.not_after_ms;
}

/* What GET /device/v1/authority answers: the PEM of the hub's authority. */
static int ask_authority(const struct pic_client_settings *settings, const char *hub,
			 struct pic_buf *body, struct pic_error *err)
{
	char url[PIC_URL_MAX + 64];
	const struct pic_client_request request = {
		.method = "GET",
		.url = url,
		.timeout_ms = LIMIT_MS,
		.answer_fd = -1,
	};
	struct pic_client_answer answer = { .status = 0 };
	int r;

	snprintf(url, sizeof(url), "%s/device/v1/authority", hub);
	r = pic_client_perform(settings, &request, body, &answer, err);
	if (r == 0 && answer.status != 200)
		r = pic_error_set(err, -EPROTO,
				  "%s answers with status %d where a hub shows its authority", hub,
				  answer.status);
	return r;
}

static void ask_joined_hub(const struct pic_agent_identity *identity, struct pic_check_facts *facts)
{
	const struct pic_client_settings settings = {
		.user_agent = "piccolo/" PIC_VERSION,
		.authority_pem = identity->authority,
		.server_pin = identity->tls_pin,
		.unverified = identity->tls_pin != NULL,
		.ignore_dates = !pic_clock_wall_is_set(facts->now_ms),
	};
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(64 * 1024);

	facts->hub_asked = true;
	snprintf(facts->hub_url, sizeof(facts->hub_url), "%s", identity->hub);
	ask_authority(&settings, identity->hub, &body, &facts->hub_error);
}

/* Before joining only the pin tells the right hub, as joining itself will find. */
static void ask_configured_hub(const struct pic_device_options *options,
			       struct pic_check_facts *facts)
{
	const struct pic_client_settings settings = { .user_agent = "piccolo/" PIC_VERSION,
						      .unverified = true };
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(64 * 1024);
	struct pic_certificate_facts authority;
	char pin[PIC_SHA256_TEXT];

	facts->hub_asked = true;
	snprintf(facts->hub_url, sizeof(facts->hub_url), "%s", options->hub);
	if (ask_authority(&settings, options->hub, &body, &facts->hub_error) < 0)
		return;
	if (pic_certificate_read(pic_buf_text(&body), &authority, NULL) < 0) {
		pic_error_set(&facts->hub_error, -EPROTO,
			      "%s does not show the certificate of a hub's authority",
			      options->hub);
		return;
	}
	pic_sha256_text(&authority.key_pin, pin);
	if (options->ca_pin && strncmp(options->ca_pin, "sha256:", 7) == 0 &&
	    strcasecmp(options->ca_pin + 7, pin) != 0)
		pic_error_set(
			&facts->hub_error, -EKEYREJECTED,
			"the authority of %s has the pin sha256:%s, not the one that is configured",
			options->hub, pin);
}

static void look_at_token(const char *file, struct pic_check_facts *facts)
{
	if (!file || strcmp(file, "-") == 0)
		return;
	facts->token_file = file;
	if (access(file, F_OK) == 0)
		facts->token_there = PIC_YES;
	else
		facts->token_there = errno == ENOENT ? PIC_NO : PIC_UNSEEN;
}

static void look(const struct pic_device_options *options, struct pic_check_facts *facts, int flags)
{
	PIC_IDENTITY struct pic_agent_identity identity = { .hub = NULL };
	struct pic_error err = PIC_ERROR_INIT;
	int r = find_identity(options->state, &identity, &err);

	facts->joined = r == 0 ? PIC_YES : r == -ENOENT ? PIC_NO : PIC_UNSEEN;
	if (r == 0)
		look_at_certificate(&identity, facts);
	if (flags & PIC_CHECK_LOCAL)
		return;
	if (r == 0)
		ask_joined_hub(&identity, facts);
	else if (r == -ENOENT && options->hub)
		ask_configured_hub(options, facts);
}

static void take_text(char *out, const char *in, size_t size)
{
	memcpy(out, in, size);
	out[size - 1] = '\0';
}

static void take_error(struct pic_error *out, const struct pic_error *in)
{
	out->code = in->code < 0 ? in->code : 0;
	take_text(out->text, in->text, sizeof(out->text));
}

/* Of what the child has written only what it was asked for, and that checked: it has read a stranger's bytes. */
static void take(struct pic_check_facts *out, const struct pic_check_facts *in)
{
	unsigned char asked;

	memcpy(&asked, &in->hub_asked, 1);
	out->hub_asked = asked != 0;
	out->joined = in->joined == PIC_YES || in->joined == PIC_NO ? in->joined : PIC_UNSEEN;
	take_error(&out->hub_error, &in->hub_error);
	take_error(&out->certificate_error, &in->certificate_error);
	take_text(out->hub_url, in->hub_url, sizeof(out->hub_url));
	take_text(out->certificate_name, in->certificate_name, sizeof(out->certificate_name));
	take_text(out->joined_as, in->joined_as, sizeof(out->joined_as));
	out->not_before_ms = in->not_before_ms;
	out->not_after_ms = in->not_after_ms;
}

static bool read_facts(int fd, struct pic_check_facts *out)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	size_t used = 0;

	while (used < sizeof(*out)) {
		ssize_t size = poll(&readable, 1, 2 * LIMIT_MS) == 1
				       ? read(fd, (char *)out + used, sizeof(*out) - used)
				       : 0;

		if (size <= 0)
			return false;
		used += (size_t)size;
	}
	return true;
}

/* Whoever owns the agent's folder; nobody before there is one. */
static struct pic_privileges agent_of(const char *state)
{
	struct stat folder;
	char path[512];

	snprintf(path, sizeof(path), "%s/agent", state);
	if (lstat(path, &folder) < 0 || folder.st_uid == 0)
		return (struct pic_privileges){ .user = NOBODY, .group = NOBODY };
	return (struct pic_privileges){ .user = folder.st_uid, .group = folder.st_gid };
}

/* The agent's folder is the agent's, and its hub may be anybody: root reads neither. */
static void look_as_agent(const struct pic_device_options *options, struct pic_check_facts *facts,
			  int flags)
{
	struct pic_check_facts PIC_FREE *seen = calloc(1, sizeof(*seen));
	struct pic_privileges agent = agent_of(options->state);
	int ends[2];
	pid_t pid;

	if (!seen || pipe2(ends, O_CLOEXEC) < 0)
		return;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		*seen = *facts;
		if (pic_privileges_drop(&agent, NULL) == 0) {
			look(options, seen, flags);
			pic_fd_write_all(ends[1], seen, sizeof(*seen));
		}
		_exit(0);
	}
	close(ends[1]);
	if (pid > 0 && read_facts(ends[0], seen))
		take(facts, seen);
	close(ends[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
}

void pic_check_look_hub(const struct pic_device_options *options, struct pic_check_facts *facts,
			int flags)
{
	facts->hub = options->hub;
	facts->target = options->target;
	look_at_token(options->token_file, facts);
	if (facts->is_root)
		look_as_agent(options, facts, flags);
	else
		look(options, facts, flags);
}
