/*
 * supervisor.sock: who may ask, and what goes out: replies, entries, events.
 */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "supervisor/context.h"

#define CONNECTIONS_MAX 16
#define WAITERS_MAX 64
#define ROOT_RESERVE 8 /* the agent, which may have fallen, cannot keep root's command line out */

static struct pic_message wrap(const struct pic_supervisor_message *message)
{
	return (struct pic_message){ .data = (void *)message, .size = sizeof(*message) };
}

void pic_message_to(struct pic_supervisor *supervisor, uint64_t connection,
		    const struct pic_supervisor_message *message, const int *fds, unsigned count)
{
	struct pic_message out = wrap(message);

	for (; out.fd_count < count; out.fd_count++)
		out.fds[out.fd_count] = fds[out.fd_count];
	pic_message_server_send(supervisor->server, connection, &out);
}

void pic_reply_status(struct pic_supervisor *supervisor, const struct pic_waiter *who, int status,
		      const char *text, const struct pic_ledger_entry *evidence)
{
	struct pic_supervisor_message reply = {
		.version = PIC_SUPERVISOR_VERSION,
		.kind = PIC_SUPERVISOR_REPLY,
		.id = who->request,
		.status = status,
	};

	snprintf(reply.text, sizeof(reply.text), "%s", text);
	if (evidence)
		reply.entry = *evidence;
	pic_message_to(supervisor, who->connection, &reply, NULL, 0);
}

void pic_message_all(struct pic_supervisor *supervisor,
		     const struct pic_supervisor_message *message)
{
	const struct pic_message out = wrap(message);

	pic_message_server_broadcast(supervisor->server, &out);
}

void pic_event_send(struct pic_supervisor *supervisor, const struct pic_ledger_entry *entry)
{
	const struct pic_supervisor_message event = {
		.version = PIC_SUPERVISOR_VERSION,
		.kind = PIC_SUPERVISOR_EVENT,
		.entry = *entry,
	};

	pic_message_all(supervisor, &event);
}

int pic_waiter_add(struct pic_waiter **list, const struct pic_waiter *who, struct pic_error *err)
{
	struct pic_waiter *waiter;
	unsigned count = 0;

	for (waiter = *list; waiter; waiter = waiter->next)
		count++;
	if (count >= WAITERS_MAX && who->user != 0)
		return pic_error_set(err, -EAGAIN, "too many wait for this end already");
	waiter = malloc(sizeof(*waiter));
	if (!waiter)
		return pic_error_set(err, -ENOMEM, "no memory to wait for the end");
	*waiter = *who;
	waiter->next = *list;
	*list = waiter;
	return 0;
}

void pic_waiters_answer(struct pic_supervisor *supervisor, struct pic_waiter **list,
			const struct pic_ledger_entry *evidence)
{
	for (struct pic_waiter *waiter; (waiter = *list);) {
		*list = waiter->next;
		pic_reply_status(supervisor, waiter, 0, "", evidence);
		free(waiter);
	}
}

static bool admits(void *data, uid_t user)
{
	(void)pic_agent_folders_make(data, NULL); /* somebody may have wiped them meanwhile */
	return user == 0 || user == ((const struct pic_supervisor *)data)->agent_user;
}

static bool receive(void *data, uint64_t connection, uid_t user, struct pic_message *message)
{
	const struct pic_supervisor_request *request = message->data;
	struct pic_waiter who = { .connection = connection, .user = user };
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_supervisor_request_check(request, message->size, message->fd_count, &err) < 0) {
		pic_log(PIC_LOG_WARNING, "request-malformed", PIC_NUMBER("user", user),
			PIC_TEXT("why", err.text));
		return false;
	}
	who.request = request->id;
	if (request->operation > PIC_SUPERVISOR_ROOT_ONLY && user != 0)
		pic_reply_status(data, &who, -EPERM, "only root may ask for this", NULL);
	else
		pic_request_handle(data, &who, request, message->fd_count ? message->fds[0] : -1);
	return true;
}

int pic_connections_open(struct pic_supervisor *supervisor, struct pic_error *err)
{
	const struct pic_message_server_settings settings = {
		.folder = supervisor->settings->run_folder,
		.name = "supervisor.sock",
		.group = supervisor->agent_group,
		.mode = 0660,
		.connections_max = CONNECTIONS_MAX,
		.root_reserve = ROOT_RESERVE,
		.message_max = sizeof(struct pic_supervisor_request),
		.admits = admits,
		.receive = receive,
		.data = supervisor,
	};

	return pic_message_server_new(&supervisor->server, supervisor->loop, &settings, err);
}
