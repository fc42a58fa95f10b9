/* Which link the agent has, and how it becomes a device of a hub when it was started with a token. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/context.h"
#include "agent/link/backoff.h"
#include "agent/sentence.h"
#include "base/file.h"
#include "base/log.h"

static void on_stamp(void *data, const struct pic_supervisor_message *message, int fds[2])
{
	struct pic_agent *agent = data;

	(void)fds;
	if (agent->link)
		agent->dialect->stamp(agent->link,
				      message && message->status == 0 ? message->stamp : NULL);
}

/* Without a supervisor the poll goes out without a stamp: news are better than none. */
void pic_agent_stamp_wanted(void *data)
{
	struct pic_agent *agent = data;
	struct pic_supervisor_call call = {
		.operation = PIC_SUPERVISOR_STAMP,
		.answer = on_stamp,
		.data = agent,
	};

	/* what is being bound would be asked for again */
	agent->stamp_waits = agent->tickets_under_way > 0;
	if (agent->stamp_waits || !agent->link)
		return;
	if (pic_supervisor_link_ask(agent->supervisor, &call, NULL) < 0)
		agent->dialect->stamp(agent->link, NULL);
}

void pic_agent_uplink_tell(struct pic_agent *agent)
{
	const struct pic_supervisor_call call = {
		.operation = PIC_SUPERVISOR_UPLINK,
		.spec = &agent->uplink,
		.spec_size = sizeof(agent->uplink),
	};

	if (agent->uplink.family && !agent->uplink_told)
		agent->uplink_told = pic_supervisor_link_ask(agent->supervisor, &call, NULL) == 0;
}

static void peer_known(void *data, const char *address, int port)
{
	struct pic_agent *agent = data;
	struct pic_uplink uplink = { .port = (uint16_t)port };

	if (inet_pton(AF_INET, address, uplink.address) == 1)
		uplink.family = 4;
	else if (inet_pton(AF_INET6, address, uplink.address) == 1)
		uplink.family = 6;
	if (!uplink.family || memcmp(&uplink, &agent->uplink, sizeof(uplink)) == 0)
		return;
	agent->uplink = uplink;
	agent->uplink_told = false;
	pic_agent_uplink_tell(agent);
}

static void link_changed(void *data)
{
	pic_agent_report_soon(data);
}

static int open_link(struct pic_agent *agent, struct pic_error *err)
{
	struct pic_link_settings settings = {
		.loop = agent->loop,
		.store = &agent->store,
		.identity = &agent->identity,
		.in_force = &agent->acceptance,
		.session = agent->session,
		.user_agent = agent->user_agent,
		.file = agent->settings->file,
		.handler = { .document = pic_agent_offered,
			     .ask = pic_agent_asked,
			     .ticket = pic_agent_ticketed,
			     .approvals = pic_agent_approvals,
			     .stamp = pic_agent_stamp_wanted,
			     .changed = link_changed,
			     .peer = peer_known,
			     .data = agent },
	};

	agent->dialect = settings.file ? &pic_link_file : &pic_link_hub;
	return agent->dialect->open(&agent->link, &settings, err);
}

/* -- joining ------------------------------------------------------------------------------------------- */

#define JOIN_WAITS_MAX 6 /* a hub that is away: the pauses become no longer than half a minute */
#define JOIN_REFUSED_WAITS 10 /* one that says no needs a person first: the longest pauses */

/* The same as before is no news. */
static void tell_join_problem(struct pic_agent *agent, const char *reason, const char *text)
{
	char sentence[sizeof(agent->join_problem)];

	pic_sentence_copy(sentence, sizeof(sentence), text);
	if (strcmp(reason, agent->join_reason) == 0 && strcmp(sentence, agent->join_problem) == 0)
		return;
	snprintf(agent->join_reason, sizeof(agent->join_reason), "%s", reason);
	memcpy(agent->join_problem, sentence, sizeof(sentence));
	pic_log(PIC_LOG_WARNING, "not-joined", PIC_TEXT("reason", reason), PIC_TEXT("why", text));
}

static void join_failed(struct pic_agent *agent, int code, const char *reason, const char *text)
{
	tell_join_problem(agent, reason, text);
	if (code == -EPERM)
		agent->join_failures = JOIN_REFUSED_WAITS;
	else if (agent->join_failures < JOIN_WAITS_MAX)
		agent->join_failures++;
	else
		agent->join_failures = JOIN_WAITS_MAX;
	pic_timer_set(agent->join_timer, pic_backoff_ms(agent->join_failures, -1));
}

/* Used up, or never needed. What root keeps where we cannot remove it is worth nothing. */
static void remove_token(struct pic_agent *agent)
{
	const char *file = agent->settings->token_file;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_file_remove(agent->store.folder, PIC_TOKEN_NAME, &err) < 0)
		pic_log(PIC_LOG_WARNING, "token-stays", PIC_TEXT("why", err.text));
	/* on a file system that we may not write, what is not there cannot be removed either */
	if (file && strcmp(file, "-") != 0 && access(file, F_OK) == 0 && unlink(file) < 0)
		pic_log(PIC_LOG_INFO, "token-stays", PIC_TEXT("file", file),
			PIC_TEXT("why", strerror(errno)));
}

/* The one that root has handed over, else the file itself. */
static int read_token(struct pic_agent *agent, char *token, struct pic_error *err)
{
	const char *file = agent->settings->token_file;
	struct pic_error own = PIC_ERROR_INIT;
	int r = pic_join_read_token_at(agent->store.folder, PIC_TOKEN_NAME, token, &own);

	if (r != -ENOENT)
		return r < 0 ? pic_error_set(err, r, "%s", own.text) : 0;
	r = pic_join_read_token(file, token, err);
	return r == -ENOENT
		       ? pic_error_set(err, r,
				       "%s is not there; piccolo join makes this a device, with a "
				       "token of piccoloctl enroll %s",
				       file, agent->target)
		       : r;
}

static void on_joined(void *data, int code, const char *reason, const char *text,
		      struct pic_agent_identity *identity)
{
	struct pic_agent *agent = data;
	struct pic_error err = PIC_ERROR_INIT;
	int r;

	agent->join = NULL;
	if (code < 0) {
		join_failed(agent, code, reason, text);
		return;
	}
	agent->identity = *identity;
	memset(identity, 0, sizeof(*identity));
	agent->join_problem[0] = agent->join_reason[0] = '\0';
	r = pic_agent_identity_save(&agent->identity, &agent->store, &err);
	if (r == 0)
		r = pic_agent_hub_open(agent, &err);
	if (r < 0) {
		pic_agent_identity_clear(&agent->identity);
		join_failed(agent, r, "DiskFailed", err.text);
		return;
	}
	pic_log(PIC_LOG_INFO, "joined", PIC_TEXT("hub", agent->identity.hub),
		PIC_TEXT("target", agent->identity.target));
}

static void join_now(void *data)
{
	struct pic_agent *agent = data;
	char token[PIC_TOKEN_MAX + 1] = "";
	struct pic_join_order order = {
		.hub = agent->settings->hub,
		.target = agent->settings->target,
		.ca_pin = agent->settings->ca_pin,
		.tls_pin = agent->settings->tls_pin,
		.token = token,
		.user_agent = agent->user_agent,
	};
	struct pic_error err = PIC_ERROR_INIT;
	int r = read_token(agent, token, &err);

	if (r < 0) {
		join_failed(agent, r, "TokenMissing", err.text);
		return;
	}
	r = pic_join_start(&agent->join, agent->loop, &order, on_joined, agent, &err);
	explicit_bzero(token, sizeof(token));
	if (r < 0)
		join_failed(agent, -EPERM, "JoinFailed", err.text);
}

/* -- opening ------------------------------------------------------------------------------------------- */

/* The configuration may name another address of the same hub; its authority is the same. */
static int follow_settings(struct pic_agent *agent, struct pic_error *err)
{
	const char *hub = agent->settings->hub;
	size_t size = hub ? strlen(hub) : 0;
	char *copy;

	while (size > 0 && hub[size - 1] == '/')
		size--;
	if (size == 0 || strncmp(hub, agent->identity.hub, size + 1) == 0)
		return 0;
	copy = strndup(hub, size);
	if (!copy)
		return pic_error_set(err, -ENOMEM, "no memory for the hub's address");
	free(agent->identity.hub);
	agent->identity.hub = copy;
	return 0;
}

static void set_target(struct pic_agent *agent)
{
	const char *target = agent->identity.hub ? agent->identity.target : agent->settings->target;

	snprintf(agent->target, sizeof(agent->target), "%s",
		 target && target[0] ? target : "local");
}

int pic_agent_hub_open(struct pic_agent *agent, struct pic_error *err)
{
	set_target(agent);
	if (agent->settings->file)
		return open_link(agent, err);
	if (agent->identity.hub) {
		remove_token(agent);
		memcpy(agent->acceptance.confirmed, agent->identity.epoch,
		       sizeof(agent->acceptance.confirmed));
		return follow_settings(agent, err) < 0 ? err->code : open_link(agent, err);
	}
	if (!agent->settings->hub || !agent->settings->token_file) {
		pic_log(PIC_LOG_INFO, "no-hub", PIC_TEXT("remedy", "piccolo join"));
		return 0;
	}
	if (!agent->join_timer &&
	    pic_loop_timer(agent->loop, join_now, agent, &agent->join_timer, err) < 0)
		return -ENOMEM;
	pic_timer_set(agent->join_timer, 0);
	return 0;
}

void pic_agent_hub_close(struct pic_agent *agent)
{
	pic_join_cancel(PIC_STEAL(agent->join));
	pic_timer_free(PIC_STEAL(agent->join_timer));
	if (!agent->dialect)
		return;
	pic_fetch_leave(agent->fetcher); /* while the link's client is there */
	agent->dialect->close(PIC_STEAL(agent->link));
}

/* Somebody has joined anew beside us: `piccolo join`. Our own renewals come here too and change nothing. */
void pic_agent_identity_changed(struct pic_agent *agent)
{
	PIC_IDENTITY struct pic_agent_identity identity = { .hub = NULL };
	struct pic_error err = PIC_ERROR_INIT;
	bool same;

	if (agent->settings->file || pic_agent_identity_load(&identity, &agent->store, &err) < 0)
		return;
	same = agent->identity.hub && strcmp(identity.key, agent->identity.key) == 0 &&
	       strcmp(identity.certificate, agent->identity.certificate) == 0;
	if (same)
		return;
	pic_log(PIC_LOG_INFO, "identity-changed", PIC_TEXT("hub", identity.hub));
	pic_agent_hub_close(agent);
	pic_agent_identity_clear(&agent->identity);
	agent->identity = identity;
	memset(&identity, 0, sizeof(identity));
	if (pic_agent_hub_open(agent, &err) < 0)
		pic_log(PIC_LOG_ERROR, "hub-not-opened", PIC_TEXT("why", err.text));
	pic_agent_report_soon(agent);
}

struct pic_client *pic_agent_hub_borrow(void *data, bool *keep)
{
	struct pic_agent *agent = data;

	return agent->link ? agent->dialect->borrow(agent->link, keep) : NULL;
}

void pic_agent_hub_give_back(void *data)
{
	struct pic_agent *agent = data;

	agent->dialect->give_back(agent->link);
}

const struct pic_link_state *pic_agent_link_state(const struct pic_agent *agent)
{
	static const struct pic_link_state none = { .connection = PIC_LINK_NONE };

	return agent->link ? agent->dialect->state(agent->link) : &none;
}
