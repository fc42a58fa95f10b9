/*
 * The artifacts the agent knows of: those that something wants, and those that are its to drop. A mark on
 * disk says so before the supervisor's store can have one, and goes after it is out of the store again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/context.h"
#include "agent/link/backoff.h"
#include "base/clock.h"
#include "base/log.h"

static struct pic_plan_artifact *find(struct pic_agent *agent,
				      const unsigned char digest[PIC_DIGEST_SIZE])
{
	for (size_t i = 0; i < agent->artifact_count; i++)
		if (memcmp(agent->artifacts[i].digest, digest, PIC_DIGEST_SIZE) == 0)
			return &agent->artifacts[i];
	return NULL;
}

static int grow(struct pic_agent *agent)
{
	size_t room = agent->artifact_room ? 2 * agent->artifact_room : 4;
	struct pic_plan_artifact *artifacts = realloc(agent->artifacts, room * sizeof(*artifacts));
	struct pic_artifact_source *sources;

	if (!artifacts)
		return -ENOMEM;
	agent->artifacts = artifacts;
	sources = realloc(agent->artifact_sources, room * sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	agent->artifact_sources = sources;
	agent->artifact_room = room;
	return 0;
}

static struct pic_plan_artifact *make(struct pic_agent *agent,
				      const unsigned char digest[PIC_DIGEST_SIZE])
{
	struct pic_plan_artifact *artifact = find(agent, digest);
	size_t index = agent->artifact_count;

	if (artifact)
		return artifact;
	if (index == agent->artifact_room && grow(agent) < 0)
		return NULL;
	agent->artifact_count++;
	artifact = &agent->artifacts[index];
	*artifact = (struct pic_plan_artifact){ .state = PIC_ARTIFACT_UNKNOWN };
	memcpy(artifact->digest, digest, PIC_DIGEST_SIZE);
	agent->artifact_sources[index] = (struct pic_artifact_source){ .text = NULL };
	return artifact;
}

static void forget(struct pic_agent *agent, struct pic_plan_artifact *artifact)
{
	size_t index = (size_t)(artifact - agent->artifacts), last = --agent->artifact_count;

	free(agent->artifact_sources[index].text);
	agent->artifacts[index] = agent->artifacts[last];
	agent->artifact_sources[index] = agent->artifact_sources[last];
	if (last == 0)
		pic_agent_artifacts_free(agent);
}

void pic_agent_artifacts_free(struct pic_agent *agent)
{
	for (size_t i = 0; i < agent->artifact_count; i++)
		free(agent->artifact_sources[i].text);
	free(PIC_STEAL(agent->artifacts));
	free(PIC_STEAL(agent->artifact_sources));
	agent->artifact_count = agent->artifact_room = 0;
}

static void on_found(void *data, const unsigned char digest[PIC_DIGEST_SIZE], bool is_copy)
{
	struct pic_plan_artifact *artifact = make(data, digest);

	if (artifact && is_copy)
		artifact->state = PIC_ARTIFACT_FETCHED;
}

/* A whole copy may lie there although the store has the artifact too: then handing it over is quick. */
int pic_agent_artifacts_load(struct pic_agent *agent, struct pic_error *err)
{
	(void)err;
	pic_agent_store_each(&agent->store, on_found, agent);
	return 0;
}

void pic_agent_artifacts_lost(struct pic_agent *agent)
{
	for (size_t i = 0; i < agent->artifact_count; i++) {
		enum pic_artifact_state *state = &agent->artifacts[i].state;

		if (*state == PIC_ARTIFACT_LOOKING || *state == PIC_ARTIFACT_DROPPING ||
		    *state == PIC_ARTIFACT_STORED)
			*state =
				PIC_ARTIFACT_UNKNOWN; /* also what was stored: a purge may be behind it */
		else if (*state == PIC_ARTIFACT_TAKING)
			*state = PIC_ARTIFACT_FETCHED;
	}
}

/* -- how a step went ---------------------------------------------------------------------------------- */

struct failure {
	const char *reason;
	const char *text;
	bool permanent;
	int64_t retry_after_ms;
};

static void succeed(struct pic_agent *agent, struct pic_plan_artifact *artifact,
		    enum pic_artifact_state state)
{
	struct pic_artifact_source *source = &agent->artifact_sources[artifact - agent->artifacts];

	free(PIC_STEAL(source->text));
	source->failures = 0;
	artifact->state = state;
	artifact->reason = NULL;
	artifact->text = NULL;
	artifact->permanent = false;
	artifact->retry_boot_ms = 0;
	pic_agent_plan_soon(agent);
}

static void fail(struct pic_agent *agent, struct pic_plan_artifact *artifact,
		 enum pic_artifact_state state, const struct failure *failure)
{
	struct pic_artifact_source *source = &agent->artifact_sources[artifact - agent->artifacts];
	char hex[2 * PIC_DIGEST_SIZE + 1];

	pic_hex_encode(artifact->digest, PIC_DIGEST_SIZE, hex);
	pic_log(PIC_LOG_WARNING, "artifact-failed", PIC_TEXT("sha256", hex),
		PIC_TEXT("reason", failure->reason), PIC_TEXT("why", failure->text));
	free(source->text);
	source->text = strdup(failure->text);
	artifact->state = state;
	artifact->reason = failure->reason;
	artifact->text = source->text ? source->text : "no memory";
	artifact->permanent = failure->permanent;
	artifact->retry_boot_ms = pic_clock_boot_ms() + 1 +
				  pic_backoff_ms(++source->failures, failure->retry_after_ms);
	pic_agent_plan_soon(agent);
}

static void fail_here(struct pic_agent *agent, struct pic_plan_artifact *artifact,
		      enum pic_artifact_state state, const char *reason, const char *text)
{
	fail(agent, artifact, state, &(struct failure){ reason, text, false, -1 });
}

void pic_agent_artifact_is_gone(struct pic_agent *agent,
				const unsigned char digest[PIC_DIGEST_SIZE])
{
	struct pic_plan_artifact *artifact = find(agent, digest);

	if (artifact && artifact->state == PIC_ARTIFACT_STORED)
		artifact->state = PIC_ARTIFACT_UNKNOWN;
}

/* Whose answer it is: artifacts move in memory, digests do not. */
struct errand {
	struct pic_agent *agent;
	unsigned char digest[PIC_DIGEST_SIZE];
};

static int ask(struct pic_agent *agent, struct pic_supervisor_call *call,
	       const unsigned char digest[PIC_DIGEST_SIZE], struct pic_error *err)
{
	struct errand *errand = malloc(sizeof(*errand));
	int r;

	if (!errand)
		return pic_error_set(err, -ENOMEM, "no memory to ask the supervisor");
	errand->agent = agent;
	memcpy(errand->digest, digest, PIC_DIGEST_SIZE);
	call->digest = errand->digest;
	call->data = errand;
	r = pic_supervisor_link_ask(agent->supervisor, call, err);
	if (r < 0)
		free(errand);
	return r;
}

/* -- look ------------------------------------------------------------------------------------------------ */

static void on_looked(void *data, const struct pic_supervisor_message *message, int fds[2])
{
	PIC_FREE struct errand *errand = data;
	struct pic_agent *agent = errand->agent;
	struct pic_plan_artifact *artifact = find(agent, errand->digest);
	struct pic_error err = PIC_ERROR_INIT;

	(void)fds;
	if (!message || !artifact)
		return;
	if (message->status < 0)
		fail_here(agent, artifact, PIC_ARTIFACT_UNKNOWN, "StoreFailed", message->text);
	else if (!message->value)
		succeed(agent, artifact, PIC_ARTIFACT_ABSENT);
	else if (pic_agent_store_mark(&agent->store, errand->digest, &err) < 0)
		fail_here(agent, artifact, PIC_ARTIFACT_UNKNOWN, "DiskFailed", err.text);
	else
		succeed(agent, artifact, PIC_ARTIFACT_STORED);
}

void pic_agent_look(struct pic_agent *agent, const struct pic_step *step)
{
	struct pic_supervisor_call call = { .operation = PIC_SUPERVISOR_HAS, .answer = on_looked };
	struct pic_plan_artifact *artifact = make(agent, step->digest);
	struct pic_error err = PIC_ERROR_INIT;

	if (!artifact)
		return; /* planned again at the next event */
	if (ask(agent, &call, step->digest, &err) == 0)
		artifact->state = PIC_ARTIFACT_LOOKING;
	else
		fail_here(agent, artifact, PIC_ARTIFACT_UNKNOWN, "StoreFailed", err.text);
}

/* -- fetch ----------------------------------------------------------------------------------------------- */

void pic_agent_fetched(void *data, const unsigned char digest[PIC_DIGEST_SIZE],
		       const struct pic_fetch_result *result)
{
	struct pic_agent *agent = data;
	struct pic_plan_artifact *artifact = find(agent, digest);

	if (!artifact)
		return;
	if (result->code == 0)
		succeed(agent, artifact, PIC_ARTIFACT_FETCHED);
	else
		fail(agent, artifact, PIC_ARTIFACT_ABSENT,
		     &(struct failure){ result->reason, result->text, result->permanent,
					result->retry_after_ms });
}

void pic_agent_fetch(struct pic_agent *agent, const struct pic_step *step)
{
	struct pic_plan_artifact *artifact = find(agent, step->digest);
	const char *url = agent->wanted.sources[step->component].url;
	struct pic_fetch_order order = { .maximum = agent->artifact_max, .room = agent->store_max };
	char at_hub[PIC_URL_MAX], hex[2 * PIC_DIGEST_SIZE + 1];
	struct pic_error err = PIC_ERROR_INIT;
	size_t count = 0;
	int r;

	if (!artifact)
		return;
	memcpy(order.digest, step->digest, PIC_DIGEST_SIZE);
	pic_hex_encode(step->digest, PIC_DIGEST_SIZE, hex);
	snprintf(at_hub, sizeof(at_hub), "%s/artifacts/%s",
		 agent->identity.hub ? agent->identity.hub : "", hex);
	if (agent->identity.hub && !agent->settings->file)
		order.sources[count++] = at_hub;
	if (url && strcmp(url, at_hub) != 0)
		order.sources[count++] = url;
	r = pic_fetch_start(agent->fetcher, &order, &err);
	if (r == 0)
		artifact->state = PIC_ARTIFACT_FETCHING;
	else
		fail_here(agent, artifact, PIC_ARTIFACT_ABSENT,
			  r == -EDQUOT ? "StoreFull" : "DiskFailed", err.text);
}

/* -- take ------------------------------------------------------------------------------------------------ */

static int open_copy(const struct pic_agent *agent, const unsigned char digest[PIC_DIGEST_SIZE],
		     uint64_t *size, struct pic_error *err)
{
	char hex[2 * PIC_DIGEST_SIZE + 1];
	struct stat facts;
	PIC_FD int fd = -1;

	pic_hex_encode(digest, PIC_DIGEST_SIZE, hex);
	fd = openat(agent->store.downloads, hex, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &facts) < 0)
		return pic_error_errno(err, errno, "the downloaded artifact cannot be opened");
	*size = (uint64_t)facts.st_size;
	return PIC_STEAL_FD(fd);
}

/* The copy is not what its name says, or the store cannot have it. */
static void not_taken(struct pic_agent *agent, struct pic_plan_artifact *artifact, int code,
		      const char *text)
{
	if (code == -EBADMSG) {
		pic_agent_store_drop_copy(&agent->store, artifact->digest, NULL);
		fail_here(agent, artifact, PIC_ARTIFACT_ABSENT, "DigestMismatch", text);
		return;
	}
	fail(agent, artifact, PIC_ARTIFACT_FETCHED,
	     &(struct failure){ code == -EDQUOT || code == -ENOSPC ? "StoreFull" : "NotStored",
				text, code == -EFBIG || code == -EPERM, -1 });
}

static void on_taken(void *data, const struct pic_supervisor_message *message, int fds[2])
{
	PIC_FREE struct errand *errand = data;
	struct pic_agent *agent = errand->agent;
	struct pic_plan_artifact *artifact = find(agent, errand->digest);
	struct pic_error err = PIC_ERROR_INIT;

	(void)fds;
	if (!message || !artifact)
		return;
	if (message->status < 0) {
		not_taken(agent, artifact, message->status, message->text);
		return;
	}
	if (pic_agent_store_drop_copy(&agent->store, errand->digest, &err) < 0)
		pic_log(PIC_LOG_WARNING, "copy-not-removed", PIC_TEXT("why", err.text));
	succeed(agent, artifact, PIC_ARTIFACT_STORED);
}

void pic_agent_take(struct pic_agent *agent, const struct pic_step *step)
{
	struct pic_supervisor_call call = { .operation = PIC_SUPERVISOR_TAKE, .answer = on_taken };
	struct pic_plan_artifact *artifact = find(agent, step->digest);
	struct pic_error err = PIC_ERROR_INIT;
	PIC_FD int fd = -1;
	int r;

	if (!artifact)
		return;
	fd = open_copy(agent, step->digest, &call.size, &err);
	if (fd == -ENOENT) {
		fail_here(agent, artifact, PIC_ARTIFACT_ABSENT, "DiskFailed", err.text);
		return;
	}
	call.fd = fd;
	r = fd < 0 ? fd : pic_agent_store_mark(&agent->store, step->digest, &err);
	if (r == 0)
		r = ask(agent, &call, step->digest, &err);
	if (r == 0)
		artifact->state = PIC_ARTIFACT_TAKING;
	else
		fail_here(agent, artifact, PIC_ARTIFACT_FETCHED, "NotStored", err.text);
}

/* -- drop ------------------------------------------------------------------------------------------------ */

static void on_dropped(void *data, const struct pic_supervisor_message *message, int fds[2])
{
	PIC_FREE struct errand *errand = data;
	struct pic_agent *agent = errand->agent;
	struct pic_plan_artifact *artifact = find(agent, errand->digest);
	struct pic_error err = PIC_ERROR_INIT;

	(void)fds;
	if (!message || !artifact)
		return;
	if (message->status < 0) {
		fail_here(agent, artifact, PIC_ARTIFACT_STORED, "NotRemoved", message->text);
		return;
	}
	if (pic_agent_store_forget(&agent->store, errand->digest, &err) < 0) {
		fail_here(agent, artifact, PIC_ARTIFACT_STORED, "NotRemoved", err.text);
		return;
	}
	forget(agent, artifact);
	pic_agent_plan_soon(agent);
}

void pic_agent_drop(struct pic_agent *agent, const struct pic_step *step)
{
	struct pic_supervisor_call call = { .operation = PIC_SUPERVISOR_DROP,
					    .answer = on_dropped };
	struct pic_plan_artifact *artifact = find(agent, step->digest);
	struct pic_error err = PIC_ERROR_INIT;

	if (!artifact)
		return;
	if (artifact->state == PIC_ARTIFACT_FETCHING)
		pic_fetch_cancel(agent->fetcher, step->digest);
	if (ask(agent, &call, step->digest, &err) == 0)
		artifact->state = PIC_ARTIFACT_DROPPING;
	else
		fail_here(agent, artifact, PIC_ARTIFACT_STORED, "NotRemoved", err.text);
}
